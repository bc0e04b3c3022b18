/* The window in which we measure, and what was seen in it. */
#ifndef LOAD_WINDOW_H
#define LOAD_WINDOW_H

#include "load/hist.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum trouble {
	TROUBLE_RESET,
	TROUBLE_EOF,
	TROUBLE_CORRUPT,
	TROUBLE_TIMEOUT,
	TROUBLE_OTHER,
	TROUBLES,
};

/* The first byte that was not what it must be. */
struct wrong_byte {
	long id; /* the connection; -1: there was none */
	uint64_t seq;
	size_t off; /* in this message */
	int want, found; /* want is -1 for a byte that was not sent yet */
};

struct window {
	bool recording; /* inside the window, not in the warm-up */
	bool sending; /* in a closed loop replies bring new requests */
	int64_t start; /* what was due before it is not measured */
	int64_t last_due; /* the end of the schedule */
	double seconds; /* how long it was: shorter if every connection broke */
	uint64_t requests, received, deferred;
	uint64_t in_time; /* of those received: before the window ended */
	uint64_t
		blocked; /* replies that were stuck in the server when we came for them */
	uint64_t errors[TROUBLES];
	struct wrong_byte wrong;
	bool set_up; /* every connection was answered once */
	struct hist *response; /* from when a request was due */
	struct hist *service; /* from when its first byte was sent */
	struct hist *lag; /* by how much we sent it too late */
	int64_t lost_ns; /* pace spin: in gaps that this machine made */
};

extern struct window window;

void window_init(void);

/* `reset`, `eof` and so on. */
const char *trouble_name(enum trouble t);

/* A request was answered now. Times are in nanoseconds, of now_ns. */
void window_answered(int64_t due, int64_t sent, int64_t now);

/* A request that was due and never answered is recorded with its age: without it the
 * percentiles would look too good. sent is 0 if no byte of it has left. */
void window_unanswered(int64_t due, int64_t sent, int64_t now);

#endif
