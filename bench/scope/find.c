/* What stands out. Each finding names what the kernel shows; '!' is said only where that
 * leaves one explanation, or all but one that the line names. */
#include "scope.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#define ONESHOT ((uint32_t)EPOLLONESHOT)
#define EDGE ((uint32_t)EPOLLET)
/* What EPOLLONESHOT leaves when it has fired; all else is cleared. */
#define KEPT (ONESHOT | EDGE | (uint32_t)EPOLLEXCLUSIVE | (uint32_t)EPOLLWAKEUP)

/* What is being judged: a descriptor, and how a set watches it (NULL: not at all). */
struct subject {
	const struct look *l;
	const struct set *set;
	const struct entry *e;
	const struct fd *f;
	const struct sock *s;
	struct findings *out;
	bool stuck; /* some connection has output that does not move */
};

__attribute__((format(printf, 4, 5))) static void found(
	const struct subject *j, char level, const char *kind, const char *fmt, ...)
{
	struct findings *o = j->out;
	va_list ap;

	if ((o->n & (o->n - 1)) == 0) /* a power of two: full */
		o->list = grown(o->list, o->n ? 2 * o->n : 1, sizeof *o->list);
	struct finding *f = &o->list[o->n++];
	*f = (struct finding){ .level = level,
		.set = j->set ? j->set->fd : -1,
		.fd = j->e ? j->e->fd : j->f->fd,
		.kind = kind };
	va_start(ap, fmt);
	vsnprintf(f->text, sizeof f->text, fmt, ap);
	va_end(ap);
}

static double later(double a, double b)
{
	return a > b ? a : b;
}

/* Has it lasted? A process that had no time to act gets more of it. */
static bool lasted(const struct look *l, double since)
{
	bool busy = l->cpu > 50 || l->state == 'R';

	return l->at - since >= (busy ? 1.0 : 0.15);
}

/* It slept, and could have acted: then it did not want to. */
static char verdict(const struct look *l)
{
	return l->cpu > 50 || strchr("RTtD", l->state) ? '?' : '!';
}

static bool any_stuck(const struct look *l)
{
	for (size_t i = 0; i < l->n_fds; i++) {
		const struct fd *f = &l->fds[i];

		if (f->sock && f->sock->state != LISTENING && f->sock->unsent > 0)
			return true;
	}
	return false;
}

static const char *what_waits(const struct sock *s, char text[static 40])
{
	if (s->unread > 0)
		snprintf(text, 40, "%" PRIu32 " bytes%s", s->unread,
			s->fin ? " and a FIN" : "");
	else
		snprintf(text, 40, "a FIN");
	return text;
}

static void judge_oneshot(const struct subject *j)
{
	double since = later(j->e->since, j->s ? j->s->since_in : 0);
	double for_s = j->l->at - since;
	char text[40];

	if (!lasted(j->l, since))
		return;
	if (j->s && (j->s->unread > 0 || j->s->fin))
		found(j, verdict(j->l), "oneshot",
			"one-shot fired and not re-armed, %s unread for %.1f s",
			what_waits(j->s, text), for_s);
	else
		found(j, '?', "oneshot",
			"one-shot fired and not re-armed for %.1f s: deaf until MOD",
			for_s);
}

/* Input asked for, and not taken while output is stuck, by a process that never sleeps.
 */
static bool spins_on_input(const struct subject *j)
{
	double since = later(later(j->e->since, j->s->since_in), j->s->since_out);

	return (j->e->events & EPOLLIN) && !(j->e->events & (EDGE | ONESHOT)) &&
	       j->s->unread > 0 && j->s->unsent > 0 && j->l->cpu > 5 &&
	       j->l->wakeups_s < 1 && j->l->at - since >= 0.15;
}

static void judge_input(const struct subject *j)
{
	const struct sock *s = j->s;
	uint32_t ev = j->e->events;
	double since = later(j->e->since, s->since_in), for_s = j->l->at - since;
	char level = j->stuck || !s->counted ? '?' : verdict(j->l), text[40];

	if (spins_on_input(j)) {
		found(j, '?', "unread",
			"EPOLLIN armed, %" PRIu32
			" unread, output stuck: it spins under LT",
			s->unread);
		return;
	}
	if ((s->unread == 0 && !s->fin) || !lasted(j->l, since))
		return;
	what_waits(s, text);
	if (!(ev & EPOLLIN))
		found(j, '.', "paused", "EPOLLIN not armed, %s unread: paused for %.1f s",
			text, for_s);
	else if (s->unsent > 0)
		found(j, '.', "paused", "%s unread for %.1f s behind %" PRIu32 " unsent",
			text, for_s, s->unsent);
	else if (ev & EDGE)
		found(j, level, "unread", "%s unread on an edge-triggered fd for %.1f s",
			text, for_s);
	else
		found(j, '?', "unread",
			"%s unread for %.1f s, though EPOLLIN repeats itself", text,
			for_s);
}

