/* Bytes there and back on the attacker's connections, each compared. */
#include "torture.h"
#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

enum {
	CHUNK = 256 * 1024,
	MAX_PUMP = 64,
};

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
