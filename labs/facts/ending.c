#include "card.h"
#include <sys/epoll.h>

static const char *half_fin(struct scene *s)
{
	put(s, 10);
	watch(s, EPOLLIN);
	told(s);
	take(s, 5);
	peer_closes(s);
	return count(s);
}

static const char *fin_again(struct scene *s)
{
	watch(s, EPOLLIN);
	peer_closes(s);
	told(s);
	return count(s);
}

/* Five bytes and the FIN are both there before the first wait. */
static void data_and_fin(struct scene *s, uint32_t events)
{
	watch(s, events);
	put(s, 5);
	fin(s);
}

static const char *short_read(struct scene *s)
{
	data_and_fin(s, EPOLLIN);
	told(s);
	take(s, 100);
	return count(s);
}

static const char *fin_mask(struct scene *s)
{
	data_and_fin(s, EPOLLIN);
	return mask(s);
}

static const char *fin_mask_rdhup(struct scene *s)
{
	data_and_fin(s, EPOLLIN | EPOLLRDHUP);
	return mask(s);
}

static const char *pipe_closed(struct scene *s)
{
	watch(s, EPOLLIN);
	peer_closes(s);
	return mask(s);
}

static const char *pipe_reader_closed(struct scene *s)
{
	turn(s);
	watch(s, EPOLLOUT);
	peer_closes(s);
	return mask(s);
}

static const char *mask_zero(struct scene *s)
{
	watch(s, 0);
	rst(s);
	return mask(s);
}

static const char *mask_zero_again(struct scene *s)
{
	watch(s, 0);
	rst(s);
	int first = told(s);
	return word(s, "%d,%d", first, told(s));
}

static const char *oneshot_rst(struct scene *s)
{
	put(s, 10);
	watch(s, EPOLLIN);
	told(s);
	rst(s);
	return count(s);
}

static const char *oneshot_rst_mod(struct scene *s)
{
	s->mode = EPOLLONESHOT;
	put(s, 10);
	watch(s, EPOLLIN);
	told(s);
	rst(s);
	rearm(s, EPOLLIN);
	return mask(s);
}

