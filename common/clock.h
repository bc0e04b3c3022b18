/* The one clock of all programs here. */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>

#define NS_PER_S INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_US INT64_C(1000)

/* Nanoseconds of CLOCK_MONOTONIC: since an arbitrary moment, never set back. It comes
 * through the vDSO (vdso(7)), so that a look at the time is no system call. */
int64_t now_ns(void);

/* The same in seconds. */
double now_s(void);

#endif
