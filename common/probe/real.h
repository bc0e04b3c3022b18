/* For each wrapped symbol X: __real_X is the call itself, which ld makes for each
 * --wrap=X, and __wrap_X what a server calls instead. */
#ifndef REAL_H
#define REAL_H

#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <time.h>

#define WRAP(symbol, type, params) \
	type __real_##symbol params; \
	type __wrap_##symbol params;
#include "calls.def"

/* Not in every C library. A server that calls it has it. */
#pragma weak __real_epoll_pwait2

#endif
