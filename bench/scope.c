/* A live view of a process' epoll sets and what is stuck in them, without ptrace. */
#include "scope.h"
#include "args.h"
#include "err.h"
#include "stop.h"
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum { FIRST_MS = 200, SAME_KIND = 3 };

static pid_t pid;
static volatile sig_atomic_t resized;
static struct termios cooked;
static bool raw, screen;

/* Lines of text, cut to the terminal's size when there is one. */
struct page {
	char *text;
	size_t len, rows, cols, lines; /* rows 0: no limit */
	FILE *out;
};

__attribute__((format(printf, 2, 3))) static void line(
	struct page *p, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	if (p->rows > 0 && p->lines >= p->rows)
		return;
	va_start(ap, fmt);
	int n = vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (p->cols > 0 && n > (int)p->cols)
		text[p->cols] = '\0';
	fprintf(p->out, "%s%s", p->lines++ && p->rows > 0 ? "\r\n" : "", text);
	if (p->rows == 0)
		fputc('\n', p->out);
	else
		fputs("\033[K", p->out);
}

struct bit {
	uint32_t bit;
	const char *name;
};

/* ERR and HUP are not shown: the kernel adds them to every mask. */
static const struct bit bits[] = { { EPOLLIN, "IN" }, { EPOLLPRI, "PRI" },
	{ EPOLLOUT, "OUT" }, { EPOLLRDHUP, "RDHUP" }, { (uint32_t)EPOLLET, "ET" },
	{ EPOLLONESHOT, "ONESHOT" }, { EPOLLEXCLUSIVE, "EXCLUSIVE" },
	{ EPOLLWAKEUP, "WAKEUP" }, { 0, NULL } };

static bool fired(uint32_t events)
{
	return (events & EPOLLONESHOT) && !(events & (EPOLLERR | EPOLLHUP));
}

static const char *events_text(uint32_t events, char text[static 64])
{
	size_t n = 0;

	snprintf(text, 64, "%s", fired(events) ? "fired" : "-");
	for (const struct bit *b = bits; b->name; b++)
		if (events & b->bit)
			n += (size_t)snprintf(
				text + n, 64 - n, "%s%s", n ? "|" : "", b->name);
	if (fired(events))
		snprintf(text + n, 64 - n, "|fired");
	return text;
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

static void entry_line(struct page *p, const struct entry *e)
{
	const struct fd *f = e->is;
	const struct sock *s = f ? f->sock : NULL;
	char unread[16], unsent[16], events[64];

	number(unread, f, false);
	number(unsent, f, true);
	line(p, "%4d %-7s %-3s %7s %6s %-10s %-21s %s", e->fd, f ? f->type : "?",
		!f            ? "?"
		: f->blocking ? "no"
			      : "yes",
		unread, unsent, s ? diag_state(s) : "-",
		!s            ? "-"
		: s->peer[0]  ? s->peer
		: s->local[0] ? s->local
			      : "-",
		events_text(e->events, events));
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
		if (before < same)
			line(p, "%c fd %d: %s", level, f->fd, f->text);
		if (before != same)
			continue;
		for (size_t k = 0; k < found->n; k++)
			all += found->list[k].level == level &&
			       strcmp(found->list[k].kind, f->kind) == 0;
		line(p, "%c and %zu more of this kind (%s)", level, all - same, f->kind);
	}
}

static void text_page(struct page *p, const struct look *l, const struct findings *found)
{
	char counted[48] = "";

	if (l->counted)
		snprintf(counted, sizeof counted, ", epoll_wait %.1f/s", l->returns_s);
	line(p, "%d %s, state %c, CPU %.0f %%, wakeups %.1f/s%s", (int)pid, l->name,
		l->state, l->cpu, l->wakeups_s, counted);
	for (const char *level = "!?."; *level; level++)
		finding_lines(p, found, *level);
	if (l->blind)
		line(p, ". the queues cannot be seen: %s", l->blind);
	if (l->state == 'T' || l->state == 't')
		line(p, ". the process is stopped: nothing moves");
	if (l->n_sets == 0)
		line(p, ". no epoll set");
	for (size_t i = 0; i < l->n_sets; i++) {
		const struct set *s = &l->sets[i];

		line(p, "%s", "");
		line(p, "epoll set fd %d, watching %zu", s->fd, s->n);
		if (s->n > 0)
			line(p, "%4s %-7s %-3s %7s %6s %-10s %-21s %s", "FD", "TYPE",
				"NB", "UNREAD", "UNSENT", "STATE", "PEER", "EVENTS");
		for (size_t k = 0; k < s->n; k++)
			entry_line(p, &s->watched[k]);
	}
}

/* --- JSON */

static void json_string(const char *name, const char *text)
{
	printf("\"%s\":", name);
	if (!text || !*text) {
		printf("null");
		return;
	}
	putchar('"');
	for (const char *c = text; *c; c++)
		if (*c == '"' || *c == '\\')
			printf("\\%c", *c);
		else
			putchar(isprint((unsigned char)*c) && !(*c & 0x80) ? *c : '?');
	putchar('"');
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
	printf(",\"blocking\":%s,\"events\":[", !f            ? "null"
						: f->blocking ? "true"
							      : "false");
	for (const struct bit *b = bits; b->name; b++)
		if (e->events & b->bit) {
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

static void json_page(const struct look *l, const struct findings *found)
{
	printf("{\"process\":{\"pid\":%d,", (int)pid);
	json_string("name", l->name);
	printf(",\"state\":\"%c\",\"cpu_percent\":%.1f,\"wakeups_s\":%.1f,", l->state,
		l->cpu, l->wakeups_s);
	if (l->counted)
		printf("\"epoll_wait_s\":%.1f,", l->returns_s);
	else
		printf("\"epoll_wait_s\":null,");
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
		printf(",\"fd\":%d,", f->fd);
		json_string("kind", f->kind);
		putchar(',');
		json_string("text", f->text);
		putchar('}');
	}
	printf("]}\n");
}

/* --- looking, once or again and again */

static void restore(void)
{
	if (screen) {
		printf("\033[?25h\033[?1049l");
		fflush(stdout);
	}
	if (raw)
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &cooked);
	screen = raw = false;
}

