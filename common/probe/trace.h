/* Prints each call of a server on stderr, one line each. All but the first do nothing in
 * a server that was started without LAB_TRACE. They may change errno. */
#ifndef TRACE_H
#define TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/types.h>

/* Reads LAB_TRACE; returns whether it asks for lines. Dies with one line if it is none of
 * 0, 1, clock. */
bool trace_init(void);

/* A call begins now, in this thread. */
void trace_enter(void);

/* Are calls that have to wait shown while they wait? */
bool trace_shows_waits(void);
void trace_wait(const char *name, int fd);
void trace_wait_bytes(const char *name, int fd, size_t len);

/* A call has returned: result, or -1 and errno. */
void trace_call(const char *name, int fd, ssize_t result);
void trace_bytes(const char *name, int fd, size_t len, ssize_t result);
void trace_ctl(int epfd, int op, int fd, const struct epoll_event *ev, int result);

/* What to pass to epoll_ctl for ev, so that its events can be printed by descriptor: ev
 * itself, or a copy in *tagged. */
struct epoll_event *trace_tag(
	int op, int fd, struct epoll_event *ev, struct epoll_event *tagged);

/* A call that waits for events has returned n; puts the program's own data back. */
void trace_events(const char *name, int epfd, struct epoll_event *evs, int n);

#endif
