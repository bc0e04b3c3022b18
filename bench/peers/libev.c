/* Echo server on libev, for comparison: as its manual would write it, ev(3). */
#include "args.h"
#include "buf.h"
#include "err.h"
#include "net.h"
#include <errno.h>
#include <ev.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READ_SIZE = 4096, HIGH_WATER = 64 * 1024 };

struct conn {
	ev_io io; /* first: a watcher is its connection */
	bool eof;
	struct buf out;
};

static ev_io listener;
static ev_timer retry;

static void conn_close(struct ev_loop *loop, struct conn *c)
{
	ev_io_stop(loop, &c->io); /* before the close: libev goes by descriptors */
	close(c->io.fd);
	buf_free(&c->out);
	free(c);
}

static int read_some(struct conn *c)
{
	char data[READ_SIZE];
	ssize_t n = recv(c->io.fd, data, sizeof data, 0);

	if (n > 0)
		return buf_append(&c->out, data, (size_t)n, HIGH_WATER + READ_SIZE);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	c->eof = true;
	return 0;
}

static int write_some(struct conn *c)
{
	if (c->out.len == 0)
		return 0;
	ssize_t n = send(c->io.fd, buf_bytes(&c->out), c->out.len, MSG_NOSIGNAL);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	buf_consume(&c->out, (size_t)n);
	return 0;
}

static void on_ready(struct ev_loop *loop, ev_io *io, int revents)
{
	struct conn *c = (struct conn *)io;

	if ((revents & EV_READ && read_some(c) < 0) || write_some(c) < 0 ||
		(c->eof && c->out.len == 0)) {
		conn_close(loop, c);
		return;
	}
	int events = (!c->eof && c->out.len < HIGH_WATER ? EV_READ : 0) |
		     (c->out.len > 0 ? EV_WRITE : 0);
	if (events == (io->events & (EV_READ | EV_WRITE)))
		return;
	ev_io_stop(loop, io); /* a watcher is changed only while it is stopped */
	ev_io_modify(io, events);
	ev_io_start(loop, io);
}

static void on_retry(struct ev_loop *loop, ev_timer *timer, int revents)
{
	(void)timer, (void)revents;
	ev_io_start(loop, &listener);
}

static void on_client(struct ev_loop *loop, ev_io *io, int revents)
{
	int fd = accept4(io->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)revents;
	if (fd < 0) {
		if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED)
			return;
		ev_io_stop(loop, io); /* no room: "the special problem of accept()ing" */
		ev_timer_set(&retry, 0.1, 0);
		ev_timer_start(loop, &retry);
		return;
	}
	struct conn *c = calloc(1, sizeof *c);
	if (!c) {
		close(fd);
		return;
	}
	ev_io_init(&c->io, on_ready, fd, EV_READ);
	ev_io_start(loop, &c->io);
}

static void on_signal(struct ev_loop *loop, ev_signal *signal, int revents)
{
	(void)signal, (void)revents;
	ev_break(loop, EVBREAK_ALL);
}

int main(int argc, char **argv)
{
	struct address at = args_server(argc, argv, "echo server: libev", NULL);
	struct ev_loop *loop = ev_default_loop(EVBACKEND_EPOLL);
	ev_signal term, interrupt;

	if (!loop)
		die_usage("libev: no epoll");
	raise_fd_limit();
	int lfd = listen_tcp(&at);
	if (set_nonblocking(lfd) < 0)
		die_errno("non-blocking listener");
	ev_timer_init(&retry, on_retry, 0.1, 0);
	ev_io_init(&listener, on_client, lfd, EV_READ);
	ev_io_start(loop, &listener);
	ev_signal_init(&term, on_signal, SIGTERM);
	ev_signal_start(loop, &term);
	ev_signal_init(&interrupt, on_signal, SIGINT);
	ev_signal_start(loop, &interrupt);
	announce(lfd);
	ev_run(loop, 0);
	return 0;
}
