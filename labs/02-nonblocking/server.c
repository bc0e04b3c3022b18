/* Echo server, non-blocking, polled by hand: serves all clients, the CPU never rests. */
#include "args.h"
#include "buf.h"
#include "err.h"
#include "net.h"
#include "stop.h"
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	READ_SIZE = 4096,
	HIGH_WATER = 64 * 1024, /* read no more while this much output is stuck */
};

enum step {
	STEP_AGAIN, /* something was done, there may be more */
	STEP_WAIT, /* nothing to do until the socket is ready again */
	STEP_CLOSE, /* this connection is over */
};

struct conn {
	int fd;
	bool eof; /* the client has sent its FIN */
	struct buf out; /* read, and not sent back yet */
	struct conn *next, *prev;
};

static struct conn *conns;

static void conn_open(int fd)
{
	struct conn *c = malloc(sizeof *c);

	if (!c) {
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
	close(c->fd);
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
	/* DOC: the new socket does not inherit O_NONBLOCK from the listener. */
	int fd = accept4(lfd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd >= 0) {
		conn_open(fd);
		return STEP_AGAIN;
	}
	return STEP_WAIT; /* no client, or no descriptor: the next turn tries again */
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
		return STEP_WAIT; /* DOC: EAGAIN is not an error */
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

static void on_turn(struct conn *c)
{
	enum step in = STEP_WAIT, out;

	if (wants_input(c))
		in = read_step(c);
	out = write_step(c);
	if (in == STEP_CLOSE || out == STEP_CLOSE || finished(c))
		conn_close(c);
}

int main(int argc, char **argv)
{
	struct address at = args_server(
		argc, argv, "echo server: non-blocking, polled by hand", NULL);

	stop_on_signals();
	raise_fd_limit();
	int lfd = listen_tcp(&at);
	if (set_nonblocking(lfd) < 0)
		die_errno("non-blocking listener");
	announce(lfd);

	while (!stopping) {
		while (accept_step(lfd) == STEP_AGAIN)
			;
		/* DOC: every connection is asked in every turn, ready or not. */
		for (struct conn *c = conns, *next; c; c = next) {
			next = c->next;
			on_turn(c);
		}
	}
	while (conns)
		conn_close(conns);
	close(lfd);
	return 0;
}
