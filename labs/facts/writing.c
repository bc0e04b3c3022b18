#include "card.h"
#include "err.h"
#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

static const char *idle(struct scene *s)
{
	turn(s);
	watch(s, EPOLLOUT);
	told(s);
	return count(s);
}

static const char *drained(struct scene *s)
{
	turn(s);
	watch(s, EPOLLOUT);
	told(s);
	fill(s);
	peer_drains(s);
	return count(s);
}

static const char *whole_mask(struct scene *s)
{
	watch(s, EPOLLIN | EPOLLOUT);
	told(s);
	put(s, 5);
	return mask(s);
}

/* The peer reads what we wrote, and TCP acknowledges it at once. */
static void peer_reads(struct scene *s)
{
	if (s->refused)
		return;
	if (write(s->fd, "hello", 5) != 5)
		die_errno("write");
	await(s, s->peer, POLLIN);
	turn(s);
	drain(s);
	turn(s);
	if (s->kind == TCP)
		await_ack(s, s->fd, s->peer);
}

/* Five bytes lie unread and were told of, before we write. */
static const char *acknowledged(struct scene *s)
{
	put(s, 5);
	watch(s, EPOLLIN | EPOLLOUT);
	told(s);
	peer_reads(s);
	return mask(s);
}

static const char *out_brings_in(struct scene *s)
{
	put(s, 5);
	watch(s, EPOLLIN | EPOLLOUT);
	told(s);
	fill(s);
	peer_drains(s);
	return mask(s);
}

const struct card writing_cards[] = {
	{
		.name = "out-idle",
		.title = "OUT on an idle fd, second wait",
		.kinds = STREAMS,
		.expected = { "1", "0", "0", "0" },
		.answers = "0 1",
		.run = idle,
		.drawing = "ADD OUT            there is room\n"
			   "wait: 1\n"
			   "wait: ?\n",
		.why = "An idle socket is always writable. A level-triggered server that "
		       "asks for OUT without output spins (ep_send_events). "
		       "Edge-triggered, one registration that stays does no harm.",
		.quote = "This allows you to avoid continuously switching between "
			 "EPOLLIN and EPOLLOUT calling epoll_ctl(2) with EPOLL_CTL_MOD.",
		.page = "epoll(7)",
		.chapter = "Disarm EPOLLOUT after writing, shown in an edge-triggered "
			   "server. It is the level-triggered server that needs it.",
	},
	{
		.name = "out-drained",
		.title = "write to EAGAIN, the peer reads",
		.kinds = STREAMS,
		.expected = { "1", "1", "0", "0" },
		.answers = "0 1",
		.run = drained,
		.drawing = "ADD OUT, wait: 1   [          ]\n"
			   "write to EAGAIN    [##########] full\n"
			   "peer reads         [###       ]\n"
			   "wait: ?\n",
		.why = "A write that met EAGAIN leaves a mark. Space then wakes the "
		       "waiting thread (sk_stream_write_space for TCP, unix_write_space, "
		       "pipe_read for a pipe).",
		.quote = "by waiting for an event only after read(2) or write(2) return "
			 "EAGAIN.",
		.page = "epoll(7)",
	},
	{
		.name = "mask-whole",
		.title = "IN|OUT gave OUT, data comes: mask",
		.kinds = TCP | UNIX,
		.expected = { "IN|OUT", "IN|OUT", "0", "0" },
		.answers = "0 IN OUT IN|OUT",
		.run = whole_mask,
		.drawing = "ADD IN|OUT         in [     ]  out: room\n"
			   "wait: OUT\n"
			   "peer sends 5       in [#####]  out: room\n"
			   "wait: ?  which events\n",
		.why = "The edge decides when epoll reports, and the mask shows the "
		       "whole state. epoll_wait asks for it (ep_item_poll). So OUT, "
		       "reported before, is reported again.",
		.quote = "The events field is a bit mask that indicates the events that "
			 "have occurred for the corresponding open file description.",
		.page = "epoll_wait(2)",
	},
	{
		.name = "ack-tcp",
		.title = "TCP, never full: the peer reads",
		.kinds = TCP,
		.expected = { "IN|OUT", "0", "0", "0" },
		.answers = "0 IN OUT IN|OUT",
		.run = acknowledged,
		.drawing = "peer sends 5       in [#####]  out: room\n"
			   "ADD IN|OUT, wait: IN|OUT\n"
			   "write 5            in [#####]  out: room\n"
			   "peer reads, ACK    in [#####]  out: room\n"
			   "wait: ?  which events\n",
		.why = "sk_stream_write_space wakes only if a write met a full buffer "
		       "before (SOCK_NOSPACE). There was room all the time: no edge.",
	},
	{
		.name = "ack-unix",
		.title = "unix, never full: the peer reads",
		.kinds = UNIX,
		.expected = { "IN|OUT", "IN|OUT", "0", "0" },
		.answers = "0 IN OUT IN|OUT",
		.run = acknowledged,
		.drawing = "peer sends 5       in [#####]  out: room\n"
			   "ADD IN|OUT, wait: IN|OUT\n"
			   "write 5            in [#####]  out: room\n"
			   "peer reads         in [#####]  out: room\n"
			   "wait: ?  which events\n",
		.why = "unix_write_space wakes whenever the peer has read, full before "
		       "or not, and the mask contains IN too. So a server that leaves "
		       "bytes unread may work over a unix socket and hang over TCP "
		       "(ack-tcp).",
	},
	{
		.name = "out-brings-in",
		.title = "EAGAIN, peer reads, 5 unread",
		.kinds = TCP | UNIX,
		.expected = { "IN|OUT", "IN|OUT", "0", "0" },
		.answers = "0 IN OUT IN|OUT",
		.run = out_brings_in,
		.drawing = "peer sends 5       in [#####]  out: room\n"
			   "ADD IN|OUT, wait: IN|OUT\n"
			   "write to EAGAIN    in [#####]  out: full\n"
			   "peer reads         in [#####]  out: room\n"
			   "wait: ?  which events\n",
		.why = "The edge comes from the send buffer (sk_stream_write_space), and "
		       "the mask is the whole state: it reports unread input again. "
		       "04-epoll-et needs this when it stops reading because output is "
		       "stuck.",
	},
	{ 0 },
};
