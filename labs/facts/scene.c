#include "scene.h"
#include "clock.h"
#include "err.h"
#include "net.h"
#include "text.h"
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

enum { PATIENCE_MS = 10000, BUFFER = 64 * 1024 };

static void failed(struct scene *s, const char *call)
{
	switch (errno) {
	case EACCES:
	case EPERM:
	case ENOSYS:
	case EAFNOSUPPORT:
	case EPROTONOSUPPORT:
	case EADDRNOTAVAIL:
	case ENETUNREACH:
		s->refused = true;
		return;
	default:
		die_errno("%s", call);
	}
}

int keep(struct scene *s, const char *call, int fd)
{
	if (fd < 0)
		failed(s, call);
	else
		s->fds[s->n++] = fd;
	return fd;
}

void drop(struct scene *s, int fd)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->fds[i] == fd)
			s->fds[i] = s->fds[--s->n];
	close(fd);
}

/* A reset leaves no TIME_WAIT behind: a thousand runs would use up the ports. */
static void abort_on_close(int fd)
{
	struct linger now = { .l_onoff = 1 };

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now); /* may be a pipe */
}

static struct sockaddr_in loopback(void)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
}

/* Small buffers, so that they can be filled quickly; accepted sockets inherit them. */
static int tcp_socket(struct scene *s)
{
	int size = BUFFER;
	int fd = keep(s, "socket",
		socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));

	if (fd >= 0 &&
		(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size) < 0 ||
			setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size) < 0))
		failed(s, "setsockopt");
	return fd;
}

int listener(struct scene *s)
{
	struct sockaddr_in at = loopback();
	int lfd = tcp_socket(s);

	if (lfd >= 0 && (bind(lfd, (struct sockaddr *)&at, sizeof at) < 0 ||
				listen(lfd, SCENE_FDS) < 0))
		failed(s, "bind and listen on 127.0.0.1");
	return lfd;
}

void await(struct scene *s, int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };

	if (s->refused || s->late)
		return;
	int n = poll(&p, 1, PATIENCE_MS);
	if (n < 0)
		die_errno("poll");
	s->late = n == 0;
}

static int unread(int fd)
{
	int n;

	if (ioctl(fd, FIONREAD, &n) < 0)
		die_errno("ioctl FIONREAD");
	return n;
}

static int unacknowledged(int fd)
{
	int n;

	if (ioctl(fd, TIOCOUTQ, &n) < 0)
		die_errno("ioctl TIOCOUTQ");
	return n;
}

/* How many wait for accept: of a listener the kernel says that in tcpi_unacked. */
static int backlog(int lfd)
{
	struct tcp_info info;
	socklen_t len = sizeof info;

	if (getsockopt(lfd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0)
		die_errno("getsockopt TCP_INFO");
	return (int)info.tcpi_unacked;
}

/* Waits until that number is n. */
static void await_number(struct scene *s, int (*ask)(int fd), int fd, int n)
{
	int64_t end = now_ns() + PATIENCE_MS * NS_PER_MS;

	while (!s->refused && !s->late && ask(fd) != n) {
		s->late = now_ns() > end;
		sched_yield(); /* to the kernel thread that delivers */
	}
}

void await_ack(struct scene *s, int from, int to)
{
	int one = 1;

	if (s->refused)
		return;
	if (setsockopt(to, IPPROTO_TCP, TCP_QUICKACK, &one, sizeof one) < 0)
		die_errno("setsockopt TCP_QUICKACK");
	await_number(s, unacknowledged, from, 0);
}

int connect_to(struct scene *s, int lfd)
{
	struct sockaddr_in at = loopback();
	socklen_t len = sizeof at;
	int fd = s->refused ? -1 : tcp_socket(s);

	if (fd < 0)
		return -1;
	int before = backlog(lfd);
	if (getsockname(lfd, (struct sockaddr *)&at, &len) < 0)
		failed(s, "getsockname");
	if (connect(fd, (struct sockaddr *)&at, len) < 0 && errno != EINPROGRESS)
		failed(s, "connect");
	await_number(s, backlog, lfd, before + 1);
	return fd;
}

static void open_tcp(struct scene *s)
{
	int lfd = listener(s);

	s->peer = connect_to(s, lfd);
	if (s->refused)
		return;
	s->fd = keep(
		s, "accept4", accept4(lfd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC));
	drop(s, lfd);
}

static void open_pair(struct scene *s)
{
	int fds[2] = { -1, -1 };
	int failure =
		s->kind == PIPE
			? pipe2(fds, O_NONBLOCK | O_CLOEXEC)
			: socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
				  0, fds);

	if (failure) {
		failed(s, s->kind == PIPE ? "pipe2" : "socketpair");
		return;
	}
	s->fd = keep(s, "", fds[0]);
	s->peer = keep(s, "", fds[1]);
}

