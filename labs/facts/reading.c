#include "card.h"
#include "err.h"
#include <poll.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/socket.h>

/* Ten bytes are there, were reported, and five of them were read. */
static void half_read(struct scene *s)
{
	peer_writes(s, 10);
	watch(s, EPOLLIN);
	wait_once(s);
	read_some(s, 5);
}

static const char *before_add(struct scene *s)
{
	peer_writes(s, 10);
	watch(s, EPOLLIN);
	return wait_count(s);
}

static const char *not_read(struct scene *s)
{
	peer_writes(s, 10);
	watch(s, EPOLLIN);
	wait_once(s);
	return wait_count(s);
}

static const char *half(struct scene *s)
{
	half_read(s);
	return wait_count(s);
}

static const char *half_new(struct scene *s)
{
	half_read(s);
	peer_writes(s, 1);
	if (s->kind == PIPE && kernel_from_to(5, 5, 5, 13))
		s->refused = true; /* these wake nobody for a pipe that is not empty */
	return wait_count(s);
}

static const char *two_writes(struct scene *s)
{
	watch(s, EPOLLIN);
	peer_writes(s, 10);
	peer_writes(s, 10);
	int first = wait_once(s);
	drain(s);
	return word(s, "%d,%d", first, wait_once(s));
}

static const char *half_mod(struct scene *s)
{
	half_read(s);
	rearm(s, EPOLLIN);
	return wait_count(s);
}

static const char *drained_mod(struct scene *s)
{
	half_read(s);
	drain(s);
	rearm(s, EPOLLIN);
	return wait_count(s);
}

static const char *half_readd(struct scene *s)
{
	half_read(s);
	if (!s->refused && epoll_ctl(s->epfd, EPOLL_CTL_DEL, s->fd, NULL) < 0)
		die_errno("epoll_ctl DEL");
	watch(s, EPOLLIN);
	return wait_count(s);
}

static const char *drained_new(struct scene *s)
{
	half_read(s);
	drain(s);
	peer_writes(s, 1);
	return wait_count(s);
}

static const char *eventfd_again(struct scene *s)
{
	watch(s, EPOLLIN);
	peer_writes(s, 1);
	wait_once(s);
	peer_writes(s, 1);
	return wait_count(s);
}

enum { BURST = 10000, CHUNK = 100 };

/* The chapter's server: one recv of 100 bytes for each event. */
static const char *chunk_an_event(struct scene *s, bool mod)
{
	int got = 0;

	peer_writes(s, BURST);
	watch(s, EPOLLIN);
	while (got < BURST && wait_once(s)) {
		got += read_some(s, CHUNK);
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
	peer_writes(s, 5);
	int first = wait_once(s);
	peer_writes(s, 5);
	return word(s, "%d,%d", first, wait_once(s));
}

static const char *urgent(struct scene *s)
{
	peer_writes(s, 4);
	if (!s->refused && send(s->peer, "!", 1, MSG_OOB | MSG_NOSIGNAL) != 1)
		die_errno("send MSG_OOB");
	await(s, s->fd, POLLPRI);
	if (!s->refused && send(s->peer, "more", 4, MSG_NOSIGNAL) != 4)
		die_errno("send");
	await_ack(s, s->peer, s->fd); /* FIONREAD counts up to the urgent mark only */
	int first = read_some(s, 100);
	return word(s, "%d,%d", first, read_some(s, 100));
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
		       "its state. If the descriptor is level-triggered, epoll_wait puts "
		       "it back (ep_send_events).",
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
		.why = "Reading puts nothing on the ready list. Only an arrival does: it "
		       "calls ep_poll_callback.",
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
		.why = "Every arrival calls ep_poll_callback, even if older bytes are "
		       "still unread. Kernels do this, but nobody promises it: from "
		       "Linux 5.5 to 5.13, a pipe with unread bytes woke nobody "
		       "(pipe_write in fs/pipe.c).",
		.quote = "Since even with edge-triggered epoll, multiple events can be "
			 "generated upon receipt of multiple chunks of data, the caller "
			 "has the option to specify the EPOLLONESHOT flag, to tell epoll "
			 "to disable the associated file descriptor after the receipt of "
			 "an event with epoll_wait(2).",
		.page = "epoll(7)",
		.chapter =
			"An edge is a change from no data to data. That is not the only "
			"edge: new data is an event too, even if older data is unread.",
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
		.why = "A descriptor is on the ready list once or not at all. The second "
		       "arrival finds it there (ep_poll_callback).",
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
		.why = "EPOLL_CTL_MOD asks the file for its state, as ADD does "
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
		.why = "MOD asks the file for its state (ep_modify). The file has no "
		       "event to report.",
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
		.why = "The arrival calls ep_poll_callback. It does nothing for a "
		       "one-shot descriptor that was already reported.",
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
		.why = "Each write wakes the waiting process (eventfd_write in "
		       "fs/eventfd.c). So epoll reports an edge-triggered eventfd again, "
		       "even if nobody reads it.",
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
		.why = "Nothing arrives any more, so nobody calls ep_poll_callback. One "
		       "edge reported 10000 bytes, and 9900 of them stay unread.",
		.quote = "So, in step 5 the caller might end up waiting for some data "
			 "that is already present inside the input buffer.",
		.page = "epoll(7)",
		.chapter = "The 9900 bytes are NEVER read. This is true as long as the "
			   "peer is silent. Each later byte brings 100 more "
			   "(half-read-new), and so does each MOD (chapter-100-mod).",
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
		.why = "Each MOD asks for the state and finds data (ep_modify). So an "
		       "edge-triggered server that calls MOD after each read hides its "
		       "mistake, and pays one more call.",
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
		.why = "tcp_poll and tcp_data_ready compare the number of unread bytes "
		       "with the low-water mark.",
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
		.why = "tcp_recvmsg stops at the urgent mark, so the first read is short "
		       "although more bytes follow. epoll(7) says that after a short "
		       "read all is read. This is an exception.",
		.quote = "Note that a read never reads across the urgent mark.",
		.page = "tcp(7)",
	},
	{ 0 },
};
