#include "card.h"
#include "err.h"
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

/* One epoll_ctl, and what it says. */
static const char *ctl(struct scene *s, int op, int fd, uint32_t events)
{
	struct epoll_event ev = { .events = events };

	return s->refused ? "" : outcome(s, epoll_ctl(s->epfd, op, fd, &ev));
}

static const char *add_twice(struct scene *s)
{
	watch(s, EPOLLIN);
	return ctl(s, EPOLL_CTL_ADD, s->fd, EPOLLIN);
}

static const char *oneshot_add(struct scene *s)
{
	s->mode = EPOLLONESHOT;
	put(s, 10);
	watch(s, EPOLLIN);
	told(s);
	return ctl(s, EPOLL_CTL_ADD, s->fd, EPOLLIN | EPOLLONESHOT);
}

static const char *oneshot_data(struct scene *s)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLONESHOT, .data.u64 = 0xaaaa };

	put(s, 10);
	if (!s->refused && epoll_ctl(s->epfd, EPOLL_CTL_ADD, s->fd, &ev) < 0)
		die_errno("epoll_ctl ADD");
	told(s);
	ev.data.u64 = 0xbbbb;
	if (!s->refused && epoll_ctl(s->epfd, EPOLL_CTL_MOD, s->fd, &ev) < 0)
		die_errno("epoll_ctl MOD");
	told(s);
	return word(s, "%llx", (unsigned long long)s->data);
}

static const char *exclusive_et(struct scene *s)
{
	return ctl(
		s, EPOLL_CTL_ADD, s->fd, EPOLLIN | EPOLLOUT | EPOLLET | EPOLLEXCLUSIVE);
}

static const char *exclusive_oneshot(struct scene *s)
{
	return ctl(s, EPOLL_CTL_ADD, s->fd, EPOLLIN | EPOLLONESHOT | EPOLLEXCLUSIVE);
}

static const char *exclusive_rdhup(struct scene *s)
{
	return ctl(s, EPOLL_CTL_ADD, s->fd, EPOLLIN | EPOLLRDHUP | EPOLLEXCLUSIVE);
}

static const char *exclusive_pri(struct scene *s)
{
	return ctl(s, EPOLL_CTL_ADD, s->fd, EPOLLIN | EPOLLPRI | EPOLLEXCLUSIVE);
}

static const char *exclusive_mod(struct scene *s)
{
	watch(s, EPOLLIN);
	return ctl(s, EPOLL_CTL_MOD, s->fd, EPOLLIN | EPOLLEXCLUSIVE);
}

static const char *exclusive_then_mod(struct scene *s)
{
	watch(s, EPOLLIN | EPOLLEXCLUSIVE);
	return ctl(s, EPOLL_CTL_MOD, s->fd, EPOLLIN);
}

static const char *exclusive_epoll(struct scene *s)
{
	int inner = keep(s, "epoll_create1", epoll_create1(EPOLL_CLOEXEC));

	return ctl(s, EPOLL_CTL_ADD, inner, EPOLLIN | EPOLLEXCLUSIVE);
}

static const char *itself(struct scene *s)
{
	return ctl(s, EPOLL_CTL_ADD, s->epfd, EPOLLIN);
}

static const char *regular_file(struct scene *s)
{
	int file = keep(s, "open", open("/proc/self/exe", O_RDONLY | O_CLOEXEC));

	return ctl(s, EPOLL_CTL_ADD, file, EPOLLIN);
}

/* Connections wait in the backlog of a listener that was told of them. */
static int pending(struct scene *s, int clients)
{
	int lfd = listener(s);

	s->fd = lfd;
	for (int i = 0; i < clients; i++)
		connect_to(s, lfd);
	watch(s, EPOLLIN);
	told(s);
	if (!s->refused)
		keep(s, "accept4", accept4(lfd, NULL, NULL, SOCK_CLOEXEC));
	return lfd;
}

static const char *listener_3(struct scene *s)
{
	pending(s, 3);
	return count(s);
}

