#include "load/schedule.h"
#include "clock.h"
#include "err.h"
#include "load/conn.h"
#include "load/loop.h"
#include "load/options.h"
#include "load/window.h"
#include "stop.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define DRAIN_NS (2 * NS_PER_S) /* how long replies may still come after the window */

static uint32_t *order; /* the active connections, shuffled */
static size_t turn; /* whose turn it is, in order */
static int64_t next_due;
static uint64_t random_state;
static bool terminal; /* stderr is one: asked once, it costs a call each time */

/* xorshift64*, uniform in (0, 1]. */
static double uniform(void)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (double)((random_state * UINT64_C(2685821657736338717)) >> 11) * 0x1p-53 +
	       0x1p-54;
}

static int64_t interval(void)
{
	double mean = 1e9 / asked.rate;

	return (int64_t)(asked.arrival == ARRIVAL_FIXED ? mean : -log(uniform()) * mean);
}

void schedule_init(void)
{
	order = calloc((size_t)asked.active, sizeof *order);
	if (!order)
		die_errno("memory for %ld connections", asked.active);
	random_state = (uint64_t)asked.seed * UINT64_C(0x9e3779b97f4a7c15) | 1;
	for (size_t i = 0; i < (size_t)asked.active; i++) {
		size_t j = (size_t)(uniform() * (double)(i + 1)) % (i + 1);
		order[i] = order[j];
		order[j] = (uint32_t)i;
	}
	terminal = isatty(STDERR_FILENO);
}

/* Open loop: what is due goes out, as long as a connection has room for it. */
static void send_due(int64_t now)
{
	while (next_due <= now && next_due < window.last_due && conns.with_room > 0) {
		struct conn *c;

		do {
			c = conn_at(order[turn]);
			turn = (turn + 1) % (size_t)asked.active;
		} while (!conn_has_room(c));
		window.requests += window.recording;
		window.deferred += window.recording && next_due < conns.room_at;
		conn_issue(c, next_due);
		next_due += interval();
	}
}

/* Closed loop: each connection is filled once, and each reply brings the next request. */
static void fill(void)
{
	for (size_t i = 0; i < (size_t)asked.active; i++)
		for (long d = 0; d < asked.depth && conn_has_room(conn_at(order[i]));
			d++) {
			window.requests += window.recording;
			conn_issue(conn_at(order[i]), now_ns());
		}
}

static void progress(int64_t now, int64_t end)
{
	static int64_t last;

	if (!terminal || !window.recording || now - last < NS_PER_S / 2)
		return;
	last = now;
	fprintf(stderr, "\r%3.0f s left ", (double)(end - now) / 1e9);
}

static void begin(int64_t start, int64_t end, bool record)
{
	window.recording = record;
	if (record)
		window.start = start;
	window.sending = true;
	window.last_due = end;
	loop_begin(start);
	conns.room_at = start;
	next_due = asked.rate > 0 ? start + interval() : end;
}

static void drain(int64_t until)
{
	while (!stopping && conns.alive > 0 && now_ns() < until) {
		if (conns.inflight == 0 && next_due >= window.last_due)
			break;
		send_due(now_ns());
		loop_turn(until);
	}
}

void schedule_run(double seconds, bool record)
{
	int64_t start = now_ns(), end = start + (int64_t)(seconds * 1e9);

	begin(start, end, record);
	if (asked.rate == 0)
		fill();
	while (!stopping && conns.alive > 0) {
		int64_t now = now_ns();
		bool late = conns.with_room == 0 && next_due < end && next_due <= now;

		if (now >= end)
			break;
		send_due(now);
		loop_turn(!late && next_due < end ? next_due : end);
		progress(now, end);
	}
	if (record)
		window.seconds =
			(double)((now_ns() < end ? now_ns() : end) - start) / 1e9;
	window.sending = false;
	drain(end + DRAIN_NS);
	if (terminal && record)
		fprintf(stderr, "\r            \r");
}

void schedule_end(void)
{
	int64_t now = now_ns();

	for (size_t i = 0; i < (size_t)asked.connections; i++)
		window.errors[TROUBLE_TIMEOUT] += conn_give_up(conn_at(i), now);
	for (; asked.rate > 0 && next_due < window.last_due && next_due <= now;
		next_due += interval()) {
		window.requests++;
		window.deferred++;
		window.errors[TROUBLE_TIMEOUT]++;
		window_unanswered(next_due, 0, now);
	}
}
