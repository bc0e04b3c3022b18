/* Load generator for echo servers: one thread, open or closed loop, every byte verified.
 */
#include "args.h"
#include "cpu.h"
#include "err.h"
#include "hist.h"
#include "stop.h"
#include "tools/page.h"
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum {
	MAX_DEPTH = 64,
	RAMP_WINDOW = 128, /* connects in flight; more only fill the accept queue */
	ECHO_WINDOW = 512, /* first echoes in flight */
	MAX_EVENTS = 256,
	PIECE = 64 * 1024, /* most bytes in one send or recv */
	MIN_SIZE = 16, /* connection, sequence number, size */
	MAX_SIZE = 16 * 1024 * 1024,
	PATTERN = 256,
};

#define NS INT64_C(1000000000)
#define MIN_RATE \
	1e-3 /* requests a second: the time between two of them fits in 64 bits */
#define MAX_RATE 1e8
#define DRAIN_NS (2 * NS) /* how long replies may still come after the window */
#define RAMP_NS (10 * NS) /* how long connecting and the first echoes may take, */
#define RAMP_EACH_NS (NS / 1000) /* and this more for each connection */
#define SPIN_NS 60000 /* hybrid: asleep until so long before the next request */
#define GAP_NS 100000 /* spin: a pause of our own, by the machine */

enum trouble {
	TROUBLE_RESET,
	TROUBLE_EOF,
	TROUBLE_CORRUPT,
	TROUBLE_TIMEOUT,
	TROUBLE_OTHER,
	TROUBLES,
};
static const char *const trouble_names[TROUBLES] = { "reset", "eof", "corrupt", "timeout",
	"other" };

enum {
	PACE_SPIN,
	PACE_HYBRID,
	PACE_TIMERFD,
};
enum {
	ARRIVAL_POISSON,
	ARRIVAL_FIXED,
};

/* A request on its way: sent is 0 until the first byte of it has left. */
struct request {
	int64_t due, sent;
};

struct conn {
	int fd; /* -1: closed */
	bool wants_out; /* EPOLLOUT is armed */
	bool held; /* its reply is left unread for now */
	int64_t held_until;
	uint32_t first, inflight; /* the ring of requests */
	uint32_t written; /* of them, sent whole */
	uint64_t seq_out, seq_in; /* numbers of the messages being sent and received */
	size_t off_out, off_in; /* how far */
	struct request ring[];
};

/* --- options */

static const char *host = "127.0.0.1", *counts_file, *hgrm_file;
static long port = 8080, connections = 1, active, size = 64, depth = 1, seed = 1;
static long pid, rcvbuf, read_pause;
static double rate, duration = 5, warmup = 0.5;
static int pace = PACE_SPIN, arrival = ARRIVAL_POISSON;
static bool json, graceful, gate;
static bool watched; /* stderr is a terminal: asked once, it costs a call each time */

/* --- state */

static int epfd, timer = -1;
static char *conns; /* `connections` of them, conn_bytes apart */
static size_t conn_bytes;
static uint32_t *order; /* the active ones, shuffled */
static uint32_t *holds; /* a ring: who is held, the first to be let go first */
static size_t first_hold, held;
static size_t turn; /* whose turn it is, in order */
static long alive,
	with_room; /* connections that are open; active ones that can take more */
static uint64_t inflight; /* requests on all connections */
static uint64_t random_state;
static unsigned char pattern[PATTERN + PIECE];

static bool recording, sending; /* inside the window; replies bring new requests */
static int64_t next_due, last_due; /* the schedule, and its end */
static int64_t room_at; /* when a connection had room again */
static uint64_t errors[TROUBLES];
static struct {
	long id; /* -1: none yet */
	uint64_t seq;
	size_t off;
	int want, found; /* want is -1 for a byte that was not sent yet */
} wrong = { .id = -1 }; /* the first wrong byte */
static bool set_up; /* every connection that is open was answered once */
static uint64_t requests, received, deferred;
static uint64_t blocked; /* replies that were stuck in the server when we came for them */
static const struct probe_page *page;
static uint64_t in_window; /* of those received: before the window ended */
static int64_t window_start = INT64_MAX; /* what was due before is not measured */
static double window_s; /* how long it was: shorter if every connection broke */
static struct hist *response, *service, *lag;
static int64_t lost_ns, last_turn; /* spin: in gaps of over GAP_NS */

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t); /* through the vDSO: no system call */
	return t.tv_sec * NS + t.tv_nsec;
}

