/* One look at a process through /proc. */
#include "clock.h"
#include "err.h"
#include "probe/probe.h"
#include "scope.h"
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

void *grown(void *list, size_t n, size_t size)
{
	void *p = realloc(list, n * size);

	if (!p)
		die_errno("memory");
	return p;
}

FILE *proc_open(pid_t pid, const char *what)
{
	char path[96];

	snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, what);
	return fopen(path, "re");
}

static bool read_status(struct look *l, pid_t pid)
{
	char line[512];
	FILE *in = proc_open(pid, "stat");

	if (!in)
		return false;
	bool ok = fgets(line, sizeof line, in);
	fclose(in);
	char *open = ok ? strchr(line, '(') : NULL,
	     *close = ok ? strrchr(line, ')') : NULL;
	if (!open || !close || close[1] != ' ')
		return false;
	*close = '\0';
	snprintf(l->name, sizeof l->name, "%s", open + 1);
	for (char *c = l->name; *c; c++)
		if (!isprint((unsigned char)*c))
			*c = '?';
	l->state = close[2];
	return l->state != 'Z' && l->state != 'X';
}

/* The page of a lab that was started with LAB_COUNTS=FILE; its workers share it. */
static void read_counts(struct look *l, pid_t pid)
{
	struct probe_page page;
	struct stat st;
	char *word = NULL, path[4200] = "";
	size_t size = 0;
	FILE *in = proc_open(pid, "environ");

	while (in && getdelim(&word, &size, '\0', in) > 0)
		if (strncmp(word, "LAB_COUNTS=", 11) == 0 && word[11] == '/')
			snprintf(path, sizeof path, "%s", word + 11);
		else if (strncmp(word, "LAB_COUNTS=", 11) == 0)
			snprintf(path, sizeof path, "/proc/%d/cwd/%s", (int)pid,
				word + 11);
	free(word);
	if (in)
		fclose(in);
	int fd = *path ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
		pread(fd, &page, sizeof page, 0) == (ssize_t)sizeof page &&
		page.magic == PROBE_MAGIC) {
		struct probe_tally *t = &page.call[PROBE_EPOLL_WAIT];

		l->counted = true;
		l->returns = t->ok + t->eintr + t->errors;
	}
	close(fd);
}

static uint64_t cpu_ns(pid_t pid)
{
	struct timespec t;
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &t) < 0)
		return 0;
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* `Max open files            1024                 524288               files` */
static void read_limit(struct look *l, pid_t pid)
{
	char line[160];
	FILE *in = proc_open(pid, "limits");

	while (in && fgets(line, sizeof line, in))
		if (sscanf(line, "Max open files %zu", &l->limit) == 1)
			break;
	if (in)
		fclose(in);
}

static void add_child(struct look *l, pid_t pid)
{
	struct child c = { .pid = pid };
	FILE *in = proc_open(pid, "comm");

	if (!in)
		return; /* it has ended */
	if (!fgets(c.name, sizeof c.name, in))
		c.name[0] = '\0';
	fclose(in);
	c.name[strcspn(c.name, "\n")] = '\0';
	if ((l->n_children & (l->n_children - 1)) == 0) /* a power of two: full */
		l->children = grown(l->children, l->n_children ? 2 * l->n_children : 1,
			sizeof *l->children);
	l->children[l->n_children++] = c;
}

/* Each thread has the children that it made; the first one's are the usual ones. */
static void read_children(struct look *l, pid_t pid)
{
	char what[64];
	int child;

	snprintf(what, sizeof what, "task/%d/children", (int)pid);
	FILE *in = proc_open(pid, what);
	while (in && fscanf(in, "%d", &child) == 1)
		add_child(l, child);
	if (in)
		fclose(in);
}

/* --- against the look before */

static void age_tasks(struct look *l, const struct look *before)
{
	for (size_t i = 0; i < l->n_tasks; i++)
		for (size_t k = 0; k < before->n_tasks; k++) {
			struct task *t = &l->tasks[i];
			const struct task *b = &before->tasks[k];

			if (t->tid == b->tid && t->fd == b->fd && t->state == b->state &&
				strcmp(t->call, b->call) == 0)
				t->since = b->since;
		}
}

static void age_socks(struct look *l, const struct look *before)
{
	for (size_t i = 0; i < l->n_socks; i++) {
		struct sock *s = &l->socks[i];
		const struct sock *b = diag_find(before, s->key);

		if (!b || b->state != s->state)
			continue;
		if (b->unread == s->unread && b->received == s->received &&
			b->fin == s->fin)
			s->since_in = b->since_in;
		if (b->unsent == s->unsent && b->acked == s->acked)
			s->since_out = b->since_out;
	}
}

static double rate(uint64_t after, uint64_t before, double seconds)
{
	return after > before && seconds > 0 ? (double)(after - before) / seconds : 0;
}

bool look_take(struct look *l, pid_t pid, const struct look *before)
{
	*l = (struct look){ .pid = pid, .at = now_s() };
	errno = ESRCH;
	if (!read_status(l, pid)) {
		errno = ESRCH;
		return false;
	}
	diag_take(l);
	if (!take_fds(l, pid, before != NULL)) {
		errno = errno == ENOENT ? ESRCH : errno;
		return false;
	}
	take_tasks(l);
	read_counts(l, pid);
	read_limit(l, pid);
	read_children(l, pid);
	l->cpu_ns = cpu_ns(pid);
	if (before) {
		double s = l->at - before->at;

		age_socks(l, before);
		l->cpu = rate(l->cpu_ns, before->cpu_ns, s) / 1e7;
		l->wakeups_s = rate(l->wakeups, before->wakeups, s);
		l->returns_s = rate(l->returns, before->returns, s);
	}
	take_ready(l);
	if (before) {
		age_fds(l, before);
		age_tasks(l, before);
	}
	return true;
}

void look_free(struct look *l)
{
	for (size_t i = 0; i < l->n_sets; i++)
		free(l->sets[i].watched);
	free(l->sets);
	free(l->fds);
	free(l->tasks);
	free(l->children);
	free(l->socks);
	*l = (struct look){ 0 };
}
