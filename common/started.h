/* Is a process still the one that had this number? */
#ifndef STARTED_H
#define STARTED_H

#include <stdint.h>

/* When process pid started, in clock ticks since the machine did (proc_pid_stat(5)); 0 if
 * there is none, or it has ended and only waits for its parent. */
int64_t started(int64_t pid);

#endif
