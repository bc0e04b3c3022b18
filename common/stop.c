#include "stop.h"
#include "err.h"
#include <time.h>

volatile sig_atomic_t stopping;

static timer_t again;

static void on_signal(int sig)
{
	static const struct itimerspec soon = {
		.it_value.tv_nsec = 20 * 1000 * 1000,
		.it_interval.tv_nsec = 20 * 1000 * 1000,
	};

	(void)sig;
	if (!stopping)
		timer_settime(
			again, 0, &soon, NULL); /* on the list of signal-safety(7) */
	stopping = 1;
}

void stop_on_signals(void)
{
	struct sigaction act = { .sa_handler = on_signal };

	if (timer_create(CLOCK_MONOTONIC, NULL, &again) < 0) /* NULL: it sends SIGALRM */
		die_errno("timer_create");
	if (sigaction(SIGALRM, &act, NULL) < 0 || sigaction(SIGTERM, &act, NULL) < 0 ||
		sigaction(SIGINT, &act, NULL) < 0)
		die_errno("sigaction");
}
