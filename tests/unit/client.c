/* The clients of the tests: polite, rude, slow and many. */
#include "args.h"
#include "err.h"
#include "net.h"
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct stream {
	int fd;
	long sent, echoed; /* bytes */
};

static const char *host = "127.0.0.1";
static long port, size = 1, piece = 65536, count = 1, rcvbuf = -1, quiet = 300,
		  patience = 10000;
static bool fin; /* rst: a FIN first */
static struct address at;

/* What byte i of every stream is: a byte lost, doubled or moved shows. */
static char pattern(long i)
{
	return (char)((uint32_t)i * 2654435761u >> 24);
}

static struct stream open_stream(void)
{
	int room = (int)rcvbuf;
	int fd = socket(at.sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die_errno("socket");
	if (room >= 0 && setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room) < 0)
		die_errno("setsockopt SO_RCVBUF");
	if (connect(fd, (const struct sockaddr *)&at.sa, at.len) < 0)
		die_errno("connect");
	if (set_nonblocking(fd) < 0)
		die_errno("fcntl");
	return (struct stream){ .fd = fd };
}

/* Sends the stream's next bytes, one send of at most `piece`. False: no room now. */
static bool send_some(struct stream *s, long total)
{
	static char data[1 << 20];
	long n = total - s->sent < piece ? total - s->sent : piece;

	for (long i = 0; i < n; i++)
		data[i] = pattern(s->sent + i);
	ssize_t got = send(s->fd, data, (size_t)n, MSG_NOSIGNAL);
	if (got < 0 && errno != EAGAIN)
		die_errno("send after %ld", s->sent);
	s->sent += got > 0 ? got : 0;
	return got > 0;
}

/* Takes and compares what has come. 0: nothing has, -1: end of file. */
static long take_some(struct stream *s)
{
	char data[65536];
	ssize_t n = recv(s->fd, data, sizeof data, 0);

	if (n < 0 && errno != EAGAIN)
		die_errno("recv after %ld", s->echoed);
	for (ssize_t i = 0; i < n; i++)
		if (data[i] != pattern(s->echoed + i))
			die_usage("byte %ld is wrong", s->echoed + i);
	s->echoed += n > 0 ? n : 0;
	if (s->echoed > s->sent)
		die_usage("%ld sent and %ld echoed", s->sent, s->echoed);
	return n == 0 ? -1 : n < 0 ? 0 : n;
}

static bool ready(const struct stream *s, short events, long ms)
{
	struct pollfd p = { .fd = s->fd, .events = events };
	int n = poll(&p, 1, (int)ms);

	if (n < 0)
		die_errno("poll");
	return n > 0;
}

/* Sends up to `total`, then reads until as many have come back. */
static void pump(struct stream *s, long total)
{
	while (s->echoed < total) {
		if (!ready(s, s->sent < total ? POLLIN | POLLOUT : POLLIN, patience))
			die_usage("stuck: %ld sent and %ld echoed", s->sent, s->echoed);
		if (s->sent < total)
			send_some(s, total);
		if (take_some(s) < 0)
			die_usage("closed: %ld sent and %ld echoed", s->sent, s->echoed);
	}
}

/* Sends all of it and the FIN before the last reply is read, then expects the rest, the
 * server's FIN, and no byte more. */
static void half_close(struct stream *s, long total)
{
	long got = 0;

	while (s->sent < total) {
		if (!ready(s, POLLIN | POLLOUT, patience))
			die_usage("stuck: %ld sent and %ld echoed", s->sent, s->echoed);
		send_some(s, total);
		if (take_some(s) < 0)
			die_usage("closed: %ld sent and %ld echoed", s->sent, s->echoed);
	}
	if (shutdown(s->fd, SHUT_WR) < 0)
		die_errno("shutdown");
	while (got >= 0 && ready(s, POLLIN, patience))
		got = take_some(s);
	if (got >= 0 || s->echoed != total)
		die_usage("%ld sent, %ld echoed, %s", total, s->echoed,
			got < 0 ? "closed" : "then nothing");
	close(s->fd);
}

static void reset(struct stream *s)
{
	const struct linger now = { .l_onoff = 1 };

	if (fin)
		poll(NULL, 0, (int)quiet); /* the server has read by then */
	if (fin && shutdown(s->fd, SHUT_WR) < 0)
		die_errno("shutdown");
	if (setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now) < 0)
		die_errno("setsockopt SO_LINGER");
	close(s->fd);
}

