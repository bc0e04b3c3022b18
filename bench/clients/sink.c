/* Takes what a server sends, to the end, and tells which end it was: a FIN says that all
 * has come, a RST that it has not. */
#include "args.h"
#include "err.h"
#include "net.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static long port = 8080, rcvbuf = -1, leave = -1;
static bool discard, fin, hold;

static int connection_to(const struct address *at)
{
	int room = (int)rcvbuf, fd = client_socket(at);

	if (room >= 0 && setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room) < 0)
		die_errno("setsockopt SO_RCVBUF");
	client_connect(fd, at);
	return fd;
}

/* MSG_TRUNC: TCP drops the bytes where they are; a sink that copies would be the limit.
 */
static ssize_t take(int fd)
{
	static char data[1 << 16];
	ssize_t n = discard ? recv(fd, NULL, 1 << 20, MSG_TRUNC)
			    : recv(fd, data, sizeof data, 0);

	if (!discard && n > 0 && fwrite(data, 1, (size_t)n, stdout) != (size_t)n)
		die_errno("stdout");
	return n;
}

int main(int argc, char **argv)
{
	const char *host = "127.0.0.1", *end = "FIN";
	const struct opt opts[] = {
		{ 'p', "port", "PORT", "the server's port (8080)", .number = &port,
			.min = 1, .max = 65535 },
		{ 'H', "host", "ADDR", "IPv4 or IPv6 address (127.0.0.1)",
			.text = &host },
		{ 'd', "discard", NULL, "count the bytes; else they go to stdout",
			.flag = &discard },
		{ 0, "rcvbuf", "BYTES", "SO_RCVBUF, set before connect",
			.number = &rcvbuf, .max = 1 << 30 },
		{ 0, "fin", NULL, "send a FIN at once, then read", .flag = &fin },
		{ 0, "hold", NULL, "say 'connected', read after a line on stdin",
			.flag = &hold },
		{ 0, "leave", "BYTES", "leave by RST after so many", .number = &leave,
			.max = 1e15 },
		{ 0 },
	};
	struct address at;
	struct linger rst = { .l_onoff = 1 };
	long got = 0;
	ssize_t n = 1;

	args_parse(argc, argv, "Reads all that a server sends. Prints its end on stderr.",
		"", opts);
	if (address_parse(&at, host, (uint16_t)port) < 0)
		die_usage("--host: '%s' is not an IPv4 or IPv6 address", host);
	int fd = connection_to(&at);
	if (fin && shutdown(fd, SHUT_WR) < 0)
		die_errno("shutdown");
	if (hold) {
		fprintf(stderr, "connected\n");
		while (n > 0 && getchar() != '\n')
			n = !feof(stdin) && !ferror(stdin);
		n = 1;
	}
	while (n > 0 && (leave < 0 || got < leave)) {
		n = take(fd);
		got += n > 0 ? n : 0;
	}
	if (n < 0)
		end = errno == ECONNRESET ? "RST" : strerror(errno);
	if (n > 0) {
		end = "left";
		if (setsockopt(fd, SOL_SOCKET, SO_LINGER, &rst, sizeof rst) < 0)
			die_errno("setsockopt SO_LINGER");
	}
	close(fd);
	if (fflush(stdout) != 0)
		die_errno("stdout");
	fprintf(stderr, "%ld bytes, then %s\n", got, end);
	return n < 0 ? 3 : 0;
}
