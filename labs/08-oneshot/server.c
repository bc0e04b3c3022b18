/* Echo server, threads on one epoll set: one-shot, so that a connection has one owner. */
#include "args.h"
#include "buf.h"
#include "err.h"
#include "net.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	READ_SIZE = 4096,
	HIGH_WATER = 64 * 1024, /* read no more while this much output is stuck */
	MAX_EVENTS = 1, /* the next one is for another thread */
	MAX_THREADS = 64,
	RETRY_MS = 100,
};

enum mode { LT, ET, ONESHOT };

enum step {
	STEP_AGAIN, /* something was done, there may be more */
	STEP_WAIT, /* nothing to do until the socket is ready again */
	STEP_CLOSE, /* this connection is over */
	STEP_FULL, /* no room for another connection */
};

struct conn {
	int fd;
	bool eof; /* the client has sent its FIN */
	atomic_uchar inside; /* threads at work on it */
	struct buf out; /* read, and not sent back yet */
	struct conn *next, *prev;
};

static struct conn *conns;
static pthread_mutex_t conns_lock = PTHREAD_MUTEX_INITIALIZER;
static int epfd;
static int mode = ONESHOT;
static const uint32_t bit[] = { 0, EPOLLET, EPOLLONESHOT };
static long threads = 4, work_ms;
static atomic_bool leaving;
static atomic_ulong overlaps; /* a thread came in and another was inside */

/* For lt and et only: it keeps memory whole when several threads are inside. It keeps no
 * order, for it is open between recv and send. */
static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;

static void guard_lock(void)
{
	if (mode != ONESHOT)
		pthread_mutex_lock(&guard);
}

static void guard_unlock(void)
{
	if (mode != ONESHOT)
		pthread_mutex_unlock(&guard);
}

/* Complete before ADD: from then on another thread may have its event. To close it that
 * one has to wait for conns_lock. */
static void conn_open(int fd)
{
	struct conn *c = malloc(sizeof *c);
	struct epoll_event ev = { .events = EPOLLIN | bit[mode], .data.ptr = c };

	pthread_mutex_lock(&conns_lock);
	if (c)
		*c = (struct conn){ .fd = fd, .next = conns };
	if (!c || epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &ev) < 0) {
		free(c);
		close(fd);
	} else {
		if (conns)
			conns->prev = c;
		conns = c;
	}
	pthread_mutex_unlock(&conns_lock);
}

/* In mode oneshot this thread alone has c. In the others an event of it may be on its way
 * to another one, and nobody can know when that is over: c stays, without a descriptor.
 *
 * DOC: shutdown. A close only drops a reference. Another thread's epoll_wait may hold one
 * more while it looks, and drops it for good only when it returns to its program: it may
 * sleep first, and the client gets no FIN until then. */
static void conn_close(struct conn *c)
{
	if (c->fd >= 0) {
		if (shutdown(c->fd, SHUT_RDWR) < 0 && errno != ENOTCONN)
			warn_errno("shutdown");
		close(c->fd); /* the last close also takes it out of epoll */
	}
	c->fd = -1;
	buf_free(&c->out);
	if (mode != ONESHOT)
		return;
	pthread_mutex_lock(&conns_lock);
	if (c->prev)
		c->prev->next = c->next;
	else
		conns = c->next;
	if (c->next)
		c->next->prev = c->prev;
	pthread_mutex_unlock(&conns_lock);
	free(c);
}

static bool wants_input(const struct conn *c)
{
	return !c->eof && c->out.len < HIGH_WATER;
}

/* All input was read and all output was sent. */
static bool finished(const struct conn *c)
{
	return c->eof && c->out.len == 0;
}

static enum step accept_step(int lfd)
{
	int fd = accept4(lfd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd >= 0) {
		conn_open(fd);
		return STEP_AGAIN;
	}
	if (errno == EINTR || errno == ECONNABORTED)
		return STEP_AGAIN;
	if (errno == EAGAIN)
		return STEP_WAIT;
	return STEP_FULL; /* EMFILE, ENFILE, ENOMEM …: the client stays in the backlog */
}

/* What a message costs. In lt and et the others need not wait for it. */
static void work(const char *message)
{
	const struct timespec t = { .tv_nsec = work_ms * 1000 * 1000 };

	guard_unlock();
	if (work_ms > 0 && message[0] % 2 == 0)
		nanosleep(&t, NULL);
	guard_lock();
}

static enum step read_step(struct conn *c)
{
	char data[READ_SIZE];
	ssize_t n = recv(c->fd, data, sizeof data, 0);

	if (n > 0) {
		work(data);
		if (buf_append(&c->out, data, (size_t)n, HIGH_WATER + READ_SIZE) < 0)
			return STEP_CLOSE; /* out of memory */
		return STEP_AGAIN;
	}
	if (n == 0) {
		c->eof = true; /* no more input; the bytes in out must still be sent */
		return STEP_WAIT;
	}
	if (errno == EINTR)
		return STEP_AGAIN;
	if (errno == EAGAIN)
		return STEP_WAIT;
	return STEP_CLOSE; /* ECONNRESET, ETIMEDOUT … */
}

static enum step write_step(struct conn *c)
{
	if (c->out.len == 0)
		return STEP_WAIT;

