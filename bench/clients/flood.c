/* Floods an echo server over some connections, and over one more sends a ping now and
 * then: what does the flood cost the ping?
 *
 * A flood must outrun the server, on any machine: were the server ever faster, it would
 * find the socket empty, and its turn would end. So nothing is copied here. The bytes go
 * out with sendfile(2) from memory that the socket only refers to, and the echo is
 * dropped inside the kernel: MSG_TRUNC, tcp(7). The server copies each byte twice. */
#include "args.h"
#include "clock.h"
#include "err.h"
#include "net.h"
#include "probe/page.h"
#include "stop.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

enum {
	MAX_FLOODERS = 64,
	BLOCK = 256 * 1024, /* at most this much in one call */
	PING = 8, /* bytes */
	MAX_MS = 20000, /* of each of the three phases */
	MAX_PINGS = 3 * MAX_MS + 1,
	PATIENCE_US = 5000000, /* for the answers still owed at the end */
};

static const char *host = "127.0.0.1", *counts_file;
static long port = 8080, flooders = 3, before = 500, during = 2000, after = 500,
	    interval = 20;
static bool tsv;

static struct pollfd fds[MAX_FLOODERS + 1]; /* the last one is the pinger's */
static struct pollfd *pinger;
static int block; /* BLOCK bytes of memory, as a file */
static int64_t start, sent_us[MAX_PINGS], worst_at_rest, worst_flooded;
static int64_t late; /* by how much a ping was sent too late, at most: this machine's */
static long sent, answered;
static size_t heard; /* bytes on the pinger's connection: message after message */
static int64_t
	owed[MAX_FLOODERS]; /* bytes sent on a flooder's connection, not yet back */

/* What the server did wrong, in one line. */
static _Noreturn void wrong(const char *what)
{
	fflush(stdout); /* the rows so far */
	fprintf(stderr, "flood: %s\n", what);
	exit(3);
}

/* Microseconds since the start. */
static int64_t now(void)
{
	return now_ns() / NS_PER_US - start;
}

static bool in_flood(int64_t us)
{
	return us >= 1000 * before && us < 1000 * (before + during);
}

static int connection_to(const struct address *at)
{
	int fd = client_socket(at);

	client_connect(fd, at);
	if (set_nonblocking(fd) < 0)
		die_errno("non-blocking socket");
	return fd;
}

/* Looks at the result of a call on a connection; returns how many bytes it moved, 0 if
 * none can be moved now. */
static size_t moved(ssize_t n)
{
	if (n < 0 && (errno == ECONNRESET || errno == EPIPE))
		wrong("the server has reset a connection");
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		die_errno("a connection to the server");
	return n > 0 ? (size_t)n : 0;
}

/* The same for bytes that may come, where 0 is the end. */
static size_t came(ssize_t n)
{
	if (n == 0)
		wrong("the server has closed a connection");
	return moved(n);
}

static void give_block(long i)
{
	off_t from = 0;

	owed[i] += (int64_t)moved(sendfile(fds[i].fd, block, &from, BLOCK));
}

static void take_back(long i)
{
	owed[i] -= (int64_t)came(recv(fds[i].fd, NULL, BLOCK, MSG_TRUNC));
	if (owed[i] < 0)
		wrong("the server has sent more bytes than it got");
}

/* The bytes of a ping are its number, so that one answer cannot pass for another. */
static void ping(void)
{
	int64_t number = sent;

	_Static_assert(sizeof number == PING, "a ping is its number");
	sent_us[sent++] = now();
	if (moved(send(pinger->fd, &number, PING, 0)) != PING)
		wrong("the server leaves so many pings unread that the next one does not "
		      "fit");
}

/* Takes what there is, a part of an answer or several, and compares every byte. */
static void compare_answers(void)
{
	char bytes[64 * PING];
	size_t n = came(recv(pinger->fd, bytes, sizeof bytes, 0));

	if (heard + n > (size_t)sent * PING)
		wrong("the server has sent more bytes than it got");
	for (size_t i = 0; i < n; i++, heard++) {
		int64_t number = (int64_t)(heard / PING);

		if (bytes[i] != ((const char *)&number)[heard % PING])
			wrong("an answer has not the bytes of its ping");
	}
}

/* A ping's time runs from when it was sent, also while older ones wait before it. */
static void hear_pinger(void)
{
	compare_answers();
	while ((size_t)answered < heard / PING) {
		int64_t then = sent_us[answered++], us = now() - then;
		int64_t *worst = in_flood(then) ? &worst_flooded : &worst_at_rest;

		if (us > *worst && then < 1000 * (before + during))
			*worst = us;
		if (tsv)
			printf("%.1f\t%lld\t%d\n", (double)then / 1000, (long long)us,
				in_flood(then));
	}
	if (fflush(stdout) != 0)
		die_errno("stdout");
}