static void look(struct look *l, const struct look *before)
{
	if (look_take(l, pid, before))
		return;
	int reason = errno;

	restore(); /* the news belongs on the old screen */
	errno = reason;
	if (errno == ESRCH)
		fprintf(stderr,
			before ? "%s: process %d is gone\n"
			       : "%s: there is no process %d\n",
			program_invocation_short_name, (int)pid);
	else
		warn_errno("process %d: its descriptors are not ours to see", (int)pid);
	exit(1);
}

static void flushed(void)
{
	if (fflush(stdout) != 0)
		die_errno("stdout");
}

static void draw_screen(const struct look *l)
{
	struct findings found = { 0 };
	struct page p = { .rows = 24, .cols = 80, .out = stdout };
	struct winsize w;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_row > 0 && w.ws_col > 0) {
		p.rows = w.ws_row;
		p.cols = w.ws_col;
	}
	find_all(l, &found);
	printf("\033[H");
	text_page(&p, l, &found);
	printf("\033[J");
	flushed();
	free(found.list);
}

static void on_resize(int sig)
{
	(void)sig;
	resized = 1;
}

/* Ctrl-C still makes a signal; Ctrl-Z and Ctrl-\ would leave the screen as it is. */
static void enter(void)
{
	struct sigaction act = { .sa_handler = on_resize };

	stop_on_signals();
	if (sigaction(SIGWINCH, &act, NULL) < 0 || sigaction(SIGTERM, NULL, &act) < 0 ||
		sigaction(SIGHUP, &act, NULL) < 0)
		die_errno("sigaction");
	if (atexit(restore) != 0)
		die_errno("atexit");
	if (tcgetattr(STDIN_FILENO, &cooked) == 0) {
		struct termios t = cooked;

		t.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
		t.c_cc[VSUSP] = t.c_cc[VQUIT] = _POSIX_VDISABLE;
		t.c_cc[VMIN] = 1;
		t.c_cc[VTIME] = 0;
		raw = tcsetattr(STDIN_FILENO, TCSAFLUSH, &t) == 0;
	}
	screen = true;
	printf("\033[?1049h\033[?25l");
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Until `until`, a q, a signal or a new size. Returns false on the first two reasons to
 * leave. */
static bool rest(double until)
{
	while (!stopping && !resized) {
		struct pollfd in = { .fd = raw ? STDIN_FILENO : -1, .events = POLLIN };
		double left = until - now();
		char key;

		if (left <= 0)
			return true;
		if (poll(&in, 1, (int)(left * 1000) + 1) <= 0)
			continue; /* the time has come, or a signal */
		if (read(STDIN_FILENO, &key, 1) <= 0 || key == 'q' || key == 'Q')
			return false;
	}
	return !stopping;
}

static void watch(struct look *before, double interval)
{
	struct look l;
	double next = now() + FIRST_MS / 1e3;

	enter();
	while (rest(next)) {
		if (resized && before->n_fds > 0)
			draw_screen(before);
		bool only_size = resized;
		resized = 0;
		if (only_size)
			continue;
		look(&l, before);
		draw_screen(&l);
		look_free(before);
		*before = l;
		next = now() + interval;
	}
}

static void once(const struct look *before, bool json)
{
	struct timespec wait = { .tv_nsec = FIRST_MS * 1000000L };
	struct page p = { .out = stdout };
	struct findings found = { 0 };
	struct look l;

	while (nanosleep(&wait, &wait) < 0 && errno == EINTR)
		;
	look(&l, before);
	find_all(&l, &found);
	if (json)
		json_page(&l, &found);
	else
		text_page(&p, &l, &found);
	flushed();
	free(found.list);
	look_free(&l);
}

int main(int argc, char **argv)
{
	bool plain = false, json = false;
	double interval = 1;
	const struct opt opts[] = {
		{ '1', "once", NULL, "two looks 0.2 s apart, as plain text",
			.flag = &plain },
		{ 'j', "json", NULL, "the same as one JSON object", .flag = &json },
		{ 'i', "interval", "S", "seconds between two looks, when live (1)",
			.real = &interval, .min = 0.1, .max = 3600 },
		{ 0 },
	};
	int first = args_parse(argc, argv,
		"Shows the epoll sets of any process, what is stuck in its sockets, and "
		"what looks wrong:\n'!' sure, '?' a hint, '.' a note. Live on a terminal "
		"(q quits), else as --once.",
		"PID", opts);
	struct look l;
	char *end;

	if (argc - first != 1)
		die_usage("takes one PID, see --help");
	errno = 0;
	long n = strtol(argv[first], &end, 10);
	if (end == argv[first] || *end || errno || n < 1 || n > INT32_MAX)
		die_usage("'%s' is not a process id", argv[first]);
	pid = (pid_t)n;
	diag_enter(pid);
	look(&l, NULL);
	if (plain || json || !isatty(STDOUT_FILENO))
		once(&l, json);
	else
		watch(&l, interval);
	look_free(&l);
	return 0;
}
