/* A live view of a process' epoll sets and what is stuck in them, without ptrace. */
#include "scope.h"
#include "args.h"
#include "clock.h"
#include "err.h"
#include "stop.h"
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum { FIRST_MS = 200, BUSY_MS = 1200 };

static pid_t pid;
static volatile sig_atomic_t resized;
static struct termios cooked;
static bool raw, screen;

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

/* Of the terminal; some say 0 by 0. */
static struct winsize size(void)
{
	struct winsize w;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) < 0 || w.ws_row == 0 || w.ws_col == 0)
		w = (struct winsize){ .ws_row = 24, .ws_col = 80 };
	return w;
}

/* A screen that can move its cursor. */
static bool can_draw(void)
{
	const char *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && term && *term && strcmp(term, "dumb") != 0;
}

static void draw_screen(const struct look *l)
{
	struct findings found = { 0 };
	struct winsize w = size();

	find_all(l, &found);
	printf("\033[H");
	show_text(l, &found, w.ws_row, w.ws_col);
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

/* Until `until`, a q, a signal or a new size. Returns false on the first two reasons to
 * leave. */
static bool rest(double until)
{
	while (!stopping && !resized) {
		struct pollfd in = { .fd = raw ? STDIN_FILENO : -1, .events = POLLIN };
		double left = until - now_s();
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
	double next = now_s() + FIRST_MS / 1e3;

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
		next = now_s() + interval;
	}
}

static void pause_until(double when)
{
	double left = when - now_s();

	if (left > 0)
		clock_nanosleep(CLOCK_MONOTONIC, 0,
			&(struct timespec){ .tv_sec = (time_t)left,
				.tv_nsec = (long)((left - (double)(time_t)left) * 1e9) },
			NULL);
}

static void once(const struct look *before, bool json)
{
	struct findings found = { 0 };
	struct look l;

	pause_until(before->at + FIRST_MS / 1e3);
	look(&l, before);
	/* A busy process is only accused of what lasts a second: find.c, lasted(). */
	if (l.cpu > 20 || l.state == 'R') {
		pause_until(before->at + BUSY_MS / 1e3);
		look_free(&l);
		look(&l, before);
	}
	find_all(&l, &found);
	if (json)
		show_json(&l, &found);
	else
		show_text(&l, &found, 0, isatty(STDOUT_FILENO) ? size().ws_col : 0);
	flushed();
	free(found.list);
	look_free(&l);
}

int main(int argc, char **argv)
{
	bool plain = false, json = false;
	double interval = 1;
	const struct opt opts[] = {
		{ '1', "once", NULL,
			"two looks 0.2 s apart (1.2 s if it is busy), as plain text",
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
	if (plain || json || !can_draw())
		once(&l, json);
	else
		watch(&l, interval);
	look_free(&l);
	return 0;
}
