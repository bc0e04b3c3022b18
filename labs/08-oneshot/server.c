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
	MAX_EVENTS = 1, /* the next event is for another thread */
	MAX_THREADS = 64,
	RETRY_MS = 100,
};

enum step {
	STEP_AGAIN, /* something was done, there may be more */
	STEP_WAIT, /* nothing to do until the socket is ready again */
	STEP_CLOSE, /* this connection is over */
	STEP_FULL, /* no room for another connection */
};

struct conn {
	int fd;
	bool eof; /* the client has sent its FIN */
	atomic_uchar inside; /* threads that serve it now */
	struct buf out; /* read, and not sent back yet */
	struct conn *next, *prev;
};

static struct conn *conns;
static pthread_mutex_t conns_lock = PTHREAD_MUTEX_INITIALIZER; /* for this list only */
static int epfd;
static _Thread_local bool full; /* no free descriptor: this thread keeps the listener */
static atomic_bool stopping;
static long nthreads = 4, work_ms;
static atomic_ulong overlaps; /* two threads served one connection */

/* Call it with conns_lock. After ADD another thread may serve c at once: c is complete
 * before ADD. The lock makes that thread wait until c is on the list. */
static void conn_open(int fd)
{
	struct conn *c = malloc(sizeof *c);
	uint32_t events = EPOLLIN | EPOLLONESHOT;
	struct epoll_event ev = { .events = events, .data.ptr = c };

	if (c)
		*c = (struct conn){ .fd = fd, .next = conns };
	if (!c || epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &ev) < 0) {
		free(c);
		close(fd);
		return;
	}
	if (conns)
		conns->prev = c;
	conns = c;
}

/* Only the owner of c closes it. No other thread can have an event of c: free it.
 * DOC: shutdown. After close, the kernel sends the FIN when nothing uses the socket.
 * Another thread's epoll_wait may use it for a moment, then sleep, and release it only
 * at its next wakeup. shutdown sends the FIN now. */
static void conn_close(struct conn *c)
{
	pthread_mutex_lock(&conns_lock);
	if (c->prev)
		c->prev->next = c->next;
	else
		conns = c->next;
	if (c->next)
		c->next->prev = c->prev;
	pthread_mutex_unlock(&conns_lock);
	if (shutdown(c->fd, SHUT_RDWR) < 0 && errno != ENOTCONN)
		warn_errno("shutdown");
	close(c->fd); /* the last close also takes it out of epoll */
	buf_free(&c->out);
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

/* What a message costs: an even first byte keeps the thread for --work milliseconds. */
static void work(const char *message)
{
	const struct timespec t = { .tv_nsec = work_ms * 1000 * 1000 };

	if (work_ms > 0 && message[0] % 2 == 0)
		nanosleep(&t, NULL);
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

/* DOC: arm. The event has disarmed c. MOD arms it again, with the whole mask and the
 * pointer. From then on another thread may serve c, or may have freed it. */
static int watch(struct conn *c)
{
	uint32_t events = EPOLLONESHOT | (wants_input(c) ? EPOLLIN : 0);
	int fd = c->fd;

	if (c->out.len > 0)
		events |= EPOLLOUT; /* DOC: only while output is stuck */
	struct epoll_event ev = { .events = events, .data.ptr = c };
	atomic_fetch_sub(&c->inside, 1);
	return epoll_ctl(epfd, EPOLL_CTL_MOD, fd, &ev);
}

/* One read and one write are enough: MOD checks the socket, so epoll reports again what
 * is left. From the event to MOD only this thread uses c, so it needs no lock. */
static void on_event(struct conn *c, uint32_t events)
{
	enum step in = STEP_WAIT, out;

	if (atomic_fetch_add(&c->inside, 1) > 0)
		atomic_fetch_add(&overlaps, 1);
	if (events & (EPOLLERR | EPOLLHUP)) { /* reported even if not asked for */
		conn_close(c);
		return;
	}
	if (events & EPOLLIN)
		in = read_step(c);
	out = write_step(c);
	if (in == STEP_CLOSE || out == STEP_CLOSE || finished(c) || watch(c) < 0)
		conn_close(c);
}

/* The listener is one-shot too: one thread accepts. While no descriptor is free, this
 * thread does not arm it again, and tries every turn. */
static void on_listener(int lfd)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLONESHOT };

	pthread_mutex_lock(&conns_lock);
	full = accept_step(lfd) == STEP_FULL;
	pthread_mutex_unlock(&conns_lock);
	if (!full && epoll_ctl(epfd, EPOLL_CTL_MOD, lfd, &ev) < 0)
		die_errno("epoll_ctl MOD listener");
}

static void *serve(void *listener);

/* A signal that is blocked waits for sigwait; a thread inherits what is blocked. */
static void block_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
	pthread_sigmask(SIG_BLOCK, set, NULL);
}

int main(int argc, char **argv)
{
	const struct opt own[] = {
		{ 'm', "mode", "oneshot", "zoo/threads-no-oneshot has the other two",
			.choice = &(int){ 0 } },
		{ 't', "threads", "N", "on the one epoll set (4)", .number = &nthreads,
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

	block_signals(&stops);
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
	int wakefd = eventfd(1, EFD_CLOEXEC);
	if (wakefd < 0)
		die_errno("eventfd");
	for (long i = 0; i < nthreads; i++)
		if ((errno = pthread_create(&thread[i], NULL, serve, &lfd)) != 0)
			die_errno("pthread_create");
	announce(lfd);

	if ((errno = sigwait(&stops, &sig)) != 0)
		die_errno("sigwait");
	stopping = true;
	ev.events = EPOLLIN; /* level-triggered, and never read: it wakes every thread */
	if (epoll_ctl(epfd, EPOLL_CTL_ADD, wakefd, &ev) < 0)
		die_errno("epoll_ctl ADD wakefd");
	for (long i = 0; i < nthreads; i++)
		pthread_join(thread[i], NULL);
	if (overlaps > 0)
		fprintf(stderr, "%s: %lu overlaps\n", program_invocation_short_name,
			overlaps);
	while (conns)
		conn_close(conns);
	close(wakefd);
	close(epfd);
	close(lfd);
	return 0;
}

/* One thread of the pool: the loop of 03. */
static void *serve(void *listener)
{
	int lfd = *(const int *)listener;
	struct epoll_event evs[MAX_EVENTS];

	while (!stopping) {
		int n = epoll_wait(epfd, evs, MAX_EVENTS, full ? RETRY_MS : -1);
		bool try_accept = full;

		if (n < 0 && errno != EINTR)
			die_errno("epoll_wait");
		for (int i = 0; i < n && !stopping; i++)
			if (evs[i].data.ptr)
				on_event(evs[i].data.ptr, evs[i].events);
			else
				try_accept = true;
		if (try_accept)
			on_listener(lfd);
	}
	return NULL;
}
