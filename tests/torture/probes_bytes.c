/* Every byte comes back once and in order, whatever the sizes and the timing. */
#include "probes.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

void probe_dribble(void)
{
	enum { BYTES = 300 };
	struct client *c = dial();

	did("%d bytes one at a time, waiting for each answer", BYTES);
	expect("every byte back");
	for (int i = 0; i < BYTES; i++)
		echo(c, 1);
	pass("every byte back");
}

/* Queued while the server stands still, so that it hears of all of it at once: a server
 * that reads a piece and waits for more news waits for ever. */
void probe_burst(void)
{
	static const size_t sizes[] = { 20 * 1000, 200 * 1000 };

	expect("every byte back, though nothing else is sent");
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		struct client *c = dial();

		did("%zu bytes in one send, then silence", sizes[i]);
		echo(c, 1);
		settle();
		freeze();
		say(c, sizes[i]);
		thaw();
		hear(c);
		hang_up(c);
	}
	did("20,000 and 200,000 bytes in one send each, then silence");
	pass("every byte back");
}

void probe_size_ladder(void)
{
	struct client *c = dial();

	expect("every byte back");
	for (size_t power = 1; power <= 64 * 1024; power *= 2)
		for (size_t n = power > 1 ? power - 1 : 1; n <= power + 1; n++) {
			did("one message of %zu bytes", n);
			say(c, n);
			hear(c);
		}
	did("messages of every power of two to 65,536 bytes, and one less and more");
	pass("%llu bytes back", (unsigned long long)c->got);
}

/* The last of them come in one piece of news. */
void probe_pipelined_order(void)
{
	enum { CLIENTS = 4, ROUNDS = 6, LAST = 200, PIECE = 97, EACH = A_TURN / PIECE };
	struct client *c[CLIENTS];

	did("%d clients at once, each %d small messages without waiting, %d times",
		CLIENTS, EACH, ROUNDS);
	expect("every byte back, in order");
	for (int i = 0; i < CLIENTS; i++)
		c[i] = meet();
	for (int round = 0; round < ROUNDS; round++)
		pump(c, CLIENTS, EACH * PIECE, PIECE);
	settle();
	freeze();
	for (int i = 0; i < CLIENTS * LAST; i++)
		say(c[i % CLIENTS], PIECE);
	thaw();
	for (int i = 0; i < CLIENTS; i++)
		hear(c[i]);
	pass("%d bytes back in order", CLIENTS * (ROUNDS * EACH + LAST) * PIECE);
}

/* Nothing is read until nothing more goes; then nothing is sent, so that no news wakes a
 * server that left something behind. Luck may carry it through one of these, not all. */
void probe_large_stream(void)
{
	enum { MB = 8, FULL = 20 << 20, TIMES = 3 };
	unsigned long long got = 0;
	struct client *c;

	expect("every byte back");
	did("as much as goes unread, then read, %d times", TIMES);
	for (int i = 0; i < TIMES; i++) {
		c = dial();
		stuff(&c, 1, FULL);
		hear(c);
		got += c->got;
		hang_up(c);
	}
	did("%d MB both ways at once", MB);
	c = dial();
	pump(&c, 1, MB << 20, 64 * 1024);
	did("as much as goes unread, then read, %d times; %d MB both ways at once", TIMES,
		MB);
	pass("%llu MB back", (got + c->got) >> 20);
}

/* A one-shot registration that is not renewed answers the first only. */
void probe_rearm(void)
{
	struct client *c = dial();

	expect("each is answered");
	for (int i = 1; i <= 3; i++) {
		did("message %d of 3 on one connection, the server at rest between", i);
		settle();
		say(c, 100);
		hear(c);
	}
	did("three messages on one connection, the server at rest between");
	pass("three answers");
}

/* What came back, with at most one urgent byte in it. */
static bool in_band(const char *got, size_t n, const char *plain, char urgent)
{
	size_t len = strlen(plain), i = 0;

	while (i < n && i < len && got[i] == plain[i])
		i++;
	if (n == len)
		return i == len;
	return n == len + 1 && got[i] == urgent &&
	       memcmp(got + i + 1, plain + i, len - i) == 0;
}

static void send_plain(struct client *c, const char *bytes, int flags)
{
	size_t n = strlen(bytes);

	if (send(c->fd, bytes, n, flags | MSG_NOSIGNAL) != (ssize_t)n)
		fail("send: %s", strerror(errno));
}

