/* File sender, epoll edge-triggered: from the page cache to the socket, without copies.
 */
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
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	READ_SIZE = 4096,
	COPY_SIZE = 64 * 1024, /* --copy: one pread, one send */
	PIPE_SIZE = 64 * 1024, /* --splice: what an empty pipe takes */
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
	bool fin; /* and this server its own */
	off_t at; /* in the file: this connection's place, nobody else's */
	off_t left; /* owed to the client: of the file, or in the pipe */
	struct pipe pipe; /* --splice: only while left > 0 */
	struct conn *next, *prev;
};

static struct conn *conns;
static int epfd;
static bool full; /* out of descriptors or memory: clients wait in the backlog */
static int file = -1;
static bool copy; /* pread and send instead of sendfile */
static bool echo; /* no file: what comes goes back, through a pipe */
static struct pipe spare = { { -1, -1 } };

/* How long the file is now: what this connection is promised. */
static off_t file_size(void)
{
	struct stat st;

	return fstat(file, &st) < 0 ? -1 : st.st_size;
}

static void conn_open(int fd)
{
	struct conn *c = malloc(sizeof *c);
	uint32_t events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET; /* DOC: only once */
	struct epoll_event ev = { .events = events, .data.ptr = c };
	off_t left = echo ? 0 : file_size();

	if (!c || left < 0 || epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &ev) < 0) {
		free(c);
		close(fd);
		return;
	}
	*c = (struct conn){ .fd = fd, .left = left, .next = conns };
	if (conns)
		conns->prev = c;
	conns = c;
}

/* A FIN after half a file would pass for the end of the file: a RST does not. */
static void conn_close(struct conn *c)
{
	struct linger rst = { .l_onoff = 1 };

	if (c == conns)
		conns = c->next;
	else
		c->prev->next = c->next;
	if (c->next)
		c->next->prev = c->prev;
	if (c->left > 0 && setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &rst, sizeof rst) < 0)
		warn_errno("setsockopt SO_LINGER");
	close(c->fd); /* the last close also takes it out of epoll */
	if (echo && c->left > 0) {
		close(c->pipe.end[0]);
		close(c->pipe.end[1]);
	}
	free(c);
}

/* A connection has a pipe only while there is something in it: who is idle costs no
 * descriptor. One empty pipe is kept for the next who needs it. */
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
	if (spare.end[0] < 0) {
		spare = c->pipe;
		return;
	}
	close(c->pipe.end[0]);
	close(c->pipe.end[1]);
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

/* TCP's splice stops at an urgent byte (MSG_OOB) and says EAGAIN from then on; recv steps
 * over it. */
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
		c->left += n;
	else if (c->left == 0)
		pipe_give(c);
	return n;
}

/* Nothing is asked of a file's client: what it says is taken and dropped. Left unread it
 * would turn the close into a RST. */
static enum step read_step(struct conn *c)
{
	char data[READ_SIZE];
	ssize_t n = echo ? splice_in(c) : recv(c->fd, data, sizeof data, 0);

	if (n > 0)
		return STEP_AGAIN;
	if (n == 0) {
		c->eof = true; /* no more input; the rest must still be sent */
		return STEP_WAIT;
	}
	if (errno == EINTR)
		return STEP_AGAIN;
	if (errno == EAGAIN)
		return STEP_WAIT;
	return STEP_CLOSE; /* ECONNRESET, ETIMEDOUT …; no pipe to be had */
}

/* What the socket does not take is read again next time: nothing to keep, whoever waits.
 */
static ssize_t copy_some(struct conn *c)
{
	static char data[COPY_SIZE];
	size_t want = c->left < COPY_SIZE ? (size_t)c->left : COPY_SIZE;
	ssize_t n = pread(file, data, want, c->at);

	if (n > 0)
		n = send(c->fd, data, (size_t)n, MSG_NOSIGNAL);
	if (n > 0)
		c->at += n;
	return n;
}

/* After its FIN a connection waits for the client's: nothing is on its way then. */
static enum step fin_step(struct conn *c)
{
	if (c->fin || echo)
		return STEP_WAIT;
	c->fin = true;
	return shutdown(c->fd, SHUT_WR) < 0 ? STEP_CLOSE : STEP_WAIT;
}

static enum step write_step(struct conn *c)
{
	ssize_t n;

	if (c->left == 0)
		return fin_step(c);

	if (echo)
		n = splice(c->pipe.end[0], NULL, c->fd, NULL, (size_t)c->left,
			SPLICE_F_NONBLOCK);
	else if (copy)
		n = copy_some(c);
	else
		n = sendfile(c->fd, file, &c->at, (size_t)c->left); /* DOC: &c->at */
	if (n > 0) {
		c->left -= n; /* a short write: the rest stays */
		if (echo && c->left == 0)
			pipe_give(c);
		return STEP_AGAIN;
	}
	if (n == 0)
		return STEP_CLOSE; /* the file was cut short, and will be 0 for ever */
	if (errno == EINTR)
		return STEP_AGAIN;
	if (errno == EAGAIN)
		return STEP_WAIT;
	return STEP_CLOSE; /* EPIPE, ECONNRESET …; EIO */
}

/* What is left is not reported again: drain both. */
static void on_event(struct conn *c, uint32_t events)
{
	enum step in = STEP_WAIT, out;

	/* Not HUP: that is also both FINs, with input unread. */
	if (events & EPOLLERR) {
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

/* Opened once: who replaces the file by another (rename) changes nothing for who is being
 * served, and nobody is sent a mixture. */
static void open_file(const char *path)
{
	struct stat st;

	/* O_NONBLOCK: opening a FIFO must not wait. It does nothing for a disk. */
	file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (file < 0 || fstat(file, &st) < 0)
		die_errno("--file: %s", path);
	if (!S_ISREG(st.st_mode))
		die_usage("--file: %s: not a regular file", path);
}

int main(int argc, char **argv)
{
	const char *path = NULL;
	const struct opt own[] = {
		{ 'f', "file", "FILE", "send FILE to whoever connects", .text = &path },
		{ 'c', "copy", NULL, "with pread and send, not sendfile", .flag = &copy },
		{ 's', "splice", NULL, "no file: echo, through a pipe", .flag = &echo },
		{ 0 },
	};
	struct address at = args_server(
		argc, argv, "file sender: sendfile, epoll, edge-triggered", own);

	if (!path == !echo || (copy && echo))
		die_usage("--file FILE [--copy] or --splice: one of the two");
	stop_on_signals();
	signal(SIGPIPE, SIG_IGN); /* sendfile and splice know no MSG_NOSIGNAL */
	raise_fd_limit();
	if (path)
		open_file(path);
	else if (pipe2(spare.end, O_CLOEXEC | O_NONBLOCK) < 0)
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
		conn_close(conns);
	close(epfd);
	close(lfd);
	return 0;
}