static struct conn *conn_at(size_t i)
{
	return (struct conn *)(void *)(conns + i * conn_bytes);
}

static uint32_t conn_id(const struct conn *c)
{
	return (uint32_t)((size_t)((const char *)c - conns) / conn_bytes);
}

/* xorshift64*, uniform in (0, 1]. */
static double uniform(void)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (double)((random_state * UINT64_C(2685821657736338717)) >> 11) * 0x1p-53 +
	       0x1p-54;
}

static int64_t interval(void)
{
	double mean = 1e9 / rate;

	return (int64_t)(arrival == ARRIVAL_FIXED ? mean : -log(uniform()) * mean);
}

/* --- messages: a header that says whose and which, then a pattern that starts elsewhere
 * in each. What should stand at any place of any message is computed, never stored. */

static void expected(const struct conn *c, uint64_t seq, size_t off, char *to, size_t n)
{
	uint32_t id = conn_id(c);
	char head[MIN_SIZE];
	uint32_t length = (uint32_t)size;

	memcpy(head, &id, 4);
	memcpy(head + 4, &seq, 8);
	memcpy(head + 12, &length, 4);
	for (; n > 0 && off < MIN_SIZE; n--)
		*to++ = head[off++];
	memcpy(to, pattern + (id * 31 + seq * 7 + off) % PATTERN, n);
}

static bool as_expected(struct conn *c, const char *bytes, size_t n)
{
	static char want[PIECE];

	expected(c, c->seq_in, c->off_in, want, n);
	return memcmp(want, bytes, n) == 0;
}

/* --- connections */

static bool has_room(const struct conn *c)
{
	return c->fd >= 0 && c->inflight < (uint32_t)depth;
}

/* What was due and never answered is at least as old as it is now: it may not make the
 * percentiles better by staying away. Returns how many requests that was. */
static uint64_t give_up(struct conn *c, int64_t now)
{
	uint32_t lost = c->inflight;

	for (uint32_t i = 0; i < lost; i++) {
		struct request *r = &c->ring[(c->first + i) % (uint32_t)depth];

		if (r->due < window_start)
			continue;
		hist_record(response, (uint64_t)(now - r->due));
		if (r->sent)
			hist_record(service, (uint64_t)(now - r->sent));
	}
	inflight -= lost;
	c->inflight = 0;
	return lost;
}

static void conn_close(struct conn *c)
{
	if (close(c->fd) < 0 && errno != EINTR)
		warn_errno("close");
	c->fd = -1;
}

static void conn_fail(struct conn *c, enum trouble why)
{
	errors[why]++;
	alive--;
	if (has_room(c) && conn_id(c) < (uint32_t)active)
		with_room--;
	give_up(c, now_ns());
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
	if (epoll_ctl(epfd, EPOLL_CTL_MOD, c->fd, &ev) < 0)
		die_errno("epoll_ctl MOD");
}

static void want_out(struct conn *c, bool on)
{
	if (on == c->wants_out)
		return;
	c->wants_out = on;
	watch(c);
}

/* A slow reader (--read-pause): from when it begins to send, it does not read for a
 * while. */
static void hold(struct conn *c, int64_t now)
{
	if (!read_pause || c->held)
		return;
	c->held = true;
	c->held_until = now + read_pause * (NS / 1000);
	holds[(first_hold + held++) % (size_t)connections] = conn_id(c);
	watch(c);
}

/* More has come into the server than out of it: with one connection, a reply is stuck. */
static bool stuck(void)
{
	uint64_t in = page->call[PROBE_RECV].bytes, out = page->call[PROBE_SEND].bytes;

	return in > out;
}

static void let_go(int64_t now)
{
	while (held > 0 && conn_at(holds[first_hold])->held_until <= now) {
		struct conn *c = conn_at(holds[first_hold]);

		first_hold = (first_hold + 1) % (size_t)connections;
		held--;
		c->held = false;
		if (c->fd < 0)
			continue;
		blocked += page && recording && stuck();
		watch(c);
	}
}

/* How late we were: from when it was due, or from when a connection had room for it. */
static uint64_t lateness(const struct request *r)
{
	int64_t could = r->due > room_at ? r->due : room_at;

	return r->sent > could ? (uint64_t)(r->sent - could) : 0;
}

