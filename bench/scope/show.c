/* A look as text, on a page or a screen, and as JSON. */
#include "scope.h"
#include "text.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

enum { SAME_KIND = 3 };

/* Lines of text, cut to the terminal's size when there is one. */
struct page {
	size_t rows, cols, lines; /* rows 0: no limit */
};

__attribute__((format(printf, 2, 3))) static void line(
	struct page *p, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	bool live = p->rows > 0;

	if (live && p->lines >= p->rows)
		return;
	va_start(ap, fmt);
	int n = vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (p->cols > 0 && n > (int)p->cols)
		text[p->cols] = '\0';
	if (live) /* erased before: behind the last column, erasing takes that one too */
		printf("%s\033[K%s", p->lines++ ? "\r\n" : "", text);
	else
		puts(text);
}

/* A sentence that is wider than the terminal goes on in the next line. */
static void sentence(struct page *p, const char *text)
{
	size_t indent = 0, len = strlen(text);

	while (p->cols > 8 && indent + len > p->cols) {
		size_t n = p->cols - indent;

		while (n > 0 && text[n] != ' ')
			n--;
		if (n == 0)
			break;
		line(p, "%*s%.*s", (int)indent, "", (int)n, text);
		text += n + 1;
		len = strlen(text);
		indent = 4;
	}
	line(p, "%*s%s", (int)indent, "", text);
}

static bool fired(uint32_t events)
{
	return (events & EPOLLONESHOT) && !(events & (EPOLLERR | EPOLLHUP));
}

/* ERR and HUP are not shown: the kernel adds them to every mask. */
static uint32_t asked_for(uint32_t events)
{
	return events & ~(uint32_t)(EPOLLERR | EPOLLHUP);
}

static const char *events_text(uint32_t events, char text[static 64])
{
	size_t n;

	text[0] = '\0';
	mask_text(text, 64, asked_for(events));
	n = strlen(text);
	if (fired(events))
		snprintf(text + n, 64 - n, "%sfired", n ? "|" : "");
	return *text ? text : "-";
}

static void number(char text[static 16], const struct fd *f, bool unsent)
{
	if (f && f->sock && unsent && f->sock->state == LISTENING)
		snprintf(text, 16, "-");
	else if (f && f->sock)
		snprintf(
			text, 16, "%" PRIu32, unsent ? f->sock->unsent : f->sock->unread);
	else
		snprintf(text, 16, "%s",
			f && (strcmp(f->type, "tcp") == 0 || strcmp(f->type, "unix") == 0)
				? "?"
				: "-");
}

static void head_line(struct page *p)
{
	line(p, "%4s %-7s %-3s %7s %6s %-10s %-21s %s", "FD", "TYPE", "NB", "UNREAD",
		"UNSENT", "STATE", "PEER", "EVENTS");
}

/* A peer, or a listener's own address. */
static const char *address_text(const struct sock *s, char text[static 64])
{
	if (!s || (!s->peer[0] && !s->local[0]))
		return "-";
	snprintf(text, 64, "%s%s", s->peer[0] ? "" : "at ",
		s->peer[0] ? s->peer : s->local);
	return text;
}

static void entry_line(struct page *p, const struct entry *e, const char *armed)
{
	const struct fd *f = e->is;
	const struct sock *s = f ? f->sock : NULL;
	char unread[16], unsent[16], address[64];

	number(unread, f, false);
	number(unsent, f, true);
	line(p, "%4d %-7s %-3s %7s %6s %-10s %-21s %s", e->fd, f ? f->type : "?",
		!f || !f->flags_known ? "?"
		: f->blocking         ? "no"
				      : "yes",
		unread, unsent, s ? diag_state(s) : "-", address_text(s, address), armed);
}

/* A few of each kind in full, how many more there are in one line. */
static void finding_lines(struct page *p, const struct findings *found, char level)
{
	for (size_t i = 0; i < found->n; i++) {
		const struct finding *f = &found->list[i];
		size_t before = 0, all = 0, same = level == '.' ? 1 : SAME_KIND;

		if (f->level != level)
			continue;
		for (size_t k = 0; k < found->n && before <= same; k++)
			if (found->list[k].level == level &&
				strcmp(found->list[k].kind, f->kind) == 0)
				before += k < i;
		if (before < same) {
			char text[sizeof f->text + 32];

			if (f->fd >= 0)
				snprintf(text, sizeof text, "%c fd %d: %s", level, f->fd,
					f->text);
			else
				snprintf(text, sizeof text, "%c %s", level, f->text);
			sentence(p, text);
		}
		if (before != same)
			continue;
		for (size_t k = 0; k < found->n; k++)
			all += found->list[k].level == level &&
			       strcmp(found->list[k].kind, f->kind) == 0;
		line(p, "%c and %zu more of this kind (%s)", level, all - same, f->kind);
	}
}

