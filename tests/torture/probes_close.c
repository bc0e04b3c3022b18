/* A connection can end in many ways; each must end that one, and only that one. */
#include "probes.h"
#include <netinet/tcp.h>
#include <string.h>

void probe_scan(void)
{
	enum { TIMES = 1000 };
	int before = server_fds();
	bool prompt = true; /* wait for its close, but not a thousand times */

	did("%d times connect and close", TIMES);
	expect("the next client is answered, no descriptor stays open");
	for (int i = 0; i < TIMES; i++) {
		struct client *c = dial();

		hang_up(c);
		prompt = prompt && gone(c);
	}
	still_serves();
	fds_return_to(before, "afterwards");
	pass("the next client is answered");
}

void probe_half_close(void)
{
	struct client *c = dial();

	expect("every byte back, then the server's FIN");
	did("1,000 bytes, the answer, then FIN");
	echo(c, 1000);
	fin(c);
	hear_eof(c);
	hang_up(c);

	did("%d bytes, then FIN, then the client reads", A_TURN);
	c = dial();
	say(c, A_TURN);
	delivered(c);
	settle();
	fin(c);
	hear_eof(c);
	did("data, then FIN, before and after reading the answer");
	pass("every byte back, and the server's FIN");
}

/* Data and FIN arrive as one piece of news. */
static void fin_with(size_t n)
{
	struct client *c = dial();

	did("%zu bytes and FIN, both there when the server looks", n);
	echo(c, 1);
	settle();
	freeze();
	say(c, n);
	fin(c);
	thaw();
	hear_eof(c);
	hang_up(c);
}

/* What the server has read and not sent: neither in its queues nor on the way. */
static size_t in_user_space(const struct client *c, bool *all_read)
{
	double end = now() + 0.5 * (double)set.slow;
	struct far_end f = { .unread = 1 };

	delivered(c);
	while (far_end(c, &f) && f.unread > 0 && now() < end)
		nap(1);
	*all_read = f.unread == 0;
	uint64_t under_way = c->sent - c->got;
	uint64_t elsewhere = f.unread + f.unsent + unread(c);
	return under_way > elsewhere ? (size_t)(under_way - elsewhere) : 0;
}

/* ... and is not just about to. */
static size_t stuck_in_server(const struct client *c, bool *all_read)
{
	if (in_user_space(c, all_read) == 0)
		return 0;
	nap(20);
	return in_user_space(c, all_read);
}

/* The client reads nothing, so that the server's output is stuck; then the FIN comes. */
static size_t fin_while_stuck(void)
{
	enum { STEP = 16 * 1024, MOST = 16 << 20 };
	struct client *c = dial_small();
	bool all_read = true;
	size_t stuck = 0;

	did("FIN while the answer is stuck in the server, then the client reads");
	echo(c, 1);
	need_far_end(c);
	while (all_read && stuck == 0 && c->sent < MOST) {
		if (push(c, STEP) == 0)
			break;
		stuck = stuck_in_server(c, &all_read);
	}
	fin(c);
	delivered(c);
	settle(); /* the FIN too has been looked at */
	widen(c);
	hear_eof(c);
	hang_up(c);
	return stuck;
}

void probe_fin_behind_data(void)
{
	expect("every byte back, then the server's FIN");
	fin_with(1000);
	fin_with(300 * 1000);
	size_t stuck = fin_while_stuck();
	did("FIN with data before it: unread, or read and stuck (%zu bytes)", stuck);
	pass("every byte back, then the server's FIN");
}

void probe_rst_idle(void)
{
	int before = server_fds();
	struct client *c = dial(), *other;

	did("a RST on an idle connection");
	expect("it is closed, the others live, no CPU is used");
	echo(c, 10);
	other = bystander();
	bool span = spins();
	reset(c);
	unharmed(other);
	if (!span)
		calm("after a RST");
	fds_return_to(before + (other != NULL), "after a RST");
	pass("closed, the others live");
}

void probe_rst_after_data(void)
{
	int before = server_fds();
	struct client *c = dial(), *other;

	did("10,000 bytes and a RST behind them, both there when the server looks");
	expect("the connection is closed, the others live, no CPU is used");
	echo(c, 10);
	other = bystander();
	bool span = spins();
	settle();
	freeze();
	say(c, 10 * 1000);
	delivered(c);
	reset(c);
	thaw();
	unharmed(other);
	if (!span)
		calm("after a RST");
	fds_return_to(before + (other != NULL), "after a RST");
	pass("closed, the others live");
}

void probe_close_with_replies_queued(void)
{
	int before = server_fds();
	struct client *c = dial_small(), *other;

	did("close while the answer is stuck");
	expect("the connection is closed, the others live");
	echo(c, 10);
	other = bystander();
	stuff(&c, 1, 20 << 20);
	settle();
	hang_up(c);
	gone(c);
	unharmed(other);
	fds_return_to(before + (other != NULL), "afterwards");
	pass("closed, the others live");
}

/* The first answer meets a socket that is closed: its RST comes back at once, and the
 * second answer is sent on a dead connection. */
static void answer_a_closed_one(void)
{
	struct client *c = dial();

	did("100,000 bytes and close, so that the answer meets a RST");
	echo(c, 10);
	settle();
	freeze();
	say(c, 100 * 1000);
	delivered(c);
	hang_up(c);
	thaw();
	settle();
	still_serves();
}

/* A and B are ready together. The answer to A stops the server at once, still before B;
 * now B sends FIN and RST, whose error is EPIPE. The server, which was told of B before,
 * reads B's data, and its answer raises SIGPIPE. */
static void answer_a_dead_one(void)
{
	struct client *a = meet(), *b;

	did("FIN and RST after the server was told of the data, before it answers");
	b = bystander();
	if (!b)
		return;
	settle();
	freeze();
	say(a, 100);
	say(b, 100);
	delivered(b);
	freeze_on_answer(a);
	thaw();
	sees(SILENCE);
	if (!answered(a))
		fail("no answer");
	wait_frozen(a);
	fin(b);
	delivered(b);
	reset(b);
	thaw();
	hear(a);
	echo(a, 10);
	hang_up(a);
}

void probe_sigpipe(void)
{
	expect("the server lives");
	answer_a_closed_one();
	answer_a_dead_one();
	did("answers that meet a dead connection");
	pass("the server lives");
}

/* What is behind it in the same batch of events must not reach a connection that was
 * closed by an event before it, nor the one that took over its descriptor. */
void probe_stale_event(void)
{
	struct client *a, *b, *c, *d;

	did("RST of A, a new client C with data, RST of B, all there when the server "
	    "looks");
	expect("C is answered, and so is D who was there before");
	for (int i = 0; i < 5; i++) {
		a = meet();
		b = meet();
		d = meet();
		settle();
		freeze();
		reset(i % 2 ? b : a);
		c = dial();
		say(c, 100);
		delivered(c);
		reset(i % 2 ? a : b);
		thaw();
		hear(c);
		echo(d, 10);
		echo(c, 10);
		hang_up(c);
		hang_up(d);
	}
	pass("both are answered, five times");
}