/* Sends what is queued, as far as the kernel takes it. */
static void flush_out(struct conn *c)
{
	static char piece[PIECE];

	while (c->written < c->inflight) {
		struct request *r = &c->ring[(c->first + c->written) % (uint32_t)depth];
		size_t n = (size_t)size - c->off_out;

		if (n > PIECE)
			n = PIECE;
		expected(c, c->seq_out, c->off_out, piece, n);
		if (!r->sent) {
			r->sent = now_ns();
			hold(c, r->sent);
			if (r->due >= window_start)
				hist_record(lag, lateness(r));
		}
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
		c->off_out += (size_t)sent;
		if (c->off_out == (size_t)size) {
			c->off_out = 0;
			c->seq_out++;
			c->written++;
		}
	}
	want_out(c, false);
}

static void issue(struct conn *c, int64_t due)
{
	c->ring[(c->first + c->inflight) % (uint32_t)depth] =
		(struct request){ .due = due };
	c->inflight++;
	inflight++;
	if (!has_room(c) && conn_id(c) < (uint32_t)active)
		with_room--;
	if (c->inflight == c->written + 1)
		flush_out(c); /* else a message is on its way, and this one follows it */
}

static void replied(struct conn *c, int64_t now)
{
	struct request r = c->ring[c->first];

	c->first = (c->first + 1) % (uint32_t)depth;
	if (!has_room(c) && conn_id(c) < (uint32_t)active && with_room++ == 0)
		room_at = now;
	c->inflight--;
	c->written--;
	inflight--;
	if (r.due >= window_start) {
		received++;
		in_window += now < last_due;
		hist_record(response, (uint64_t)(now - r.due));
		hist_record(service, (uint64_t)(now - r.sent));
	}
	if (sending && rate == 0 && now < last_due) {
		requests += recording;
		issue(c, now);
	}
}

/* Says which of these n bytes is the first wrong one. */
static void remember_wrong(const struct conn *c, const char *bytes, size_t n)
{
	char want = 0;
	size_t i = 0;
	bool unsent = false;

	for (; i < n; i++) {
		size_t off = c->off_in + i;

		unsent = c->seq_in > c->seq_out ||
			 (c->seq_in == c->seq_out && off >= c->off_out);
		expected(c, c->seq_in, off, &want, 1);
		if (unsent || want != bytes[i])
			break;
	}
	if (i == n || wrong.id >= 0)
		return;
	wrong.id = conn_id(c);
	wrong.seq = c->seq_in;
	wrong.off = c->off_in + i;
	wrong.want = unsent ? -1 : (unsigned char)want;
	wrong.found = (unsigned char)bytes[i];
}

/* One recv: bytes of one or more replies, or a part of one. */
static void take_in(struct conn *c)
{
	static char bytes[PIECE];
	ssize_t got = recv(c->fd, bytes, sizeof bytes, 0);
	int64_t now = now_ns();

	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (got <= 0) {
		conn_fail(c, got == 0 ? TROUBLE_EOF : trouble_of(errno));
		return;
	}
	for (const char *at = bytes; got > 0 && c->fd >= 0;) {
		size_t n = (size_t)size - c->off_in;

		if (n > (size_t)got)
			n = (size_t)got;
		/* A byte that nobody sent yet is as wrong as a wrong byte. */
		bool early = c->seq_in > c->seq_out ||
			     (c->seq_in == c->seq_out && c->off_in + n > c->off_out);
		if (early || !as_expected(c, at, n)) {
			remember_wrong(c, at, n);
			conn_fail(c, TROUBLE_CORRUPT);
			return;
		}
		at += n;
		got -= (ssize_t)n;
		c->off_in += n;
		if (c->off_in == (size_t)size) {
			c->off_in = 0;
			c->seq_in++;
			replied(c, now);
		}
	}
}

/* --- waiting */

static int wait_until(struct epoll_event evs[MAX_EVENTS], int64_t when)
{
	if (held > 0 && conn_at(holds[first_hold])->held_until < when)
		when = conn_at(holds[first_hold])->held_until;
	int64_t left = when - now_ns();

	if (pace == PACE_SPIN || left <= (pace == PACE_HYBRID ? SPIN_NS : 0))
		return epoll_wait(epfd, evs, MAX_EVENTS, 0);
	if (pace == PACE_HYBRID) {
#ifdef __GLIBC__
		struct timespec t = { .tv_sec = (left - SPIN_NS) / NS,
			.tv_nsec = (left - SPIN_NS) % NS };
		int n = epoll_pwait2(epfd, evs, MAX_EVENTS, &t, NULL);
		if (n >= 0 || errno != ENOSYS)
			return n;
#endif
		pace = PACE_SPIN; /* before Linux 5.11, or forbidden by a sandbox */
		return epoll_wait(epfd, evs, MAX_EVENTS, 0);
	}
	struct itimerspec at = { .it_value = { when / NS, when % NS } };
	if (timerfd_settime(timer, TFD_TIMER_ABSTIME, &at, NULL) < 0)
		die_errno("timerfd_settime");
	return epoll_wait(epfd, evs, MAX_EVENTS, -1);
}

