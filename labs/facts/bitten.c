#include "card.h"
#include "err.h"
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

/* "1,0": two waits with nothing done in between. */
static const char *two_waits(struct scene *s)
{
	int first = wait_once(s);

	return word(s, "%d,%d", first, wait_once(s));
}

static void new_socket(struct scene *s)
{
	s->fd = keep(s, "socket",
		socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

static const char *unconnected(struct scene *s)
{
	new_socket(s);
	watch(s, EPOLLIN | EPOLLOUT | EPOLLRDHUP);
	return wait_mask(s);
}

static const char *unconnected_again(struct scene *s)
{
	new_socket(s);
	watch(s, EPOLLIN | EPOLLOUT | EPOLLRDHUP);
	return two_waits(s);
}

/* A port that nobody listens on: one that was bound a moment ago. */
static void refuse(struct scene *s)
{
	struct sockaddr_storage at;
	socklen_t len = sizeof at;
	int lfd = listener(s);

	new_socket(s);
	if (s->refused)
		return;
	if (getsockname(lfd, (struct sockaddr *)&at, &len) < 0)
		die_errno("getsockname");
	drop(s, lfd);
	if (connect(s->fd, (struct sockaddr *)&at, len) < 0 && errno != EINPROGRESS &&
		errno != ECONNREFUSED)
		die_errno("connect");
	await(s, s->fd, POLLOUT);
	watch(s, EPOLLOUT);
}

static int socket_error(struct scene *s)
{
	int error = 0;
	socklen_t len = sizeof error;

	if (!s->refused && getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		die_errno("SO_ERROR");
	return error;
}

static const char *refused(struct scene *s)
{
	refuse(s);
	return wait_mask(s);
}

static const char *refused_error(struct scene *s)
{
	refuse(s);
	int first = socket_error(s);
	const char *name = outcome(s, (errno = first, first ? -1 : 0));

	return socket_error(s) ? "twice" : name;
}

static const char *refused_again(struct scene *s)
{
	refuse(s);
	wait_once(s);
	socket_error(s);
	return wait_count(s);
}

static void shut_both(struct scene *s)
{
	if (!s->refused && shutdown(s->fd, SHUT_WR) < 0)
		die_errno("shutdown");
	peer_writes(s, 4);
	fin(s);
	await(s, s->fd, POLLHUP);
	watch(s, EPOLLIN | EPOLLOUT | EPOLLRDHUP);
}

static const char *both_shut(struct scene *s)
{
	shut_both(s);
	return wait_mask(s);
}

static const char *both_shut_read(struct scene *s)
{
	shut_both(s);
	wait_once(s);
	drain(s);
	return wait_count(s);
}

static const char *rdhup_again(struct scene *s)
{
	watch(s, EPOLLRDHUP);
	fin(s);
	await(s, s->fd, POLLRDHUP);
	return two_waits(s);
}

static const char *unix_closes(struct scene *s)
{
	peer_writes(s, 4);
	peer_closes(s);
	watch(s, EPOLLIN | EPOLLRDHUP);
	return wait_mask(s);
}

static const char *unix_closes_mask_0(struct scene *s)
{
	unix_closes(s);
	drain(s);
	rearm(s, 0);
	return two_waits(s);
}

static const char *pipe_data_and_close(struct scene *s)
{
	peer_writes(s, 4);
	peer_closes(s);
	watch(s, EPOLLIN);
	return wait_mask(s);
}

static const char *pipe_half_read(struct scene *s)
{
	pipe_data_and_close(s);
	read_some(s, 2);
	return wait_count(s);
}

static const char *no_room(struct scene *s)
{
	char none[1];

	peer_writes(s, 4);
	return s->refused ? "" : word(s, "%zd", recv(s->fd, none, 0, 0));
}

struct closing {
	int fd, done;
};

static void *close_it(void *arg)
{
	const struct closing *c = arg;
	uint64_t one = 1;

	close(c->fd);
	if (write(c->done, &one, sizeof one) != (ssize_t)sizeof one)
		die_errno("eventfd");
	return NULL;
}

/* Another thread closes, so that this one sees whether close returns. */
static const char *linger_close(struct scene *s)
{
	struct linger l = { .l_onoff = 1, .l_linger = 60 };
	struct closing c = { .done = keep(s, "eventfd", eventfd(0, EFD_CLOEXEC)) };
	struct pollfd done = { .fd = c.done, .events = POLLIN };
	pthread_t thread;

	fill(s);
	if (s->refused)
		return "";
	if (setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &l, sizeof l) < 0)
		die_errno("SO_LINGER");
	c.fd = dup(s->fd);
	if (c.fd < 0)
		die_errno("dup");
	drop(s, s->fd);
	if (pthread_create(&thread, NULL, close_it, &c) != 0)
		die_errno("pthread_create");
	int returned = poll(&done, 1, 30);
	if (returned == 0)
		rst(s); /* an end to it */
	if (pthread_join(thread, NULL) != 0)
		die_errno("pthread_join");
	return returned ? "returns" : "waits";
}

static const char *reset_before_accept(struct scene *s)
{
	struct sockaddr_storage at;
	socklen_t len = sizeof at;
	struct linger abort_it = { .l_onoff = 1 };
	int lfd = listener(s), client = connect_to(s, lfd);

	if (s->refused)
		return "";
	if (send(client, "abcd", 4, MSG_NOSIGNAL) != 4 ||
		setsockopt(client, SOL_SOCKET, SO_LINGER, &abort_it, sizeof abort_it) < 0)
		die_errno("client");
	drop(s, client);
	int fd = keep(s, "accept", accept(lfd, NULL, NULL));
	return s->refused ? ""
			  : outcome(s, getpeername(fd, (struct sockaddr *)&at, &len));
}

static const char *closed_unread(struct scene *s)
{
	char in[16];

	peer_writes(s, 6);
	if (s->refused)
		return "";
	if (send(s->fd, "abcd", 4, MSG_NOSIGNAL) != 4)
		die_errno("send");
	await(s, s->peer, POLLIN);
	drop(s, s->peer);
	await(s, s->fd, POLLERR);
	ssize_t n = recv(s->fd, in, sizeof in, 0);
	return word(s, "%zd,%s", n,
		recv(s->fd, in, sizeof in, 0) < 0 && errno == ECONNRESET ? "ECONNRESET"
									 : "other");
}

const struct card bitten_cards[] = {
	{
		.name = "never-connected",
		.title = "never connected: the mask",
		.kinds = ALONE,
		.expected = { "OUT|HUP" },
		.answers = "0 OUT HUP OUT|HUP",
		.run = unconnected,
		.drawing = "socket, no connect\n"
			   "ADD IN|OUT|RDHUP\n"
			   "wait: ?  which events\n",
		.why = "A socket that was never connected is in the state CLOSE, "
		       "and tcp_poll reports HUP for it. It reports OUT because "
		       "there is room. So OUT does not prove that connect has "
		       "succeeded: HUP came with it.",
		.bites = "tokio-rs/tokio#3879: a connect \"succeeds\", and the write "
			 "fails "
			 "with ENOTCONN.",
	},
	{
		.name = "never-connected-2",
		.title = "never connected: two waits",
		.kinds = ALONE,
		.expected = { "1,1", "1,0", "1,0", "1,0" },
		.answers = "0,0 1,0 1,1",
		.run = unconnected_again,
		.drawing = "socket, no connect\n"
			   "ADD IN|OUT|RDHUP\n"
			   "wait: ?\n"
			   "wait: ?\n",
		.why = "Under LT this state is reported for ever: a server that "
		       "keeps such a socket in its set spins.",
		.bites = "tokio-rs/tokio#3879.",
	},
	{
		.name = "refused",
		.title = "connect is refused: the mask",
		.kinds = ALONE,
		.expected = { "OUT|ERR|HUP" },
		.answers = "OUT ERR OUT|ERR OUT|ERR|HUP",
		.run = refused,
		.drawing = "connect to a port without a listener\n"
			   "ADD OUT\n"
			   "wait: ?  which events\n",
		.why = "The answer is a RST. The kernel stores ECONNREFUSED, and "
		       "closes both directions (tcp_reset). Ask SO_ERROR after a "
		       "connect: OUT also comes when it failed.",
		.bites = "axboe/liburing#1217, haproxy/haproxy#169: which events come "
			 "when a "
			 "connect is refused.",
	},
	{
		.name = "refused-error",
		.title = "then SO_ERROR, read twice",
		.kinds = ALONE,
		.expected = { "ECONNREFUSED" },
		.answers = "ok EPIPE ECONNREFUSED twice",
		.run = refused_error,
		.drawing = "connect to a port without a listener\n"
			   "ADD OUT\n"
			   "getsockopt SO_ERROR: ?\n"
			   "getsockopt SO_ERROR: 0\n",
		.why = "SO_ERROR gives the error once, and clears it (sock_error). "
		       "Who reads it a second time sees 0, and takes the connect "
		       "for a success.",
		.bites = "axboe/liburing#1217.",
	},
	{
		.name = "refused-again",
		.title = "then SO_ERROR was read, wait",
		.kinds = ALONE,
		.expected = { "1", "0", "0", "0" },
		.answers = "0 1",
		.run = refused_again,
		.drawing = "connect to a port without a listener\n"
			   "ADD OUT, wait: 1\n"
			   "getsockopt SO_ERROR\n"
			   "wait: ?\n",
		.why = "ERR is gone, but OUT and HUP stay. Under LT they are "
		       "reported until the socket is closed.",
	},
	{
		.name = "both-shut",
		.title = "both ends shut, 4 unread: mask",
		.kinds = TCP,
		.expected = { "IN|OUT|RDHUP|HUP" },
		.answers = "IN IN|RDHUP IN|OUT|RDHUP IN|OUT|RDHUP|HUP",
		.run = both_shut,
		.drawing = "shutdown(fd, SHUT_WR)\n"
			   "peer sends 4        [####]\n"
			   "peer sends FIN      [####]FIN\n"
			   "ADD IN|OUT|RDHUP\n"
			   "wait: ?  which events\n",
		.why = "HUP means that both directions are shut (tcp_poll). The 4 "
		       "bytes are still there to be read. So read before you "
		       "close, also after HUP.",
		.bites = "haproxy/haproxy#169, oven-sh/bun PR 33974: a healthy end was "
			 "taken for an "
			 "error.",
	},
	{
		.name = "both-shut-read",
		.title = "then all is read, wait",
		.kinds = TCP,
		.expected = { "1", "0", "0", "0" },
		.answers = "0 1",
		.run = both_shut_read,
		.drawing = "the same, wait: 1\n"
			   "drain               FIN\n"
			   "wait: ?\n",
		.why = "The end of a stream is a level: under LT it is reported "
		       "until the socket is closed.",
	},
	{
		.name = "rdhup-again",
		.title = "only RDHUP asked, FIN, two waits",
		.kinds = TCP | UNIX,
		.expected = { "1,1", "1,0", "1,0", "1,0" },
		.answers = "0,0 1,0 1,1",
		.run = rdhup_again,
		.drawing = "ADD RDHUP\n"
			   "peer sends FIN\n"
			   "wait: ?\n"
			   "wait: ?\n",
		.why = "RDHUP is a level too. A server that stops asking for IN at "
		       "the FIN, and leaves RDHUP in the mask, spins under LT.",
	},
	{
		.name = "unix-closes",
		.title = "unix: 4 bytes and close: mask",
		.kinds = UNIX,
		.expected = { "IN|RDHUP|HUP" },
		.answers = "IN IN|RDHUP IN|HUP IN|RDHUP|HUP",
		.run = unix_closes,
		.drawing = "peer sends 4        [####]\n"
			   "peer closes\n"
			   "ADD IN|RDHUP\n"
			   "wait: ?  which events\n",
		.why = "A Unix stream has no half-close by close: the peer is gone "
		       "in both directions, which is HUP (unix_poll).",
	},
	{
		.name = "unix-closes-mask-0",
		.title = "read, mask 0: two waits",
		.kinds = UNIX,
		.expected = { "1,1", "1,0", "1,0", "1,0" },
		.answers = "0,0 1,0 1,1",
		.run = unix_closes_mask_0,
		.drawing = "the same, wait: 1\n"
			   "drain\n"
			   "MOD 0\n"
			   "wait: ?\n"
			   "wait: ?\n",
		.why = "HUP cannot be masked off. A server that pauses such a "
		       "client by mask 0 spins under LT.",
		.quote = "epoll_wait(2) will always report for this event; it is not "
			 "necessary to set it in events when calling epoll_ctl().",
		.page = "epoll_ctl(2)",
		.bites = "oven-sh/bun PR 37920: a half-open Unix socket used a whole "
			 "core.",
	},
	{
		.name = "pipe-data-closed",
		.title = "pipe: 4 bytes and close: mask",
		.kinds = PIPE,
		.expected = { "IN|HUP" },
		.answers = "IN HUP IN|HUP",
		.run = pipe_data_and_close,
		.drawing = "writer writes 4     [####]\n"
			   "writer closes\n"
			   "ADD IN\n"
			   "wait: ?  which events\n",
		.why = "The last words of the writer are still in the pipe. A "
		       "server that handles HUP before IN loses them.",
		.bites = "dmtcp/dmtcp PR 1205: HUP was handled before IN, and the last "
			 "words were lost.",
	},
	{
		.name = "pipe-half-read",
		.title = "2 of the 4 are read, wait",
		.kinds = PIPE,
		.expected = { "1", "0", "0", "0" },
		.answers = "0 1",
		.run = pipe_half_read,
		.drawing = "the same, wait: 1\n"
			   "read 2              [##]\n"
			   "wait: ?\n",
		.why = "Nothing new happens to the pipe any more, so there is no "
		       "edge for the other two.",
	},
	{
		.name = "no-room",
		.title = "recv with room for 0 bytes",
		.kinds = TCP | UNIX,
		.expected = { "0" },
		.answers = "0 EAGAIN EINVAL",
		.run = no_room,
		.drawing = "peer sends 4        [####]\n"
			   "recv(fd, buffer, 0): ?\n",
		.why = "A recv of 0 bytes returns 0, exactly as at the end of the "
		       "stream. A server with a full buffer must not ask, or it "
		       "takes the 0 for a FIN.",
		.bites = "pgwire PR 25: a read with no room was taken for the end.",
	},
	{
		.name = "linger-close",
		.title = "close, SO_LINGER, data unsent",
		.kinds = TCP,
		.expected = { "waits" },
		.answers = "waits returns",
		.run = linger_close,
		.drawing = "fd is non-blocking\n"
			   "SO_LINGER 60 s, fill\n"
			   "close(fd): waits or returns?\n",
		.why = "With SO_LINGER and a time above 0, close waits until the "
		       "data is acknowledged (tcp_close). O_NONBLOCK makes no "
		       "difference. The whole event loop waits with it.",
		.bites =
			"cilium/proxy PR 1127, netty/netty PR 3268: the loop stopped for "
			"seconds at a close.",
	},
	{
		.name = "reset-then-accept",
		.title = "RST before accept: getpeername",
		.kinds = ALONE,
		.expected = { "ENOTCONN" },
		.answers = "ok ENOTCONN ECONNRESET",
		.run = reset_before_accept,
		.drawing = "client connects, sends 4, RST\n"
			   "accept: ok\n"
			   "getpeername: ?\n",
		.why = "accept gives the connection, although it is already reset. "
		       "It has no peer any more. A server that ends itself on this "
		       "error can be ended by a port scanner.",
		.bites = "google/gvisor#3780, emqx/esockd#9: a RST ended the server.",
	},
	{
		.name = "closed-unread",
		.title = "peer closes, ours unread: 2 recv",
		.kinds = TCP,
		.expected = { "6,ECONNRESET" },
		.answers = "0,0 6,0 6,ECONNRESET",
		.run = closed_unread,
		.drawing = "peer sends 6         [######]\n"
			   "we send 4, peer does not read\n"
			   "peer closes: RST\n"
			   "recv: ?\n"
			   "recv: ?\n",
		.why = "Who closes with unread data sends a RST, not a FIN "
		       "(tcp_close). What had arrived before it can still be read. "
		       "Then comes ECONNRESET, not 0.",
	},
	{ 0 },
};
