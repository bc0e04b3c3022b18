/* How a probe ends, and how long it waits. */
#include "clock.h"
#include "torture.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

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

double now(void)
{
	return now_s();
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
