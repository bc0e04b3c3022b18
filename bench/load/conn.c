#include "load/conn.h"
#include "clock.h"
#include "err.h"
#include "load/message.h"
#include "load/options.h"
#include "load/window.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

struct conns conns;

static char *memory; /* of all connections, conn_bytes apart */
static size_t conn_bytes;

/* Those that leave their reply unread, in a ring: the first is the first to read again.
 */
static struct {
	uint32_t *id;
	size_t first, n;
} held;

void conns_init(void)
{
	size_t n = (size_t)asked.connections;

	conn_bytes = sizeof(struct conn) + (size_t)asked.depth * sizeof(struct request);
	memory = calloc(n, conn_bytes);
	held.id = calloc(n, sizeof *held.id);
	if (!memory || !held.id)
		die_errno("memory for %zu connections", n);
	for (size_t i = 0; i < n; i++)
		conn_at(i)->fd = -1;
	if ((conns.epfd = epoll_create1(EPOLL_CLOEXEC)) < 0)
		die_errno("epoll_create1");
}

struct conn *conn_at(size_t i)
{
	return (struct conn *)(void *)(memory + i * conn_bytes);
}

static uint32_t conn_id(const struct conn *c)
{
	return (uint32_t)((size_t)((const char *)c - memory) / conn_bytes);
}

bool conn_has_room(const struct conn *c)
{
	return c->fd >= 0 && c->inflight < (uint32_t)asked.depth;
}

/* The i-th of the requests on their way. */
static struct request *request_at(struct conn *c, uint32_t i)
{
	return &c->ring[(c->first + i) % (uint32_t)asked.depth];
}

uint64_t conn_give_up(struct conn *c, int64_t now)
{
	uint32_t lost = c->inflight;

	for (uint32_t i = 0; i < lost; i++)
		window_unanswered(request_at(c, i)->due, request_at(c, i)->sent, now);
	conns.inflight -= lost;
	c->inflight = 0;
	return lost;
}

static void conn_close(struct conn *c)
{
	if (close(c->fd) < 0 && errno != EINTR)
		warn_errno("close");
	c->fd = -1;
}

static bool is_active(const struct conn *c)
{
	return conn_id(c) < (uint32_t)asked.active;
}

static void conn_fail(struct conn *c, enum trouble why)
{
	window.errors[why]++;
	conns.alive--;
	if (conn_has_room(c) && is_active(c))
		conns.with_room--;
	conn_give_up(c, now_ns());
	conn_close(c);
}

static enum trouble trouble_of(int error)
{
	return error == ECONNRESET || error == EPIPE ? TROUBLE_RESET : TROUBLE_OTHER;
}

static void watch(struct conn *c)
{
	struct epoll_event ev = { .data.ptr = c };

	ev.events = (c->held ? 0 : EPOLLIN) | (c->wants_out ? EPOLLOUT : 0);
	if (epoll_ctl(conns.epfd, EPOLL_CTL_MOD, c->fd, &ev) < 0)
		die_errno("epoll_ctl MOD");
}

static void want_out(struct conn *c, bool on)
{
	if (on == c->wants_out)
		return;
	c->wants_out = on;
	watch(c);
}

/* --- slow readers (--read-pause): from when one begins to send, it does not read for a
 * while */

static void hold(struct conn *c, int64_t now)
{
	if (!asked.read_pause || c->held)
		return;
	c->held = true;
	c->held_until = now + asked.read_pause * NS_PER_MS;
	held.id[(held.first + held.n++) % (size_t)asked.connections] = conn_id(c);
	watch(c);
}

/* More has come into the server than out of it: with one connection, a reply is stuck. */
static bool stuck(void)
{
	uint64_t in = conns.page->call[PROBE_RECV].bytes;
	uint64_t out = conns.page->call[PROBE_SEND].bytes;

	return in > out;
}

int64_t conns_next_release(void)
{
	return held.n ? conn_at(held.id[held.first])->held_until : INT64_MAX;
}

void conns_release(int64_t now)
{
	while (conns_next_release() <= now) {
		struct conn *c = conn_at(held.id[held.first]);

		held.first = (held.first + 1) % (size_t)asked.connections;
		held.n--;
		c->held = false;
		if (c->fd < 0)
			continue;
		window.blocked += conns.page && window.recording && stuck();
		watch(c);
	}
}

/* --- out */

/* How late we were: from when it was due, or from when a connection had room for it. */
static uint64_t lateness(const struct request *r)
{
	int64_t could = r->due > conns.room_at ? r->due : conns.room_at;

	return r->sent > could ? (uint64_t)(r->sent - could) : 0;
}