static const char *listener_4(struct scene *s)
{
	int lfd = pending(s, 3);

	connect_to(s, lfd);
	return count(s);
}

static const char *rotation(struct scene *s)
{
	enum { READY = 3, WAITS = 6 };
	char names[WAITS + 1];

	for (int i = 0; i < READY; i++) {
		struct epoll_event ev = { .events = EPOLLIN | s->mode,
			.data.u32 = (uint32_t)("ABC"[i]) };
		int fd = keep(s, "eventfd", eventfd(1, EFD_CLOEXEC));

		if (!s->refused && epoll_ctl(s->epfd, EPOLL_CTL_ADD, fd, &ev) < 0)
			die_errno("epoll_ctl ADD");
	}
	for (int i = 0; i < WAITS; i++)
		names[i] = told(s) ? (char)s->data : '\0';
	names[WAITS] = '\0';
	return word(s, "%s", names);
}

static const char *two_sets(struct scene *s)
{
	watch(s, EPOLLIN);
	int first = s->epfd;
	s->epfd = keep(s, "epoll_create1", epoll_create1(EPOLL_CLOEXEC));
	watch(s, EPOLLIN);
	put(s, 10);
	int second = told(s);
	s->epfd = first;
	return word(s, "%d,%d", told(s), second);
}

#define EXCLUSIVE_WITH \
	"EPOLLEXCLUSIVE goes with IN, OUT, ERR, HUP, ET and WAKEUP only " \
	"(EPOLLEXCLUSIVE_OK_BITS in fs/eventpoll.c, looked at by do_epoll_ctl)."
#define OTHER_VALUES "Attempts to specify other values in events yield the error EINVAL."

