/* The server as a whole: all of its processes. */
#include "torture.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Everything that the supervisor started, or adopted as a subreaper (prctl(2)). */
size_t server_pids(pid_t *pids)
{
	size_t n = 0;

	children_of(getppid(), getpid(), pids, &n);
	if (n == 0 && shared->pid &&
		!shared->exited) /* a kernel without lists of children */
		pids[n++] = shared->pid;
	return n;
}

static void count_one(int tid, void *arg)
{
	(void)tid;
	++*(size_t *)arg;
}

bool parallel(void)
{
	pid_t pids[MAX_PIDS];
	size_t n = server_pids(pids), threads = 0;

	for (size_t i = 0; i < n; i++) {
		char path[64];

		snprintf(path, sizeof path, "/proc/%d/task", pids[i]);
		each_number(path, count_one, &threads);
	}
	return threads > 1;
}

bool have_process(void)
{
	return shared->pid != 0;
}

bool server_gone(char *how, size_t size)
{
	if (!have_process() || !shared->exited)
		return false;
	int status = shared->status;
	if (WIFSIGNALED(status))
		snprintf(how, size, "the server is gone: killed by signal %d (%s)",
			WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		snprintf(how, size, "the server is gone: exit status %d",
			WEXITSTATUS(status));
	return true;
}

/* A server that dies closes its connections first: give its end a moment to be known. */
bool dies(char *how, size_t size)
{
	double end = now() + 0.1 * (double)set.slow;

	while (have_process() && !shared->exited && now() < end)
		nap(5);
	return server_gone(how, size);
}

static void signal_all(int sig)
{
	pid_t pids[MAX_PIDS];
	size_t n = server_pids(pids);

	for (size_t i = 0; i < n; i++)
		kill(pids[i], sig); /* it may have gone meanwhile */
}

static bool all_processes(char state)
{
	pid_t pids[MAX_PIDS];
	size_t n = server_pids(pids);

	for (size_t i = 0; i < n; i++)
		if (!all_threads(pids[i], state))
			return false;
	return true;
}

void freeze(void)
{
	double end = now() + patience();

	if (!have_process())
		return;
	do {
		signal_all(SIGSTOP);
		if (all_processes('T'))
			return;
		nap(1);
	} while (now() < end && !shared->exited);
	fail("SIGSTOP did not stop it");
}

void thaw(void)
{
	if (have_process())
		signal_all(SIGCONT);
}

void survives_freezing(void)
{
	char how[80];

	settle();
	freeze();
	thaw();
	if (have_process() && !answers() && dies(how, sizeof how))
		skip("SIGSTOP and SIGCONT alone are too much for it: %s", how);
}

void freeze_on_answer(const struct client *c)
{
	pid_t group = getpgid(shared->pid);

	if (group <= 0 || fcntl(c->fd, F_SETSIG, SIGSTOP) < 0 ||
		fcntl(c->fd, F_SETOWN, -group) < 0 ||
		fcntl(c->fd, F_SETFL, O_NONBLOCK | O_ASYNC) < 0)
		skip("F_SETSIG: %s", strerror(errno));
}

/* Of several processes thaw may have woken some after the kernel had stopped them: one
 * that still stands is proof enough, the others are stopped again from here. */
void wait_frozen(const struct client *c)
{
	double end = now() + patience();
	pid_t pids[MAX_PIDS];
	bool frozen = false;

	while (!frozen && now() < end) {
		size_t n = server_pids(pids);

		for (size_t i = 0; i < n; i++)
			frozen = frozen || stopped(pids[i]);
		nap(1);
	}
	if (frozen)
		freeze();
	if (fcntl(c->fd, F_SETFL, O_NONBLOCK) == 0 && frozen)
		return;
	thaw();
	skip("this kernel does not stop a server by F_SETSIG");
}

double cpu_seconds(void)
{
	pid_t pids[MAX_PIDS];
	size_t n = server_pids(pids);
	struct timespec t;
	clockid_t clock;
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		if (clock_getcpuclockid(pids[i], &clock) == 0 &&
			clock_gettime(clock, &t) == 0)
			sum += (double)t.tv_sec + (double)t.tv_nsec / 1e9;
	return sum;
}

void settle(void)
{
	double end = now() + 0.2 * (double)set.slow, before = -1;
	int still = 0;

	if (!have_process())
		nap(20);
	while (have_process() && still < 2 && now() < end) {
		double cpu = cpu_seconds();

		still = all_processes('S') && cpu <= before ? still + 1 : 0;
		before = cpu;
		nap(2);
	}
}

struct silence silence_starts(void)
{
	return (struct silence){ .end = now() + patience(), .since = now(), .cpu = -1 };
}

bool silence_lasts(struct silence *s)
{
	double time = now(), cpu;

	if (time > s->end || !have_process() || time < s->looked + 0.01)
		return time > s->end;
	s->looked = time;
	cpu = cpu_seconds();
	if (!all_processes('S') || cpu != s->cpu) {
		s->since = time;
		s->cpu = cpu;
	}
	return time - s->since > 0.5 * (double)set.slow;
}

static struct cpu_time cpu_time(void)
{
	pid_t pids[MAX_PIDS];
	size_t n = server_pids(pids);
	struct cpu_time t = { 0 };

	for (size_t i = 0; i < n; i++) {
		add_cpu_time(pids[i], &t);
	}
	return t;
}

/* A server that spins wants a whole core, one that waits wants nothing. A tenth is far
 * from both. */
enum { SPINS = 10 /* percent */ };

/* CPU that the server had is its own doing, in whichever window. Where it had little
 * because the machine gave it none, the window says nothing, and another follows. After
 * the last the wait counts as well: it wanted a CPU all the time. */
double idle_cpu(void)
{
	enum { WINDOW_MS = 300, WINDOWS = 5 };
	double wanted = 0;

	settle();
	for (int i = 0; i < WINDOWS; i++) {
		struct cpu_time before = cpu_time();
		double start = now();

		nap(WINDOW_MS);
		struct cpu_time after = cpu_time();
		double percent = 100 / (now() - start);
		double had = percent * (after.had - before.had);
		double waited = percent * (after.waited - before.waited);
		/* schedstat counts a wait for a CPU when it ends; this one may go on */
		bool asleep = all_processes('S');

		if (had > SPINS || (asleep && waited <= SPINS))
			return had;
		wanted = had + waited > 100 || asleep ? had + waited : 100;
	}
	return wanted;
}

bool spins(void)
{
	return idle_cpu() > SPINS;
}

void calm(const char *when)
{
	double share = idle_cpu();

	if (share <= SPINS)
		return;
	sees(CPU);
	fail("%.0f %% of a core %s", share, when);
}

long server_memory_kb(void)
{
	pid_t pids[MAX_PIDS];
	size_t n = server_pids(pids);
	long sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += memory_kb(pids[i]);
	return sum;
}

/* --- descriptors */

enum { MAX_FD = 1 << 20 };

static int count_fds(void)
{
	pid_t pids[MAX_PIDS];
	size_t n = server_pids(pids);
	int sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += fds_of(pids[i]);
	return sum;
}

int server_fds(void)
{
	settle(); /* a client that has just left is one no more */
	return count_fds();
}

void fds_return_to(int before, const char *after)
{
	struct silence s = silence_starts();
	int fds;

	while ((fds = count_fds()) > before && !silence_lasts(&s))
		nap(5);
	if (fds <= before)
		return;
	sees(DESCRIPTORS);
	fail("%d descriptors open %s, %d before", fds, after, before);
}

static void mark_fd(int fd, void *arg)
{
	if (fd < MAX_FD)
		((bool *)arg)[fd] = true;
}

/* The limit is not a count but one more than the highest number that may be given out,
 * and the lowest free one is: find the number behind the k-th free one. */
static rlim_t room_for(pid_t pid, int k)
{
	bool *used = calloc(MAX_FD, sizeof *used);
	char path[64];
	rlim_t fd = 0;

	if (!used)
		skip("no memory for a list of descriptors");
	snprintf(path, sizeof path, "/proc/%d/fd", pid);
	each_number(path, mark_fd, used);
	for (; k > 0 && fd < MAX_FD; fd++)
		k -= !used[fd];
	free(used);
	return fd;
}

static void set_soft_limit(pid_t pid, rlim_t soft)
{
	struct rlimit limit;

	if (prlimit(pid, RLIMIT_NOFILE, NULL, &limit) < 0)
		skip("prlimit on the server: %s", strerror(errno));
	limit.rlim_cur = soft < limit.rlim_max ? soft : limit.rlim_max;
	if (prlimit(pid, RLIMIT_NOFILE, &limit, NULL) < 0)
		skip("prlimit on the server: %s", strerror(errno));
}

int limit_fds(int k)
{
	pid_t pids[MAX_PIDS];
	size_t n = server_pids(pids);

	for (size_t i = 0; i < n; i++)
		set_soft_limit(pids[i], room_for(pids[i], k));
	return k * (int)n;
}

void unlimit_fds(void)
{
	pid_t pids[MAX_PIDS];
	size_t n = server_pids(pids);

	for (size_t i = 0; i < n; i++)
		set_soft_limit(pids[i], RLIM_INFINITY);
}

long fd_room(long wanted)
{
	enum { MARGIN = 50 }; /* for what both have open */
	pid_t pids[MAX_PIDS];
	size_t n = server_pids(pids);
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
		(long)limit.rlim_cur < wanted + MARGIN)
		wanted = (long)limit.rlim_cur - MARGIN;
	for (size_t i = 0; i < n; i++) {
		long open = fds_of(pids[i]) + MARGIN;

		if (prlimit(pids[i], RLIMIT_NOFILE, NULL, &limit) == 0 &&
			limit.rlim_cur < (rlim_t)(wanted + open))
			wanted = (long)limit.rlim_cur - open;
	}
	return wanted;
}
