/* One look at a process through /proc. */
#include "clock.h"
#include "err.h"
#include "probe/probe.h"
#include "scope.h"
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
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

/* What the link says: socket:[123], pipe:[123], anon_inode:[eventpoll], a path. */
static void name_fd(
	struct fd *f, const char *path, const char *link, const struct look *l)
{
	static const struct {
		const char *link, *type;
	} kinds[] = { { "socket:[", "socket" }, { "pipe:[", "pipe" },
		{ "anon_inode:[eventpoll]", "epoll" },
		{ "anon_inode:[eventfd]", "eventfd" },
		{ "anon_inode:[timerfd]", "timerfd" },
		{ "anon_inode:[signalfd]", "signalfd" },
		{ "anon_inode:inotify", "inotify" }, { "/dev/pts/", "tty" },
		{ "/", "file" } };
	char proto[16] = "";

	f->type = "other";
	for (size_t i = sizeof kinds / sizeof *kinds; i-- > 0;)
		if (strncmp(link, kinds[i].link, strlen(kinds[i].link)) == 0)
			f->type = kinds[i].type;
	if (strncmp(link, "socket:[", 8) != 0 && strncmp(link, "pipe:[", 6) != 0)
		return;
	f->inode = strtoull(strchr(link, '[') + 1, NULL, 10);
	if (f->type[0] == 'p')
		return;
	f->sock = diag_find(l, f->inode);
	if (f->sock)
		f->type = f->sock->type;
	else if (getxattr(path, "system.sockprotoname", proto, sizeof proto - 1) > 0)
		f->type = strncmp(proto, "TCP", 3) == 0    ? "tcp"
			  : strncmp(proto, "UDP", 3) == 0  ? "udp"
			  : strncmp(proto, "UNIX", 4) == 0 ? "unix"
							   : "socket";
}

static int by_fd(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b; /* fd comes first in both structs */
}

/* One line of an epoll set's fdinfo. The inode and device tell whether the number still
 * means what it meant when it was registered. */
static bool parse_entry(struct entry *e, const char *line)
{
	const char *ino = strstr(line, " ino:");

	if (sscanf(line, "tfd: %d events: %" SCNx32, &e->fd, &e->events) != 2)
		return false;
	if (ino)
		e->inode = strtoull(ino + 5, NULL, 16);
	return true;
}

static void add_set(struct look *l, int fd)
{
	l->sets = grown(l->sets, l->n_sets + 1, sizeof *l->sets);
	l->sets[l->n_sets++] = (struct set){ .fd = fd };
}

static void add_entry(struct set *s, const struct entry *e)
{
	if ((s->n & (s->n - 1)) == 0) /* a power of two: full */
		s->watched = grown(s->watched, s->n ? 2 * s->n : 1, sizeof *s->watched);
	s->watched[s->n++] = *e;
}

static void read_fdinfo(struct look *l, struct fd *f, pid_t pid)
{
	char what[32], line[256];
	bool set = strcmp(f->type, "epoll") == 0;
	unsigned flags;

	snprintf(what, sizeof what, "fdinfo/%d", f->fd);
	FILE *in = proc_open(pid, what);
	if (!in)
		return; /* closed since */
	if (set)
		add_set(l, f->fd);
	while (fgets(line, sizeof line, in)) {
		struct entry e = { .since = l->at };

		if (sscanf(line, "flags: %o", &flags) == 1) {
			f->blocking = !(flags & O_NONBLOCK);
			if (!set)
				break;
		} else if (set && parse_entry(&e, line)) {
			add_entry(&l->sets[l->n_sets - 1], &e);
		}
	}
	fclose(in);
}

static bool read_fds(struct look *l, pid_t pid)
{
	char path[64], link[256];
	size_t room = 0;

	snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
	DIR *d = opendir(path);
	if (!d)
		return false;
	for (struct dirent *e; (e = readdir(d));) {
		if (!isdigit((unsigned char)e->d_name[0]))
			continue;
		snprintf(path, sizeof path, "/proc/%d/fd/%.20s", (int)pid, e->d_name);
		ssize_t n = readlink(path, link, sizeof link - 1);
		if (n < 0)
			continue; /* closed since */
		link[n] = '\0';
		if (l->n_fds == room) {
			room = 2 * room + 64;
			l->fds = grown(l->fds, room, sizeof *l->fds);
		}
		struct fd *f = &l->fds[l->n_fds++];
		*f = (struct fd){ .fd = (int)strtol(e->d_name, NULL, 10),
			.since = l->at };
		name_fd(f, path, link, l);
	}
	closedir(d);
	if (l->n_fds > 0)
		qsort(l->fds, l->n_fds, sizeof *l->fds, by_fd);
	for (size_t i = 0; i < l->n_fds; i++)
		read_fdinfo(l, &l->fds[i], pid);
	return true;
}

void *find_fd(const void *list, size_t n, size_t size, int fd)
{
	return n > 0 ? bsearch(&fd, list, n, size, by_fd) : NULL;
}

static void link_entries(struct look *l)
{
	for (size_t i = 0; i < l->n_sets; i++) {
		struct set *s = &l->sets[i];

		if (s->n > 0)
			qsort(s->watched, s->n, sizeof *s->watched, by_fd);
		for (size_t k = 0; k < s->n; k++) {
			struct entry *e = &s->watched[k];
			struct fd *f = find_fd(l->fds, l->n_fds, sizeof *f, e->fd);

			if (f && f->inode && e->inode && f->inode != e->inode)
				f = NULL;
			if (f)
				f->watched++;
			e->is = f;
		}
	}
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

/* --- against the look before */

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

static void age_fds(struct look *l, const struct look *before)
{
	for (size_t i = 0; i < l->n_fds; i++) {
		struct fd *f = &l->fds[i];
		const struct fd *b =
			find_fd(before->fds, before->n_fds, sizeof *f, f->fd);

		if (b && b->inode == f->inode && !b->sock == !f->sock &&
			b->blocking == f->blocking && b->asleep == f->asleep &&
			b->watched == f->watched)
			f->since = b->since;
	}
}

static void age_sets(struct look *l, const struct look *before)
{
	for (size_t i = 0; i < l->n_sets; i++) {
		struct set *s = &l->sets[i];
		const struct set *b =
			find_fd(before->sets, before->n_sets, sizeof *s, s->fd);

		for (size_t k = 0; b && k < s->n; k++) {
			struct entry *e = &s->watched[k];
			const struct entry *was =
				find_fd(b->watched, b->n, sizeof *e, e->fd);

			if (was && was->events == e->events && was->inode == e->inode &&
				!was->is == !e->is)
				e->since = was->since;
		}
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
	if (!read_fds(l, pid)) {
		errno = errno == ENOENT ? ESRCH : errno;
		return false;
	}
	link_entries(l);
	take_tasks(l);
	read_counts(l, pid);
	l->cpu_ns = cpu_ns(pid);
	if (before) {
		double s = l->at - before->at;

		age_socks(l, before);
		age_fds(l, before);
		age_sets(l, before);
		l->cpu = rate(l->cpu_ns, before->cpu_ns, s) / 1e7;
		l->wakeups_s = rate(l->wakeups, before->wakeups, s);
		l->returns_s = rate(l->returns, before->returns, s);
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
	free(l->socks);
	*l = (struct look){ 0 };
}
