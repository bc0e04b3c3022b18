/* Echo server, N processes on one listening socket: which is woken, and which accepts. */
#include "args.h"
#include "buf.h"
#include "err.h"
#include "net.h"
#include "stop.h"
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	READ_SIZE = 4096,
	HIGH_WATER = 64 * 1024, /* read no more while this much output is stuck */
	MAX_EVENTS = 64,
	RETRY_MS = 100,
	MAX_WORKERS = 64,
};

enum step {
	STEP_AGAIN, /* something was done, there may be more */
	STEP_WAIT, /* nothing to do until the socket is ready again */
	STEP_CLOSE, /* this connection is over */
	STEP_FULL, /* no room for another connection */
};

struct conn {
	int fd;
	uint32_t events; /* what epoll was last asked for */
	bool eof; /* the client has sent its FIN */
	struct buf out; /* read, and not sent back yet */
	struct conn *next, *prev;
};

static struct conn *conns;
static int epfd;
static bool full; /* out of descriptors or memory: clients wait in the backlog */
static bool exclusive; /* --exclusive: a connection wakes one worker, not all */
static int wakefd; /* an eventfd in all sets: a client waits, look at the listener */
static long nworkers = 4, alive;
static pid_t workers[MAX_WORKERS]; /* 0: it has ended */
static bool failed; /* a worker did not end well */

static void conn_open(int fd)
{
	struct conn *c = malloc(sizeof *c);
	uint32_t events = EPOLLIN;
	struct epoll_event ev = { .events = events, .data.ptr = c };

	if (!c || epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &ev) < 0) {
		free(c);
		close(fd);
		return;
	}
	*c = (struct conn){ .fd = fd, .events = events, .next = conns };
	if (conns)
		conns->prev = c;
	conns = c;
}

static void conn_close(struct conn *c)
{
	if (c->prev)
		c->prev->next = c->next;
	else
		conns = c->next;
	if (c->next)
		c->next->prev = c->prev;
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

static enum step read_step(struct conn *c)
{
	char data[READ_SIZE];
	ssize_t n = recv(c->fd, data, sizeof data, 0);

	if (n > 0) {
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

/* Level-triggered epoll reports an event again as long as it is true. Ask only for events
 * that this connection can handle now. */
static int watch(struct conn *c)
{
	uint32_t events = wants_input(c) ? EPOLLIN : 0;

	if (c->out.len > 0)
		events |= EPOLLOUT; /* DOC: only while output is stuck */
	struct epoll_event ev = { .events = events, .data.ptr = c };
	if (events == c->events)
		return 0;
	c->events = events;
	return epoll_ctl(epfd, EPOLL_CTL_MOD, c->fd, &ev);
}

/* One read and one write are enough: epoll reports again what is left. */
static void on_event(struct conn *c, uint32_t events)
{
	enum step in = STEP_WAIT, out;

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

static int watch_listener(int lfd)
{
	struct epoll_event ev = { .events = EPOLLIN | (exclusive ? EPOLLEXCLUSIVE : 0) };

	return epoll_ctl(epfd, EPOLL_CTL_ADD, lfd, &ev);
}

/* EXCLUSIVE woke one worker, but it cannot accept, or it has died: wake all. */
static void wake_all(void)
{
	if (eventfd_write(wakefd, 1) < 0)
		die_errno("eventfd_write");
}

/* Out of descriptors: the listener stays readable, and epoll would report it without end.
 * Remove it, and try again every turn. EPOLL_CTL_MOD would fail with EINVAL: it is not
 * allowed on an EXCLUSIVE registration. DOC: DEL and ADD */
static void on_listener(int lfd)
{
	bool was_full = full;

	full = accept_step(lfd) == STEP_FULL;
	if (full && !was_full) {
		if (epoll_ctl(epfd, EPOLL_CTL_DEL, lfd, NULL) < 0)
			die_errno("epoll_ctl DEL listener");
		wake_all(); /* DOC: pass it on */
	}
	if (!full && was_full && watch_listener(lfd) < 0)
		die_errno("epoll_ctl ADD listener");
}

/* One worker: 03's main after the listening socket is made. */
static void serve(int lfd)
{
	/* Edge-triggered: each write wakes each worker once, without a read. */
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET }, evs[MAX_EVENTS];
	epfd = epoll_create1(EPOLL_CLOEXEC); /* after the fork: a set of its own */
	if (epfd < 0)
		die_errno("epoll_create1");
	if (epoll_ctl(epfd, EPOLL_CTL_ADD, wakefd, &ev) < 0)
		die_errno("epoll_ctl ADD eventfd");
	if (watch_listener(lfd) < 0)
		die_errno("epoll_ctl ADD listener");

	while (!stopping) {
		int n = epoll_wait(epfd, evs, MAX_EVENTS, full ? RETRY_MS : -1);
		bool try_accept = full;

		if (n < 0 && errno != EINTR)
			die_errno("epoll_wait");
		for (int i = 0; i < n; i++)
			if (evs[i].data.ptr)
				on_event(evs[i].data.ptr, evs[i].events);
			else
				try_accept = true;
		if (try_accept)
			on_listener(lfd);
	}
	while (conns)
		conn_close(conns);
	close(epfd);
	close(wakefd);
	close(lfd);
}

static pid_t start_worker(int lfd)
{
	pid_t parent = getpid(), pid = fork();

	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* no worker outlives the parent */
	if (getppid() != parent)
		_exit(1);
	stop_on_signals(); /* again: a child of fork(2) has no timer */
	serve(lfd);
	exit(0);
}

/* Waits for a worker to end; a signal ends the waiting too. */
static void wait_worker(void)
{
	int status;
	pid_t pid = waitpid(-1, &status, 0);

	if (pid < 0 && errno != EINTR)
		die_errno("waitpid");
	for (long i = 0; i < nworkers; i++)
		if (pid > 0 && workers[i] == pid) {
			workers[i] = 0;
			alive--;
			failed = failed || status != 0;
			if (!stopping)
				fprintf(stderr, "%s: worker %d has ended, status 0x%x\n",
					program_invocation_short_name, pid,
					(unsigned)status);
		}
}

static void end_workers(void)
{
	for (long i = 0; i < nworkers; i++)
		if (workers[i] > 0) {
			kill(workers[i], SIGTERM);
			kill(workers[i], SIGCONT); /* a stopped one gets no SIGTERM */
		}
	while (alive > 0)
		wait_worker();
}

int main(int argc, char **argv)
{
	const struct opt own[] = {
		{ 0, "workers", "N", "processes that accept (4)", .number = &nworkers,
			.min = 1, .max = MAX_WORKERS },
		{ 0, "exclusive", NULL, "a connection wakes one of them, not all",
			.flag = &exclusive },
		{ 0 },
	};
	struct address at = args_server(
		argc, argv, "echo server: N processes, one listening socket", own);

	stop_on_signals();
	raise_fd_limit();
	int lfd = listen_tcp(&at);
	if (set_nonblocking(lfd) < 0)
		die_errno("non-blocking listener");
	wakefd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (wakefd < 0)
		die_errno("eventfd");

	signal(SIGCHLD,
		SIG_DFL); /* if it is ignored (inherited), waitpid reports no worker */
	for (; alive < nworkers; alive++)
		if ((workers[alive] = start_worker(lfd)) < 0)
			die_errno("fork");
	announce(lfd);

	while (!stopping && alive > 0) {
		wait_worker();
		wake_all();
	}
	end_workers();
	close(wakefd);
	close(lfd);
	return failed ? 1 : 0;
}
