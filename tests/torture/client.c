#include "torture.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	CHUNK = 256 * 1024,
	MAX_CLIENTS = 32 * 1024,
	MAX_PUMP = 64,
	SMALL = 16 * 1024,
};

/* --- verdicts */

void did(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(shared->result.did, sizeof shared->result.did, fmt, ap);
	va_end(ap);
}

void expect(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(shared->result.expected, sizeof shared->result.expected, fmt, ap);
	va_end(ap);
}

static void saw(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));
static void saw(const char *fmt, va_list ap)
{
	vsnprintf(shared->result.saw, sizeof shared->result.saw, fmt, ap);
}

void sees(enum seen what)
{
	shared->result.seen = what;
}

static _Noreturn void end(enum verdict v)
{
	shared->result.verdict = v;
	_exit(0);
}

void fail(const char *fmt, ...)
{
	struct result *r = &shared->result;
	char how[80];
	va_list ap;

	r->at = now();
	va_start(ap, fmt);
	saw(fmt, ap);
	va_end(ap);
	if (dies(how, sizeof how)) {
		size_t used = strlen(r->saw);

		sees(GONE);
		if (!strstr(r->saw, how))
			snprintf(r->saw + used, sizeof r->saw - used, "; %s", how);
	}
	end(FAIL);
}

void skip(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	saw(fmt, ap);
	va_end(ap);
	end(SKIP);
}

/* No probe passes on a server that does not serve the next client. */
void pass(const char *fmt, ...)
{
	va_list ap;

	leave_all();
	still_serves();
	va_start(ap, fmt);
	saw(fmt, ap);
	va_end(ap);
	end(PASS);
}

/* --- time */

double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

double patience(void)
{
	return 1.5 * (double)set.slow;
}

void nap(int ms)
{
	struct timespec t = { ms / 1000, (ms % 1000) * 1000000L };

	while (nanosleep(&t, &t) < 0 && errno == EINTR)
		;
}

void fresh_server(void)
{
	leave_all();
	shared->fresh = true;
	while (shared->fresh)
		nap(1);
}

/* --- the bytes */

/* Far from periodic: a piece that is lost, doubled or swapped does not fit. */
static unsigned char byte_at(unsigned key, uint64_t position)
{
	uint64_t x = (position + 1) * UINT64_C(0x9e3779b97f4a7c15) + key * 0x632be5abU;

	x ^= x >> 29;
	return (unsigned char)((x * UINT64_C(0xbf58476d1ce4e5b9)) >> 56);
}

static void fill(const struct client *c, unsigned char *to, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] = byte_at(c->key, c->sent + i);
}

static void compare(struct client *c, const unsigned char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t at = c->got + i;

		if (at >= c->sent) {
			sees(SURPLUS);
			fail("more bytes came back than the %llu that were sent",
				(unsigned long long)c->sent);
		}
		if (bytes[i] == byte_at(c->key, at))
			continue;
		sees(WRONG_BYTE);
		fail("byte %llu came back as 0x%02x, not 0x%02x", (unsigned long long)at,
			bytes[i], byte_at(c->key, at));
	}
	c->got += n;
}

/* --- connections */

static struct client *clients[MAX_CLIENTS];
static size_t nclients;

static int new_socket(int rcvbuf)
{
	int one = 1;
	int fd = socket(
		set.at.sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		skip("socket: %s", strerror(errno));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	/* Before connect(2): the window that the server sees depends on it. */
	if (rcvbuf && setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &rcvbuf, sizeof rcvbuf) < 0)
		skip("SO_RCVBUF: %s", strerror(errno));
	return fd;
}

static int connect_to_server(int fd)
{
	const struct address *at = &shared->at;
	int got = connect(fd, (const struct sockaddr *)&at->sa, at->len);

	return got < 0 && errno == EINPROGRESS ? 0 : got;
}

/* How connect(2) ended: 0 for well, ETIMEDOUT for not yet. */
static int connection_error(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	int error = 0;
	socklen_t len = sizeof error;

	if (poll(&p, 1, ms) <= 0)
		return ETIMEDOUT;
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0 ? errno : error;
}

static struct client *start(int rcvbuf)
{
	struct client *c = calloc(1, sizeof *c);
	socklen_t len = sizeof c->here;

