#include "load/ramp.h"
#include "clock.h"
#include "err.h"
#include "load/conn.h"
#include "load/loop.h"
#include "load/options.h"
#include "stop.h"
#include <errno.h>
#include <sys/epoll.h>

enum {
	RAMP_WINDOW = 128, /* connects in flight; more only fill the accept queue */
	ECHO_WINDOW = 512, /* first echoes in flight */
};

/* How long connecting and the first echoes may take. */
static int64_t ramp_ns(void)
{
	return 10 * NS_PER_S + asked.connections * NS_PER_MS;
}

static _Noreturn void die_connect(void)
{
	if (errno == EADDRNOTAVAIL)
		die_errno("no local port left (wait a minute, or widen sysctl "
			  "net.ipv4.ip_local_port_range)");
	die_errno("connect to %s port %ld", asked.host, asked.port);
}

static void connect_one(struct conn *c, const struct address *at)
{
	struct epoll_event ev = { .events = EPOLLOUT, .data.ptr = c };
	int rcvbuf = (int)asked.rcvbuf;

	c->fd = socket(at->sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		die_errno("socket");
	/* Before connect: the handshake tells the server how much we take. */
	if (rcvbuf &&
		setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &rcvbuf, sizeof rcvbuf) < 0)
		die_errno("setsockopt SO_RCVBUF");
	if (connect(c->fd, (const struct sockaddr *)&at->sa, at->len) < 0 &&
		errno != EINPROGRESS)
		die_connect();
	if (epoll_ctl(conns.epfd, EPOLL_CTL_ADD, c->fd, &ev) < 0)
		die_errno("epoll_ctl ADD");
}

static void connected(struct conn *c)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = c };
	int error = 0;
	socklen_t len = sizeof error;

	if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0 || error) {
		errno = error ? error : errno;
		die_connect();
	}
	if (epoll_ctl(conns.epfd, EPOLL_CTL_MOD, c->fd, &ev) < 0)
		die_errno("epoll_ctl MOD");
	conns.alive++;
}

static void connect_all(const struct address *at)
{
	struct epoll_event evs[RAMP_WINDOW];
	int64_t end = now_ns() + ramp_ns();
	long started = 0;

	while (conns.alive < asked.connections && !stopping) {
		while (started < asked.connections && started - conns.alive < RAMP_WINDOW)
			connect_one(conn_at((size_t)started++), at);
		int n = epoll_wait(conns.epfd, evs, RAMP_WINDOW, 100);
		if (n < 0 && errno != EINTR)
			die_errno("epoll_wait");
		for (int i = 0; i < n; i++)
			connected(evs[i].data.ptr);
		if (now_ns() > end) {
			errno = ETIMEDOUT;
			die_connect();
		}
	}
	conns.with_room = asked.active;
}

static bool echo_all(void)
{
	int64_t end = now_ns() + ramp_ns() + asked.read_pause * NS_PER_MS;

	for (long i = 0; (i < asked.connections || conns.inflight > 0) && !stopping;) {
		while (i < asked.connections && conns.inflight < ECHO_WINDOW) {
			struct conn *c = conn_at((size_t)i++);
			if (c->fd >= 0)
				conn_issue(c, now_ns());
		}
		loop_turn(now_ns() + 10 * NS_PER_MS);
		if (now_ns() > end)
			return false;
	}
	return conns.alive > 0 && !stopping;
}

bool ramp(const struct address *at)
{
	connect_all(at);
	return echo_all();
}
