/* An echo server that misbehaves in one way, for the tests of the load generator and of
 * the torture. One connection at a time. */
#include "args.h"
#include "err.h"
#include "net.h"
#include "stop.h"
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

enum mode {
	MODE_FLIP, /* one byte of a reply is wrong */
	MODE_SPLIT, /* a byte a send: right */
	MODE_MERGE, /* waits for more and answers all at once: right */
	MODE_CLOSE, /* FIN instead of a reply */
	MODE_SILENT, /* no more replies */
	MODE_TWICE, /* a reply comes twice */
	MODE_RESET, /* RST instead of a reply */
	MODE_CUT, /* half a reply, then FIN */
	MODE_DROP, /* a reply lacks its first byte */
	MODE_STALE, /* the reply before, once more, instead of this one */
	MODE_ORDER, /* a reply comes after the next one */
};

enum { BUFFER = 65536 };

static int mode;
static long after = 20, linger_ms = 5;

static char earlier[BUFFER]; /* stale: the reply before; order: the one held back */
static size_t earlier_n;

/* False: the client has gone. */
static bool send_all(int fd, const char *bytes, size_t n)
{
	size_t piece = mode == MODE_SPLIT ? 1 : n;

	while (n > 0 && !stopping) {
		ssize_t sent = send(fd, bytes, piece < n ? piece : n, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return false;
		bytes += sent;
		n -= (size_t)sent;
	}
	return true;
}

static ssize_t take(int fd, char *bytes, size_t room)
{
	struct pollfd more = { .fd = fd, .events = POLLIN };
	ssize_t got = recv(fd, bytes, room, 0);

	while (mode == MODE_MERGE && got > 0 && poll(&more, 1, (int)linger_ms) > 0) {
		ssize_t n = recv(fd, bytes + got, room - (size_t)got, 0);
		if (n <= 0)
			break;
		got += n;
	}
	return got;
}

static void keep(const char *bytes, size_t n)
{
	memcpy(earlier, bytes, n);
	earlier_n = n;
}

/* The one reply that is wrong. False: the connection is over. */
static bool spoil(int fd, char *bytes, size_t n)
{
	struct linger rst = { .l_onoff = 1 };

	switch (mode) {
	case MODE_FLIP:
		bytes[n - 1] ^= 1;
		return send_all(fd, bytes, n);
	case MODE_CLOSE:
		return false;
	case MODE_TWICE:
		if (!send_all(fd, bytes, n))
			return false;
		return send_all(fd, bytes, n);
	case MODE_RESET:
		if (setsockopt(fd, SOL_SOCKET, SO_LINGER, &rst, sizeof rst) < 0)
			warn_errno("setsockopt SO_LINGER");
		return false;
	case MODE_CUT:
		send_all(fd, bytes, n / 2); /* it ends in any case */
		return false;
	case MODE_DROP:
		return send_all(fd, bytes + 1, n - 1);
	case MODE_STALE:
		return send_all(fd, earlier, earlier_n);
	case MODE_ORDER:
		keep(bytes, n);
		return true;
	default:
		return send_all(fd, bytes, n);
	}
}

static void serve(int fd)
{
	static char bytes[BUFFER];

	for (long i = 0; !stopping; i++) {
		ssize_t got = take(fd, bytes, sizeof bytes);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return;
		if (mode == MODE_SILENT && i >= after)
			continue;
		if (i == after ? !spoil(fd, bytes, (size_t)got)
			       : !send_all(fd, bytes, (size_t)got))
			return;
		if (mode == MODE_ORDER && i == after + 1 &&
			!send_all(fd, earlier, earlier_n))
			return;
		if (mode == MODE_STALE)
			keep(bytes, (size_t)got);
	}
}

int main(int argc, char **argv)
{
	const struct opt own[] = {
		{ 'm', "mode",
			"flip|split|merge|close|silent|twice|reset|cut|drop|stale|order",
			"what is wrong", .choice = &mode },
		{ 0, "after", "N", "so many receives are answered well first (20)",
			.number = &after, .max = 1e9 },
		{ 0, "linger-ms", "MS", "merge: how long it waits for more (5)",
			.number = &linger_ms, .max = 60000 },
		{ 0 },
	};
	struct address at = args_server(argc, argv,
		"Echoes, and misbehaves in one way: for the tests of the tools.", own);
	int lfd = listen_tcp(&at);

	stop_on_signals();
	announce(lfd);
	while (!stopping) {
		int fd = accept4(lfd, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0 && errno != EINTR && errno != ECONNABORTED)
			die_errno("accept4");
		if (fd < 0)
			continue;
		serve(fd);
		if (close(fd) < 0)
			warn_errno("close");
	}
	if (close(lfd) < 0)
		warn_errno("close");
	return 0;
}