	if (!c || nclients == MAX_CLIENTS)
		skip("no room for another client");
	c->fd = new_socket(rcvbuf);
	c->key = (unsigned)nclients;
	clients[nclients++] = c;
	if (connect_to_server(c->fd) < 0) {
		sees(NO_CONNECTION);
		fail("connect: %s", strerror(errno));
	}
	if (getsockname(c->fd, (struct sockaddr *)&c->here, &len) < 0)
		skip("getsockname: %s", strerror(errno));
	return c;
}

struct client *dial_start(void)
{
	return start(0);
}

bool dial_done(struct client *c, int ms)
{
	int error = connection_error(c->fd, ms);

	if (error && error != ETIMEDOUT) {
		sees(NO_CONNECTION);
		fail("connect: %s", strerror(error));
	}
	return !error;
}

static struct client *connected(struct client *c)
{
	if (!dial_done(c, (int)(2000 * patience()))) {
		sees(NO_CONNECTION);
		fail("no connection");
	}
	return c;
}

struct client *dial(void)
{
	return connected(start(0));
}

struct client *meet(void)
{
	struct client *c = dial();

	echo(c, 10);
	return c;
}

struct client *dial_small(void)
{
	struct client *c = connected(start(SMALL));

	settle(); /* it has been accepted before the next one comes */
	return c;
}

void hang_up(struct client *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}

static bool gone_within(const struct client *c, struct silence *s)
{
	const struct timespec blink = { .tv_nsec = 50 * 1000 };
	struct far_end f;

	while (far_end(c, &f))
		if (silence_lasts(s))
			return false;
		else
			nanosleep(&blink, NULL);
	return true;
}

bool gone(const struct client *c)
{
	struct silence s = silence_starts();

	return gone_within(c, &s);
}

void reset(struct client *c)
{
	struct linger now_or_never = { .l_onoff = 1 };

	setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now_or_never, sizeof now_or_never);
	hang_up(c);
	gone(c);
}

void leave_all(void)
{
	struct silence s = silence_starts(); /* one for all of them */

	for (size_t i = 0; i < nclients; i++) {
		struct client *c = clients[i];
		bool rude = c->fd >= 0 && c->got < c->sent;

		hang_up(c);
		if (rude && have_process()) {
			gone_within(c, &s);
			settle();
		}
		free(c);
	}
	nclients = 0;
}

void fin(struct client *c)
{
	if (shutdown(c->fd, SHUT_WR) < 0) {
		sees(RESET);
		fail("shutdown after %llu bytes: %s", (unsigned long long)c->sent,
			strerror(errno));
	}
}

void widen(struct client *c)
{
	int big = 1 << 20;

	setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &big, sizeof big);
}

/* --- bytes there and back */

static _Noreturn void silent(const struct client *c)
{
	sees(SILENCE);
	fail("%llu of %llu bytes back, then silence", (unsigned long long)c->got,
		(unsigned long long)c->sent);
}

static _Noreturn void broken(const struct client *c, enum seen seen, const char *what)
{
	sees(seen);
	fail("%llu of %llu bytes back, then %s", (unsigned long long)c->got,
		(unsigned long long)c->sent, what);
}

static _Noreturn void refused(const struct client *c, int error)
{
	bool rst = error == ECONNRESET || error == EPIPE;

	broken(c, rst ? RESET : OTHER, error == ECONNRESET ? "a reset" : strerror(error));
}

size_t push(struct client *c, size_t n)
{
	static unsigned char bytes[CHUNK];
	size_t sent = 0;

	while (sent < n) {
		size_t piece = n - sent < sizeof bytes ? n - sent : sizeof bytes;

		fill(c, bytes, piece);
		ssize_t got = send(c->fd, bytes, piece, MSG_NOSIGNAL);
		if (got < 0 && errno == EAGAIN)
			break;
		if (got < 0)
			refused(c, errno);
		c->sent += (uint64_t)got;
		sent += (size_t)got;
		if ((size_t)got < piece)
			break;
	}
	return sent;
}

void say(struct client *c, size_t n)
{
	double end = now() + patience();

	while ((n -= push(c, n)) > 0) {
		struct pollfd p = { .fd = c->fd, .events = POLLOUT };

		poll(&p, 1, 10);
		if (now() > end) {
			sees(SILENCE);
			fail("it takes no more than %llu bytes",
				(unsigned long long)c->sent);
		}
	}
}