/* The first byte of a request is about to leave. */
static void leaves(struct conn *c, struct request *r)
{
	r->sent = now_ns();
	hold(c, r->sent);
	if (r->due >= window.start)
		hist_record(window.lag, lateness(r));
}

static void conn_wrote(struct conn *c, size_t n)
{
	c->off_out += n;
	if (c->off_out < (size_t)asked.size)
		return;
	c->off_out = 0;
	c->seq_out++;
	c->written++;
}

void conn_flush(struct conn *c)
{
	static char piece[PIECE];

	while (c->written < c->inflight) {
		struct request *r = request_at(c, c->written);
		size_t n = (size_t)asked.size - c->off_out;

		if (n > PIECE)
			n = PIECE;
		message_bytes(conn_id(c), c->seq_out, c->off_out, piece, n);
		if (!r->sent)
			leaves(c, r);
		ssize_t sent = send(c->fd, piece, n, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0 && errno == EAGAIN) {
			want_out(c, true);
			return;
		}
		if (sent < 0) {
			conn_fail(c, trouble_of(errno));
			return;
		}
		conn_wrote(c, (size_t)sent);
	}
	want_out(c, false);
}

void conn_issue(struct conn *c, int64_t due)
{
	*request_at(c, c->inflight) = (struct request){ .due = due };
	c->inflight++;
	conns.inflight++;
	if (!conn_has_room(c) && is_active(c))
		conns.with_room--;
	if (c->inflight == c->written + 1)
		conn_flush(c); /* else a message is on its way, and this one follows it */
}

/* --- in */

static void replied(struct conn *c, int64_t now)
{
	struct request r = *request_at(c, 0);

	c->first = (c->first + 1) % (uint32_t)asked.depth;
	if (!conn_has_room(c) && is_active(c) && conns.with_room++ == 0)
		conns.room_at = now;
	c->inflight--;
	c->written--;
	conns.inflight--;
	window_answered(r.due, r.sent, now);
	if (window.sending && asked.rate == 0 && now < window.last_due) {
		window.requests += window.recording;
		conn_issue(c, now);
	}
}

/* Has the client sent this message as far as off? */
static bool was_sent(const struct conn *c, size_t off)
{
	return c->seq_in < c->seq_out || (c->seq_in == c->seq_out && off < c->off_out);
}

/* Finds the first wrong one of these bytes, and remembers it if it is the first of all.
 */
static void remember_wrong(const struct conn *c, const char *bytes)
{
	struct wrong_byte w = { .id = conn_id(c), .seq = c->seq_in, .off = c->off_in };
	char want;

	for (;; bytes++, w.off++) {
		message_bytes(conn_id(c), c->seq_in, w.off, &want, 1);
		if (!was_sent(c, w.off) || want != *bytes)
			break;
	}
	w.want = was_sent(c, w.off) ? (unsigned char)want : -1;
	w.found = (unsigned char)*bytes;
	if (window.wrong.id < 0)
		window.wrong = w;
}

/* A byte that nobody sent yet is as wrong as a wrong byte. */
static bool right(const struct conn *c, const char *bytes, size_t n)
{
	return was_sent(c, c->off_in + n - 1) &&
	       message_is(conn_id(c), c->seq_in, c->off_in, bytes, n);
}

static void conn_got(struct conn *c, const char *at, size_t got)
{
	int64_t now = now_ns();

	while (got > 0 && c->fd >= 0) {
		size_t n = (size_t)asked.size - c->off_in;

		if (n > got)
			n = got;
		if (!right(c, at, n)) {
			remember_wrong(c, at);
			conn_fail(c, TROUBLE_CORRUPT);
			return;
		}
		at += n;
		got -= n;
		c->off_in += n;
		if (c->off_in == (size_t)asked.size) {
			c->off_in = 0;
			c->seq_in++;
			replied(c, now);
		}
	}
}

void conn_receive(struct conn *c)
{
	static char bytes[PIECE];
	ssize_t got = recv(c->fd, bytes, sizeof bytes, 0);

	if (got > 0)
		conn_got(c, bytes, (size_t)got);
	else if (got == 0)
		conn_fail(c, TROUBLE_EOF);
	else if (errno != EINTR && errno != EAGAIN)
		conn_fail(c, trouble_of(errno));
}

void conns_close(void)
{
	struct linger rst = { .l_onoff = 1 }; /* and 0 s */

	for (size_t i = 0; i < (size_t)asked.connections; i++) {
		struct conn *c = conn_at(i);

		if (c->fd < 0)
			continue;
		if (!asked.graceful &&
			setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &rst, sizeof rst) < 0)
			warn_errno("setsockopt SO_LINGER");
		conn_close(c);
	}
}