const struct card ending_cards[] = {
	{
		.name = "half-read-close",
		.title = "half read, the peer closes",
		.kinds = STREAMS,
		.expected = { "1", "1", "0", "0" },
		.answers = "0 1",
		.run = half_fin,
		.drawing = "peer sends 10      [##########]\n"
			   "ADD, wait: 1       [##########]\n"
			   "read 5             [#####     ]\n"
			   "peer closes        [#####     ] FIN\n"
			   "wait: ?\n",
		.why = "The FIN is an arrival (tcp_fin), so it is an edge; the mask says "
		       "IN, because the rest is still unread.",
		.quote = "Subsequent reads from the channel will return 0 (end of file) "
			 "only after all outstanding data in the channel has been "
			 "consumed.",
		.page = "epoll_ctl(2)",
	},
	{
		.name = "close-again",
		.title = "the peer closed, second wait",
		.kinds = STREAMS,
		.expected = { "1", "0", "0", "0" },
		.answers = "0 1",
		.run = fin_again,
		.drawing = "ADD                [          ]\n"
			   "peer closes        [          ] FIN\n"
			   "wait: 1\n"
			   "wait: ?\n",
		.why = "End of file is a state that lasts. Level-triggered epoll reports "
		       "it without end to a server that neither reads it nor closes "
		       "(ep_send_events).",
		.quote = "when used as a level-triggered interface (the default, when "
			 "EPOLLET is not specified), epoll is simply a faster poll(2)",
		.page = "epoll(7)",
	},
	{
		.name = "short-read-fin",
		.title = "data and FIN at once, short read",
		.kinds = STREAMS,
		.expected = { "1", "0", "0", "0" },
		.answers = "0 1",
		.run = short_read,
		.drawing = "ADD IN             [          ]\n"
			   "peer sends 5, FIN  [#####     ] FIN\n"
			   "wait: 1            [#####     ] FIN\n"
			   "read 100: 5        [          ] FIN\n"
			   "wait: ?\n",
		.why = "Data and FIN made one event. If a server stops at the short "
		       "read, no other event comes for the FIN: read on to EAGAIN, or "
		       "ask for RDHUP.",
		.quote = "(This flag is especially useful for writing simple code to "
			 "detect peer shutdown when using edge-triggered monitoring.)",
		.page = "epoll_ctl(2)",
	},
	{
		.name = "fin-mask",
		.title = "data and FIN, IN asked: the mask",
		.kinds = TCP | UNIX,
		.expected = { "IN" },
		.answers = "IN RDHUP IN|RDHUP",
		.run = fin_mask,
		.drawing = "ADD IN             [          ]\n"
			   "peer sends 5, FIN  [#####     ] FIN\n"
			   "wait: ?  which events\n",
		.why = "epoll_wait reports the state and the interest, ANDed "
		       "(ep_item_poll): RDHUP is true, and was not asked for.",
		.quote = "The events field is a bit mask that indicates the events that "
			 "have occurred for the corresponding open file description.",
		.page = "epoll_wait(2)",
	},
	{
		.name = "fin-mask-rdhup",
		.title = "the same, IN and RDHUP asked",
		.kinds = TCP | UNIX,
		.expected = { "IN|RDHUP" },
		.answers = "IN RDHUP IN|RDHUP",
		.run = fin_mask_rdhup,
		.drawing = "ADD IN|RDHUP       [          ]\n"
			   "peer sends 5, FIN  [#####     ] FIN\n"
			   "wait: ?  which events\n",
		.why = "tcp_poll says RDHUP as soon as the FIN is there, before the data "
		       "is read. So RDHUP does not mean that the connection is over.",
		.quote = "Stream socket peer closed connection, or shut down writing "
			 "half of connection.",
		.page = "epoll_ctl(2)",
	},
	{
		.name = "pipe-writer-gone",
		.title = "pipe: the writer closes, mask",
		.kinds = PIPE,
		.expected = { "HUP" },
		.answers = "IN HUP IN|HUP 0",
		.run = pipe_closed,
		.drawing = "ADD IN             [          ]\n"
			   "writer closes      [          ] end\n"
			   "wait: ?  which events\n",
		.why = "An empty pipe without writers says HUP and not IN, though a read "
		       "would return 0 at once (pipe_poll in fs/pipe.c).",
		.quote = "Note that when reading from a channel such as a pipe or a "
			 "stream socket, this event merely indicates that the peer "
			 "closed its end of the channel.",
		.page = "epoll_ctl(2)",
	},
	{
		.name = "pipe-reader-gone",
		.title = "pipe: the reader closes, mask",
		.kinds = PIPE,
		.expected = { "OUT|ERR" },
		.answers = "OUT ERR OUT|ERR HUP",
		.run = pipe_reader_closed,
		.drawing = "ADD OUT, at the end that writes\n"
			   "reader closes\n"
			   "wait: ?  which events\n",
		.why = "pipe_poll reports ERR for a pipe without a reader. It reports "
		       "OUT because there is space, but a write would fail with EPIPE.",
		.quote = "This event is also reported for the write end of a pipe when "
			 "the read end has been closed.",
		.page = "epoll_ctl(2)",
	},
	{
		.name = "mask-0",
		.title = "interest 0, RST comes: the mask",
		.kinds = TCP,
		.expected = { "ERR|HUP" },
		.answers = "0 ERR HUP ERR|HUP",
		.run = mask_zero,
		.drawing = "ADD 0, as a server that pauses a client\n"
			   "peer sends RST\n"
			   "wait: ?  which events\n",
		.why = "The kernel adds ERR and HUP to every interest (do_epoll_ctl).",
		.quote = "epoll_wait(2) will always report for this event; it is not "
			 "necessary to set it in events when calling epoll_ctl().",
		.page = "epoll_ctl(2)",
	},
	{
		.name = "mask-0-again",
		.title = "the same, two waits",
		.kinds = TCP,
		.expected = { "1,1", "1,0", "1,0", "1,0" },
		.answers = "0,0 1,0 1,1",
		.run = mask_zero_again,
		.drawing = "ADD 0\n"
			   "peer sends RST\n"
			   "wait: ?\n"
			   "wait: ?\n",
		.why = "A level-triggered server spins on ERR|HUP (ep_send_events) if it "
		       "pauses a client by a mask of 0 and does not close it.",
		.quote = "epoll_wait(2) will always report for this event; it is not "
			 "necessary to set it in events when calling epoll_ctl().",
		.page = "epoll_ctl(2)",
	},
	{
		.name = "oneshot-rst",
		.title = "one event, then RST comes",
		.kinds = TCP,
		.expected = { "1", "1", "0", "0" },
		.answers = "0 1",
		.run = oneshot_rst,
		.drawing = "peer sends 10      [##########]\n"
			   "ADD IN, wait: 1    [##########]\n"
			   "peer sends RST\n"
			   "wait: ?\n",
		.why = "A one-shot descriptor that has fired keeps only its private "
		       "bits: not even ERR and HUP are reported (ep_poll_callback).",
		.quote = "This means that after an event notified for the file "
			 "descriptor by epoll_wait(2), the file descriptor is disabled "
			 "in the interest list and no other events will be reported by "
			 "the epoll interface.",
		.page = "epoll_ctl(2)",
	},
	{
		.name = "oneshot-rst-mod",
		.title = "one-shot, RST, MOD: the mask",
		.kinds = TCP,
		.expected = { "IN|ERR|HUP" },
		.answers = "0 IN ERR|HUP IN|ERR|HUP",
		.run = oneshot_rst_mod,
		.drawing = "peer sends 10      [##########]\n"
			   "ADD IN|ONESHOT, wait: 1\n"
			   "peer sends RST\n"
			   "MOD IN|ONESHOT\n"
			   "wait: ?  which events\n",
		.why = "MOD asks for the state (ep_modify), so what came while the "
		       "descriptor was disarmed is not lost.",
		.quote = "The user must call epoll_ctl() with EPOLL_CTL_MOD to rearm the "
			 "file descriptor with a new event mask.",
		.page = "epoll_ctl(2)",
	},
	{ 0 },
};
