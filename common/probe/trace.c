#include "trace.h"
#include "clock.h"
#include "err.h"
#include "real.h"
#include "tag.h"
#include "text.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE = 1024 };

static bool tracing;
static bool clocked; /* LAB_TRACE=clock */
static int64_t start_ns;
static _Thread_local int64_t entered_ns; /* clocked: when this call began */

bool trace_init(void)
{
	const char *trace = getenv("LAB_TRACE");

	start_ns = now_ns();
	clocked = trace && strcmp(trace, "clock") == 0;
	if (trace && *trace && !clocked && strcmp(trace, "0") != 0 &&
		strcmp(trace, "1") != 0)
		die_usage("LAB_TRACE: '%s' is none of 0, 1, clock", trace);
	tracing = clocked || (trace && *trace == '1');
	if (tracing)
		tag_init();
	return tracing;
}

void trace_enter(void)
{
	if (clocked)
		entered_ns = now_ns();
}

bool trace_shows_waits(void)
{
	return tracing && !clocked;
}

/* What stands before each line. */
static int tell_time(char *to, size_t room)
{
	int64_t now = now_ns(), since = now - (clocked ? entered_ns : start_ns);
	int s = (int)(since / 1000000000), ns = (int)(since % 1000000000);

	if (!clocked && gettid() == getpid())
		return snprintf(to, room, "%3d.%06d ", s, ns / 1000);
	if (!clocked)
		return snprintf(to, room, "%3d.%06d [%d] ", s, ns / 1000, gettid());
	return snprintf(to, room, "%lld.%09d %d.%09d ", (long long)(now / 1000000000),
		(int)(now % 1000000000), s, ns);
}

/* One line, one write, so that threads and forks do not mix theirs. */
__attribute__((format(printf, 1, 2))) static void tell(const char *fmt, ...)
{
	char line[LINE];
	int n = tell_time(line, sizeof line);
	va_list ap;

	va_start(ap, fmt);
	n += vsnprintf(line + n, sizeof line - (size_t)n, fmt, ap);
	va_end(ap);
	if (n > LINE - 2)
		n = LINE - 2;
	line[n] = '\n';
	if (__real_write(STDERR_FILENO, line, (size_t)n + 1) < 0)
		return; /* nobody is listening: the server goes on */
}

/* The result, or the name of the error where it has one. */
static const char *outcome(ssize_t result, char text[24])
{
	const char *name = result < 0 ? errno_name(errno) : NULL;

	if (name)
		return name;
	if (result >= 0)
		snprintf(text, 24, "%zd", result);
	else
		snprintf(text, 24, "errno %d", errno);
	return text;
}

/* PRI, which few servers ask for, comes behind what they ask for. */
static const char *mask(uint32_t events, char text[64])
{
	const uint32_t usual = EPOLLIN | EPOLLOUT | EPOLLRDHUP;

	text[0] = '\0';
	mask_text(text, 64, events & usual);
	mask_text(text, 64, events & ~(usual | EPOLLWAKEUP));
	return *text ? text : "0";
}

void trace_wait(const char *name, int fd)
{
	if (tracing)
		tell("%s(%d) ...waits", name, fd);
}

void trace_wait_bytes(const char *name, int fd, size_t len)
{
	if (tracing)
		tell("%s(%d, %zu) ...waits", name, fd, len);
}

void trace_call(const char *name, int fd, ssize_t result)
{
	char text[24];

	if (tracing)
		tell("%s(%d) → %s", name, fd, outcome(result, text));
}

void trace_bytes(const char *name, int fd, size_t len, ssize_t result)
{
	char text[24];

	if (tracing)
		tell("%s(%d, %zu) → %s", name, fd, len, outcome(result, text));
}

void trace_ctl(int epfd, int op, int fd, const struct epoll_event *ev, int result)
{
	static const char *const ops[] = { "?", "ADD", "DEL", "MOD" };
	char bits[64], text[24];

	if (tracing)
		tell("epoll_ctl(%d, %s, %d, %s) → %s", epfd, ops[op & 3], fd,
			ev ? mask(ev->events, bits) : "NULL", outcome(result, text));
}

struct epoll_event *trace_tag(
	int op, int fd, struct epoll_event *ev, struct epoll_event *tagged)
{
	if (!tracing || !ev || op == EPOLL_CTL_DEL)
		return ev;
	*tagged = *ev;
	tagged->data.u64 = tag(fd, ev->data.u64);
	return tagged;
}

void trace_events(const char *name, int epfd, struct epoll_event *evs, int n)
{
	char line[LINE - 64], text[64];
	size_t len = 0;

	if (!tracing)
		return;
	line[0] = '\0';
	for (int i = 0; i < n; i++) {
		uint64_t data = evs[i].data.u64; /* the struct may be packed */
		int fd = untag(&data);

		evs[i].data.u64 = data;
		if (len < sizeof line - 80)
			len += (size_t)snprintf(line + len, sizeof line - len,
				"%s fd %d %s", i ? "," : ":", fd,
				mask(evs[i].events, text));
	}
	tell("%s(%d) → %s%s", name, epfd, outcome(n, text), line);
}