size_t take(struct client *c, size_t n)
{
	static unsigned char bytes[CHUNK];
	ssize_t got = recv(c->fd, bytes, n < sizeof bytes ? n : sizeof bytes, 0);

	if (got < 0 && errno == EAGAIN)
		return 0;
	if (got < 0)
		refused(c, errno);
	if (got == 0)
		c->eof = true;
	compare(c, bytes, (size_t)got);
	return (size_t)got;
}

bool readable(struct client *c, int ms)
{
	struct pollfd p = { .fd = c->fd, .events = POLLIN };

	return poll(&p, 1, ms) > 0;
}

/* Whether nothing more can come of it: bytes on their way are no silence yet. */
static bool hopeless(struct silence *s, const struct client *c)
{
	struct far_end f;
	int here;

	if (!silence_lasts(s))
		return false;
	if (now() > s->end)
		return true;
	return !(ioctl(c->fd, SIOCOUTQ, &here) == 0 && here > 0) &&
	       !(far_end(c, &f) && f.unsent > 0);
}

bool answered(struct client *c)
{
	struct silence s = silence_starts();

	while (!readable(c, 20))
		if (hopeless(&s, c))
			return readable(c, 0);
	return true;
}

static void await(struct client *c)
{
	if (!answered(c))
		silent(c);
}

void hear(struct client *c)
{
	while (c->got < c->sent) {
		await(c);
		take(c, CHUNK);
		if (c->eof && c->got < c->sent)
			broken(c, END_OF_STREAM, "end of file");
	}
}

void hear_eof(struct client *c)
{
	hear(c);
	while (!c->eof) {
		if (!answered(c)) {
			sees(SILENCE);
			fail("all %llu bytes back, but the server's FIN never came",
				(unsigned long long)c->got);
		}
		take(c, CHUNK);
	}
}

/* One turn of a client in the pump: returns whether anything moved. */
static bool turn(struct client *c, uint64_t goal, size_t piece, short revents)
{
	size_t moved = 0,
	       most = goal - c->sent < piece ? (size_t)(goal - c->sent) : piece;

	if ((revents & POLLOUT) && most > 0)
		moved += push(c, most);
	if (revents & (POLLIN | POLLERR | POLLHUP))
		moved += take(c, CHUNK);
	if (c->eof)
		broken(c, END_OF_STREAM, "end of file");
	return moved > 0;
}

void pump(struct client **c, size_t k, uint64_t n, size_t piece)
{
	struct pollfd p[MAX_PUMP];
	uint64_t goal[MAX_PUMP];
	struct silence s = silence_starts();

	for (size_t i = 0; i < k; i++)
		goal[i] = c[i]->sent + n;
	for (;;) {
		bool moved = false;
		size_t busy = k;

		for (size_t i = 0; i < k; i++) {
			bool done = c[i]->got == goal[i];

			p[i] = (struct pollfd){ .fd = done ? -1 : c[i]->fd,
				.events = c[i]->sent < goal[i] ? POLLIN | POLLOUT
							       : POLLIN };
			busy = done ? busy : i;
		}
		if (busy == k)
			return;
		poll(p, k, 20);
		for (size_t i = 0; i < k; i++)
			if (p[i].fd >= 0 && turn(c[i], goal[i], piece, p[i].revents))
				moved = true;
		if (moved)
			s = silence_starts();
		else if (hopeless(&s, c[busy]))
			silent(c[busy]);
	}
}

void echo(struct client *c, size_t n)
{
	pump(&c, 1, n, n);
}

struct client *bystander(void)
{
	struct client *c = dial();

	say(c, 10);
	if (!answered(c)) {
		hang_up(c);
		return NULL;
	}
	hear(c);
	return c;
}

void unharmed(struct client *bystander)
{
	if (bystander)
		echo(bystander, 10);
}

/* Done when for a while no client could send: what is stuck stays stuck. */
void stuff(struct client **c, size_t k, uint64_t most)
{
	double quiet = 0.15 * (double)set.slow, end = now() + quiet;

	while (now() < end) {
		for (size_t i = 0; i < k; i++)
			if (c[i]->sent < most &&
				push(c[i], (size_t)(most - c[i]->sent)) > 0)
				end = now() + quiet;
		nap(1);
	}
}

