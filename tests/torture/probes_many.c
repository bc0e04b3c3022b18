/* One client must not cost the others anything. */
#include "probes.h"
#include <linux/sockios.h>
#include <sys/ioctl.h>

/* The first client is served and silent: a server that waits for its next word in recv(2)
 * is deaf for everybody else. */
void probe_silent_blocks(void)
{
	struct client *silent, *other;

	did("one client sends one message and goes silent, a second one comes");
	expect("the second one is answered");
	silent = meet();
	other = meet();
	echo(other, 10);
	echo(silent, 10);
	pass("answered, and so is the first one later");
}

void probe_stalled_client_beside_others(void)
{
	enum { OTHERS = 3, TIMES = 20, MOST = 20 << 20 };
	struct client *stalled = dial_small(), *other[OTHERS];

	did("one client sends and does not read, %d others send %d messages each", OTHERS,
		TIMES);
	expect("each is answered");
	for (int i = 0; i < OTHERS; i++)
		other[i] = meet();
	stuff(&stalled, 1, MOST);
	unsigned long long stuck = stalled->sent - stalled->got;
	for (int i = 0; i < OTHERS * TIMES; i++)
		echo(other[i % OTHERS], 100);
	pass("%d answers, while %llu KB were stuck", OTHERS * TIMES, stuck / 1024);
}

/* --- fairness */

enum {
	CANDIDATES = 6,
	FLOODERS = 3,
	ROUNDS = 12,
	ENOUGH = 256 * 1024, /* bytes queued by one flooder: a fair turn is far less */
	FLOOD = 1 << 20,
};

static unsigned queued(const struct client *c)
{
	struct far_end f = { 0 };

	return far_end(c, &f) ? f.unread : 0;
}

/* The server is frozen: sends until its receive buffer and the send buffer here are full.
 */
static void flood(struct client *c)
{
	double end = now() + 0.02 * (double)set.slow;
	uint64_t goal = c->sent + FLOOD;

	while (now() < end && c->sent < goal)
		if (push(c, (size_t)(goal - c->sent)) > 0)
			end = now() + 0.02 * (double)set.slow;
		else
			nap(1);
}

/* The best come first. */
static void sort(struct client **c, unsigned *room)
{
	for (int i = 0; i < CANDIDATES; i++)
		for (int k = i + 1; k < CANDIDATES; k++)
			if (room[k] > room[i]) {
				struct client *one = c[i];
				unsigned bytes = room[i];

				c[i] = c[k];
				room[i] = room[k];
				c[k] = one;
				room[k] = bytes;
			}
}

/* A new connection takes in about 64 KB, the budget of many a fair server. When a server
 * reads all of a full window the kernel widens it, sooner on one connection than on
 * another: repeat until enough of them are wide. */
static void widen_windows(struct client **c)
{
	unsigned room[CANDIDATES] = { 0 };

	for (int round = 0; round < ROUNDS && room[FLOODERS - 1] < ENOUGH; round++) {
		settle();
		freeze();
		for (int i = 0; i < CANDIDATES; i++)
			flood(c[i]);
		for (int i = 0; i < CANDIDATES; i++)
			room[i] = queued(c[i]);
		thaw();
		for (int i = 0; i < CANDIDATES; i++)
			hear(c[i]);
		sort(c, room);
	}
}

/* Bytes beyond `before` that the server has read: neither here nor in its receive queue,
 * nor in both, not yet acknowledged. */
static uint64_t read_by_server(const struct client *c, uint64_t before)
{
	int here = 0;

	ioctl(c->fd, SIOCOUTQ, &here);
	uint64_t unread_by_server = (uint64_t)here + queued(c);
	return c->sent - before > unread_by_server ? c->sent - before - unread_by_server
						   : 0;
}

/* The pinger's bytes are queued last. The moment its answer is sent the kernel stops the
 * server: what it has read by then it has put before the pinger. */
