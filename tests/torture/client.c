/* The attacker's connections: they come, they go, and a last one asks whether the server
 * still serves. */
#include "torture.h"
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	MAX_CLIENTS = 32 * 1024,
	SMALL = 16 * 1024, /* of a receive buffer */
};

static struct client *clients[MAX_CLIENTS];
static size_t nclients;

static int new_socket(int rcvbuf)
{
	int one = 1;
	int fd = socket(
		set.at.sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		skip("socket: %s", strerror(errno));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	/* Before connect(2): the window that the server sees depends on it. */
	if (rcvbuf && setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &rcvbuf, sizeof rcvbuf) < 0)
		skip("SO_RCVBUF: %s", strerror(errno));
	return fd;
}

static int connect_to_server(int fd)
{
	const struct address *at = &shared->at;
	int got = connect(fd, (const struct sockaddr *)&at->sa, at->len);

	return got < 0 && errno == EINPROGRESS ? 0 : got;
}

/* How connect(2) ended: 0 for well, ETIMEDOUT for not yet. */
static int connection_error(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	int error = 0;
	socklen_t len = sizeof error;

	if (poll(&p, 1, ms) <= 0)
		return ETIMEDOUT;
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0 ? errno : error;
}

static struct client *start(int rcvbuf)
{
	struct client *c = calloc(1, sizeof *c);
	socklen_t len = sizeof c->here;

	if (!c || nclients == MAX_CLIENTS)
		skip("no room for another client");
	c->fd = new_socket(rcvbuf);
	c->key = (unsigned)nclients;
	clients[nclients++] = c;
	if (connect_to_server(c->fd) < 0) {
		sees(NO_CONNECTION);
		fail("connect: %s", strerror(errno));
	}
	if (getsockname(c->fd, (struct sockaddr *)&c->here, &len) < 0)
		skip("getsockname: %s", strerror(errno));
	return c;
}

struct client *dial_start(void)
{
	return start(0);
}

bool dial_done(struct client *c, int ms)
{
	int error = connection_error(c->fd, ms);

	if (error && error != ETIMEDOUT) {
		sees(NO_CONNECTION);
		fail("connect: %s", strerror(error));
	}
	return !error;
}

static struct client *connected(struct client *c)
{
	if (!dial_done(c, (int)(2000 * patience()))) {
		sees(NO_CONNECTION);
		fail("no connection");
	}
	return c;
}

struct client *dial(void)
{
	return connected(start(0));
}

struct client *meet(void)
{
	struct client *c = dial();

	echo(c, 10);
	return c;
}

struct client *dial_small(void)
{
	struct client *c = connected(start(SMALL));

	settle(); /* it has been accepted before the next one comes */
	return c;
}

void hang_up(struct client *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}

static bool gone_within(const struct client *c, struct silence *s)
{
	const struct timespec blink = { .tv_nsec = 50 * 1000 };
	struct far_end f;

	while (far_end(c, &f))
		if (silence_lasts(s))
			return false;
		else
			nanosleep(&blink, NULL);
	return true;
}

bool gone(const struct client *c)
{
	struct silence s = silence_starts();

	return gone_within(c, &s);
}

void reset(struct client *c)
{
	struct linger now_or_never = { .l_onoff = 1 };

	setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now_or_never, sizeof now_or_never);
	hang_up(c);
	gone(c);
}

void leave_all(void)
{
	struct silence s = silence_starts(); /* one for all of them */

	for (size_t i = 0; i < nclients; i++) {
		struct client *c = clients[i];
		bool rude = c->fd >= 0 && c->got < c->sent;

		hang_up(c);
		if (rude && have_process()) {
			gone_within(c, &s);
			settle();
		}
		free(c);
	}
	nclients = 0;
}

void fin(struct client *c)
{
	if (shutdown(c->fd, SHUT_WR) < 0) {
		sees(RESET);
		fail("shutdown after %llu bytes: %s", (unsigned long long)c->sent,
			strerror(errno));
	}
}

void widen(struct client *c)
{
	int big = 1 << 20;

	setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &big, sizeof big);
}

void fresh_server(void)
{
	leave_all();
	shared->fresh = true;
	while (shared->fresh)
		nap(1);
}

/* All of a short word, however small the pieces. */
static bool says(int fd, const char *word, size_t n, int ms)
{
	struct pollfd in = { .fd = fd, .events = POLLIN };
	char got[16];

	for (size_t at = 0; at < n;) {
		if (poll(&in, 1, ms) <= 0)
			return false;
		ssize_t r = recv(fd, got, n - at, 0);
		if (r <= 0 || memcmp(got, word + at, (size_t)r) != 0)
			return false;
		at += (size_t)r;
	}
	return true;
}

bool answers(void)
{
	static const char word[] = "ping";
	int fd = new_socket(0), ms = (int)(1000 * patience());
	bool good = connect_to_server(fd) == 0 && connection_error(fd, ms) == 0 &&
		    send(fd, word, sizeof word, MSG_NOSIGNAL) == sizeof word &&
		    says(fd, word, sizeof word, ms);

	close(fd);
	return good;
}

static int tries = 1;

void forgive_drops(void)
{
	tries = 20;
}

void still_serves(void)
{
	char how[80];

	for (int i = 0; i < tries; i++)
		if (answers())
			return;
	if (dies(how, sizeof how))
		fail("%s", how);
	sees(SILENCE);
	fail("afterwards a new client is not answered");
}