/* Without an epoll set a server waits in its calls: its threads, and its sockets. */
static void plain_lines(struct page *p, const struct look *l)
{
	bool first = true;

	for (size_t i = 0; i < l->n_tasks; i++) {
		const struct task *t = &l->tasks[i];

		if (t->fd >= 0)
			line(p, ". thread %d sleeps in %s(%d)", (int)t->tid, t->call,
				t->fd);
		else if (t->call[0])
			line(p, ". thread %d sleeps in %s", (int)t->tid, t->call);
		else
			line(p, ". thread %d, state %c", (int)t->tid, t->state);
	}
	for (size_t i = 0; i < l->n_fds; i++) {
		const struct fd *f = &l->fds[i];
		const struct entry e = { .fd = f->fd, .is = f };

		if (!f->sock)
			continue;
		if (first) {
			line(p, "%s", "");
			head_line(p);
		}
		first = false;
		entry_line(p, &e, "-");
		/* Of a listener, unread is its queue and unsent the room in it. */
		if (f->sock->state == LISTENING && strcmp(f->type, "tcp") == 0)
			line(p,
				"     its backlog: %" PRIu32 " of %" PRIu32
				" wait for accept",
				f->sock->unread, f->sock->unsent);
	}
}

/* A master that only waits for its children has nothing to show itself. */
static void child_lines(struct page *p, const struct look *l)
{
	char text[512];
	size_t n = 0;

	if (l->n_children == 0)
		return;
	n = (size_t)snprintf(text, sizeof text,
		". it has %zu %s, which scope shows by their own numbers:", l->n_children,
		l->n_children == 1 ? "child" : "children");
	for (size_t i = 0; i < l->n_children && n < sizeof text - 40; i++)
		n += (size_t)snprintf(text + n, sizeof text - n, " %d %s%s",
			(int)l->children[i].pid, l->children[i].name,
			i + 1 < l->n_children ? "," : "");
	sentence(p, text);
}

static void ring_lines(struct page *p, const struct look *l)
{
	for (size_t i = 0; i < l->n_fds; i++)
		if (strcmp(l->fds[i].type, "uring") == 0)
			line(p,
				". fd %d is an io_uring: what waits in it is not to be "
				"seen",
				l->fds[i].fd);
}

void show_text(
	const struct look *l, const struct findings *found, size_t rows, size_t cols)
{
	struct page page = { .rows = rows, .cols = cols }, *p = &page;
	char counted[48] = "", head[256], events[64], limit[32] = "";

	if (l->counted)
		snprintf(counted, sizeof counted, ", epoll_wait %.1f/s", l->returns_s);
	if (l->limit)
		snprintf(limit, sizeof limit, "/%zu", l->limit);
	snprintf(head, sizeof head,
		"%d %s, state %c, CPU %.0f %%, wakeups %.1f/s%s, fds %zu%s", (int)l->pid,
		l->name, l->state, l->cpu, l->wakeups_s, counted, l->n_fds, limit);
	sentence(p, head);
	for (const char *level = "!?."; *level; level++)
		finding_lines(p, found, *level);
	if (l->blind)
		line(p, ". the queues cannot be seen: %s", l->blind);
	if (l->state == 'T' || l->state == 't')
		line(p, ". the process is stopped: nothing moves");
	child_lines(p, l);
	ring_lines(p, l);
	if (l->n_sets == 0)
		line(p, ". no epoll set");
	if (l->n_sets == 0)
		plain_lines(p, l);
	for (size_t i = 0; i < l->n_sets; i++) {
		const struct set *s = &l->sets[i];

		line(p, "%s", "");
		line(p, "epoll set fd %d, watching %zu", s->fd, s->n);
		if (s->n > 0)
			head_line(p);
		for (size_t k = 0; k < s->n; k++)
			entry_line(p, &s->watched[k],
				events_text(s->watched[k].events, events));
	}
	if (rows > 0 && p->lines < rows)
		printf("\r\n\033[J");
}

/* --- JSON */