void probe_fairness(void)
{
	struct client *c[CANDIDATES], *pinger;
	uint64_t waiting = 0, answered_first = 0, before[FLOODERS];

	did("%d clients flood the server, a ping is queued behind them", FLOODERS);
	expect("the ping is answered before half of the flood is read");
	pinger = meet();
	need_far_end(pinger);
	if (parallel())
		skip("its threads or processes take turns as the scheduler says");
	for (int i = 0; i < CANDIDATES; i++) {
		c[i] = meet();
	}
	widen_windows(c);
	settle();
	freeze();
	for (int i = 0; i < FLOODERS; i++) {
		before[i] = c[i]->sent;
		flood(c[i]);
		waiting += queued(c[i]);
	}
	say(pinger, 10);
	delivered(pinger);
	freeze_on_answer(pinger);
	thaw();
	double end = now() + patience();
	while (!readable(pinger, 1) && now() < end)
		for (int i = 0; i < FLOODERS; i++)
			take(c[i], FLOOD);
	sees(LATE);
	if (!readable(pinger, 0))
		fail("the ping is not answered");
	wait_frozen(pinger);
	nap(50); /* for delayed acknowledgements */
	for (int i = 0; i < FLOODERS; i++)
		answered_first += read_by_server(c[i], before[i]);
	thaw();
	for (int i = 0; i < FLOODERS; i++)
		hear(c[i]);
	hear(pinger);
	unsigned long long kb = answered_first / 1024, of_kb = waiting / 1024;
	if (answered_first > waiting / 2)
		fail("%llu KB were read before the answer, %llu KB were queued", kb,
			of_kb);
	pass("%llu KB were read before the answer, %llu KB were queued", kb, of_kb);
}

/* --- many arrive */

/* One piece of news for all of them: who accepts one leaves the others waiting. */
void probe_accept_burst(void)
{
	enum { CLIENTS = 50 };
	struct client *c[CLIENTS];
	int n = 0;

	did("%d clients connect and send, all there when the server looks", CLIENTS);
	expect("each is answered");
	still_serves();
	settle();
	freeze();
	for (int i = 0; i < CLIENTS; i++)
		c[i] = dial_start();
	for (int i = 0; i < CLIENTS; i++)
		if (dial_done(c[i], i ? 20 : 200)) { /* the backlog may be short */
			say(c[i], 100);
			c[n++] = c[i];
		} else {
			hang_up(c[i]);
		}
	thaw();
	for (int i = 0; i < n; i++)
		if (!answered(c[i])) {
			sees(SILENCE);
			fail("%d of %d answered", i, n);
		} else {
			hear(c[i]);
			hang_up(c[i]);
		}
	pass("%d answered", n);
}

void probe_accept_aborted(void)
{
	struct client *gone, *c[2];

	did("a client connects and resets before it is accepted, two come behind it");
	expect("the two are answered");
	still_serves();
	settle();
	freeze();
	gone = dial();
	reset(gone);
	for (int i = 0; i < 2; i++) {
		c[i] = dial();
		say(c[i], 100);
	}
	thaw();
	for (int i = 0; i < 2; i++) {
		hear(c[i]);
		hang_up(c[i]);
	}
	pass("both are answered");
}

/* SIGSTOP and SIGCONT interrupt some calls, epoll_wait(2) among them, though nobody
 * handles them (signal(7)). */
void probe_eintr(void)
{
	enum { TIMES = 30 };
	struct client *c = dial();

	did("%d times SIGSTOP and SIGCONT, at rest and amid traffic", TIMES);
	expect("every byte back");
	for (int i = 0; i < TIMES; i++) {
		if (i % 2) {
			say(c, 50);
		} else {
			hear(c);
			settle();
		}
		freeze();
		thaw();
	}
	hear(c);
	pass("%llu bytes back", (unsigned long long)c->got);
}

void probe_many_connections(void)
{
	enum { WANTED = 10 * 1000, UNKNOWN = 1000, FIRST = 1000 };
	long n = fd_room(have_process() ? WANTED : UNKNOWN);
	double end = now() + 10 * (double)set.slow;

	did("%ld connections, as far as the descriptor limits go to %d", n, WANTED);
	expect("each is answered once, then no CPU is used");
	for (long i = 0; i < n; i++) {
		meet();
		sees(LATE);
		if (now() > end)
			fail("after 10 s only %ld are answered", i + 1);
		if (i == FIRST) /* who spins takes long to get any further */
			calm("with the first idle connections");
	}
	calm("with idle connections");
	pass("all answered");
}
