/* File sender, epoll edge-triggered: from the page cache to the socket, no copies. */
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
	MAX_EVENTS = 64,
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
	bool fin; /* the server has sent its FIN */
	off_t at; /* this connection's own place in the file */
	off_t left; /* bytes of the file that are not sent yet */
	struct conn *next, *prev;
};

static struct conn *conns;
static int epfd;
static bool full; /* out of descriptors or memory: clients wait in the backlog */
static int file = -1;
static bool copy; /* pread and send instead of sendfile */

static void conn_open(int fd)
{
	struct conn *c = malloc(sizeof *c);
	uint32_t events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET; /* DOC: only once */
	struct epoll_event ev = { .events = events, .data.ptr = c };
	struct stat st; /* its size now is what this client gets */

	if (!c || fstat(file, &st) < 0 || epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &ev) < 0) {
		free(c);
		close(fd);
		return;
	}
	*c = (struct conn){ .fd = fd, .left = st.st_size, .next = conns };
	if (conns)
		conns->prev = c;
	conns = c;
}

/* A FIN after half a file looks like the end of the file. With a linger time of 0, close
 * sends a RST. */
static void conn_close(struct conn *c)
{
	struct linger rst = { .l_onoff = 1 };

	if (c->prev)
		c->prev->next = c->next;
	else
		conns = c->next;
	if (c->next)
		c->next->prev = c->prev;
	if (c->left > 0 && setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &rst, sizeof rst) < 0)
		warn_errno("setsockopt SO_LINGER");
	close(c->fd); /* the last close also takes it out of epoll */
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

/* What the client sends is read and dropped: unread input makes close send a RST. */
static enum step read_step(struct conn *c)
{
	char data[READ_SIZE];
	ssize_t n = recv(c->fd, data, sizeof data, 0);

	if (n > 0)
		return STEP_AGAIN;
	if (n == 0) {
		c->eof = true; /* nothing more to read; what is left must still be sent */
		return STEP_WAIT;
	}
	if (errno == EINTR)
		return STEP_AGAIN;
	if (errno == EAGAIN)
		return STEP_WAIT;
	return STEP_CLOSE; /* ECONNRESET, ETIMEDOUT … */
}

/* What send does not take is read from the file again next time: nothing to keep. */
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

/* After its own FIN the server waits for the client's FIN: then no more input comes. */
static enum step fin_step(struct conn *c)
{
	if (c->fin)
		return STEP_WAIT;
	c->fin = true;
	return shutdown(c->fd, SHUT_WR) < 0 ? STEP_CLOSE : STEP_WAIT;
}

static enum step write_step(struct conn *c)
{
	ssize_t n;

	if (c->left == 0)
		return fin_step(c);

	if (copy)
		n = copy_some(c);
	else
		n = sendfile(c->fd, file, &c->at, (size_t)c->left); /* DOC: &c->at */
	if (n > 0) {
		c->left -= n; /* a short write: the rest stays */
		return STEP_AGAIN;
	}
	if (n == 0)
		return STEP_CLOSE; /* the file was cut short: 0 again at every call */
	if (errno == EINTR)
		return STEP_AGAIN;
	if (errno == EAGAIN)
		return STEP_WAIT;
	return STEP_CLOSE; /* EPIPE, ECONNRESET …; EIO */
}

/* What is left is not reported again: drain. Send first, to make room for input. */
static void on_event(struct conn *c, uint32_t events)
{
	enum step in = STEP_WAIT, out;

	if (events &
		EPOLLERR) { /* not on HUP: it also means two FINs, with input unread */
		conn_close(c);
		return;
	}
	while ((out = write_step(c)) == STEP_AGAIN)
		;
	while ((events & EPOLLIN) && wants_input(c) && (in = read_step(c)) == STEP_AGAIN)
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

/* Opened once: a rename over the file changes nothing here, and no client gets a mixture
 * of two files. */
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
		{ 'f', "file", "FILE", "send FILE to each client", .text = &path },
		{ 'c', "copy", NULL, "with pread and send, not sendfile", .flag = &copy },
		{ 0 },
	};
	struct address at = args_server(
		argc, argv, "file sender: sendfile, epoll, edge-triggered", own);

	if (!path)
		die_usage("--file FILE is missing: which file to send");
	stop_on_signals();
	signal(SIGPIPE, SIG_IGN); /* sendfile has no flag MSG_NOSIGNAL */
	raise_fd_limit();
	open_file(path);
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
	close(epfd);
	close(lfd);
	return 0;
}
