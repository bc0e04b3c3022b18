/* The CPU time of a server that may be several processes. */
#ifndef CPU_H
#define CPU_H

#include <sys/types.h>

/* Seconds of CPU time that `pid`, its children and their children have used so far, those
 * that have exited and were waited for included. Returns -1 with errno if there is no
 * such process. Where the kernel lists no children, it is the time of `pid` alone. */
double cpu_of_tree(pid_t pid);

#endif
