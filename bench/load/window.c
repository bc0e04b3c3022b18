#include "load/window.h"

struct window window = { .start = INT64_MAX, .wrong.id = -1 };

void window_init(void)
{
	window.response = hist_new();
	window.service = hist_new();
	window.lag = hist_new();
}

const char *trouble_name(enum trouble t)
{
	static const char *const names[TROUBLES] = { "reset", "eof", "corrupt", "timeout",
		"other" };

	return names[t];
}

void window_answered(int64_t due, int64_t sent, int64_t now)
{
	if (due < window.start)
		return;
	window.received++;
	window.in_time += now < window.last_due;
	hist_record(window.response, (uint64_t)(now - due));
	hist_record(window.service, (uint64_t)(now - sent));
}

void window_unanswered(int64_t due, int64_t sent, int64_t now)
{
	if (due < window.start)
		return;
	hist_record(window.response, (uint64_t)(now - due));
	if (sent)
		hist_record(window.service, (uint64_t)(now - sent));
}
