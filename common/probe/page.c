#include "page.h"
#include "clock.h"
#include "err.h"
#include "started.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
	const char *name;
	bool moves;
} calls[PROBE_CALLS] = {
#define CALL(ID, name, moves) { #name, moves },
#include "calls.def"
};

static const char *const outcomes[] = { "calls", "ok", "eagain", "eintr", "eof", "errors",
	"bytes" };

static const char *const totals[] = { "epoll_wait.events", "epoll_wait.timeouts",
	"connections.opened", "connections.closed", "connections.active",
	"splice.out_bytes" };

const struct probe_page *page_open(const char *file)
{
	struct stat st;
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 || fstat(fd, &st) < 0)
		die_errno("%s", file);
	if (!S_ISREG(st.st_mode) || st.st_size != (off_t)sizeof(struct probe_page))
		die_usage("%s: not a page of counts", file);
	const struct probe_page *p = mmap(NULL, sizeof *p, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		die_errno("%s", file);
	close(fd);
	if (p->magic != PROBE_MAGIC)
		die_usage("%s: not a page of counts", file);
	return p;
}

static uint64_t load(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

void page_read(const struct probe_page *page, uint64_t value[COUNTERS])
{
	value[7 * PROBE_CALLS + 5] = load(&page->spliced_out); /* before splice.bytes */
	for (int c = 0; c < PROBE_CALLS; c++) {
		const struct probe_tally *t = &page->call[c];
		uint64_t *v = &value[7 * c];

		v[1] = load(&t->ok);
		v[2] = load(&t->eagain);
		v[3] = load(&t->eintr);
		v[4] = load(&t->eof);
		v[5] = load(&t->errors);
		v[6] = load(&t->bytes);
		v[0] = v[1] + v[2] + v[3] + v[4] + v[5];
	}
	uint64_t *v = &value[7 * PROBE_CALLS];
	v[0] = load(&page->events);
	v[1] = load(&page->timeouts);
	v[3] = load(&page->closed); /* before opened, so that active is never below 0 */
	v[2] = load(&page->opened);
	v[4] = v[2] - v[3];
}

bool page_running(const struct probe_page *page)
{
	return page->started != 0 && started(page->pid) == page->started;
}

double page_uptime(const struct probe_page *page)
{
	int64_t until = atomic_load_explicit(&page->last_ns, memory_order_relaxed);

	if (page_running(page))
		until = now_ns();
	return until > page->start_ns ? (double)(until - page->start_ns) / 1e9 : 0;
}

const char *page_name(size_t i)
{
	static char names[7 * PROBE_CALLS][24];

	if (i >= 7 * PROBE_CALLS)
		return totals[i - 7 * PROBE_CALLS];
	if (!names[i][0])
		snprintf(names[i], sizeof names[i], "%s.%s", calls[i / 7].name,
			outcomes[i % 7]);
	return names[i];
}

bool page_moves(size_t call)
{
	return calls[call].moves;
}

int page_index(const char *name)
{
	for (int i = 0; i < COUNTERS; i++)
		if (strcmp(page_name((size_t)i), name) == 0)
			return i;
	return -1;
}