void scene_open(struct scene *s, enum kind kind, uint32_t mode)
{
	*s = (struct scene){ .kind = kind, .mode = mode, .fd = -1, .peer = -1 };
	s->epfd = keep(s, "epoll_create1", epoll_create1(EPOLL_CLOEXEC));
	if (kind == TCP)
		open_tcp(s);
	else if (kind == EVENTFD)
		s->fd = s->peer =
			keep(s, "eventfd", eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
	else if (kind != ALONE)
		open_pair(s);
}

void scene_close(struct scene *s)
{
	while (s->n > 0) {
		abort_on_close(s->fds[--s->n]);
		close(s->fds[s->n]);
	}
}

void swap_ends(struct scene *s)
{
	int fd = s->fd;

	s->fd = s->peer;
	s->peer = fd;
}

static void control(struct scene *s, int op, const char *call, uint32_t events)
{
	struct epoll_event ev = { .events = events | s->mode,
		.data.u64 = (uint64_t)s->fd };

	if (!s->refused && epoll_ctl(s->epfd, op, s->fd, &ev) < 0)
		die_errno("%s", call);
}

void watch(struct scene *s, uint32_t events)
{
	control(s, EPOLL_CTL_ADD, "epoll_ctl ADD", events);
}

void rearm(struct scene *s, uint32_t events)
{
	control(s, EPOLL_CTL_MOD, "epoll_ctl MOD", events);
}

int wait_once(struct scene *s)
{
	struct epoll_event ev = { 0 };

	if (s->refused)
		return 0;
	int n = epoll_wait(s->epfd, &ev, 1, 0);
	if (n < 0)
		die_errno("epoll_wait");
	s->mask = ev.events;
	s->data = ev.data.u64;
	return n;
}

void peer_writes(struct scene *s, int n)
{
	static const char bytes[BUFFER];
	const uint64_t one = 1;

	if (s->refused)
		return;
	if (s->kind == EVENTFD) {
		if (write(s->peer, &one, sizeof one) < 0)
			die_errno("write to an eventfd");
		return;
	}
	int before = unread(s->fd);
	if (write(s->peer, bytes, (size_t)n) != n)
		die_errno("write of %d bytes at once", n);
	await_number(s, unread, s->fd, before + n);
}

int read_some(struct scene *s, int n)
{
	char bytes[BUFFER];

	if (s->refused)
		return 0;
	ssize_t got = read(s->fd, bytes, n < BUFFER ? (size_t)n : sizeof bytes);
	if (got < 0 && errno != EAGAIN)
		die_errno("read");
	return got < 0 ? 0 : (int)got;
}

void drain(struct scene *s)
{
	while (read_some(s, BUFFER) > 0)
		;
}

void fill(struct scene *s)
{
	static const char bytes[BUFFER];

	while (!s->refused && write(s->fd, bytes, sizeof bytes) > 0)
		;
	if (!s->refused && errno != EAGAIN)
		die_errno("write");
}

void peer_drains(struct scene *s)
{
	struct pollfd p = { .fd = s->fd, .events = POLLOUT };

	while (!s->refused && !s->late && poll(&p, 1, 0) == 0) {
		await(s, s->peer, POLLIN);
		swap_ends(s);
		drain(s);
		swap_ends(s);
	}
}

void fin(struct scene *s)
{
	if (s->refused)
		return;
	if (s->kind == PIPE) {
		peer_closes(s);
		return;
	}
	if (shutdown(s->peer, SHUT_WR) < 0)
		die_errno("shutdown");
	await(s, s->fd, POLLRDHUP);
}

void peer_closes(struct scene *s)
{
	if (s->refused)
		return;
	drop(s, s->peer);
	await(s, s->fd, s->kind == PIPE ? 0 : POLLRDHUP); /* HUP needs no asking */
}

void rst(struct scene *s)
{
	if (s->refused)
		return;
	abort_on_close(s->peer);
	drop(s, s->peer);
	await(s, s->fd, 0);
}

bool kernel_from_to(int major1, int minor1, int major2, int minor2)
{
	struct utsname name;
	int major = 0, minor = 0;

	if (uname(&name) < 0)
		die_errno("uname");
	if (sscanf(name.release, "%d.%d", &major, &minor) != 2)
		return false;
	int at = major * 1000 + minor;
	return at >= major1 * 1000 + minor1 && at <= major2 * 1000 + minor2;
}

const char *word(struct scene *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(s->word, sizeof s->word, fmt, ap);
	va_end(ap);
	return s->word;
}

const char *wait_count(struct scene *s)
{
	return wait_once(s) ? "1" : "0";
}

const char *wait_mask(struct scene *s)
{
	char all[WORD] = "";

	if (!wait_once(s))
		return "0";
	mask_text(all, sizeof all, s->mask);
	return word(s, "%s", all);
}

const char *outcome(struct scene *s, long result)
{
	const char *name = errno_name(errno);

	if (result >= 0)
		return "ok";
	return name ? name : word(s, "errno %d", errno);
}