const struct card registering_cards[] = {
	{
		.name = "add-twice",
		.title = "ADD of what is there",
		.kinds = TCP,
		.expected = { "EEXIST" },
		.answers = "ok EEXIST EINVAL",
		.run = add_twice,
		.drawing = "ADD\n"
			   "ADD: ?\n",
		.why = "do_epoll_ctl finds the descriptor in the set (ep_find).",
		.quote = "op was EPOLL_CTL_ADD, and the supplied file descriptor fd is "
			 "already registered with this epoll instance.",
		.page = "epoll_ctl(2)",
	},
	{
		.name = "oneshot-add",
		.title = "one-shot that fired: ADD again",
		.kinds = TCP,
		.expected = { "EEXIST" },
		.answers = "ok EEXIST ENOENT",
		.run = oneshot_add,
		.drawing = "peer sends 10      [##########]\n"
			   "ADD ONESHOT, wait: 1\n"
			   "ADD ONESHOT: ?\n",
		.why = "Disarmed is not removed: it is in the set, and only MOD arms it "
		       "again (ep_find, then ep_modify).",
		.quote = "The user must call epoll_ctl() with EPOLL_CTL_MOD to rearm the "
			 "file descriptor with a new event mask.",
		.page = "epoll_ctl(2)",
	},
	{
		.name = "oneshot-data",
		.title = "data aaaa, MOD with data bbbb",
		.kinds = TCP,
		.expected = { "bbbb" },
		.answers = "aaaa bbbb 0",
		.run = oneshot_data,
		.drawing = "ADD ONESHOT, data aaaa\n"
			   "wait: 1, data aaaa\n"
			   "MOD ONESHOT, data bbbb\n"
			   "wait: 1, data: ?\n",
		.why = "MOD replaces the events and the data (ep_modify). If you set "
		       "only the events in a fresh struct, you get a null pointer back.",
		.quote = "The data field of each returned epoll_event structure contains "
			 "the same data as was specified in the most recent call to "
			 "epoll_ctl(2) (EPOLL_CTL_ADD, EPOLL_CTL_MOD) for the "
			 "corresponding open file descriptor.",
		.page = "epoll_wait(2)",
		.chapter =
			"The snippet that arms EPOLLONESHOT again sets the events only. "
			"It works while the variable still holds this connection's data.",
	},
	{
		.name = "exclusive-et",
		.title = "EXCLUSIVE with IN, OUT and ET",
		.kinds = TCP,
		.expected = { "ok" },
		.answers = "ok EINVAL EEXIST",
		.run = exclusive_et,
		.drawing = "ADD IN|OUT|ET|EXCLUSIVE: ?\n",
		.why = EXCLUSIVE_WITH,
		.quote = "The following values may be specified in conjunction with "
			 "EPOLLEXCLUSIVE: EPOLLIN, EPOLLOUT, EPOLLWAKEUP, and EPOLLET.",
		.page = "epoll_ctl(2)",
	},
	{
		.name = "exclusive-oneshot",
		.title = "EXCLUSIVE with ONESHOT",
		.kinds = TCP,
		.expected = { "EINVAL" },
		.answers = "ok EINVAL EEXIST",
		.run = exclusive_oneshot,
		.drawing = "ADD IN|ONESHOT|EXCLUSIVE: ?\n",
		.why = EXCLUSIVE_WITH,
		.quote = OTHER_VALUES,
		.page = "epoll_ctl(2)",
	},
	{
		.name = "exclusive-rdhup",
		.title = "EXCLUSIVE with RDHUP",
		.kinds = TCP,
		.expected = { "EINVAL" },
		.answers = "ok EINVAL EEXIST",
		.run = exclusive_rdhup,
		.drawing = "ADD IN|RDHUP|EXCLUSIVE: ?\n",
		.why = EXCLUSIVE_WITH,
		.quote = OTHER_VALUES,
		.page = "epoll_ctl(2)",
	},
	{
		.name = "exclusive-pri",
		.title = "EXCLUSIVE with PRI",
		.kinds = TCP,
		.expected = { "EINVAL" },
		.answers = "ok EINVAL EEXIST",
		.run = exclusive_pri,
		.drawing = "ADD IN|PRI|EXCLUSIVE: ?\n",
		.why = EXCLUSIVE_WITH,
		.quote = OTHER_VALUES,
		.page = "epoll_ctl(2)",
	},
	{
		.name = "exclusive-mod",
		.title = "MOD to EXCLUSIVE",
		.kinds = TCP,
		.expected = { "EINVAL" },
		.answers = "ok EINVAL EEXIST",
		.run = exclusive_mod,
		.drawing = "ADD IN\n"
			   "MOD IN|EXCLUSIVE: ?\n",
		.why = "do_epoll_ctl refuses it: where the waiter stands in the queue is "
		       "decided at ADD.",
		.quote = "EPOLLEXCLUSIVE may be used only in an EPOLL_CTL_ADD operation; "
			 "attempts to employ it with EPOLL_CTL_MOD yield an error.",
		.page = "epoll_ctl(2)",
	},
	{
		.name = "exclusive-then-mod",
		.title = "MOD of what was added EXCLUSIVE",
		.kinds = TCP,
		.expected = { "EINVAL" },
		.answers = "ok EINVAL EEXIST",
		.run = exclusive_then_mod,
		.drawing = "ADD IN|EXCLUSIVE\n"
			   "MOD IN: ?\n",
		.why = "do_epoll_ctl refuses it: a server that wants to pause such a "
		       "listener has to DEL it and ADD it again.",
		.quote = "If EPOLLEXCLUSIVE has been set using epoll_ctl(), then a "
			 "subsequent EPOLL_CTL_MOD on the same epfd, fd pair yields an "
			 "error.",
		.page = "epoll_ctl(2)",
	},
	{
		.name = "exclusive-epoll",
		.title = "EXCLUSIVE, an epoll descriptor",
		.kinds = ALONE,
		.expected = { "EINVAL" },
		.answers = "ok EINVAL ELOOP",
		.run = exclusive_epoll,
		.drawing = "ADD another epfd, IN|EXCLUSIVE: ?\n",
		.why = "do_epoll_ctl refuses it (is_file_epoll).",
		.quote = "A call to epoll_ctl() that specifies EPOLLEXCLUSIVE in events "
			 "and specifies the target file descriptor fd as an epoll "
			 "instance will likewise fail.",
		.page = "epoll_ctl(2)",
	},
	{
		.name = "itself",
		.title = "ADD of an epoll set to itself",
		.kinds = ALONE,
		.expected = { "EINVAL" },
		.answers = "ok EINVAL ELOOP",
		.run = itself,
		.drawing = "ADD epfd to epfd: ?\n",
		.why = "do_epoll_ctl compares the two files.",
		.quote = "However, you can add an epoll file descriptor inside another "
			 "epoll file descriptor set.",
		.page = "epoll(7)",
	},
	{
		.name = "regular-file",
		.title = "ADD of a regular file",
		.kinds = ALONE,
		.expected = { "EPERM" },
		.answers = "ok EPERM EINVAL",
		.run = regular_file,
		.drawing = "open a file on a disk\n"
			   "ADD: ?\n",
		.why = "A file of a disk has no poll operation (file_can_poll), so epoll "
		       "cannot watch it. A read of it may still wait.",
		.quote = "This error can occur if fd refers to, for example, a regular "
			 "file or a directory.",
		.page = "epoll_ctl(2)",
	},
	{
		.name = "listener-3",
		.title = "listener: 3 wait, accept 1, wait",
		.kinds = ALONE,
		.expected = { "1", "0", "0", "0" },
		.answers = "0 1",
		.run = listener_3,
		.drawing = "3 clients connect  [c c c]\n"
			   "ADD, wait: 1       [c c c]\n"
			   "accept one         [c c  ]\n"
			   "wait: ?\n",
		.why = "A listener is a descriptor like any other: three arrivals were "
		       "one event, and accept is the reading (inet_csk_listen_poll). "
		       "Edge-triggered, accept until EAGAIN.",
		.quote = "They will be combined.",
		.page = "epoll(7)",
	},
	{
		.name = "listener-4",
		.title = "then a 4th client connects",
		.kinds = ALONE,
		.expected = { "1", "1", "0", "0" },
		.answers = "0 1",
		.run = listener_4,
		.drawing = "3 clients connect  [c c c]\n"
			   "ADD, wait: 1       [c c c]\n"
			   "accept one         [c c  ]\n"
			   "a 4th connects     [c c c]\n"
			   "wait: ?\n",
		.why = "An arrival is an edge (ep_poll_callback). So the next client "
		       "also helps those that hang, and the reason is hard to find.",
	},
	{
		.name = "rotation",
		.title = "A B C ready, 6 waits for one each",
		.kinds = ALONE,
		.expected = { "ABCABC", "ABC", "ABC", "ABC" },
		.answers = "AAAAAA ABCABC ABC A",
		.run = rotation,
		.drawing = "ready list: A B C\n"
			   "6 times            wait, for one event\n"
			   "which is reported: ?\n",
		.why = "What is put back goes to the end of the list (ep_send_events).",
		.quote = "If more than maxevents file descriptors are ready when "
			 "epoll_wait() is called, then successive epoll_wait() calls "
			 "will round robin through the set of ready file descriptors.",
		.page = "epoll_wait(2)",
	},
	{
		.name = "two-sets",
		.title = "in two epoll sets: data comes",
		.kinds = STREAMS,
		.expected = { "1,1", "1,1", "1,1", "1,1" },
		.answers = "1,0 0,1 1,1",
		.run = two_sets,
		.drawing = "ADD to epfd 1, ADD to epfd 2\n"
			   "peer sends 10      [##########]\n"
			   "wait on 1: ?  wait on 2: ?\n",
		.why = "Each set waits in the queue of the socket for itself "
		       "(ep_ptable_queue_proc): without EPOLLEXCLUSIVE all of them are "
		       "woken.",
		.quote = "Yes, and events would be reported to both.",
		.page = "epoll(7)",
	},
	{ 0 },
};
