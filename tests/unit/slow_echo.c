/* An echo server whose slowness is known, for the tests that validate the load generator:
 * a first come, first served queue with one clerk and a fixed time for each request. */
#include "args.h"
#include "clock.h"
#include "err.h"
#include "net.h"
#include "stop.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum {
	MAX_EVENTS = 64,
	MAX_SIZE = 65536,
	LOG_BUFFER = 4 * 1024 * 1024, /* no write(2) before the end */
};

#define GAP_NS 100000 /* spin: a pause that nobody here asked for, by the machine */

static long delay_us, stall_ms, extra, size = 64;
static double stall_at;
static bool spin;
static const char *log_file;

static FILE *arrivals;
static int64_t free_at; /* when the clerk is done with the request before */
static int64_t first; /* when the first request came; 0: not yet */
static bool stalled;
static uint64_t served;
static int64_t lost_ns, last_look; /* spin: in gaps of over GAP_NS */

/* The time, looked at all the time: so a gap is a time when we did not run. */
static int64_t look(void)
{
	int64_t now = now_ns();

	if (spin && last_look && now - last_look > GAP_NS)
		lost_ns += now - last_look;
	last_look = now;
	return now;
}

/* The stall is on the clock, not on a request: it begins and ends when it should, whoever
 * is there. */
static void stall(int64_t now)
{
	int64_t from = first + (int64_t)(stall_at * 1e9),
		end = from + stall_ms * NS_PER_S / 1000;
	struct timespec until = { .tv_sec = end / NS_PER_S, .tv_nsec = end % NS_PER_S };

	if (!stall_ms || stalled || now < from)
		return;
	stalled = true;
	while (!stopping &&
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
		;
	last_look = now_ns(); /* asleep as it should be, not lost */
}

/* Who waited in the queue is served from the moment that the one before was done: what
 * the calls around it cost is part of its time, not on top of it. */
static void work(void)
{
	free_at += delay_us * 1000;
	while (look() < free_at && !stopping)
		;
	for (long i = 0; i < extra; i++)
		getppid(); /* the cheapest system call that glibc does not cache */
}

/* Reads one whole request, though more may be there. False: the client has gone. */
static bool serve(int fd)
{
	static char message[MAX_SIZE];
	ssize_t n = recv(fd, message, (size_t)size, MSG_WAITALL);
	int64_t now = now_ns();

	if (n != size)
		return false;
	if (!first)
		first = now;
	if (arrivals)
		fprintf(arrivals, "%" PRId64 "\n", now);
	served++;
	stall(now);
	work();
	return send(fd, message, (size_t)size, MSG_NOSIGNAL) == size;
}

static void take(int epfd, int lfd)
{
	struct epoll_event ev = { .events = EPOLLIN };

	ev.data.fd = accept4(lfd, NULL, NULL, SOCK_CLOEXEC);
	if (ev.data.fd < 0 && (errno == EINTR || errno == ECONNABORTED))
		return;
	if (ev.data.fd < 0)
		die_errno("accept4");
	if (epoll_ctl(epfd, EPOLL_CTL_ADD, ev.data.fd, &ev) < 0)
		die_errno("epoll_ctl ADD");
}

/* Empty-handed only if a signal came. Nobody there at the first look: the clerk is idle,
 * and free from the moment that somebody comes. */
static int wait_for(int epfd, struct epoll_event evs[MAX_EVENTS])
{
	int n = epoll_wait(epfd, evs, MAX_EVENTS, 0);

	if (n != 0)
		return n;
	do {
		n = epoll_wait(epfd, evs, MAX_EVENTS, spin ? 0 : -1);
		free_at = look();
	} while (n == 0 && !stopping);
	return n;
}

static void open_log(void)
{
	static char room[LOG_BUFFER];

	if (!log_file)
		return;
	arrivals = fopen(log_file, "we");
	if (!arrivals || setvbuf(arrivals, room, _IOFBF, sizeof room) != 0)
		die_errno("%s", log_file);
}

static void close_log(void)
{
	if (arrivals && fclose(arrivals) != 0)
		die_errno("%s", log_file);
}

int main(int argc, char **argv)
{
	const struct opt own[] = {
		{ 0, "delay-us", "D", "each request takes so long (0)",
			.number = &delay_us, .max = 1e6 },
		{ 0, "stall-at", "S", "seconds from the first request to the stall (0)",
			.real = &stall_at, .max = 3600 },
		{ 0, "stall-ms", "D", "how long it is; 0: none (0)", .number = &stall_ms,
			.max = 60000 },
		{ 0, "extra", "N", "needless system calls for each request (0)",
			.number = &extra, .max = 1000 },
		{ 0, "size", "BYTES", "of each request (64)", .number = &size, .min = 1,
			.max = MAX_SIZE },
		{ 0, "log", "FILE", "when each request came, ns, written at the end",
			.text = &log_file },
		{ 0, "spin", NULL, "never sleep: no wake-up in the times",
			.flag = &spin },
		{ 0 },
	};
	struct address at = args_server(argc, argv,
		"Echoes, and is slow in known ways: for the tests of load.", own);
	struct epoll_event evs[MAX_EVENTS], ev = { .events = EPOLLIN };
	int lfd = listen_tcp(&at), epfd = epoll_create1(EPOLL_CLOEXEC);

	stop_on_signals();
	raise_fd_limit();
	open_log();
	ev.data.fd = lfd;
	if (epfd < 0 || epoll_ctl(epfd, EPOLL_CTL_ADD, lfd, &ev) < 0)
		die_errno("epoll");
	announce(lfd);
	while (!stopping) {
		int n = wait_for(epfd, evs);

		if (n < 0 && errno != EINTR)
			die_errno("epoll_wait");
		for (int i = 0; i < n; i++)
			if (evs[i].data.fd == lfd)
				take(epfd, lfd);
			else if (!serve(evs[i].data.fd) && close(evs[i].data.fd) < 0)
				warn_errno("close");
	}
	close_log();
	printf("served %" PRIu64 "\nlost_s %.6f\n", served, (double)lost_ns / 1e9);
	return fflush(stdout) != 0;
}