static void judge_output(const struct subject *j)
{
	const struct sock *s = j->s;
	double since = later(j->e->since, s->since_out);

	if (!(j->e->events & EPOLLOUT) || s->unsent > 0 || j->l->at - since < 0.15 ||
		(s->state != ESTABLISHED && s->state != CLOSE_WAIT))
		return;
	if (j->e->events & (EDGE | ONESHOT))
		found(j, '.', "epollout",
			"EPOLLOUT armed with nothing to send: harmless under %s",
			j->e->events & EDGE ? "ET" : "ONESHOT");
	else
		found(j, s->counted ? '!' : '?', "epollout",
			"EPOLLOUT armed with nothing to send: it spins under LT");
}

/* The end of a stream is a level too: readable for ever, and HUP needs no asking. */
static void judge_end(const struct subject *j)
{
	uint32_t ev = j->e->events;
	double since = later(j->e->since, j->f->since);
	bool tcp = strcmp(j->f->type, "tcp") == 0;

	if (tcp && !j->s && !j->l->blind && lasted(j->l, since))
		found(j, ev & EDGE ? '?' : '!', "closed",
			ev & EDGE ? "reset, or never connected, and kept"
				  : "reset, or never connected: it spins under LT");
	if (!j->s || ev & (EDGE | ONESHOT) || j->s->state != CLOSE_WAIT || j->s->fin ||
		!(ev & (EPOLLIN | EPOLLRDHUP)))
		return;
	since = later(j->e->since, j->s->since_in);
	if (j->l->at - since >= 0.15)
		found(j, '!', "half-closed",
			"the FIN was read and %s is still armed: it spins under LT",
			ev & EPOLLIN ? "EPOLLIN" : "EPOLLRDHUP");
}

/* Each call could have MSG_DONTWAIT; one that sleeps has not. */
static void judge_blocking(const struct subject *j)
{
	if (j->f->asleep && lasted(j->l, j->f->since))
		found(j, '!', "blocking",
			"blocking socket in an edge-triggered set: a thread sleeps in "
			"it");
	else
		found(j, '?', "blocking",
			"blocking socket in an edge-triggered set: draining it can hang");
}

static void judge_entry(const struct subject *j)
{
	uint32_t ev = j->e->events;
	bool socket = j->f && (j->s || strcmp(j->f->type, "tcp") == 0);

	if (!j->f) {
		if (lasted(j->l, j->e->since))
			found(j, '?', "stale",
				"closed, or another by now; a copy of the old one is "
				"still watched");
		return;
	}
	if ((ev & ONESHOT) && !(ev & ~KEPT)) {
		judge_oneshot(j);
		return;
	}
	if (socket && j->f->blocking && (ev & EDGE))
		judge_blocking(j);
	if (socket)
		judge_end(j);
	if (j->s && j->s->state != LISTENING) {
		judge_input(j);
		judge_output(j);
	}
}

/* Accepting is first come, first served: one that was there at both looks has waited. */
static void judge_listener(const struct subject *j)
{
	double oldest = j->l->at;

	if (j->s->unread == 0)
		return;
	for (size_t i = j->l->n_socks; i-- > 0;) {
		const struct sock *s = &j->l->socks[i];

		if (!(s->key >> 63))
			break; /* sorted: those in a backlog come last */
		if (s->port == j->s->port &&
			(s->state == ESTABLISHED || s->state == CLOSE_WAIT) &&
			s->since_in < oldest)
			oldest = s->since_in;
	}
	if (lasted(j->l, oldest))
		found(j, verdict(j->l), "backlog",
			"listener with a backlog of %" PRIu32
			", nobody accepts, for %.1f s",
			j->s->unread, j->l->at - oldest);
}

static void judge_alone(const struct subject *j)
{
	double since = later(j->f->since, j->s->since_in);

	if (j->s->state != ESTABLISHED && j->s->state != CLOSE_WAIT)
		return;
	if (!lasted(j->l, j->f->since))
		return;
	if (j->s->unread > 0 && lasted(j->l, since))
		found(j, '?', "unwatched",
			"in no epoll set, %" PRIu32 " bytes unread for %.1f s",
			j->s->unread, j->l->at - since);
	else
		found(j, '.', "unwatched", "connected, and in no epoll set");
}

void find_all(const struct look *l, struct findings *out)
{
	struct subject j = { .l = l, .out = out, .stuck = any_stuck(l) };

	for (size_t i = 0; i < l->n_sets; i++)
		for (size_t k = 0; k < l->sets[i].n; k++) {
			j.set = &l->sets[i];
			j.e = &j.set->watched[k];
			j.f = j.e->is;
			j.s = j.f ? j.f->sock : NULL;
			judge_entry(&j);
		}
	j.set = NULL;
	j.e = NULL;
	for (size_t i = 0; i < l->n_fds; i++) {
		j.f = &l->fds[i];
		j.s = j.f->sock;
		if (j.s && j.s->state == LISTENING && strcmp(j.s->type, "tcp") == 0)
			judge_listener(&j);
		else if (j.s && l->n_sets > 0 && j.f->watched == 0)
			judge_alone(&j);
	}
}