/* Waits at most until `when` and deals with what came. */
static void turn_once(int64_t when)
{
	struct epoll_event evs[MAX_EVENTS];
	int n = wait_until(evs, when);

	if (n < 0 && errno != EINTR)
		die_errno("epoll_wait");
	for (int i = 0; i < n; i++) {
		struct conn *c = evs[i].data.ptr;

		if (!c) {
			uint64_t expirations; /* once read, the timer is quiet again */

			if (read(timer, &expirations, sizeof expirations) < 0 &&
				errno != EAGAIN)
				die_errno("timerfd");
			continue;
		}
		if (c->fd >= 0 && (evs[i].events & EPOLLOUT))
			flush_out(c);
		if (c->fd >= 0 && (evs[i].events & (EPOLLIN | EPOLLERR | EPOLLHUP)))
			take_in(c);
	}
	int64_t now = now_ns();
	let_go(now);
	if (pace == PACE_SPIN && recording && sending && now - last_turn > GAP_NS)
		lost_ns += now - last_turn;
	last_turn = now;
}

/* --- ramp */

static void connect_one(struct conn *c, const struct address *at)
{
	struct epoll_event ev = { .events = EPOLLOUT, .data.ptr = c };

	c->fd = socket(at->sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		die_errno("socket");
	/* Before connect: the handshake tells the server how much we take. */
	if (rcvbuf && setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &(int){ (int)rcvbuf },
			      sizeof(int)) < 0)
		die_errno("setsockopt SO_RCVBUF");
	if (connect(c->fd, (const struct sockaddr *)&at->sa, at->len) < 0 &&
		errno != EINPROGRESS) {
		if (errno == EADDRNOTAVAIL)
			die_errno("no local port left (wait a minute, or widen sysctl "
				  "net.ipv4.ip_local_port_range)");
		die_errno("connect to %s port %ld", host, port);
	}
	if (epoll_ctl(epfd, EPOLL_CTL_ADD, c->fd, &ev) < 0)
		die_errno("epoll_ctl ADD");
}

static void connected(struct conn *c)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = c };
	int error = 0;
	socklen_t len = sizeof error;

	if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0 || error) {
		errno = error ? error : errno;
		die_errno("connect to %s port %ld", host, port);
	}
	if (epoll_ctl(epfd, EPOLL_CTL_MOD, c->fd, &ev) < 0)
		die_errno("epoll_ctl MOD");
	alive++;
}

static void connect_all(const struct address *at)
{
	struct epoll_event evs[RAMP_WINDOW];
	int64_t end = now_ns() + RAMP_NS + connections * RAMP_EACH_NS;
	long started = 0;

	while (alive < connections && !stopping) {
		while (started < connections && started - alive < RAMP_WINDOW)
			connect_one(conn_at((size_t)started++), at);
		int n = epoll_wait(epfd, evs, RAMP_WINDOW, 100);
		if (n < 0 && errno != EINTR)
			die_errno("epoll_wait");
		for (int i = 0; i < n; i++)
			connected(evs[i].data.ptr);
		if (now_ns() > end) {
			errno = ETIMEDOUT;
			die_errno("connect to %s port %ld", host, port);
		}
	}
}

/* That connect(2) is done says only that the kernel has queued us: an answer on each
 * connection says that the server has it. */
static bool echo_all(void)
{
	int64_t end = now_ns() + RAMP_NS + connections * RAMP_EACH_NS +
		      read_pause * (NS / 1000);

	for (long i = 0; (i < connections || inflight > 0) && !stopping;) {
		while (i < connections && inflight < ECHO_WINDOW) {
			struct conn *c = conn_at((size_t)i++);
			if (c->fd >= 0)
				issue(c, now_ns());
		}
		turn_once(now_ns() + NS / 100);
		if (now_ns() > end)
			return false;
	}
	return alive > 0 && !stopping;
}

/* --- the window */

