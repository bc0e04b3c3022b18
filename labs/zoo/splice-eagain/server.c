/* WRONG on purpose: EAGAIN from a splice is taken for an empty socket. */
#include "args.h"
#include "err.h"
#include "net.h"
#include "stop.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	PIPE_SIZE = 64 * 1024, /* what an empty pipe takes */
	MAX_EVENTS = 64,
	RETRY_MS = 100,
};

enum step {
	STEP_AGAIN, /* something was done, there may be more */
	STEP_WAIT, /* nothing to do until the socket is ready again */
	STEP_CLOSE, /* this connection is over */
	STEP_FULL, /* no room for another connection */
};

struct pipe {
	int end[2];
};

struct conn {
	int fd;
	bool eof; /* the client has sent its FIN */
	size_t left; /* bytes in the pipe, not sent back yet */
	struct pipe pipe; /* only while left > 0 */
	struct conn *next, *prev;
};

static struct conn *conns;
static int epfd;
static bool full; /* out of descriptors or memory: clients wait in the backlog */
static struct pipe spare; /* end[0] < 0: it is in use */

static void pipe_close(const struct pipe *p)
{
	if (p->end[0] >= 0) {
		close(p->end[0]);
		close(p->end[1]);
	}
}

/* A connection has a pipe only while there is something in it, so an idle one costs no
 * descriptor. One empty pipe is kept for the next connection that needs it. */
static int pipe_take(struct conn *c)
{
	if (spare.end[0] < 0)
		return pipe2(c->pipe.end, O_CLOEXEC | O_NONBLOCK);
	c->pipe = spare;
	spare.end[0] = -1;
	return 0;
}

static void pipe_give(const struct conn *c)
{
	if (spare.end[0] < 0)
		spare = c->pipe;
	else
		pipe_close(&c->pipe);
}

static void conn_open(int fd)
{
	struct conn *c = malloc(sizeof *c);
	uint32_t events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET; /* DOC: only once */
	struct epoll_event ev = { .events = events, .data.ptr = c };

	if (!c || epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &ev) < 0) {
		free(c);
		close(fd);
		return;
	}
	*c = (struct conn){ .fd = fd, .next = conns };
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
	if (c->left > 0)
		pipe_close(&c->pipe);
	free(c);
}

static bool wants_input(const struct conn *c)
{
	return !c->eof;
}

/* All input was read and all output was sent. */
static bool finished(const struct conn *c)
{
	return c->eof && c->left == 0;
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

/* splice stops at an urgent byte (MSG_OOB) and returns EAGAIN from then on. recv skips
 * it. */
static ssize_t splice_in(struct conn *c)
{
	char byte;

	if (c->left == 0 && pipe_take(c) < 0)
		return -1;
	ssize_t n =
		splice(c->fd, NULL, c->pipe.end[1], NULL, PIPE_SIZE, SPLICE_F_NONBLOCK);
	if (n < 0 && errno == EAGAIN && c->left == 0 &&
		(n = recv(c->fd, &byte, 1, 0)) > 0)
		n = write(c->pipe.end[1], &byte, 1);
	if (n > 0)
		c->left += (size_t)n;
	else if (c->left == 0)
		pipe_give(c);
	return n;
}

static enum step read_step(struct conn *c)
{
	ssize_t n = splice_in(c);

	if (n > 0)
		return STEP_AGAIN;
	if (n == 0) {
		c->eof = true; /* nothing more to read, and the pipe is empty */
		return STEP_WAIT;
	}
	if (errno == EINTR)
		return STEP_AGAIN;
	if (errno == EAGAIN)
		return STEP_WAIT;
	return STEP_CLOSE; /* ECONNRESET, ETIMEDOUT …; no descriptor for a pipe */
}

static enum step write_step(struct conn *c)
{
	if (c->left == 0)
		return STEP_WAIT;

	/* Ask for no more than there is: the kernel may wait for the rest before it
	 * sends. */
	ssize_t n = splice(c->pipe.end[0], NULL, c->fd, NULL, c->left, SPLICE_F_NONBLOCK);
	if (n >= 0) {
		c->left -= (size_t)n; /* a short write: the rest stays */
		if (c->left == 0)
			pipe_give(c);
		return STEP_AGAIN;
	}
	if (errno == EINTR)
		return STEP_AGAIN;
	if (errno == EAGAIN)
		return STEP_WAIT;
	return STEP_CLOSE; /* EPIPE, ECONNRESET … */
}

/* What is left is not reported again: drain both. */
static void on_event(struct conn *c, uint32_t events)
{
	enum step in = STEP_WAIT, out;

	if (events & (EPOLLERR | EPOLLHUP)) { /* reported even if not asked for */
		conn_close(c);
		return;
	}
	while ((events & EPOLLIN) && wants_input(c) && (in = read_step(c)) == STEP_AGAIN)
		;
	while ((out = write_step(c)) == STEP_AGAIN)
		;
	if (in == STEP_CLOSE || out == STEP_CLOSE || finished(c))
		conn_close(c);
}

/* Out of descriptors: no event comes for clients in the backlog. Try every turn. */
static void on_listener(int lfd)
{
	enum step s;

	while ((s = accept_step(lfd)) == STEP_AGAIN)
		;
	full = s == STEP_FULL;
}

int main(int argc, char **argv)
{
	struct address at = args_server(
		argc, argv, "WRONG: splice, EAGAIN taken for an empty socket", NULL);

	stop_on_signals();
	signal(SIGPIPE, SIG_IGN); /* splice has no flag MSG_NOSIGNAL */
	raise_fd_limit();
	if (pipe2(spare.end, O_CLOEXEC | O_NONBLOCK) < 0)
		die_errno("pipe2");
	int lfd = listen_tcp(&at);
	if (set_nonblocking(lfd) < 0)
		die_errno("non-blocking listener");

	struct epoll_event ev = { .events = EPOLLIN | EPOLLET }, evs[MAX_EVENTS];
	epfd = epoll_create1(EPOLL_CLOEXEC);
	if (epfd < 0)
		die_errno("epoll_create1");
	if (epoll_ctl(epfd, EPOLL_CTL_ADD, lfd, &ev) < 0)
		die_errno("epoll_ctl ADD listener");
	announce(lfd);

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
		conn_close(conns); // NOLINT(clang-analyzer-unix.Malloc): no prev
	pipe_close(&spare);
	close(epfd);
	close(lfd);
	return 0;
}
