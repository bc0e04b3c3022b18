/* One client that shows a lost edge: a burst in one send, silence, then a byte at a time.
 */
#include "args.h"
#include "clock.h"
#include "err.h"
#include "net.h"
#include "stop.h"
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { MAX_BURST = 65536, TICK_MS = 20, ACCEPT_MS = 50, FIRST = 16 };

static const char *host = "127.0.0.1";
static long port = 8080, burst = 10000, silence = 1000, nudges = 20, gap = 50,
	    settle = 1000;
static bool tsv, order;
static long sent, answered;
static long misplaced; /* answers that are not the byte of their place */
static unsigned char first[FIRST]; /* ... and the first of them */

/* What the server did wrong, in one line. */
static _Noreturn void wrong(const char *what)
{
	fflush(stdout);
	fprintf(stderr, "nudge: %s\n", what);
	exit(3);
}

static int64_t now_ms(void)
{
	return now_ns() / NS_PER_MS;
}

static void row(int64_t start)
{
	if (tsv)
		printf("%lld\t%ld\t%ld", (long long)(now_ms() - start), sent, answered);
	if (tsv && order)
		printf("\t%ld", misplaced);
	if (tsv)
		putchar('\n');
	if (fflush(stdout) != 0)
		die_errno("stdout");
}

static void say(int fd, size_t n)
{
	static char bytes[MAX_BURST];

	for (size_t i = 0; i < n; i++)
		bytes[i] = (char)(sent + (long)i);
	ssize_t got = send(fd, bytes, n, MSG_NOSIGNAL);
	if (got < 0 && errno != EPIPE && errno != ECONNRESET)
		die_errno("send of %zu bytes", n);
	if (got != (ssize_t)n)
		wrong(got < 0 ? "the server has closed the connection"
			      : "the server leaves so much unread that no more fits");
	sent += (long)n;
}

static void compare(const char *bytes, ssize_t n)
{
	for (ssize_t i = 0; i < n; i++, answered++) {
		if (answered < FIRST)
			first[answered] = (unsigned char)bytes[i];
		misplaced += bytes[i] != (char)answered;
	}
}

static void tell_order(void)
{
	for (long i = 0; i < FIRST && i < answered; i++)
		printf("%d ", first[i]);
	printf("...: %ld of %ld answers out of place\n", misplaced, answered);
}

/* Takes what comes until `end`, and a row at every tick. False: the server is gone. */
static bool listen_until(int fd, int64_t start, int64_t end)
{
	char bytes[MAX_BURST];

	while (!stopping && now_ms() < end) {
		int64_t left = end - now_ms();
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int n = poll(&p, 1, left < TICK_MS ? (int)left : TICK_MS);

		if (n < 0 && errno != EINTR)
			die_errno("poll");
		if (n > 0) {
			ssize_t got = recv(fd, bytes, sizeof bytes, 0);

			if (got == 0 || (got < 0 && errno == ECONNRESET))
				return false;
			if (got < 0 && errno != EINTR)
				die_errno("recv");
			compare(bytes, got);
		}
		row(start);
	}
	return !stopping;
}

/* After a send: nothing for `ms`, then for as long as no answer has come, but not without
 * end: behind a byte that a busy server has not seen another one is no edge of its own.
 * With --order bytes are to meet in the server, and only the pace counts. */
static bool rest(int fd, int64_t start, long ms)
{
	long before = answered;
	int64_t end = now_ms() + ms, last = end + (order ? 0 : settle);
	bool there = listen_until(fd, start, end);

	while (there && answered == before && now_ms() < last)
		there = listen_until(fd, start, now_ms() + TICK_MS);
	return there;
}

/* Whatever the server did wrong ends the program here. */
static void judge(bool there)
{
	if (!there)
		wrong("the server has closed the connection");
	if (answered > sent)
		wrong("the server has sent more bytes than it got");
	if (misplaced && !order)
		wrong("the answers are not the bytes that were sent");
	if (fflush(stdout) != 0)
		die_errno("stdout");
}

/* The burst, the silence, the single bytes. Returns false if the server has gone. */
static bool play(int fd, int64_t start)
{
	say(fd, (size_t)burst);
	bool there = rest(fd, start, silence);
	if (!tsv)
		printf("sent %ld, silent for %ld ms: answered %ld\n", sent, silence,
			answered);
	for (long i = 0; there && i < nudges; i++) {
		say(fd, 1);
		there = rest(fd, start, gap);
	}
	/* An honest server needs no more time than this for the last byte. */
	for (int64_t end = now_ms() + settle; there && answered < sent && now_ms() < end;)
		there = listen_until(fd, start, now_ms() + TICK_MS);
	return there;
}

int main(int argc, char **argv)
{
	const struct opt opts[] = {
		{ 'p', "port", "PORT", "the echo server's port (8080)", .number = &port,
			.min = 1, .max = 65535 },
		{ 0, "host", "ADDR", "its address (127.0.0.1)", .text = &host },
		{ 0, "burst", "BYTES", "sent at first, in one send (10000)",
			.number = &burst, .min = 1, .max = MAX_BURST },
		{ 0, "silence", "MS", "then nothing for so long (1000)",
			.number = &silence, .max = 60000 },
		{ 0, "nudges", "N", "then so many single bytes (20)", .number = &nudges,
			.max = 100000 },
		{ 0, "gap-ms", "MS", "so far apart, or more (50)", .number = &gap,
			.min = 1, .max = 60000 },
		{ 0, "order", NULL, "count the answers that come out of place",
			.flag = &order },
		{ 0, "tsv", NULL, "a row of ms, sent, answered every 20 ms",
			.flag = &tsv },
		{ 0 },
	};
	struct address at;

	args_parse(argc, argv,
		"Sends a burst, waits, sends single bytes; prints how much came back.\n"
		"Exit status: 0 good, 1 no set-up, 2 usage, 3 a broken connection, or a\n"
		"wrong answer.",
		"", opts);
	if (address_parse(&at, host, (uint16_t)port) < 0)
		die_usage("--host: '%s' is not an IPv4 or IPv6 address", host);
	stop_on_signals();
	int fd = client_socket(&at);
	client_connect(fd, &at);
	/* A burst that meets the accept is at times reported twice: once as what
	 * EPOLL_CTL_ADD finds, once as its own arrival. Let the server take the
	 * connection first. */
	if (poll(NULL, 0, ACCEPT_MS) < 0 && errno != EINTR)
		die_errno("poll");
	int64_t start = now_ms();

	if (tsv)
		printf("ms\tsent\tanswered%s\n", order ? "\tmisplaced" : "");
	bool there = play(fd, start);
	if (!tsv)
		printf("and %ld single bytes: sent %ld, answered %ld\n", nudges, sent,
			answered);
	if (order && !tsv)
		tell_order();
	close(fd);
	if (stopping)
		return 130;
	judge(there);
	return 0;
}