static void send_due(int64_t now)
{
	while (next_due <= now && next_due < last_due && with_room > 0) {
		struct conn *c;

		do {
			c = conn_at(order[turn]);
			turn = (turn + 1) % (size_t)active;
		} while (!has_room(c));
		requests += recording;
		deferred += recording && next_due < room_at;
		issue(c, next_due);
		next_due += interval();
	}
}

static void progress(int64_t now, int64_t end)
{
	static int64_t last;

	if (!watched || !recording || now - last < NS / 2)
		return;
	last = now;
	fprintf(stderr, "\r%3.0f s left ", (double)(end - now) / 1e9);
}

/* Runs the schedule for so many seconds, then waits for the replies still owed. */
static void run(double seconds, bool record)
{
	int64_t start = now_ns(), end = start + (int64_t)(seconds * 1e9);

	recording = record;
	if (record)
		window_start = start;
	sending = true;
	last_due = end;
	last_turn = start;
	room_at = start;
	next_due = rate > 0 ? start + interval() : end;
	if (rate == 0)
		for (size_t i = 0; i < (size_t)active; i++)
			for (long d = 0; d < depth && has_room(conn_at(order[i])); d++) {
				requests += recording;
				issue(conn_at(order[i]), now_ns());
			}
	while (!stopping && alive > 0) {
		int64_t now = now_ns();
		bool late = with_room == 0 && next_due < last_due && next_due <= now;

		if (now >= end)
			break;
		send_due(now);
		turn_once(!late && next_due < end ? next_due : end);
		progress(now, end);
	}
	if (record)
		window_s = (double)((now_ns() < end ? now_ns() : end) - start) / 1e9;
	sending = false;
	for (int64_t until = end + DRAIN_NS;
		!stopping && alive > 0 && now_ns() < until;) {
		if (inflight == 0 && next_due >= last_due)
			break;
		send_due(now_ns());
		turn_once(until);
	}
}

/* The requests that nobody answered, sent or not, once the drain is over. */
static void censor(void)
{
	int64_t now = now_ns();

	for (size_t i = 0; i < (size_t)connections; i++)
		errors[TROUBLE_TIMEOUT] += give_up(conn_at(i), now);
	for (; rate > 0 && next_due < last_due && next_due <= now;
		next_due += interval()) {
		requests++;
		deferred++;
		errors[TROUBLE_TIMEOUT]++;
		hist_record(response, (uint64_t)(now - next_due));
	}
}

static void close_all(void)
{
	struct linger rst = { .l_onoff = 1 }; /* and 0 s: no TIME_WAIT takes the port */

	for (size_t i = 0; i < (size_t)connections; i++) {
		struct conn *c = conn_at(i);

		if (c->fd < 0)
			continue;
		if (!graceful &&
			setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &rst, sizeof rst) < 0)
			warn_errno("setsockopt SO_LINGER");
		conn_close(c);
	}
}

/* --- results */

/* A percentile with fewer than a hundred samples beyond it is a guess. */
static bool enough(const struct hist *h, double p)
{
	return (1 - p) * (double)h->count >= 100 - 1e-6;
}

static double answered_rate(void)
{
	return window_s > 0 ? (double)in_window / window_s : 0;
}

static void print_hist(const char *name, const struct hist *h)
{
	static const struct {
		const char *name;
		double p;
	} points[] = { { "p50", .5 }, { "p90", .9 }, { "p99", .99 }, { "p99_9", .999 } };

	printf("\"%s\":{", name);
	for (size_t i = 0; i < sizeof points / sizeof *points; i++)
		if (i < 2 ? h->count == 0 : !enough(h, points[i].p))
			printf("\"%s\":null,", points[i].name);
		else
			printf("\"%s\":%.3f,", points[i].name,
				(double)hist_percentile(h, points[i].p) / 1e3);
	if (h->count == 0)
		printf("\"max\":null,\"mean\":null,\"samples\":0}");
	else
		printf("\"max\":%.3f,\"mean\":%.3f,\"samples\":%" PRIu64 "}",
			(double)h->max / 1e3, hist_mean(h) / 1e3, h->count);
}