static void say(const char *what, long n)
{
	printf("%s %ld\n", what, n);
	if (fflush(stdout) != 0)
		die_errno("stdout");
}

/* A line on stdin: go on. Its end: leave, just so. */
static void wait_for_line(void)
{
	if (getchar() == EOF)
		exit(0);
}

static void echo(void)
{
	for (long i = 0; i < count; i++) {
		struct stream s = open_stream();

		half_close(&s, size);
	}
}

static void ping(void)
{
	struct stream s = open_stream();

	for (long i = 1; i <= count; i++)
		pump(&s, i * size);
	half_close(&s, count * size);
}

static void rude(void)
{
	for (long i = 0; i < count; i++) {
		struct stream s = open_stream();

		if (size)
			send_some(&s, size);
		reset(&s);
	}
}

static void hold(struct stream *s)
{
	for (long i = 0; i < count; i++) {
		s[i] = open_stream();
		pump(&s[i], size);
	}
	say("holding", count);
	wait_for_line();
	for (long i = 0; i < count; i++) {
		pump(&s[i], 2 * size);
		half_close(&s[i], 2 * size);
	}
}

/* Sends and does not read, until no stream moves any more; then reads after all. */
static void slow(struct stream *s)
{
	bool moved = true;
	long most = 0;

	for (long i = 0; i < count; i++)
		s[i] = open_stream();
	while (moved) {
		moved = false;
		for (long i = 0; i < count; i++)
			while (s[i].sent < size && send_some(&s[i], size))
				moved = true;
		for (long i = 0; !moved && i < count; i++)
			moved = s[i].sent < size &&
				ready(&s[i], POLLOUT, quiet / count + 1);
	}
	for (long i = 0; i < count; i++)
		most = s[i].sent > most ? s[i].sent : most;
	say("stuck after", most);
	wait_for_line();
	for (long i = 0; i < count; i++)
		half_close(&s[i], size);
}

/* One send, silence, and single bytes with silence after each. */
static void burst(void)
{
	struct stream s = open_stream();

	piece = size;
	for (long i = 0; i <= count; i++) {
		if (!send_some(&s, size + i) || s.sent != size + i)
			die_usage("not all left in one send");
		while (ready(&s, POLLIN, quiet))
			if (take_some(&s) < 0)
				die_usage("closed");
		say("answered", s.echoed);
	}
}

int main(int argc, char **argv)
{
	int mode = 0;
	const struct opt opts[] = {
		{ 'm', "mode", "echo|ping|rst|hold|slow|burst", "what to do (echo)",
			.choice = &mode },
		{ 'p', "port", "PORT", "the server's", .number = &port, .min = 1,
			.max = 65535 },
		{ 0, "host", "ADDR", "its address (127.0.0.1)", .text = &host },
		{ 's', "size", "N", "per stream, request or burst (1)", .number = &size,
			.max = 1 << 30 },
		{ 0, "piece", "N", "at most so many in one send (65536)",
			.number = &piece, .min = 1, .max = 1 << 20 },
		{ 'c', "count", "N",
			"streams, requests, or single bytes after a burst (1)",
			.number = &count, .max = 100000 },
		{ 0, "rcvbuf", "BYTES", "SO_RCVBUF (slow: 4096)", .number = &rcvbuf,
			.max = 1 << 30 },
		{ 0, "quiet", "MS", "nothing moved for so long (300)", .number = &quiet,
			.min = 1, .max = 60000 },
		{ 0, "patience", "MS", "give up then (10000)", .number = &patience,
			.min = 1, .max = 600000 },
		{ 0, "fin", NULL, "rst: a FIN before the RST", .flag = &fin },
		{ 0 },
	};

	args_parse(argc, argv, "A client for the tests.", "", opts);
	if (address_parse(&at, host, (uint16_t)port) < 0)
		die_usage("--host: '%s' is not an IPv4 or IPv6 address", host);
	raise_fd_limit();
	struct stream *many = calloc((size_t)count + 1, sizeof *many);
	if (!many)
		die_errno("calloc");
	if (mode == 4 && rcvbuf < 0)
		rcvbuf = 4096;
	switch (mode) {
	case 0:
		echo();
		break;
	case 1:
		ping();
		break;
	case 2:
		rude();
		break;
	case 3:
		hold(many);
		break;
	case 4:
		slow(many);
		break;
	default:
		burst();
	}
	free(many);
	if (mode != 5)
		puts("ok");
	return fflush(stdout) == 0 ? 0 : 1;
}
