#include "card.h"
#include "err.h"
#include <poll.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/socket.h>

/* Ten bytes are there, were told of, and five of them read. */
static void half_read(struct scene *s)
{
	put(s, 10);
	watch(s, EPOLLIN);
	told(s);
	take(s, 5);
}

static const char *before_add(struct scene *s)
{
	put(s, 10);
	watch(s, EPOLLIN);
	return count(s);
}

static const char *not_read(struct scene *s)
{
	put(s, 10);
	watch(s, EPOLLIN);
	told(s);
	return count(s);
}

static const char *half(struct scene *s)
{
	half_read(s);
	return count(s);
}

static const char *half_new(struct scene *s)
{
	half_read(s);
	put(s, 1);
	if (s->kind == PIPE && kernel_from_to(5, 5, 5, 13))
		s->refused = true; /* these wake nobody for a pipe that is not empty */
	return count(s);
}

static const char *two_writes(struct scene *s)
{
	watch(s, EPOLLIN);
	put(s, 10);
	put(s, 10);
	int first = told(s);
	drain(s);
	return word(s, "%d,%d", first, told(s));
}

static const char *half_mod(struct scene *s)
{
	half_read(s);
	rearm(s, EPOLLIN);
	return count(s);
}

static const char *drained_mod(struct scene *s)
{
	half_read(s);
	drain(s);
	rearm(s, EPOLLIN);
	return count(s);
}

static const char *half_readd(struct scene *s)
{
	half_read(s);
	if (!s->refused && epoll_ctl(s->epfd, EPOLL_CTL_DEL, s->fd, NULL) < 0)
		die_errno("epoll_ctl DEL");
	watch(s, EPOLLIN);
	return count(s);
}

static const char *drained_new(struct scene *s)
{
	half_read(s);
	drain(s);
	put(s, 1);
	return count(s);
}

static const char *eventfd_again(struct scene *s)
{
	watch(s, EPOLLIN);
	put(s, 1);
	told(s);
	put(s, 1);
	return count(s);
}

enum { BURST = 10000, CHUNK = 100 };

/* The chapter's server: one recv of 100 bytes for each event. */
static const char *chunk_an_event(struct scene *s, bool mod)
{
	int got = 0;

	put(s, BURST);
	watch(s, EPOLLIN);
	while (got < BURST && told(s)) {
		got += take(s, CHUNK);
		if (mod)
			rearm(s, EPOLLIN);
	}
	return word(s, "%d", got);
}

static const char *chunks(struct scene *s)
{
	return chunk_an_event(s, false);
}

static const char *chunks_mod(struct scene *s)
{
	return chunk_an_event(s, true);
}

static const char *rcvlowat(struct scene *s)
{
	int ten = 10;

	if (!s->refused &&
		setsockopt(s->fd, SOL_SOCKET, SO_RCVLOWAT, &ten, sizeof ten) < 0)
		die_errno("setsockopt SO_RCVLOWAT");
	watch(s, EPOLLIN);
	put(s, 5);
	int first = told(s);
	put(s, 5);
	return word(s, "%d,%d", first, told(s));
}

static const char *urgent(struct scene *s)
{
	put(s, 4);
	if (!s->refused && send(s->peer, "!", 1, MSG_OOB | MSG_NOSIGNAL) != 1)
		die_errno("send MSG_OOB");
	await(s, s->fd, POLLPRI);
	if (!s->refused && send(s->peer, "more", 4, MSG_NOSIGNAL) != 4)
		die_errno("send");
	await_ack(s, s->peer, s->fd); /* FIONREAD counts up to the urgent mark only */
	int first = take(s, 100);
	return word(s, "%d,%d", first, take(s, 100));
}

#define NOTICE \
	"EPOLL_CTL_ADD asks the file for its state. If it is ready, the descriptor " \
	"goes on the ready list (ep_insert)."