size_t unread(const struct client *c)
{
	int n = 0;

	return ioctl(c->fd, SIOCINQ, &n) == 0 ? (size_t)n : 0;
}

void delivered(const struct client *c)
{
	double end = now() + 0.1 * (double)set.slow;
	int n;

	while (ioctl(c->fd, SIOCOUTQ, &n) == 0 && n > 0 && now() < end)
		nap(1);
}

/* All of a short word, however small the pieces. */
static bool says(int fd, const char *word, size_t n, int ms)
{
	struct pollfd in = { .fd = fd, .events = POLLIN };
	char got[16];

	for (size_t at = 0; at < n;) {
		if (poll(&in, 1, ms) <= 0)
			return false;
		ssize_t r = recv(fd, got, n - at, 0);
		if (r <= 0 || memcmp(got, word + at, (size_t)r) != 0)
			return false;
		at += (size_t)r;
	}
	return true;
}

bool answers(void)
{
	static const char word[] = "ping";
	int fd = new_socket(0), ms = (int)(1000 * patience());
	bool good = connect_to_server(fd) == 0 && connection_error(fd, ms) == 0 &&
		    send(fd, word, sizeof word, MSG_NOSIGNAL) == sizeof word &&
		    says(fd, word, sizeof word, ms);

	close(fd);
	return good;
}

static int tries = 1;

void forgive_drops(void)
{
	tries = 20;
}

void still_serves(void)
{
	char how[80];

	for (int i = 0; i < tries; i++)
		if (answers())
			return;
	if (dies(how, sizeof how))
		fail("%s", how);
	sees(SILENCE);
	fail("afterwards a new client is not answered");
}

/* --- the far end of a connection: sock_diag(7) */

static void put_address(__be32 *to, __be16 *port, const struct sockaddr_storage *sa)
{
	const struct sockaddr_in *v4 = (const void *)sa;
	const struct sockaddr_in6 *v6 = (const void *)sa;

	*port = sa->ss_family == AF_INET ? v4->sin_port : v6->sin6_port;
	if (sa->ss_family == AF_INET)
		memcpy(to, &v4->sin_addr, sizeof v4->sin_addr);
	else
		memcpy(to, &v6->sin6_addr, sizeof v6->sin6_addr);
}

static int diag_socket(void)
{
	static int fd = -1;

	if (fd < 0)
		fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	return fd;
}

bool far_end(const struct client *c, struct far_end *f)
{
	struct {
		struct nlmsghdr head;
		struct inet_diag_req_v2 body;
	} ask = {
		.head = { .nlmsg_len = sizeof ask,
			.nlmsg_type = SOCK_DIAG_BY_FAMILY,
			.nlmsg_flags = NLM_F_REQUEST },
		.body = { .sdiag_family = (uint8_t)c->here.ss_family,
			.sdiag_protocol = IPPROTO_TCP,
			.idiag_states = ~0U,
			.id = { .idiag_cookie = { INET_DIAG_NOCOOKIE,
					INET_DIAG_NOCOOKIE } } },
	};
	struct {
		struct nlmsghdr head;
		struct inet_diag_msg body;
		char rest[512];
	} answer = { 0 };
	struct inet_diag_sockid *id = &ask.body.id;
	const struct address *at = &shared->at;

	put_address(id->idiag_src, &id->idiag_sport, &at->sa);
	put_address(id->idiag_dst, &id->idiag_dport, &c->here);
	if (send(diag_socket(), &ask, sizeof ask, 0) < 0 ||
		recv(diag_socket(), &answer, sizeof answer, 0) < 0)
		return false;
	if (answer.head.nlmsg_type != SOCK_DIAG_BY_FAMILY ||
		answer.body.id.idiag_dport != id->idiag_dport)
		return false; /* gone, or only the listener fits */
	f->state = answer.body.idiag_state;
	f->unread = answer.body.idiag_rqueue;
	f->unsent = answer.body.idiag_wqueue;
	return true;
}

void need_far_end(const struct client *c)
{
	struct far_end f;

	if (!far_end(c, &f))
		skip("this kernel has no socket diagnostics");
}
