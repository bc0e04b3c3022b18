/* The client of a trace: connect, send, recv, shutdown, recv of 0, close; with time
 * between them, so that what the server does belongs to one of them. It is linked with
 * the probe layer, which prints its calls; it prints itself those that the layer lacks.
 */
#include "args.h"
#include "clock.h"
#include "err.h"
#include "net.h"
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { MAX_SIZE = 16 << 20, ROOM = 64 * 1024, SMALL_ROOM = 4096, SMALL_MSS = 536 };

static const char *host = "127.0.0.1";
static long port = 8080, size = 6, requests = 1, pause_ms, slow_ms, wait_ms = 1000;
static bool steps;
static char bytes[MAX_SIZE];

static void rest(long ms)
{
	struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	while (nanosleep(&t, &t) < 0 && errno == EINTR)
		;
}

/* Between two steps: a while, and with --steps until somebody says go on. */
static void pause_after(const char *step)
{
	rest(pause_ms);
	if (!steps)
		return;
	if (puts(step) == EOF || fflush(stdout) != 0)
		die_errno("stdout");
	if (getchar() == EOF)
		die_usage("nobody says go on");
}

/* As LAB_TRACE=clock does. */
static void tell(int64_t began, const char *call, int fd)
{
	int64_t now = now_ns(), took = now - began;

	fprintf(stderr, "%lld.%09d %d.%09d %s(%d) → 0\n", (long long)(now / 1000000000),
		(int)(now % 1000000000), (int)(took / 1000000000),
		(int)(took % 1000000000), call, fd);
}

/* A slow reader has little room, and small segments, which keep the server's share of
 * the way small too. Both must be set before connect. */
static void make_small(int fd)
{
	int room = SMALL_ROOM, mss = SMALL_MSS;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room) < 0)
		die_errno("setsockopt SO_RCVBUF");
	if (setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &mss, sizeof mss) < 0)
		die_errno("setsockopt TCP_MAXSEG");
}

static int connection_to(const struct address *at)
{
	struct timeval patience = { .tv_sec = wait_ms / 1000,
		.tv_usec = wait_ms % 1000 * 1000 };
	int fd = client_socket(at);

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) < 0)
		die_errno("setsockopt SO_RCVTIMEO");
	if (slow_ms > 0)
		make_small(fd);
	int64_t began = now_ns();
	client_connect(fd, at);
	tell(began, "connect", fd);
	return fd;
}

static _Noreturn void wrong(const char *what)
{
	fprintf(stderr, "ask: %s\n", what);
	exit(3);
}

/* Sends what fits, takes what comes, until all has come back; returns how much did. Never
 * blocks in send, where it would not read: the server may be waiting for just that. */
static long request(int fd)
{
	static char reply[ROOM];
	int64_t reads_from = now_ns() + slow_ms * NS_PER_MS;
	long sent = 0, received = 0;

	while (received < size) {
		ssize_t n = 0;

		if (sent < size)
			n = send(fd, bytes + sent, (size_t)(size - sent),
				MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno != EAGAIN)
			break;
		if (n > 0)
			sent += n;
		if (now_ns() < reads_from) {
			rest(1);
			continue;
		}
		n = recv(fd, reply, sizeof reply, 0);
		if (n <= 0)
			break; /* it closed, or is silent */
		long owed = n < size - received ? n : size - received;
		if (memcmp(reply, bytes + received, (size_t)owed) != 0)
			wrong("the reply is not what was sent");
		if (n > owed)
			wrong("the server has sent more bytes than it got");
		received += n;
	}
	return received;
}

/* The client's last bytes are a FIN; the server's answer to it is one as well. Returns
 * false if bytes come before it: more than one late reply is not waited for. */
static bool part(int fd)
{
	static char late[ROOM];
	long surplus = 0;
	ssize_t n;
	int64_t began = now_ns();

	if (shutdown(fd, SHUT_WR) == 0)
		tell(began, "shutdown", fd);
	while (surplus <= size && (n = recv(fd, late, sizeof late, 0)) > 0)
		surplus += n;
	return surplus == 0;
}

int main(int argc, char **argv)
{
	const struct opt opts[] = {
		{ 'p', "port", "PORT", "the echo server's port (8080)", .number = &port,
			.min = 1, .max = 65535 },
		{ 0, "host", "ADDR", "its address (127.0.0.1)", .text = &host },
		{ 0, "size", "BYTES", "of a request (6)", .number = &size, .min = 1,
			.max = MAX_SIZE },
		{ 0, "requests", "N", "one after the other (1)", .number = &requests,
			.min = 1, .max = 1000000 },
		{ 0, "pause", "MS", "before and after each (0)", .number = &pause_ms,
			.max = 60000 },
		{ 0, "slow", "MS", "read nothing for so long (0)", .number = &slow_ms,
			.max = 60000 },
		{ 0, "wait", "MS", "for an answer, then give up (1000)",
			.number = &wait_ms, .min = 1, .max = 60000 },
		{ 0, "steps", NULL, "print each, then wait for a byte on stdin",
			.flag = &steps },
		{ 0 },
	};
	struct address at;
	bool answered = true;

	args_parse(argc, argv,
		"One client, and with LAB_TRACE=clock every call it makes.\n"
		"Exit status: 0 good, 1 no set-up, 2 usage, 3 a reply was wrong or "
		"missing.",
		"", opts);
	if (address_parse(&at, host, (uint16_t)port) < 0)
		die_usage("--host: '%s' is not an IPv4 or IPv6 address", host);
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = "hello\n"[i % 6];
	int fd = connection_to(&at);

	pause_after("connected");
	for (long i = 0; i < requests && answered; i++) {
		answered = request(fd) == size;
		rest(pause_ms);
	}
	bool right = part(fd);
	close(fd);
	if (answered && !right)
		wrong("the server has sent more bytes than it got");
	return answered ? 0 : 3;
}
