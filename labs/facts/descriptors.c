#include "card.h"
#include "err.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const char *closed(struct scene *s)
{
	put(s, 10);
	watch(s, EPOLLIN);
	if (!s->refused)
		drop(s, s->fd);
	return count(s);
}

/* Watches fd, makes a copy, closes the watched one; the copy keeps the file open. */
static int close_with_copy(struct scene *s)
{
	int watched = s->fd;

	watch(s, EPOLLIN);
	if (s->refused)
		return -1;
	s->fd = keep(s, "dup", dup(watched));
	drop(s, watched);
	return watched;
}

static const char *closed_dup(struct scene *s)
{
	close_with_copy(s);
	put(s, 10);
	return count(s);
}

static const char *closed_dup_del(struct scene *s)
{
	int watched = close_with_copy(s);

	return s->refused ? ""
			  : outcome(s, epoll_ctl(s->epfd, EPOLL_CTL_DEL, watched, NULL));
}

static const char *closed_dup_mod(struct scene *s)
{
	int watched = close_with_copy(s);
	struct epoll_event ev = { .events = EPOLLIN };

	return s->refused ? ""
			  : outcome(s, epoll_ctl(s->epfd, EPOLL_CTL_MOD, watched, &ev));
}

static const char *blocks(struct scene *s, int fd)
{
	if (s->refused)
		return "";
	int flags = fcntl(fd, F_GETFL);
	if (flags < 0)
		die_errno("fcntl F_GETFL");
	return flags & O_NONBLOCK ? "non-blocking" : "blocking";
}

static const char *accepted(struct scene *s)
{
	int lfd = listener(s);

	connect_to(s, lfd);
	if (s->refused)
		return "";
	return blocks(s, keep(s, "accept", accept(lfd, NULL, NULL)));
}

static const char *shared_flags(struct scene *s)
{
	if (s->refused)
		return "";
	int copy = keep(s, "dup", dup(s->fd));
	int flags = fcntl(copy, F_GETFL);
	if (flags < 0 || fcntl(copy, F_SETFL, flags & ~O_NONBLOCK) < 0)
		die_errno("fcntl");
	return blocks(s, s->fd);
}

static const char *connecting(struct scene *s)
{
	struct sockaddr_storage at;
	socklen_t len = sizeof at;
	int lfd = listener(s);
	int fd =
		s->refused
			? -1
			: keep(s, "socket",
				  socket(AF_INET,
					  SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));

	if (s->refused)
		return "";
	if (getsockname(lfd, (struct sockaddr *)&at, &len) < 0)
		die_errno("getsockname");
	return outcome(s, connect(fd, (struct sockaddr *)&at, len));
}

/* A backlog of 0 has room for one. */
static const char *connecting_unix(struct scene *s)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	socklen_t len = sizeof at.sun_family; /* the kernel chooses an abstract name */
	int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
	int lfd = keep(s, "socket", socket(AF_UNIX, type, 0));
	int first = keep(s, "socket", socket(AF_UNIX, type, 0));
	int second = keep(s, "socket", socket(AF_UNIX, type, 0));

	if (s->refused)
		return "";
	if (bind(lfd, (struct sockaddr *)&at, len) < 0 || listen(lfd, 0) < 0)
		die_errno("bind and listen");
	len = sizeof at;
	if (getsockname(lfd, (struct sockaddr *)&at, &len) < 0 ||
		connect(first, (struct sockaddr *)&at, len) < 0)
		die_errno("connect");
	return outcome(s, connect(second, (struct sockaddr *)&at, len));
}

static const char *empty(struct scene *s)
{
	char byte;

	if (s->refused)
		return "";
	if (recv(s->fd, &byte, 1, 0) >= 0)
		return "ok";
	return word(s, "%s%s", errno == EAGAIN ? "EAGAIN" : "",
		errno == EWOULDBLOCK ? "=EWOULDBLOCK" : "");
}

