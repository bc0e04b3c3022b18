/* Echo server, N processes with a listening socket each, and a supervisor. */
#include "args.h"
#include "buf.h"
#include "err.h"
#include "net.h"
#include "stop.h"
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	READ_SIZE = 4096,
	HIGH_WATER = 64 * 1024, /* read no more while this much output is stuck */
	MAX_EVENTS = 64,
	RETRY_MS = 100,
	MAX_WORKERS = 64,
	RESTART_MS = 500, /* at least, between restarts */
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
static long nworkers = 4, alive;
static bool pinned; /* --pin */
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
	struct epoll_event ev = { .events = EPOLLIN };

	return epoll_ctl(epfd, EPOLL_CTL_ADD, lfd, &ev);
}

/* Out of descriptors: the listener stays readable, and epoll would report it without end.
 * Remove it, and try again every turn. No other worker can accept these clients. */
static void on_listener(int lfd)
{
	bool was_full = full;

	full = accept_step(lfd) == STEP_FULL;
	if (full && !was_full && epoll_ctl(epfd, EPOLL_CTL_DEL, lfd, NULL) < 0)
		die_errno("epoll_ctl DEL listener");
	if (!full && was_full && watch_listener(lfd) < 0)
		die_errno("epoll_ctl ADD listener");
}

/* Reserves the port; this socket never listens. Without SO_REUSEPORT bind fails where
 * another server listens. With it, bind would silently succeed beside a server of the
 * same user, and both would share the clients. Set after bind, it admits the sockets of
 * the workers. */
static int take_port(struct address *at)
{
	int one = 1;
	int fd = socket(at->sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die_errno("socket");
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) < 0)
		die_errno("setsockopt SO_REUSEADDR");
	if (bind(fd, (const struct sockaddr *)&at->sa, at->len) < 0)
		die_errno("bind");
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one) < 0)
		die_errno("setsockopt SO_REUSEPORT");
	at->len = sizeof at->sa;
	if (getsockname(fd, (struct sockaddr *)&at->sa, &at->len) < 0)
		die_errno("getsockname"); /* port 0: the others need its real number */
	return fd;
}

/* DOC: one more socket for the same port. Set SO_REUSEPORT before bind, on each of them:
 * bind makes the socket a member of the group. For each client the kernel chooses one
 * socket by a hash of both addresses and ports. Returns -1 with errno. */
static int listen_reuseport(const struct address *at)
{
	int one = 1;
	int lfd = socket(at->sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (lfd < 0)
		return -1;
	if (setsockopt(lfd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0 &&
		setsockopt(lfd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one) == 0 &&
		setsockopt(lfd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) == 0 &&
		bind(lfd, (const struct sockaddr *)&at->sa, at->len) == 0 &&
		listen(lfd, SOMAXCONN) == 0)
		return lfd;
	int saved = errno;
	close(lfd);
	errno = saved;
	return -1;
}

/* Worker i stays on the i-th of the CPUs that we may use, also while another program
 * keeps that one busy: the scheduler may no longer move it to an idle CPU. */
static void pin(long i)
{
	cpu_set_t allowed, one;

	CPU_ZERO(&one);
	if (sched_getaffinity(0, sizeof allowed, &allowed) < 0)
		return; /* more CPUs than fit: it works without a fixed CPU too */
	long nth = i % CPU_COUNT(&allowed);
	for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &allowed) && nth-- == 0)
			CPU_SET(cpu, &one);
	if (sched_setaffinity(0, sizeof one, &one) < 0)
		warn_errno("sched_setaffinity");
}

/* One worker: 03's main after the listening socket is made. */
static void serve(int lfd)
{
	struct epoll_event evs[MAX_EVENTS];
	epfd = epoll_create1(EPOLL_CLOEXEC); /* after the fork: a set of its own */
	if (epfd < 0)
		die_errno("epoll_create1");
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
	close(lfd);
}

/* Opens the socket before the fork: clients that connect from now on are in its backlog.
 * Closes this copy, so that the socket ends with the worker. Returns -1 with errno. */
static int start_worker(long i, const struct address *at, int portfd)
{
	pid_t parent = getpid();
	int lfd = listen_reuseport(at);

	if (lfd < 0)
		return -1;
	pid_t pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* no worker outlives the supervisor */
		if (getppid() != parent)
			_exit(1);
		stop_on_signals(); /* again: a child of fork(2) has no timer */
		close(portfd);
		if (pinned)
			pin(i);
		serve(lfd);
		exit(0);
	}
	int saved = errno;
	close(lfd);
	errno = saved;
	if (pid < 0)
		return -1;
	workers[i] = pid;
	alive++;
	return 0;
}

/* Waits for a worker to end (options 0); a signal ends the waiting too. Returns whether
 * one has. */
static bool wait_worker(int options)
{
	int status;
	pid_t pid = waitpid(-1, &status, options);

	if (pid < 0 && errno != EINTR && errno != ECHILD)
		die_errno("waitpid");
	for (long i = 0; i < nworkers; i++)
		if (pid > 0 && workers[i] == pid) {
			workers[i] = 0;
			alive--;
			failed = failed ||
				 (status != 0 && (stopping || WIFEXITED(status)));
			if (!stopping)
				fprintf(stderr, "%s: worker %d has ended, status 0x%x\n",
					program_invocation_short_name, pid,
					(unsigned)status);
		}
	return pid > 0;
}

/* Restarts workers that have died, but not too often: a worker that always dies at once
 * must not become a fork bomb. */
static void supervise(const struct address *at, int portfd)
{
	const struct timespec rest = { .tv_nsec = RESTART_MS * 1000 * 1000 };

	while (!stopping) {
		while (!stopping && alive == nworkers)
			wait_worker(0);
		while (wait_worker(WNOHANG)) {
		} /* several may have died */
		for (long i = 0; !stopping && i < nworkers; i++)
			if (workers[i] == 0 && start_worker(i, at, portfd) < 0)
				warn_errno("worker");
		if (!stopping)
			nanosleep(&rest, NULL); /* a signal ends it early: `stopping` */
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
		wait_worker(0);
}

int main(int argc, char **argv)
{
	const struct opt own[] = {
		{ 0, "workers", "N", "processes that accept (4)", .number = &nworkers,
			.min = 1, .max = MAX_WORKERS },
		{ 0, "pin", NULL, "keep each worker on one CPU", .flag = &pinned },
		{ 0 },
	};
	struct address at = args_server(
		argc, argv, "echo server: N processes, a listening socket each", own);

	stop_on_signals();
	raise_fd_limit();
	int portfd = take_port(&at);

	signal(SIGCHLD,
		SIG_DFL); /* if it is ignored (inherited), waitpid reports no worker */
	for (long i = 0; i < nworkers; i++)
		if (start_worker(i, &at, portfd) < 0)
			die_errno("worker");
	announce(portfd);

	supervise(&at, portfd);
	end_workers();
	close(portfd);
	return failed ? 1 : 0;
}