static void json_string(const char *name, const char *text)
{
	printf("\"%s\":", name);
	if (!text || !*text) {
		printf("null");
		return;
	}
	json_text(stdout, text, JSON_ASCII);
}

static void json_entry(const struct entry *e)
{
	const struct fd *f = e->is;
	const struct sock *s = f ? f->sock : NULL;
	const char *comma = "";

	printf("{\"fd\":%d,", e->fd);
	json_string("type", f ? f->type : NULL);
	putchar(',');
	json_string("local", s ? s->local : NULL);
	putchar(',');
	json_string("peer", s ? s->peer : NULL);
	putchar(',');
	json_string("state", s ? diag_state(s) : NULL);
	printf(",\"blocking\":%s,\"events\":[", !f || !f->flags_known ? "null"
						: f->blocking         ? "true"
								      : "false");
	for (const struct event_bit *b = event_bits; b->name; b++)
		if (asked_for(e->events) & b->bit) {
			printf("%s\"%s\"", comma, b->name);
			comma = ",";
		}
	printf("],\"fired\":%s", fired(e->events) ? "true" : "false");
	if (s && s->state == LISTENING)
		printf(",\"unread\":%" PRIu32 ",\"unsent\":null}", s->unread);
	else if (s)
		printf(",\"unread\":%" PRIu32 ",\"unsent\":%" PRIu32 "}", s->unread,
			s->unsent);
	else
		printf(",\"unread\":null,\"unsent\":null}");
}

/* Sockets in no epoll set. */
static void json_unwatched(const struct look *l)
{
	const char *comma = "";

	for (size_t i = 0; i < l->n_fds; i++) {
		const struct entry e = { .fd = l->fds[i].fd, .is = &l->fds[i] };

		if (!l->fds[i].sock || l->fds[i].watched)
			continue;
		fputs(comma, stdout);
		json_entry(&e);
		comma = ",";
	}
}

void show_json(const struct look *l, const struct findings *found)
{
	printf("{\"process\":{\"pid\":%d,", (int)l->pid);
	json_string("name", l->name);
	printf(",\"state\":\"%c\",\"cpu_percent\":%.1f,\"wakeups_s\":%.1f,", l->state,
		l->cpu, l->wakeups_s);
	if (l->counted)
		printf("\"epoll_wait_s\":%.1f,", l->returns_s);
	else
		printf("\"epoll_wait_s\":null,");
	printf("\"descriptors\":%zu,", l->n_fds);
	printf(l->limit ? "\"limit\":%zu," : "\"limit\":null,", l->limit);
	json_string("blind", l->blind);
	printf("},\"sets\":[");
	for (size_t i = 0; i < l->n_sets; i++) {
		printf("%s{\"fd\":%d,\"fds\":[", i ? "," : "", l->sets[i].fd);
		for (size_t k = 0; k < l->sets[i].n; k++) {
			fputs(k ? "," : "", stdout);
			json_entry(&l->sets[i].watched[k]);
		}
		printf("]}");
	}
	printf("],\"threads\":[");
	for (size_t i = 0; i < l->n_tasks; i++) {
		printf("%s{\"tid\":%d,\"state\":\"%c\",", i ? "," : "",
			(int)l->tasks[i].tid, l->tasks[i].state);
		json_string("call", l->tasks[i].call);
		printf(l->tasks[i].fd >= 0 ? ",\"fd\":%d}" : ",\"fd\":null}",
			l->tasks[i].fd);
	}
	printf("],\"sockets\":[");
	json_unwatched(l);
	printf("],\"children\":[");
	for (size_t i = 0; i < l->n_children; i++) {
		printf("%s{\"pid\":%d,", i ? "," : "", (int)l->children[i].pid);
		json_string("name", l->children[i].name);
		putchar('}');
	}
	printf("],\"findings\":[");
	for (size_t i = 0; i < found->n; i++) {
		const struct finding *f = &found->list[i];

		printf("%s{\"level\":\"%s\",\"set\":", i ? "," : "",
			f->level == '!'   ? "sure"
			: f->level == '?' ? "hint"
					  : "note");
		if (f->set >= 0)
			printf("%d", f->set);
		else
			printf("null");
		printf(f->fd >= 0 ? ",\"fd\":%d," : ",\"fd\":null,", f->fd);
		json_string("kind", f->kind);
		putchar(',');
		json_string("text", f->text);
		putchar('}');
	}
	printf("]}\n");
}