static void print_json(
	double cpu, const uint64_t before[COUNTERS], const uint64_t after[COUNTERS])
{
	static const char *const paces[] = { "spin", "hybrid", "timerfd" };
	const char *comma = "";

	printf("{\"requests\":%" PRIu64 ",\"received\":%" PRIu64
	       ",\"unanswered\":%" PRIu64 ",\"deferred\":%" PRIu64
	       ",\"duration_s\":%.6f,\"rate\":%.3f,\"offered_rate\":%g,\"lost_s\":%.6f,"
	       "\"connections\":%ld,\"active\":%ld,\"size\":%ld,\"depth\":%ld,\"pace\":"
	       "\"%s\","
	       "\"arrival\":\"%s\",\"seed\":%ld,\"errors\":{",
		requests, received, requests - received, deferred, window_s,
		answered_rate(), rate, (double)lost_ns / 1e9, connections, active, size,
		depth, paces[pace],
		rate == 0                  ? "closed"
		: arrival == ARRIVAL_FIXED ? "fixed"
					   : "poisson",
		seed);
	for (int i = 0; i < TROUBLES; i++)
		if (errors[i]) {
			printf("%s\"%s\":%" PRIu64, comma, trouble_names[i], errors[i]);
			comma = ",";
		}
	printf("},");
	print_hist("latency_us", rate > 0 ? response : service);
	putchar(',');
	print_hist("response_us", response);
	putchar(',');
	print_hist("service_us", service);
	putchar(',');
	print_hist("lag_us", lag);
	/* However few there are: it only says whether to trust the rest. */
	printf(",\"lag_p99_us\":%.3f", (double)hist_percentile(lag, .99) / 1e3);
	if (counts_file || pid)
		printf(",\"server_cpu_s\":%.9f", cpu);
	if (counts_file) {
		printf(",\"blocked\":%" PRIu64 ",\"counts\":{", blocked);
		comma = "";
		for (size_t i = 0; i < COUNTERS; i++)
			if (after[i] != before[i]) {
				printf("%s\"%s\":%" PRId64, comma, page_name(i),
					(int64_t)(after[i] - before[i]));
				comma = ",";
			}
		putchar('}');
	}
	printf("}\n");
}

static void print_latency(const struct hist *h)
{
	if (h->count == 0) {
		printf("no answer came: there is no latency\n");
		return;
	}
	printf("latency p50 %.1f us, p90 %.1f us, ", (double)hist_percentile(h, .5) / 1e3,
		(double)hist_percentile(h, .9) / 1e3);
	if (enough(h, .99))
		printf("p99 %.1f us, ", (double)hist_percentile(h, .99) / 1e3);
	printf("max %.1f us (%s, %" PRIu64 " samples)\n", (double)h->max / 1e3,
		rate > 0 ? "from when each was due" : "from when each was sent",
		h->count);
}

static void print_wrong(void)
{
	if (wrong.id < 0)
		return;
	printf("first wrong byte: connection %ld, message %" PRIu64 ", byte %zu of %ld: ",
		wrong.id, wrong.seq, wrong.off, size);
	if (wrong.want < 0)
		printf("nothing was sent that far, found 0x%02x\n",
			(unsigned)wrong.found);
	else
		printf("expected 0x%02x, found 0x%02x\n", (unsigned)wrong.want,
			(unsigned)wrong.found);
}

static void print_text(const char *verdict, double cpu)
{
	printf("%" PRIu64 " requests in %.2f s: %.0f/s answered", requests, window_s,
		answered_rate());
	if (rate > 0)
		printf(" of %.0f/s offered", rate);
	putchar('\n');
	print_latency(rate > 0 ? response : service);
	if (counts_file || pid)
		printf("the server used %.3f s of CPU time\n", cpu);
	if (deferred)
		printf("%" PRIu64 " requests had to wait for a connection with room\n",
			deferred);
	for (int i = 0; i < TROUBLES; i++)
		if (errors[i])
			printf("errors: %s %" PRIu64 "\n", trouble_names[i], errors[i]);
	print_wrong();
	if (alive == 0)
		printf("every connection broke: the run ended after %.2f s\n", window_s);
	if (requests > received)
		printf("unanswered: %" PRIu64 "\n", requests - received);
	printf("%s\n", verdict);
}

/* All of the file or none of it. */
static void write_hgrm(void)
{
	char temporary[4096];
	FILE *out;

	if (strlen(hgrm_file) >= sizeof temporary - 32)
		die_usage("--hgrm: a path of at most %zu bytes", sizeof temporary - 32);
	snprintf(temporary, sizeof temporary, "%s.%d.tmp", hgrm_file, (int)getpid());
	if (!(out = fopen(temporary, "we")))
		die_errno("%s", hgrm_file);
	hist_write_hgrm(out, rate > 0 ? response : service);
	bool bad = ferror(out);
	if (fclose(out) != 0 || bad || rename(temporary, hgrm_file) < 0) {
		int why = errno;
		if (unlink(temporary) < 0)
			warn_errno("%s", temporary);
		errno = why;
		die_errno("%s", hgrm_file);
	}
}

