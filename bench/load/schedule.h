/* When requests are due, and the runs of the schedule. */
#ifndef LOAD_SCHEDULE_H
#define LOAD_SCHEDULE_H

#include <stdbool.h>

/* The order of the connections and the intervals depend on --seed only. */
void schedule_init(void);

/* Runs the schedule for so many seconds, then waits for the replies still owed. What is
 * due in it counts only if record is true. On a terminal it shows the time left. */
void schedule_run(double seconds, bool record);

/* Counts the requests that nobody answered, sent or not, once the run is over. */
void schedule_end(void);

#endif