static void wait_until(int64_t next)
{
	int64_t us = next - now();

	for (long i = 0; i < flooders; i++)
		fds[i].events = in_flood(now()) ? POLLIN | POLLOUT : POLLIN;
	int n = poll(fds, (nfds_t)flooders + 1, us > 0 ? (int)(us / 1000) + 1 : 0);
	if (n < 0 && errno != EINTR)
		die_errno("poll");
	for (long i = 0; n > 0 && i < flooders; i++) {
		if (fds[i].revents & ~POLLOUT)
			take_back(i);
		if (fds[i].revents & POLLOUT)
			give_block(i);
	}
	if (n > 0 && pinger->revents)
		hear_pinger();
}

/* Pings until `end`; false if it was interrupted. */
static bool go_on_until(int64_t end)
{
	static int64_t next;

	for (int64_t t; !stopping && (t = now()) < end;) {
		if (t >= next) {
			if (t - next > late)
				late = t - next;
			ping();
			next = t + 1000 * interval;
		}
		wait_until(next < end ? next : end);
	}
	return !stopping;
}

/* How often the server has read, and how often it has asked epoll who is ready. */
static void look(const struct probe_page *page, uint64_t *reads, uint64_t *waits)
{
	uint64_t value[COUNTERS];

	page_read(page, value);
	*reads = value[page_index("recv.calls")] - *reads;
	*waits = value[page_index("epoll_wait.calls")] - *waits;
}

/* The three phases, and the wait for the answers still owed. */
static void play(const struct probe_page *page, uint64_t *reads, uint64_t *waits)
{
	go_on_until(1000 * before);
	if (page)
		look(page, reads, waits);
	go_on_until(1000 * (before + during));
	if (page)
		look(page, reads, waits);
	go_on_until(1000 * (before + during + after));
	for (int64_t end = now() + PATIENCE_US;
		!stopping && answered < sent && now() < end;)
		wait_until(end);
}

static void report(const struct probe_page *page, uint64_t reads, uint64_t waits)
{
	if (!tsv && answered == 0)
		printf("pings: 0 of %ld answered\n", sent);
	else if (!tsv)
		printf("pings: %ld of %ld answered, the slowest at rest after %.1f ms, "
		       "in the flood %.1f ms\n",
			answered, sent, (double)worst_at_rest / 1000,
			(double)worst_flooded / 1000);
	if (page)
		printf("%sflood: %llu reads, %llu epoll_wait; pings sent up to %.1f ms "
		       "late\n",
			tsv ? "# " : "", (unsigned long long)reads,
			(unsigned long long)waits, (double)late / 1000);
	if (fflush(stdout) != 0)
		die_errno("stdout");
	if (answered < sent)
		wrong("pings are left without an answer");
}

int main(int argc, char **argv)
{
	const struct opt opts[] = {
		{ 'p', "port", "PORT", "the echo server's port (8080)", .number = &port,
			.min = 1, .max = 65535 },
		{ 0, "host", "ADDR", "its address (127.0.0.1)", .text = &host },
		{ 0, "flooders", "N", "connections that flood (3)", .number = &flooders,
			.max = MAX_FLOODERS },
		{ 0, "before", "MS", "pings alone, at first (500)", .number = &before,
			.max = MAX_MS },
		{ 0, "during", "MS", "pings and the flood (2000)", .number = &during,
			.max = MAX_MS },
		{ 0, "after", "MS", "pings alone again (500)", .number = &after,
			.max = MAX_MS },
		{ 0, "interval", "MS", "from ping to ping (20)", .number = &interval,
			.min = 1, .max = MAX_MS },
		{ 0, "counts", "FILE", "the server's LAB_COUNTS page",
			.text = &counts_file },
		{ 0, "tsv", NULL, "a row for each ping: ms, us, in the flood",
			.flag = &tsv },
		{ 0 },
	};
	struct address at;
	uint64_t reads = 0, waits = 0;

	args_parse(argc, argv,
		"Floods an echo server and pings it: its slowest answers.\n"
		"Exit status: 0 good, 1 no set-up, 2 usage, 3 a wrong or missing answer.",
		"", opts);
	if (address_parse(&at, host, (uint16_t)port) < 0)
		die_usage("--host: '%s' is not an IPv4 or IPv6 address", host);
	const struct probe_page *page = counts_file ? page_open(counts_file) : NULL;
	stop_on_signals();
	/* sendfile has no MSG_NOSIGNAL. */
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		die_errno("signal SIGPIPE");
	block = memfd_create("flood", MFD_CLOEXEC);
	if (block < 0 || ftruncate(block, BLOCK) < 0)
		die_errno("memfd");
	pinger = &fds[flooders];
	for (long i = 0; i <= flooders; i++)
		fds[i] = (struct pollfd){ .fd = connection_to(&at), .events = POLLIN };
	start = now();
	if (tsv)
		printf("ms\tus\tflood\n");

	play(page, &reads, &waits);
	if (stopping)
		return 130;
	report(page, reads, waits);
	return 0;
}