/* The generator was the limit: it was late with what a connection had room for, and so
 * were the replies. A server that stalls makes requests wait, but not us; replies that
 * never came are not ours either. */
static bool client_limited(void)
{
	uint64_t late = hist_percentile(lag, .5);
	bool short_of = (double)in_window < .99 * (double)received;

	return rate > 0 &&
	       (late > 1000000 || (pace != PACE_TIMERFD && short_of && late > 50000));
}

static bool noisy(void)
{
	return hist_percentile(lag, .99) > 50000 ||
	       (pace == PACE_SPIN && (double)lost_ns > .002e9 * window_s);
}

/* The exit status, and what it means. */
static int judge(const char **verdict)
{
	uint64_t broken = errors[TROUBLE_RESET] + errors[TROUBLE_EOF] +
			  errors[TROUBLE_CORRUPT] + errors[TROUBLE_OTHER];

	*verdict = "a reply was wrong, missing or failed";
	if (broken)
		return 3;
	*verdict = "the first request of some connections had no answer: nothing was "
		   "measured";
	if (!set_up)
		return 3;
	*verdict = "client-limited: this program, not the server, was the limit";
	if (client_limited())
		return 5;
	*verdict = "replies are missing";
	if (requests != received || errors[TROUBLE_TIMEOUT])
		return 3;
	*verdict = "this machine was too noisy to trust the latencies";
	if (gate && noisy())
		return 4;
	*verdict = "every reply came and every byte was right";
	return 0;
}

/* --- set-up */

static void parse(int argc, char **argv, struct address *at)
{
	const struct opt opts[] = {
		{ 'p', "port", "PORT", "the server's port (8080)", .number = &port,
			.min = 1, .max = 65535 },
		{ 0, "host", "ADDR", "its address (127.0.0.1)", .text = &host },
		{ 'c', "connections", "N", "open so many (1)", .number = &connections,
			.min = 1, .max = 1000000 },
		{ 0, "active", "N", "send on so many of them (all)", .number = &active,
			.min = 1, .max = 1000000 },
		{ 'r', "rate", "R", "requests a second over all; 0: closed loop (0)",
			.real = &rate, .max = MAX_RATE },
		{ 0, "arrival", "poisson|fixed", "how they are spaced (poisson)",
			.choice = &arrival },
		{ 's', "size", "BYTES", "of each message (64)", .number = &size,
			.min = MIN_SIZE, .max = MAX_SIZE },
		{ 0, "depth", "N", "unanswered ones on a connection at most (1)",
			.number = &depth, .min = 1, .max = MAX_DEPTH },
		{ 'd', "duration", "S", "the window (5)", .real = &duration, .min = .01,
			.max = 86400 },
		{ 0, "warmup", "S", "before it, not measured (0.5)", .real = &warmup,
			.max = 3600 },
		{ 0, "pace", "spin|hybrid|timerfd", "how to wait for the next (spin)",
			.choice = &pace },
		{ 0, "seed", "N", "of the schedule (1)", .number = &seed, .min = 1,
			.max = 1e15 },
		{ 0, "counts", "FILE", "the server's LAB_COUNTS page",
			.text = &counts_file },
		{ 0, "pid", "PID", "the server, for its CPU time if it has no such page",
			.number = &pid, .min = 1, .max = 1e9 },
		{ 0, "rcvbuf", "BYTES", "a small receive buffer: a slow reader's",
			.number = &rcvbuf, .min = 1, .max = 1e9 },
		{ 0, "read-pause", "MS", "read nothing for so long after sending (0)",
			.number = &read_pause, .max = 60000 },
		{ 0, "json", NULL, "one object on stdout", .flag = &json },
		{ 0, "hgrm", "FILE", "write the percentile spectrum there",
			.text = &hgrm_file },
		{ 0, "graceful", NULL, "end with FIN, not with RST", .flag = &graceful },
		{ 0, "gate", NULL,
			"exit with 4 if this machine was too noisy to trust it",
			.flag = &gate },
		{ 0 },
	};

	args_parse(argc, argv,
		"Loads an echo server and verifies every byte. Exit status: 0 good, 1 no "
		"set-up, "
		"2 usage,\n3 a wrong, missing or failed reply, 4 too noisy (--gate), 5 "
		"this "
		"program was the limit.",
		"", opts);
	if (address_parse(at, host, (uint16_t)port) < 0)
		die_usage("--host: '%s' is not an IPv4 or IPv6 address", host);
	if (rate > 0 && rate < MIN_RATE)
		die_usage("--rate: '%g' is neither 0 nor a number from %g to %g", rate,
			MIN_RATE, MAX_RATE);
	if (!active)
		active = connections;
	if (active > connections)
		die_usage("--active: %ld is more than --connections %ld", active,
			connections);
}