/* A read ends at the urgent byte even if more lies behind it: a short read is no proof
 * that the socket is empty. */
void probe_oob_data(void)
{
	struct client *c = dial();
	char got[16];
	size_t n = 0;

	did("'abc', an urgent byte (MSG_OOB), 'def', all at once");
	expect("abcdef back, with or without the urgent byte");
	echo(c, 1);
	settle();
	freeze();
	send_plain(c, "abc", 0);
	send_plain(c, "X", MSG_OOB);
	send_plain(c, "def", 0);
	delivered(c);
	thaw();
	while (n < 7 && !in_band(got, n, "abcdef", 'X')) {
		if (!answered(c)) {
			sees(SILENCE);
			fail("'%.*s', then silence", (int)n, got);
		}
		ssize_t r = recv(c->fd, got + n, sizeof got - n, 0);
		if (r <= 0) {
			sees(r ? RESET : END_OF_STREAM);
			fail("'%.*s', then %s", (int)n, got,
				r ? strerror(errno) : "end of file");
		}
		n += (size_t)r;
	}
	sees(WRONG_BYTE);
	if (!in_band(got, n, "abcdef", 'X'))
		fail("'%.*s'", (int)n, got);
	sees(END_OF_STREAM);
	while (readable(c, 20)) /* the urgent byte, should it still come */
		if (recv(c->fd, got, sizeof got, 0) <= 0)
			fail("the connection ends");
	echo(c, 10);
	pass("all six back, and the connection goes on");
}

/* The preload halves sizes and interrupts calls: see faults.c. */
void probe_short_io(void)
{
	enum { CLIENTS = 4, MESSAGES = 200, PIECE = 97, ROUNDS = 4 };
	struct client *c[CLIENTS], *more;
	size_t n = 0;

	did("system calls cut short, interrupted and refused at random, seed %ld",
		set.seed);
	expect("every byte back");
	c[n++] = meet();
	while (n < CLIENTS && (more = bystander()))
		c[n++] = more;
	for (size_t size = 1; size <= 20 * 1000; size = size * 3 + 1)
		for (size_t i = 0; i < n; i++)
			echo(c[i], size);
	settle();
	freeze(); /* all of it is announced once, and no more comes */
	for (size_t i = 0; i < n * MESSAGES; i++)
		say(c[i % n], PIECE);
	thaw();
	for (size_t i = 0; i < n; i++)
		hear(c[i]);
	for (int round = 0; round < ROUNDS; round++)
		pump(c, n, A_TURN, 5000);
	for (size_t i = 0; i < n; i++) {
		fin(c[i]);
		hear_eof(c[i]);
		hang_up(c[i]);
	}
	for (int i = 0; i < 50; i++) {
		struct client *next = dial();

		echo(next, 100);
		hang_up(next);
	}
	pass("every byte back");
}

/* May be dropped at any moment; what did come back must be right. */
static bool survives(struct client *c, size_t n)
{
	char bytes[4096];

	memset(bytes, 'm', sizeof bytes);
	while (n > 0) {
		size_t piece = n < sizeof bytes ? n : sizeof bytes, left = piece;

		if (!readable(c, 0) &&
			send(c->fd, bytes, piece, MSG_NOSIGNAL) != (ssize_t)piece)
			return false;
		while (left > 0) {
			char got[4096];

			sees(SILENCE);
			if (!answered(c))
				fail("a connection neither answered nor closed");
			ssize_t r = recv(c->fd, got, left, 0);
			if (r <= 0)
				return false;
			sees(WRONG_BYTE);
			for (ssize_t i = 0; i < r; i++)
				if (got[i] != 'm')
					fail("a wrong byte came back");
			left -= (size_t)r;
		}
		n -= piece;
	}
	return true;
}

void probe_no_memory(void)
{
	enum { CLIENTS = 100 };
	int served = 0;

	did("%d clients of a server whose malloc fails at random, seed %ld", CLIENTS,
		set.seed);
	expect("connections may be dropped, the server may not; no wrong byte");
	for (int i = 0; i < CLIENTS; i++) {
		struct client *c = dial();

		served += survives(c, 20 * 1000);
		hang_up(c);
	}
	forgive_drops();
	pass("%d of %d served to the end", served, CLIENTS);
}
