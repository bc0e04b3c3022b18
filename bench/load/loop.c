#include "load/loop.h"
#include "clock.h"
#include "err.h"
#include "load/conn.h"
#include "load/options.h"
#include "load/window.h"
#include <errno.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum {
	MAX_EVENTS = 256,
	SPIN_NS = 60000, /* hybrid: asleep until so long before the next request */
	GAP_NS = 100000, /* spin: a pause of our own, by the machine */
};

static int timer = -1;
static int64_t last_turn;

void loop_init(void)
{
	struct epoll_event ev = { .events = EPOLLIN };

	if (asked.pace != PACE_SPIN && prctl(PR_SET_TIMERSLACK, 1) < 0)
		warn_errno("PR_SET_TIMERSLACK");
	if (asked.pace != PACE_TIMERFD)
		return;
	if ((timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)) < 0)
		die_errno("timerfd_create");
	if (epoll_ctl(conns.epfd, EPOLL_CTL_ADD, timer, &ev) < 0)
		die_errno("epoll_ctl ADD timerfd");
}

void loop_begin(int64_t now)
{
	last_turn = now;
}

/* Asleep until a little before the time, then awake; epoll_pwait2 is Linux 5.11. */
static int wait_hybrid(struct epoll_event evs[MAX_EVENTS], int64_t left)
{
#ifdef __GLIBC__
	struct timespec t = { .tv_sec = (left - SPIN_NS) / NS_PER_S,
		.tv_nsec = (left - SPIN_NS) % NS_PER_S };
	int n = epoll_pwait2(conns.epfd, evs, MAX_EVENTS, &t, NULL);

	if (n >= 0 || errno != ENOSYS)
		return n;
#else
	(void)left;
#endif
	asked.pace = PACE_SPIN; /* an older kernel, or forbidden by a sandbox */
	return epoll_wait(conns.epfd, evs, MAX_EVENTS, 0);
}

static int wait_until(struct epoll_event evs[MAX_EVENTS], int64_t when)
{
	if (conns_next_release() < when)
		when = conns_next_release();
	int64_t left = when - now_ns();

	if (asked.pace == PACE_SPIN || left <= (asked.pace == PACE_HYBRID ? SPIN_NS : 0))
		return epoll_wait(conns.epfd, evs, MAX_EVENTS, 0);
	if (asked.pace == PACE_HYBRID)
		return wait_hybrid(evs, left);
	struct itimerspec at = { .it_value = { when / NS_PER_S, when % NS_PER_S } };
	if (timerfd_settime(timer, TFD_TIMER_ABSTIME, &at, NULL) < 0)
		die_errno("timerfd_settime");
	return epoll_wait(conns.epfd, evs, MAX_EVENTS, -1);
}

/* Once read, the timer is quiet again. */
static void read_timer(void)
{
	uint64_t expirations;

	if (read(timer, &expirations, sizeof expirations) < 0 && errno != EAGAIN)
		die_errno("timerfd");
}

static void on_event(const struct epoll_event *ev)
{
	struct conn *c = ev->data.ptr;

	if (!c) {
		read_timer();
		return;
	}
	if (c->fd >= 0 && (ev->events & EPOLLOUT))
		conn_flush(c);
	if (c->fd >= 0 && (ev->events & (EPOLLIN | EPOLLERR | EPOLLHUP)))
		conn_receive(c);
}

void loop_turn(int64_t when)
{
	struct epoll_event evs[MAX_EVENTS];
	int n = wait_until(evs, when);

	if (n < 0 && errno != EINTR)
		die_errno("epoll_wait");
	for (int i = 0; i < n; i++)
		on_event(&evs[i]);
	int64_t now = now_ns();
	conns_release(now);
	if (asked.pace == PACE_SPIN && window.recording && window.sending &&
		now - last_turn > GAP_NS)
		window.lost_ns += now - last_turn;
	last_turn = now;
}