static void prepare(void)
{
	unsigned long limit = raise_fd_limit();
	struct epoll_event ev = { .events = EPOLLIN };

	if (limit < (unsigned long)connections + 16) {
		errno = EMFILE;
		die_errno("%ld connections need %ld descriptors, the limit is %lu: raise "
			  "it (ulimit -Hn, /etc/security/limits.conf)",
			connections, connections + 16, limit);
	}
	conn_bytes = sizeof(struct conn) + (size_t)depth * sizeof(struct request);
	conns = calloc((size_t)connections, conn_bytes);
	order = calloc((size_t)active, sizeof *order);
	holds = calloc((size_t)connections, sizeof *holds);
	if (!conns || !order || !holds)
		die_errno("memory for %ld connections", connections);
	response = hist_new();
	service = hist_new();
	lag = hist_new();
	random_state = (uint64_t)seed * UINT64_C(0x9e3779b97f4a7c15) | 1;
	for (size_t i = 0; i < sizeof pattern; i++)
		pattern[i] = (unsigned char)(i % PATTERN * 167 + 13);
	for (size_t i = 0; i < (size_t)connections; i++)
		conn_at(i)->fd = -1;
	for (size_t i = 0; i < (size_t)active; i++) {
		size_t j = (size_t)(uniform() * (double)(i + 1)) % (i + 1);
		order[i] = order[j];
		order[j] = (uint32_t)i;
	}
	if ((epfd = epoll_create1(EPOLL_CLOEXEC)) < 0)
		die_errno("epoll_create1");
	if (pace != PACE_SPIN && prctl(PR_SET_TIMERSLACK, 1) < 0)
		warn_errno("PR_SET_TIMERSLACK");
	if (pace != PACE_TIMERFD)
		return;
	if ((timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)) < 0)
		die_errno("timerfd_create");
	if (epoll_ctl(epfd, EPOLL_CTL_ADD, timer, &ev) < 0)
		die_errno("epoll_ctl ADD timerfd");
}

/* One look at the server, once it had the time to finish what it does after its last
 * reply. Returns its CPU time in seconds. */
static double look(uint64_t value[COUNTERS])
{
	struct timespec t = { .tv_nsec = 2000000 };

	if (!page && !pid)
		return 0;
	nanosleep(&t, NULL); /* cut short by a signal: stopping is set then */
	if (page)
		page_read(page, value);
	double cpu = cpu_of_tree((pid_t)(pid ? pid : page->pid));
	if (cpu < 0 && pid)
		die_errno("--pid %ld", pid);
	return cpu > 0 ? cpu : 0; /* the server has gone: its page stays */
}

int main(int argc, char **argv)
{
	static uint64_t before[COUNTERS], after[COUNTERS];
	const char *verdict;
	struct address at;

	parse(argc, argv, &at);
	watched = isatty(STDERR_FILENO);
	stop_on_signals();
	if (counts_file)
		page = page_open(counts_file);
	prepare();
	connect_all(&at);
	with_room = active;
	set_up = echo_all();
	if (set_up && warmup > 0)
		run(warmup, false);

	double cpu = look(before);
	if (set_up && !stopping)
		run(duration, true);
	cpu = fmax(look(after) - cpu, 0); /* a worker that exits is rounded to a tick */
	censor();
	close_all();
	if (watched)
		fprintf(stderr, "\r            \r");
	if (stopping) {
		fprintf(stderr, "load: interrupted, there is no result\n");
		return 130;
	}
	if (hgrm_file)
		write_hgrm();
	int status = judge(&verdict);
	if (json)
		print_json(cpu, before, after);
	else
		print_text(verdict, cpu);
	if (fflush(stdout) != 0)
		die_errno("stdout");
	if (json && status)
		fprintf(stderr, "load: %s\n", verdict);
	return status;
}
