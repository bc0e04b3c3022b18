/* SIGINT and SIGTERM become a clean end. */
#ifndef STOP_H
#define STOP_H

#include <signal.h>

/* Set once the program should leave. Look at it before every call that may wait. */
extern volatile sig_atomic_t stopping;

/* Installs the handlers, without SA_RESTART: a call that waits returns EINTR. A signal
 * that comes between the look at `stopping` and the call would be lost; so the handler
 * also starts a timer that repeats the interruption (SIGALRM) until the program is gone.
 * Dies if the system refuses. */
void stop_on_signals(void);

#endif
