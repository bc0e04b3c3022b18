/* Prints the page of counts of a running or finished lab: once, or live. */
#include "args.h"
#include "clock.h"
#include "err.h"
#include "page.h"
#include "stop.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

/* Only the calls that this server makes, and no bytes where none can be moved. */
static bool worth(const uint64_t value[COUNTERS], size_t i)
{
	const char *outcome = strchr(page_name(i), '.');
	size_t call = i / 7;

	if (i == (size_t)page_index("splice.out_bytes"))
		return value[7 * PROBE_SPLICE] > 0;
	if (i >= 7 * PROBE_CALLS)
		return true;
	if (!page_moves(call) &&
		(strcmp(outcome, ".bytes") == 0 || strcmp(outcome, ".eof") == 0))
		return false;
	return value[7 * call] > 0;
}

static void print_once(const struct probe_page *page)
{
	uint64_t value[COUNTERS];

	page_read(page, value);
	printf("pid\t%" PRId64 "\nstate\t%s\nuptime_s\t%.3f\n", page->pid,
		page_running(page) ? "running" : "ended", page_uptime(page));
	for (size_t i = 0; i < COUNTERS; i++)
		if (worth(value, i))
			printf("%s\t%" PRIu64 "\n", page_name(i), value[i]);
}

static double mb_s(uint64_t after, uint64_t before, double seconds)
{
	/* Signed: of a splice between two snapshots, one may have seen only half. */
	return (double)(int64_t)(after - before) / seconds / 1e6;
}

static uint64_t sum(const uint64_t value[COUNTERS], const char *const names[3])
{
	uint64_t total = 0;

	for (int i = 0; i < 3; i++)
		total += value[page_index(names[i])];
	return total;
}

/* Where the live table goes: a terminal that can move its cursor, or a log. */
static struct {
	size_t rows, cols, lines; /* rows 0: a log */
} screen;

static void measure_screen(void)
{
	const char *term = getenv("TERM");
	struct winsize w;

	screen.rows = screen.lines = 0;
	if (!isatty(STDOUT_FILENO) || !term || !*term || strcmp(term, "dumb") == 0)
		return;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) < 0 || w.ws_row == 0 || w.ws_col == 0)
		w = (struct winsize){ .ws_row = 24, .ws_col = 80 };
	screen.rows = w.ws_row;
	screen.cols = w.ws_col;
}

/* Cut to the screen, whose last row stays free for the cursor. */
__attribute__((format(printf, 1, 2))) static void line(const char *fmt, ...)
{
	char text[256];
	va_list ap;

	if (screen.rows > 0 && screen.lines + 1 >= screen.rows)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (screen.rows > 0 && screen.cols < sizeof text)
		text[screen.cols] = '\0';
	printf("%s%s\n", screen.rows > 0 ? "\033[K" : "", text);
	screen.lines++;
}

static void print_live(const struct probe_page *page, const uint64_t then[COUNTERS],
	const uint64_t value[COUNTERS], double seconds)
{
	static const char *const in[] = { "recv.bytes", "read.bytes", "splice.bytes" };
	static const char *const out[] = { "send.bytes", "write.bytes",
		"sendfile.bytes" };
	size_t spliced = (size_t)page_index("splice.out_bytes");
	uint64_t sent = value[spliced], sent_then = then[spliced];
	uint64_t opened = value[page_index("connections.opened")];
	uint64_t active = value[page_index("connections.active")];

	if (screen.rows > 0)
		printf("\033[H");
	line("pid %" PRId64 "%s, up %.0f s, connections: %" PRIu64 " in all, %" PRIu64
	     " active",
		page->pid, page_running(page) ? "" : " (ended)", page_uptime(page),
		opened, active);
	line("in %.2f MB/s, out %.2f MB/s",
		mb_s(sum(value, in) - sent, sum(then, in) - sent_then, seconds),
		mb_s(sum(value, out) + sent, sum(then, out) + sent_then, seconds));
	line("%-22s %14s %14s", "", "total", "per second");
	for (size_t i = 0; i < COUNTERS; i++)
		if (worth(value, i) && value[i] > 0)
			line("%-22s %14" PRIu64 " %14.0f", page_name(i), value[i],
				((double)value[i] - (double)then[i]) / seconds);
	fputs(screen.rows > 0 ? "\033[J" : "\n", stdout);
}

static void watch(const struct probe_page *page)
{
	uint64_t value[COUNTERS], then[COUNTERS];
	int64_t before = now_ns();

	stop_on_signals();
	page_read(page, then);
	measure_screen();
	if (screen.rows > 0)
		printf("\033[H\033[J");
	while (!stopping) {
		struct timespec second = { .tv_sec = 1 };

		if (nanosleep(&second, NULL) < 0)
			continue; /* EINTR: asked to stop */
		page_read(page, value);
		int64_t t = now_ns();
		if (screen.rows > 0)
			measure_screen();
		print_live(page, then, value, (double)(t - before) / NS_PER_S);
		if (fflush(stdout) != 0)
			die_errno("stdout");
		before = t;
		memcpy(then, value, sizeof then);
	}
}

int main(int argc, char **argv)
{
	bool live = false;
	const struct opt opts[] = {
		{ 'w', "watch", NULL, "a live table with rates, once a second",
			.flag = &live },
		{ 0 },
	};
	int first = args_parse(argc, argv,
		"Prints the counts that a lab started with LAB_COUNTS=FILE keeps in "
		"FILE.",
		"FILE", opts);

	if (argc - first != 1)
		die_usage("takes one FILE, see --help");
	const struct probe_page *page = page_open(argv[first]);
	if (live)
		watch(page);
	else
		print_once(page);
	if (fflush(stdout) != 0)
		die_errno("stdout");
	return 0;
}