	/* MSG_NOSIGNAL: a client that has left is an error here, not SIGPIPE. */
	ssize_t n = send(c->fd, buf_bytes(&c->out), c->out.len, MSG_NOSIGNAL);
	if (n >= 0) {
		buf_consume(&c->out, (size_t)n); /* a short write: the rest stays */
		return STEP_AGAIN;
	}
	if (errno == EINTR)
		return STEP_AGAIN;
	if (errno == EAGAIN)
		return STEP_WAIT;
	return STEP_CLOSE; /* EPIPE, ECONNRESET … */
}

/* DOC: arm. All is asked for again, data and events. MOD looks at the socket there and
 * then: OUT and RDHUP stay true, and asked for without need they would come without end.
 */
static int watch(struct conn *c)
{
	struct epoll_event ev = { .events = bit[mode], .data.ptr = c };
	int fd = c->fd;

	if (wants_input(c))
		ev.events |= EPOLLIN;
	if (c->out.len > 0)
		ev.events |= EPOLLOUT;
	atomic_fetch_sub(&c->inside, 1); /* out, before another thread is let in */
	return epoll_ctl(epfd, EPOLL_CTL_MOD, fd, &ev);
}

/* One step each way is enough: MOD reports what is left. In mode oneshot it also hands c
 * on: after it c is another thread's, or gone. */
static void on_event(struct conn *c, uint32_t events)
{
	enum step in = STEP_WAIT, out = STEP_WAIT;

	if (atomic_fetch_add(&c->inside, 1) > 0)
		atomic_fetch_add(&overlaps, 1);
	guard_lock();
	if (events & (EPOLLERR | EPOLLHUP)) /* reported even if not asked for */
		in = STEP_CLOSE;
	else if (events & EPOLLIN)
		in = read_step(c);
	if (in != STEP_CLOSE)
		out = write_step(c);
	if (in == STEP_CLOSE || out == STEP_CLOSE || finished(c) || watch(c) < 0)
		conn_close(c);
	guard_unlock();
}

/* The listener is one-shot in every mode: one thread accepts. While there is no room it
 * keeps the listener, and tries again every turn. True: there was none. */
static bool on_listener(int lfd)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLONESHOT };

	if (accept_step(lfd) == STEP_FULL)
		return true;
	if (epoll_ctl(epfd, EPOLL_CTL_MOD, lfd, &ev) < 0)
		die_errno("epoll_ctl MOD listener");
	return false;
}

static void *serve(void *listener)
{
	int lfd = *(const int *)listener;
	struct epoll_event evs[MAX_EVENTS];
	bool full = false; /* out of descriptors or memory: clients wait in the backlog */

	while (!leaving) {
		int n = epoll_wait(epfd, evs, MAX_EVENTS, full ? RETRY_MS : -1);
		bool try_accept = full;

		if (n < 0 && errno != EINTR)
			die_errno("epoll_wait");
		for (int i = 0; i < n && !leaving; i++)
			if (evs[i].data.ptr)
				on_event(evs[i].data.ptr, evs[i].events);
			else
				try_accept = true;
		if (try_accept)
			full = on_listener(lfd);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	const struct opt own[] = {
		{ 'm', "mode", "lt|et|oneshot",
			"how connections are registered (oneshot)", .choice = &mode },
		{ 't', "threads", "N", "on the one epoll set (4)", .number = &threads,
			.min = 1, .max = MAX_THREADS },
		{ 'w', "work", "MS", "cost of a message whose first byte is even (0)",
			.number = &work_ms, .max = 500 },
		{ 0 },
	};
	struct address at = args_server(
		argc, argv, "echo server: threads on one epoll set, one-shot", own);
	pthread_t thread[MAX_THREADS];
	sigset_t stops;
	int sig;

	/* Blocked here and so in all threads: the signal waits until main asks for it. */
	sigemptyset(&stops);
	sigaddset(&stops, SIGINT);
	sigaddset(&stops, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &stops, NULL);
	raise_fd_limit();
	int lfd = listen_tcp(&at);
	if (set_nonblocking(lfd) < 0)
		die_errno("non-blocking listener");

	struct epoll_event ev = { .events = EPOLLIN | EPOLLONESHOT };
	epfd = epoll_create1(EPOLL_CLOEXEC);
	if (epfd < 0)
		die_errno("epoll_create1");
	if (epoll_ctl(epfd, EPOLL_CTL_ADD, lfd, &ev) < 0)
		die_errno("epoll_ctl ADD listener");
	int bell = eventfd(1, EFD_CLOEXEC);
	if (bell < 0)
		die_errno("eventfd");
	for (long i = 0; i < threads; i++)
		if ((errno = pthread_create(&thread[i], NULL, serve, &lfd)) != 0)
			die_errno("pthread_create");
	announce(lfd);

	if ((errno = sigwait(&stops, &sig)) != 0)
		die_errno("sigwait");
	leaving = true;
	/* Level-triggered, and nobody takes it away: it wakes every thread. */
	if (epoll_ctl(epfd, EPOLL_CTL_ADD, bell,
		    &(struct epoll_event){ .events = EPOLLIN }) < 0)
		die_errno("epoll_ctl ADD bell");
	for (long i = 0; i < threads; i++)
		pthread_join(thread[i], NULL);
	if (overlaps > 0)
		fprintf(stderr, "%s: %lu overlaps\n", program_invocation_short_name,
			overlaps);
	mode = ONESHOT; /* nobody is left to hold an event */
	while (conns)
		conn_close(conns);
	close(bell);
	close(epfd);
	close(lfd);
	return 0;
}