static const char *dontwait(struct scene *s)
{
	char byte;

	if (s->refused)
		return "";
	int flags = fcntl(s->fd, F_GETFL);
	if (flags < 0 || fcntl(s->fd, F_SETFL, flags & ~O_NONBLOCK) < 0)
		die_errno("fcntl");
	return outcome(s, recv(s->fd, &byte, 1, MSG_DONTWAIT));
}

#define OPEN_FILE \
	"The set holds the open file description, and it lives until its last " \
	"descriptor is closed (eventpoll_release_file)."

const struct card descriptor_cards[] = {
	{
		.name = "close",
		.title = "data unread, close, wait",
		.kinds = STREAMS,
		.expected = { "0", "0", "0", "0" },
		.answers = "0 1",
		.run = closed,
		.drawing = "peer sends 10      [##########]\n"
			   "ADD\n"
			   "close\n"
			   "wait: ?\n",
		.why = OPEN_FILE,
		.quote = "A file descriptor is removed from an interest list only after "
			 "all the file descriptors referring to the underlying open file "
			 "description have been closed.",
		.page = "epoll(7)",
	},
	{
		.name = "close-dup",
		.title = "the same with a dup left open",
		.kinds = STREAMS,
		.expected = { "1", "1", "1", "1" },
		.answers = "0 1",
		.run = closed_dup,
		.drawing = "ADD fd 5           5 --+\n"
			   "dup(5) = 6         5 --+--> one open file\n"
			   "close(5)           6 --+\n"
			   "peer sends 10\n"
			   "wait: ?\n",
		.why = OPEN_FILE " A forked child holds copies too.",
		.quote = "This means that even after a file descriptor that is part of "
			 "an interest list has been closed, events may be reported for "
			 "that file descriptor if other file descriptors referring to "
			 "the same underlying file description remain open.",
		.page = "epoll(7)",
	},
	{
		.name = "close-dup-del",
		.title = "and DEL of the closed one",
		.kinds = STREAMS,
		.expected = { "EBADF" },
		.answers = "ok EBADF ENOENT",
		.run = closed_dup_del,
		.drawing = "ADD fd 5\n"
			   "dup(5) = 6, close(5)\n"
			   "DEL fd 5: ?\n",
		.why = "An entry is found by file and number, and number 5 names no file "
		       "now: nothing but closing the copy, or the set, ends its events.",
		.quote = "To prevent this happening, the file descriptor must be "
			 "explicitly removed from the interest list (using epoll_ctl(2) "
			 "EPOLL_CTL_DEL) before it is duplicated.",
		.page = "epoll(7)",
	},
	{
		.name = "close-dup-mod",
		.title = "and MOD of the closed one",
		.kinds = STREAMS,
		.expected = { "EBADF" },
		.answers = "ok EBADF ENOENT",
		.run = closed_dup_mod,
		.drawing = "ADD fd 5\n"
			   "dup(5) = 6, close(5)\n"
			   "MOD fd 5: ?\n",
		.why = "An entry is found by file and number, and number 5 names no file "
		       "now (do_epoll_ctl).",
		.quote = "epfd or fd is not a valid file descriptor.",
		.page = "epoll_ctl(2)",
	},
	{
		.name = "accepted",
		.title = "accept, listener non-blocking",
		.kinds = ALONE,
		.expected = { "blocking" },
		.answers = "blocking non-blocking",
		.run = accepted,
		.drawing = "listener           O_NONBLOCK\n"
			   "accept: ?\n",
		.why = "The flags of the new file are those that accept4 was given, and "
		       "accept gives none (do_accept).",
		.quote = "On Linux, the new socket returned by accept() does not inherit "
			 "file status flags such as O_NONBLOCK and O_ASYNC from the "
			 "listening socket.",
		.page = "accept(2)",
	},
	{
		.name = "dup-flags",
		.title = "O_NONBLOCK cleared on its dup",
		.kinds = STREAMS,
		.expected = { "blocking" },
		.answers = "blocking non-blocking",
		.run = shared_flags,
		.drawing = "fd 5               O_NONBLOCK\n"
			   "dup(5) = 6\n"
			   "fcntl(6)           clear O_NONBLOCK\n"
			   "fd 5: ?\n",
		.why = "The flag belongs to the open file description (setfl in "
		       "fs/fcntl.c). A program that makes its stdin non-blocking does so "
		       "to its shell's too.",
		.quote = "Duplicated file descriptors (made with dup(2), fcntl(F_DUPFD), "
			 "fork(2), etc.) refer to the same open file description, and "
			 "thus share the same file status flags.",
		.page = "fcntl(2)",
	},
	{
		.name = "connect-tcp",
		.title = "connect, non-blocking, TCP",
		.kinds = ALONE,
		.expected = { "EINPROGRESS" },
		.answers = "ok EAGAIN EINPROGRESS",
		.run = connecting,
		.drawing = "socket             O_NONBLOCK\n"
			   "connect: ?\n",
		.why = "The handshake continues; OUT reports its end "
		       "(__inet_stream_connect).",
		.quote = "Then all operations that would block will (usually) return "
			 "with EAGAIN (operation should be retried later); connect(2) "
			 "will return EINPROGRESS error.",
		.page = "socket(7)",
		.chapter = "A call that cannot be completed returns -1 with EAGAIN. For "
			   "connect it is EINPROGRESS, and one must not try again.",
	},
	{
		.name = "connect-unix",
		.title = "connect, unix, backlog full",
		.kinds = ALONE,
		.expected = { "EAGAIN" },
		.answers = "ok EAGAIN EINPROGRESS",
		.run = connecting_unix,
		.drawing = "listen, backlog 0  [ ]\n"
			   "a client connects  [c] full\n"
			   "connect: ?\n",
		.why = "A unix connect is done at once or not at all "
		       "(unix_stream_connect); nothing goes on, and this one has to be "
		       "tried again.",
		.quote = "(UNIX domain sockets failed with EAGAIN instead.)",
		.page = "connect(2)",
	},
	{
		.name = "eagain",
		.title = "recv, nothing there: errno is",
		.kinds = TCP | UNIX,
		.expected = { "EAGAIN=EWOULDBLOCK" },
		.answers = "EAGAIN =EWOULDBLOCK EAGAIN=EWOULDBLOCK",
		.run = empty,
		.drawing = "nothing came       [          ]\n"
			   "recv: -1, errno: ?\n",
		.why = "On Linux the two names are one number (asm-generic/errno.h), so "
		       "testing one is enough here, and gcc's -Wlogical-op warns of "
		       "both.",
		.quote = "in which case the value -1 is returned and errno is set to "
			 "EAGAIN or EWOULDBLOCK.",
		.page = "recv(2)",
	},
	{
		.name = "dontwait",
		.title = "blocking fd, recv MSG_DONTWAIT",
		.kinds = TCP | UNIX,
		.expected = { "EAGAIN" },
		.answers = "ok EAGAIN",
		.run = dontwait,
		.drawing = "fd                 blocking\n"
			   "nothing came       [          ]\n"
			   "recv MSG_DONTWAIT: ?\n",
		.why = "What an edge-triggered drain needs is a call that does not wait; "
		       "the flag can come from the descriptor or from the call "
		       "(__sys_recvfrom).",
		.quote =
			"An application that employs the EPOLLET flag should use "
			"nonblocking file descriptors to avoid having a blocking read or "
			"write starve a task that is handling multiple file descriptors.",
		.page = "epoll(7)",
		.chapter = "Edge-triggered needs non-blocking sockets. The manual says "
			   "should, and MSG_DONTWAIT on a blocking one does as well.",
	},
	{ 0 },
};