const struct card reading_cards[] = {
	{
		.name = "before-add",
		.title = "data came before ADD",
		.kinds = STREAMS,
		.expected = { "1", "1", "1", "1" },
		.answers = "0 1",
		.run = before_add,
		.drawing = "peer sends 10      [##########]\n"
			   "ADD                [##########]\n"
			   "wait: ?\n",
		.why = NOTICE " Even an edge-triggered one needs no new arrival.",
	},
	{
		.name = "not-read",
		.title = "nothing read, second wait",
		.kinds = STREAMS,
		.expected = { "1", "0", "0", "0" },
		.answers = "0 1",
		.run = not_read,
		.drawing = "peer sends 10      [##########]\n"
			   "ADD, wait: 1       [##########]\n"
			   "wait: ?\n",
		.why = "epoll_wait takes the descriptor off the ready list and asks for "
		       "its state; level-triggered, it puts it back (ep_send_events).",
		.quote =
			"The reason for this is that edge-triggered mode delivers events "
			"only when changes occur on the monitored file descriptor.",
		.page = "epoll(7)",
	},
	{
		.name = "half-read",
		.title = "half read, wait",
		.kinds = STREAMS,
		.expected = { "1", "0", "0", "0" },
		.answers = "0 1",
		.run = half,
		.drawing = "peer sends 10      [##########]\n"
			   "ADD, wait: 1       [##########]\n"
			   "read 5             [#####     ]\n"
			   "wait: ?\n",
		.why = "A read wakes no reader. Only ep_poll_callback, called on "
		       "arrival, puts an edge-triggered descriptor on the ready list.",
		.quote = "Since the read operation done in 4 does not consume the whole "
			 "buffer data, the call to epoll_wait(2) done in step 5 might "
			 "block indefinitely.",
		.page = "epoll(7)",
	},
	{
		.name = "half-read-new",
		.title = "half read, one more byte comes",
		.kinds = STREAMS,
		.expected = { "1", "1", "0", "0" },
		.answers = "0 1",
		.run = half_new,
		.drawing = "peer sends 10      [##########]\n"
			   "ADD, wait: 1       [##########]\n"
			   "read 5             [#####     ]\n"
			   "peer sends 1       [######    ]\n"
			   "wait: ?\n",
		.why = "Every arrival calls ep_poll_callback, whatever lies unread. It "
		       "is what kernels do, not a promise: from 5.5 to 5.13 a pipe that "
		       "was not empty woke nobody (pipe_write in fs/pipe.c).",
		.quote = "Since even with edge-triggered epoll, multiple events can be "
			 "generated upon receipt of multiple chunks of data, the caller "
			 "has the option to specify the EPOLLONESHOT flag, to tell epoll "
			 "to disable the associated file descriptor after the receipt of "
			 "an event with epoll_wait(2).",
		.page = "epoll(7)",
		.chapter = "An edge is a change from no data to data. Not only: data "
			   "that comes while other data lies unread is an event too.",
	},
	{
		.name = "two-writes",
		.title = "two writes, wait; read all, wait",
		.kinds = STREAMS,
		.expected = { "1,0", "1,0", "1,0", "1,0" },
		.answers = "0,0 1,0 1,1",
		.run = two_writes,
		.drawing = "ADD                [                    ]\n"
			   "peer sends 10      [##########          ]\n"
			   "peer sends 10      [####################]\n"
			   "wait: ?\n"
			   "read all           [                    ]\n"
			   "wait: ?\n",
		.why = "A descriptor is on the ready list only once. The second arrival "
		       "finds it there (ep_poll_callback).",
		.quote = "They will be combined.",
		.page = "epoll(7)",
	},
	{
		.name = "half-read-mod",
		.title = "half read, MOD, same mask",
		.kinds = STREAMS,
		.expected = { "1", "1", "1", "1" },
		.answers = "0 1",
		.run = half_mod,
		.drawing = "peer sends 10      [##########]\n"
			   "ADD, wait: 1       [##########]\n"
			   "read 5             [#####     ]\n"
			   "MOD, same mask     [#####     ]\n"
			   "wait: ?\n",
		.why = "EPOLL_CTL_MOD asks the file for its state as ADD does "
		       "(ep_modify).",
		.quote = "Modify will reread available I/O.",
		.page = "epoll(7)",
	},
	{
		.name = "drained-mod",
		.title = "all read, MOD",
		.kinds = STREAMS,
		.expected = { "0", "0", "0", "0" },
		.answers = "0 1",
		.run = drained_mod,
		.drawing = "peer sends 10      [##########]\n"
			   "ADD, wait: 1       [##########]\n"
			   "read all           [          ]\n"
			   "MOD, same mask     [          ]\n"
			   "wait: ?\n",
		.why = "MOD asks for the state, and nothing is ready (ep_modify).",
		.quote = "Modify will reread available I/O.",
		.page = "epoll(7)",
	},
	{
		.name = "half-read-readd",
		.title = "half read, DEL and ADD again",
		.kinds = STREAMS,
		.expected = { "1", "1", "1", "1" },
		.answers = "0 1",
		.run = half_readd,
		.drawing = "peer sends 10      [##########]\n"
			   "ADD, wait: 1       [##########]\n"
			   "read 5             [#####     ]\n"
			   "DEL, ADD           [#####     ]\n"
			   "wait: ?\n",
		.why = NOTICE,
	},
	{
		.name = "drained-new",
		.title = "all read, one more byte comes",
		.kinds = STREAMS,
		.expected = { "1", "1", "0", "0" },
		.answers = "0 1",
		.run = drained_new,
		.drawing = "peer sends 10      [##########]\n"
			   "ADD, wait: 1       [##########]\n"
			   "read all           [          ]\n"
			   "peer sends 1       [#         ]\n"
			   "wait: ?\n",
		.why = "The arrival calls ep_poll_callback, which leaves a one-shot "
		       "descriptor that has fired alone.",
		.quote = "This means that after an event notified for the file "
			 "descriptor by epoll_wait(2), the file descriptor is disabled "
			 "in the interest list and no other events will be reported by "
			 "the epoll interface.",
		.page = "epoll_ctl(2)",
	},
	{
		.name = "eventfd-again",
		.title = "eventfd: written again, not read",
		.kinds = EVENTFD,
		.expected = { "1", "1", "0", "0" },
		.answers = "0 1",
		.run = eventfd_again,
		.drawing = "ADD                counter 0\n"
			   "write 1, wait: 1   counter 1\n"
			   "write 1            counter 2\n"
			   "wait: ?\n",
		.why = "Each write wakes the waiting threads (eventfd_write in "
		       "fs/eventfd.c). So an edge-triggered eventfd need not be read to "
		       "be reported again.",
	},
	{
		.name = "chapter-100",
		.title = "10000 bytes, 100 read an event",
		.kinds = STREAMS,
		.expected = { "10000", "100", "100", "100" },
		.answers = "100 200 10000",
		.run = chunks,
		.drawing = "peer sends 10000, and then nothing\n"
			   "ADD\n"
			   "while wait: 1      read 100\n"
			   "bytes read: ?\n",
		.why = "Nothing more arrives, so ep_poll_callback is not called. One "
		       "edge reported 10000 bytes, and 9900 stay.",
		.quote = "So, in step 5 the caller might end up waiting for some data "
			 "that is already present inside the input buffer.",
		.page = "epoll(7)",
		.chapter = "The 9900 bytes are NEVER read. True while the peer is "
			   "silent: each later byte brings 100 more (half-read-new), "
			   "each MOD too (chapter-100-mod).",
	},
	{
		.name = "chapter-100-mod",
		.title = "the same, MOD after each read",
		.kinds = STREAMS,
		.expected = { "10000", "10000", "10000", "10000" },
		.answers = "100 200 10000",
		.run = chunks_mod,
		.drawing = "peer sends 10000, and then nothing\n"
			   "ADD\n"
			   "while wait: 1      read 100, MOD\n"
			   "bytes read: ?\n",
		.why = "MOD asks for the state each time and finds data (ep_modify): an "
		       "edge-triggered server that calls MOD after each read hides its "
		       "mistake, for one more call.",
		.quote = "Modify will reread available I/O.",
		.page = "epoll(7)",
	},
	{
		.name = "rcvlowat",
		.title = "SO_RCVLOWAT 10: 5 bytes, 5 more",
		.kinds = TCP,
		.expected = { "0,1", "0,1", "0,1", "0,1" },
		.answers = "0,0 0,1 1,0 1,1",
		.run = rcvlowat,
		.drawing = "SO_RCVLOWAT 10, ADD\n"
			   "peer sends 5       [#####     ]\n"
			   "wait: ?\n"
			   "peer sends 5       [##########]\n"
			   "wait: ?\n",
		.why = "tcp_poll and tcp_data_ready compare what is there with the "
		       "low-water mark.",
		.quote = "Since Linux 2.6.28, select(2), poll(2), and epoll(7) indicate "
			 "a socket as readable only if at least SO_RCVLOWAT bytes are "
			 "available.",
		.page = "socket(7)",
	},
	{
		.name = "urgent",
		.title = "urgent byte: two reads of 100 get",
		.kinds = TCP,
		.expected = { "4,4" },
		.answers = "4,4 8,0 9,0 4,5 5,4",
		.run = urgent,
		.drawing = "peer sends 4       [####]\n"
			   "peer sends OOB 1   [####!]\n"
			   "peer sends 4       [####!####]\n"
			   "read 100: ?\n"
			   "read 100: ?\n",
		.why = "tcp_recvmsg stops at the urgent mark. So the first read is "
		       "short, but it is not the last. epoll(7) says that a short read "
		       "has read all the data: here this is wrong.",
		.quote = "Note that a read never reads across the urgent mark.",
		.page = "tcp(7)",
	},
	{ 0 },
};
