/* What stands out. Each finding names what the kernel shows; '!' is said only where that
 * leaves one explanation. What a process has not done yet is a hint: it may still do it.
 */
#include "scope.h"
#include "text.h"
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

/* A level that nobody takes away makes each epoll_wait return at once. Whether it does is
 * seen from the CPU, not from the mask: the process may be in no epoll_wait at all. */
static char spin_level(const struct look *l)
{
	return l->cpu > 5 ? '!' : '?';
}

static const char *spin_words(const struct look *l)
{
	return l->cpu > 5 ? "it spins under LT" : "each epoll_wait returns at once";
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

/* Its only thread sleeps in another call than one that waits for events. */
static bool asleep_elsewhere(const struct look *l)
{
	const struct task *t = &l->tasks[0];

	return l->n_tasks == 1 && !t->waits && t->call[0] && t->state == 'S' &&
	       lasted(l, t->since);
}

static void judge_oneshot(const struct subject *j)
{
	double since = later(j->e->since, j->s ? j->s->since_in : 0);
	double for_s = j->l->at - since;
	char text[40];

	if (!lasted(j->l, since))
		return;
	if (j->s && j->s->state == LISTENING && j->s->unread > 0)
		found(j, '?', "oneshot",
			"one-shot fired and not re-armed, %" PRIu32
			" connections wait for %.1f s",
			j->s->unread, for_s);
	else if (j->s && (j->s->unread > 0 || j->s->fin))
		found(j, '?', "oneshot",
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
	char text[40];

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
	if (asleep_elsewhere(j->l))
		found(j, '.', "unread",
			"%s unread for %.1f s: no thread is in epoll_wait", text, for_s);
	else if (!(ev & EPOLLIN))
		found(j, '.', "paused", "EPOLLIN not armed, %s unread: paused for %.1f s",
			text, for_s);
	else if (s->unsent > 0)
		found(j, '.', "paused", "%s unread for %.1f s behind %" PRIu32 " unsent",
			text, for_s, s->unsent);
	else if (ev & EDGE)
		found(j, '?', "unread", "%s unread on an edge-triggered fd for %.1f s",
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
		found(j, s->counted ? spin_level(j->l) : '?', "epollout",
			"EPOLLOUT armed with nothing to send: %s", spin_words(j->l));
}

/* The end of a stream is a level too: readable for ever, and HUP needs no asking. */
static void judge_end(const struct subject *j)
{
	uint32_t ev = j->e->events;
	double since = later(j->e->since, j->f->since);
	bool tcp = strcmp(j->f->type, "tcp") == 0;

	if (tcp && !j->s && !j->l->blind && lasted(j->l, since))
		found(j, ev & EDGE ? '?' : spin_level(j->l), "closed",
			"reset, or never connected%s%s", ev & EDGE ? ", and kept" : ": ",
			ev & EDGE ? "" : spin_words(j->l));
	if (!j->s || ev & (EDGE | ONESHOT) || j->s->state != CLOSE_WAIT || j->s->fin ||
		!(ev & (EPOLLIN | EPOLLRDHUP)))
		return;
	since = later(j->e->since, j->s->since_in);
	if (j->l->at - since >= 0.15)
		found(j, spin_level(j->l), "half-closed",
			"the FIN was read and %s is still armed: %s",
			ev & EPOLLIN ? "EPOLLIN" : "EPOLLRDHUP", spin_words(j->l));
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

/* An eventfd or a timerfd stays readable until it is read. */
static void judge_count(const struct subject *j)
{
	bool timer = strcmp(j->f->type, "timerfd") == 0;
	double since = later(j->e->since, j->f->since_count);

	if (!j->f->count || !(j->e->events & EPOLLIN) || !lasted(j->l, since))
		return;
	if (j->e->events & (EDGE | ONESHOT))
		found(j, '.', "count", "%s and is not read: harmless under ET",
			timer ? "the timer has expired" : "the eventfd was written");
	else
		found(j, spins(j->l) ? '!' : '?', "count",
			"%s and is not read for %.1f s: %s",
			timer ? "the timer has expired" : "the eventfd was written",
			j->l->at - since,
			spins(j->l) ? "it spins under LT"
				    : "each epoll_wait returns at once");
}

static const char *ready_text(short ready, char text[static 64])
{
	text[0] = '\0';
	mask_text(text, 64, (uint32_t)(unsigned short)ready);
	return text;
}

/* A pipe or an inner set that is ready, and whose edge is over. */
static void judge_ready(const struct subject *j)
{
	char text[64];

	if (j->e->ready <= 0 || !(j->e->events & EDGE) || j->s ||
		!lasted(j->l, later(j->e->since, j->e->since_ready)))
		return;
	found(j, '?', "unread", "ready (%s) for %.1f s on an edge-triggered fd",
		ready_text(j->e->ready, text), j->l->at - j->e->since_ready);
}

static void judge_datagrams(const struct subject *j)
{
	double since = later(j->e->since, j->s->since_in);

	if (j->s->unread == 0 || !(j->e->events & EPOLLIN) || !lasted(j->l, since))
		return;
	found(j, '?', "unread", "%" PRIu32 " bytes of datagrams unread for %.1f s%s",
		j->s->unread, j->l->at - since,
		j->e->events & EDGE ? ", on an edge-triggered fd" : "");
}

static void judge_entry(const struct subject *j)
{
	uint32_t ev = j->e->events;
	bool socket = j->f && (j->s || strcmp(j->f->type, "tcp") == 0);

	if (!j->f) {
		if (!lasted(j->l, j->e->since))
			return;
		if (j->e->copy)
			found(j, '!', "stale",
				"the number is another file by now; the old one, open as "
				"fd %d, is watched",
				j->e->copy->fd);
		else
			found(j, '?', "stale",
				"closed, or another by now; a copy of the old one is "
				"still watched");
		return;
	}
	if ((ev & ONESHOT) && !(ev & ~KEPT)) {
		judge_oneshot(j);
		return;
	}
	if (socket && (ev & EDGE) &&
		(j->f->asleep || (j->f->flags_known && j->f->blocking)))
		judge_blocking(j);
	judge_count(j);
	judge_ready(j);
	if (socket)
		judge_end(j);
	if (j->s && strcmp(j->s->type, "udp") == 0)
		judge_datagrams(j);
	else if (j->s && j->s->state != LISTENING) {
		judge_input(j);
		judge_output(j);
	}
}

/* Accepting is first come, first served: one that was there at both looks has waited. */
static void judge_listener(const struct subject *j)
{
	double oldest = j->l->at;
	char full[72] = "";

	if (j->s->unread == 0)
		return;
	if (j->s->type[0] ==
		'u') /* who waits at a Unix listener has no entry of its own */
		oldest = j->s->since_in;
	if (j->l->limit && j->l->n_fds >= j->l->limit)
		snprintf(full, sizeof full, ": %zu of %zu descriptors are open",
			j->l->n_fds, j->l->limit);
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
		found(j, '?', "backlog",
			*full ? "listener with a backlog of %" PRIu32 " for %.1f s%s"
			      : "listener with a backlog of %" PRIu32
				", nobody accepts, for %.1f s%s",
			j->s->unread, j->l->at - oldest, full);
}

static void judge_alone(const struct subject *j)
{
	double since = later(j->f->since, j->s->since_in);

	if (strcmp(j->s->type, "udp") == 0 ||
		(j->s->state != ESTABLISHED && j->s->state != CLOSE_WAIT))
		return;
	if (!lasted(j->l, j->f->since))
		return;
	if (j->s->unread > 0 && lasted(j->l, since))
		found(j, '?', "unwatched",
			"in no epoll set, %" PRIu32 " bytes unread for %.1f s",
			j->s->unread, j->l->at - since);
	else if (strcmp(j->s->type, "tcp") == 0) /* a pair of Unix sockets is a tool */
		found(j, '.', "unwatched", "connected, and in no epoll set");
}

/* Who sleeps in a call other than one that is there to wait keeps all its events waiting,
 * if it is the only thread. */
static void judge_task(struct subject *j, const struct task *t)
{
	static const struct fd none = { .fd = -1, .type = "?" };
	bool alone = j->l->n_tasks == 1;

	if (t->waits || !t->call[0] || strchr("RTt", t->state) || !lasted(j->l, t->since))
		return;
	j->f = find_fd(j->l->fds, j->l->n_fds, sizeof *j->f, t->fd);
	if (j->f && j->f->watched && (j->f->asleep || !alone))
		return; /* told with the entry, or the thread's own business */
	if (!j->f)
		j->f = &none;
	if (t->fd >= 0)
		found(j, alone ? '!' : '.', "asleep",
			"thread %d sleeps in %s(%d) for %.1f s%s", (int)t->tid, t->call,
			t->fd, j->l->at - t->since, alone ? ", and all else waits" : "");
	else
		found(j, alone ? '?' : '.', "asleep",
			"thread %d sleeps in %s for %.1f s%s", (int)t->tid, t->call,
			j->l->at - t->since, alone ? ", and no event wakes it" : "");
}

/* What stays ready. A TCP socket may have been served in between; with a queue that moves
 * it is no reason. */
static bool explains(const struct entry *e)
{
	const struct fd *f = e->is ? e->is : e->copy;

	if (e->ready <= 0 || !f || f->count)
		return false;
	return !f->sock || strcmp(f->sock->type, "tcp") != 0 ||
	       (e->ready & (EPOLLERR | EPOLLHUP)) != 0;
}

static bool has_spin(const struct findings *o)
{
	for (size_t i = 0; i < o->n; i++)
		if (strstr(o->list[i].text, "spins"))
			return true;
	return false;
}

/* Where poll may not be asked, what is watched and no TCP socket is named. */
static void judge_unknown_spin(struct subject *j)
{
	char names[48] = "";

	for (size_t i = 0; i < j->l->n_sets; i++)
		for (size_t k = 0; k < j->l->sets[i].n; k++) {
			const struct entry *e = &j->l->sets[i].watched[k];
			size_t n = strlen(names);

			if (!e->is || e->events & (EDGE | ONESHOT) || e->is->sock ||
				e->ready >= 0 || n > sizeof names - 18)
				continue;
			snprintf(names + n, sizeof names - n, "%sfd %d (%s)",
				n ? ", " : "", e->fd, e->is->type);
		}
	j->f = &j->l->fds[0];
	for (size_t i = 0; i < j->l->n_sets && j->l->n_fds > 0; i++)
		j->f = find_fd(j->l->fds, j->l->n_fds, sizeof *j->f, j->l->sets[i].fd);
	if (j->f && *names)
		found(j, '?', "spin", "it spins, not by a TCP socket: look at %s", names);
	else if (j->f)
		found(j, '.', "spin",
			"it never sleeps: it computes, or waits with timeout 0");
}

static void judge_spin(struct subject *j)
{
	bool any = false;
	char text[64];

	if (!spins(j->l) || j->l->n_sets == 0 || has_spin(j->out))
		return;
	for (size_t i = 0; i < j->l->n_sets; i++)
		for (size_t k = 0; k < j->l->sets[i].n; k++) {
			const struct entry *e = &j->l->sets[i].watched[k];

			if (!explains(e))
				continue;
			any = true;
			j->set = &j->l->sets[i];
			j->e = e;
			j->f = e->is ? e->is : e->copy;
			if (e->ready & EPOLLERR && j->f->sock &&
				j->f->sock->state == ESTABLISHED)
				found(j, '?', "spin",
					"the error queue is not read (ERR): it spins "
					"under LT");
			else
				found(j, '?', "spin",
					"stays ready (%s): it spins under LT",
					ready_text(e->ready, text));
		}
	j->set = NULL;
	j->e = NULL;
	if (!any)
		judge_unknown_spin(j);
}

void find_all(const struct look *l, struct findings *out)
{
	struct subject j = { .l = l, .out = out };

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
		if (j.s && j.s->state == LISTENING)
			judge_listener(&j);
		else if (j.s && l->n_sets > 0 && j.f->watched == 0)
			judge_alone(&j);
	}
	for (size_t i = 0; l->n_sets > 0 && i < l->n_tasks; i++)
		judge_task(&j, &l->tasks[i]);
	judge_spin(&j);
}
