#include "tally.h"
#include "clock.h"
#include "err.h"
#include "real.h"
#include "started.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_FD = 1 << 20 }; /* the usual fs.nr_open; a connection above is not tracked */

static struct probe_page *page; /* NULL: not counting */
static _Atomic uint64_t connection[MAX_FD / 64]; /* one bit a descriptor from accept4 */

/* Two servers that count on one page would each be blamed for both. A page whose server
 * has ended is begun again; a forked worker does not come here. */
static void take_page(struct probe_page *p, const char *file)
{
	int64_t owner = p->pid;

	if (owner != getpid() && p->started != 0 && started(owner) == p->started)
		die_usage("LAB_COUNTS: %s: process %d counts there: end it, or name "
			  "another file",
			file, (int)owner);
	int64_t now = now_ns();
	*p = (struct probe_page){ .magic = PROBE_MAGIC,
		.start_ns = now,
		.last_ns = now,
		.pid = getpid(),
		.started = started(getpid()) };
}

/* A file that is not empty and not a page of ours is somebody's data: leave it alone. */
static struct probe_page *open_page(const char *file)
{
	struct stat st;
	int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0644);

	if (fd < 0 || fstat(fd, &st) < 0)
		die_errno("LAB_COUNTS: %s", file);
	if (!S_ISREG(st.st_mode))
		die_usage("LAB_COUNTS: %s: not a regular file", file);
	if (st.st_size != 0 && st.st_size != (off_t)sizeof *page)
		die_usage("LAB_COUNTS: %s: holds something else, not counts", file);
	if (flock(fd, LOCK_EX) < 0 || ftruncate(fd, sizeof *page) < 0)
		die_errno("LAB_COUNTS: %s", file);
	struct probe_page *p =
		mmap(NULL, sizeof *p, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		die_errno("LAB_COUNTS: %s", file);
	if (st.st_size != 0 && p->magic != PROBE_MAGIC)
		die_usage("LAB_COUNTS: %s: holds something else, not counts", file);
	take_page(p, file);
	if (flock(fd, LOCK_UN) < 0) /* close would not: the mapping keeps the file open */
		die_errno("LAB_COUNTS: %s", file);
	__real_close(fd);
	return p;
}

bool tally_init(void)
{
	const char *file = getenv("LAB_COUNTS");

	if (file && *file)
		page = open_page(file);
	return page;
}

/* The counts need no order among themselves: relaxed is enough, and cheapest. */
static void add(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

/* The end of a server that was killed is the last that was seen of it. The coarse clock
 * is a word in memory, and good to some milliseconds. */
static void note_time(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	atomic_store_explicit(
		&page->last_ns, t.tv_sec * NS_PER_S + t.tv_nsec, memory_order_relaxed);
}

static void count(struct probe_tally *t, ssize_t result)
{
	int error = errno;

	note_time();
	errno = error;
	if (result >= 0)
		add(&t->ok, 1);
	else if (errno == EAGAIN)
		add(&t->eagain, 1);
	else if (errno == EINTR)
		add(&t->eintr, 1);
	else
		add(&t->errors, 1);
}

void tally_call(enum probe_call call, ssize_t result)
{
	if (page)
		count(&page->call[call], result);
}

void tally_bytes(enum probe_call call, size_t len, ssize_t result, bool reads)
{
	if (!page)
		return;
	struct probe_tally *t = &page->call[call];
	if (result == 0 && len > 0 && reads)
		add(&t->eof, 1);
	else
		count(t, result);
	if (result > 0)
		add(&t->bytes, (uint64_t)result);
}

void tally_events(int n)
{
	if (!page)
		return;
	count(&page->call[PROBE_EPOLL_WAIT], n);
	if (n > 0)
		add(&page->events, (uint64_t)n);
	if (n == 0)
		add(&page->timeouts, 1);
}

void tally_opened(int fd)
{
	if (!page || fd < 0)
		return;
	add(&page->opened, 1);
	if (fd < MAX_FD)
		atomic_fetch_or(&connection[fd / 64], UINT64_C(1) << fd % 64);
}

bool tally_forget(int fd)
{
	uint64_t bit = UINT64_C(1) << fd % 64;

	if (!page || fd < 0 || fd >= MAX_FD)
		return false;
	return atomic_fetch_and(&connection[fd / 64], ~bit) & bit;
}

void tally_closed(void)
{
	if (page)
		add(&page->closed, 1);
}

void tally_spliced(int to, ssize_t n)
{
	bool out = to >= 0 && to < MAX_FD &&
		   atomic_load(&connection[to / 64]) >> to % 64 & 1;

	if (page && n > 0 && out)
		add(&page->spliced_out, (uint64_t)n);
}
