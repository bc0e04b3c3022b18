#include "card.h"
#include "err.h"
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SO_ZEROCOPY
#define SO_ZEROCOPY 60
#endif
#ifndef MSG_ZEROCOPY
#define MSG_ZEROCOPY 0x4000000
#endif

static void set_timer(struct scene *s, long first, long interval)
{
	const struct itimerspec at = { .it_value.tv_nsec = first,
		.it_interval.tv_nsec = interval };

	if (!s->refused && timerfd_settime(s->fd, 0, &at, NULL) < 0)
		die_errno("timerfd_settime");
}

static void new_timer(struct scene *s, long interval)
{
	s->fd = keep(s, "timerfd_create",
		timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
	set_timer(s, 1, interval);
	await(s, s->fd, POLLIN);
	watch(s, EPOLLIN);
}

static const char *timer(struct scene *s)
{
	new_timer(s, 0);
	int first = wait_once(s), second = wait_once(s);

	set_timer(s, 999999999, 0); /* it has not expired any more */
	return word(s, "%d,%d,%d", first, second, wait_once(s));
}

/* Several periods: as long as another timer takes. */
static void let_periods_pass(struct scene *s)
{
	int watched = s->fd;

	s->fd = keep(s, "timerfd_create", timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
	set_timer(s, 1000000, 0);
	await(s, s->fd, POLLIN);
	s->fd = watched;
}

static const char *timer_interval(struct scene *s)
{
	int told[3];

	new_timer(s, 100000);
	for (int i = 0; i < 3; i++) {
		told[i] = wait_once(s);
		let_periods_pass(s);
	}
	return word(s, "%d,%d,%d", told[0], told[1], told[2]);
}

/* The number of the watched socket means another one; a copy keeps the old one open. */
static void give_number_again(struct scene *s)
{
	watch(s, EPOLLIN);
	if (s->refused)
		return;
	keep(s, "dup", dup(s->fd));
	int other = keep(s, "socket",
		socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
	if (!s->refused && dup2(other, s->fd) < 0)
		die_errno("dup2");
}

static const char *number_again(struct scene *s)
{
	give_number_again(s);
	struct epoll_event ev = { .events = EPOLLIN };

	return s->refused ? ""
			  : outcome(s, epoll_ctl(s->epfd, EPOLL_CTL_ADD, s->fd, &ev));
}

static const char *number_again_del(struct scene *s)
{
	number_again(s);
	if (s->refused)
		return "";
	if (epoll_ctl(s->epfd, EPOLL_CTL_DEL, s->fd, NULL) < 0)
		die_errno("epoll_ctl DEL");
	if (send(s->peer, "abcd", 4, MSG_NOSIGNAL) != 4)
		die_errno("send");
	await(s, s->fds[s->n - 2], POLLIN); /* the copy */
	return wait_count(s);
}

/* A child with copies of all descriptors, until release. It does DEL first if asked to.
 */
static pid_t child(struct scene *s, int gate[2], bool del)
{
	char byte;

	if (s->refused)
		return -1;
	if (pipe(gate) < 0)
		die_errno("pipe");
	pid_t pid = fork();
	if (pid < 0)
		die_errno("fork");
	if (pid > 0) {
		close(gate[0]);
		return pid;
	}
	close(gate[1]);
	if (del)
		_exit(epoll_ctl(s->epfd, EPOLL_CTL_DEL, s->fd, NULL) < 0);
	_exit(read(gate[0], &byte, 1) != 0); /* the end of the pipe */
}

static void release(int gate[2], pid_t pid)
{
	int status;

	close(gate[1]);
	if (waitpid(pid, &status, 0) < 0 || status != 0)
		die_errno("the child");
}

static const char *fork_close(struct scene *s)
{
	int gate[2];

	watch(s, EPOLLIN);
	pid_t pid = child(s, gate, false);
	if (s->refused)
		return "";
	peer_writes(s, 10);
	drop(s, s->fd);
	int lives = wait_once(s);
	release(gate, pid);
	return word(s, "%d,%d", lives, wait_once(s));
}

static const char *fork_del(struct scene *s)
{
	int gate[2];

	watch(s, EPOLLIN);
	pid_t pid = child(s, gate, true);
	if (s->refused)
		return "";
	release(gate, pid);
	peer_writes(s, 10);
	return wait_count(s);
}

/* Sent without a copy: the kernel reports through the error queue that it has finished.
 */
static bool send_zerocopy(struct scene *s)
{
	static char page[20000];
	int on = 1;

	if (s->refused)
		return false;
	if (setsockopt(s->fd, SOL_SOCKET, SO_ZEROCOPY, &on, sizeof on) < 0 ||
		send(s->fd, page, sizeof page, MSG_ZEROCOPY | MSG_NOSIGNAL) < 0) {
		s->refused = true; /* Linux before 4.14, or not enough locked memory */
		return false;
	}
	peer_drains(s);
	await(s, s->fd, POLLERR);
	watch(s, 0);
	return true;
}

static const char *zerocopy(struct scene *s)
{
	return send_zerocopy(s) ? wait_mask(s) : "";
}

static const char *zerocopy_again(struct scene *s)
{
	char control[128], data[8];
	struct iovec iov = { data, sizeof data };
	struct msghdr m = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof control };

	if (!send_zerocopy(s))
		return "";
	int first = wait_once(s), second = wait_once(s);
	if (recvmsg(s->fd, &m, MSG_ERRQUEUE) < 0)
		die_errno("MSG_ERRQUEUE");
	return word(s, "%d,%d,%d", first, second, wait_once(s));
}

/* The channel is in an inner set, and the outer set watches that one. */
static const char *nested(struct scene *s)
{
	int channel = s->fd,
	    inner = keep(s, "epoll_create1", epoll_create1(EPOLL_CLOEXEC));
	struct epoll_event ev = { .events = EPOLLIN }, got;

	if (s->refused)
		return "";
	if (epoll_ctl(inner, EPOLL_CTL_ADD, channel, &ev) < 0)
		die_errno("epoll_ctl ADD");
	peer_writes(s, 4);
	s->fd = inner;
	watch(s, EPOLLIN);
	int first = wait_once(s), second = wait_once(s);
	if (epoll_wait(inner, &got, 1, 0) < 0)
		die_errno("epoll_wait");
	s->fd = channel;
	peer_writes(s, 4);
	return word(s, "%d,%d,%d", first, second, wait_once(s));
}

const struct card special_cards[] = {
	{
		.name = "timerfd",
		.title = "timerfd expired, not read",
		.kinds = ALONE,
		.expected = { "1,1,0", "1,0,0", "1,0,0", "1,0,0" },
		.answers = "0,0,0 1,0,0 1,1,0 1,1,1",
		.run = timer,
		.drawing = "timer expires\n"
			   "ADD IN\n"
			   "wait: ?\n"
			   "wait: ?\n"
			   "settime: an hour later\n"
			   "wait: ?\n",
		.why = "A timerfd is readable from its expiry until read(2) or the "
		       "next timerfd_settime (timerfd_poll). Under LT a timer that "
		       "nobody reads makes every epoll_wait return at once.",
		.bites = "ValveSoftware/gamescope PR 1951: 100 % of a core some time "
			 "after the "
			 "start.",
	},
	{
		.name = "timerfd-interval",
		.title = "periodic, never read, 3 waits",
		.kinds = ALONE,
		.expected = { "1,1,1", "1,0,0", "1,0,0", "1,0,0" },
		.answers = "1,0,0 1,1,0 1,1,1",
		.run = timer_interval,
		.drawing = "timer with a period\n"
			   "ADD IN\n"
			   "wait: ?    some periods pass\n"
			   "wait: ?    some periods pass\n"
			   "wait: ?\n",
		.why = "The kernel starts the next period only when the timer is "
		       "read (timerfd_read_iter). So without a read there is one "
		       "wakeup, and under ET no second event. An eventfd is "
		       "different: each write makes an event.",
		.bites = "netty/netty PR 9192, libevent/libevent PR 1619.",
	},
	{
		.name = "number-again",
		.title = "number in use again: ADD",
		.kinds = TCP,
		.expected = { "ok" },
		.answers = "ok EEXIST EBADF",
		.run = number_again,
		.drawing = "ADD IN, fd 5\n"
			   "dup(5) is fd 6\n"
			   "fd 5 becomes another socket\n"
			   "ADD IN, fd 5: ?\n",
		.why = "epoll identifies a registration by file and number (struct "
		       "epoll_filefd). The old file is still open as fd 6, so "
		       "there are now two registrations for number 5.",
		.bites = "sociomantic-tsunami/dhtnode#25, curl/curl#21779: events arrive "
			 "for a connection "
			 "that was closed.",
	},
	{
		.name = "number-again-del",
		.title = "then DEL, data for the old one",
		.kinds = TCP,
		.expected = { "1" },
		.answers = "0 1",
		.run = number_again_del,
		.drawing = "the same\n"
			   "DEL, fd 5\n"
			   "data arrives for the old file\n"
			   "wait: ?\n",
		.why = "DEL removes the registration of what the number means now. "
		       "The old one stays, and nobody can remove it by that "
		       "number: call DEL before close.",
		.bites = "sociomantic-tsunami/dhtnode#25.",
	},
	{
		.name = "fork-close",
		.title = "closed here, open in a child",
		.kinds = TCP,
		.expected = { "1,0" },
		.answers = "0,0 1,0 1,1",
		.run = fork_close,
		.drawing = "ADD IN\n"
			   "fork\n"
			   "peer sends 10, close(fd)\n"
			   "wait: ?\n"
			   "the child ends\n"
			   "wait: ?\n",
		.why = "A registration lives as long as the open file does, and "
		       "the child has a copy. Use SOCK_CLOEXEC, and DEL before "
		       "close.",
		.bites = "eventlet/eventlet PR 68.",
	},
	{
		.name = "fork-del",
		.title = "DEL in a child",
		.kinds = TCP,
		.expected = { "0" },
		.answers = "0 1",
		.run = fork_del,
		.drawing = "ADD IN\n"
			   "fork; the child: DEL\n"
			   "peer sends 10\n"
			   "wait: ?\n",
		.why = "Parent and child share the epoll set itself, not a copy of "
		       "it. So the child took the registration from its parent. "
		       "Make the set after fork.",
		.bites = "eventlet/eventlet PR 68, OpenSmalltalk PR 552.",
	},
	{
		.name = "zerocopy",
		.title = "send MSG_ZEROCOPY: the mask",
		.kinds = TCP,
		.expected = { "ERR" },
		.answers = "0 OUT ERR ERR|HUP",
		.run = zerocopy,
		.drawing = "send MSG_ZEROCOPY, peer reads\n"
			   "ADD 0\n"
			   "wait: ?  which events\n",
		.why = "ERR also means that there is something in the error queue: "
		       "here, that the kernel no longer needs the buffer. SO_ERROR "
		       "is 0, and the connection is healthy.",
		.bites = "grpc/grpc PR 30669, ofiwg/libfabric#7887: a healthy connection "
			 "was "
			 "closed, or it spins.",
	},
	{
		.name = "zerocopy-again",
		.title = "two waits, MSG_ERRQUEUE, wait",
		.kinds = TCP,
		.expected = { "1,1,0", "1,0,0", "1,0,0", "1,0,0" },
		.answers = "1,0,0 1,1,0 1,1,1",
		.run = zerocopy_again,
		.drawing = "the same\n"
			   "wait: ?\n"
			   "wait: ?\n"
			   "recvmsg MSG_ERRQUEUE\n"
			   "wait: ?\n",
		.why = "Only recvmsg with MSG_ERRQUEUE takes the message away. "
		       "Until then ERR is reported at each wait under LT.",
		.bites = "grpc/grpc PR 30669.",
	},
	{
		.name = "nested",
		.title = "an epoll set in an epoll set",
		.kinds = TCP,
		.expected = { "1,1,1", "1,0,1", "1,0,0", "1,0,0" },
		.answers = "1,0,0 1,0,1 1,1,0 1,1,1",
		.run = nested,
		.drawing = "inner set: IN, 4 bytes unread\n"
			   "ADD IN, the inner set\n"
			   "wait: ?\n"
			   "wait: ?\n"
			   "epoll_wait(inner), 4 more bytes\n"
			   "wait: ?\n",
		.why = "An epoll set is readable while its ready list is not empty "
		       "(ep_eventpoll_poll). Under ET, an inner set that is not "
		       "waited for makes no second edge.",
	},
	{ 0 },
};
