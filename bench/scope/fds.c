/* The descriptors of a process, and its epoll sets: /proc/PID/fd and fdinfo. A server has
 * thousands of them, so each costs as few calls here as can be. */
#include "scope.h"
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

/* What the link says: socket:[123], pipe:[123], anon_inode:[eventpoll], a path. */
static const struct kind {
	const char *link, *type;
} kinds[] = {
	{ "socket:[", "socket" },
	{ "pipe:[", "pipe" },
	{ "anon_inode:[eventpoll]", "epoll" },
	{ "anon_inode:[eventfd]", "eventfd" },
	{ "anon_inode:[timerfd]", "timerfd" },
	{ "anon_inode:[signalfd]", "signalfd" },
	{ "anon_inode:[io_uring]", "uring" },
	{ "anon_inode:[pidfd]", "pidfd" },
	{ "pidfd:[", "pidfd" },
	{ "anon_inode:inotify", "inotify" },
	{ "/dev/pts/", "tty" },
	{ "/dev/ptmx", "tty" },
	{ "/", "file" },
};

static const char *type_of(const char *link)
{
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (strncmp(link, kinds[i].link, strlen(kinds[i].link)) == 0)
			return kinds[i].type;
	return "other";
}

/* Of a socket that the kernel's diagnostics do not list. */
static const char *protocol(pid_t pid, int fd)
{
	static const struct {
		const char *name, *type;
	} known[] = { { "TCP", "tcp" }, { "UDP", "udp" }, { "UNIX", "unix" },
		{ "NETLINK", "netlink" } };
	char path[64], name[16] = "";

	snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)pid, fd);
	if (getxattr(path, "system.sockprotoname", name, sizeof name - 1) <= 0)
		return "socket";
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (strncmp(name, known[i].name, strlen(known[i].name)) == 0)
			return known[i].type;
	return "socket";
}

static void name_fd(struct fd *f, const char *link, const struct look *l, pid_t pid)
{
	f->type = type_of(link);
	if (strcmp(f->type, "socket") != 0 && strcmp(f->type, "pipe") != 0)
		return;
	f->inode = strtoull(strchr(link, '[') + 1, NULL, 10);
	if (f->type[0] == 'p')
		return;
	f->sock = diag_find(l, f->inode);
	f->type = f->sock ? f->sock->type : protocol(pid, f->fd);
}

/* --- fdinfo */

/* All of a small file, or as much as there is room for; false: it is gone. */
static char *whole(int dir, const char *name, char *text, size_t room)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return NULL;
	ssize_t n = read(fd, text, room - 1); /* proc gives a small file whole */
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	return n > 0 ? text : NULL;
}

/* The number behind a name, or 0. */
static uint64_t field(const char *text, const char *name, int base)
{
	const char *at = strstr(text, name);

	return at ? strtoull(at + strlen(name), NULL, base) : 0;
}

static void add_entry(struct set *s, const struct entry *e)
{
	if ((s->n & (s->n - 1)) == 0) /* a power of two: full */
		s->watched = grown(s->watched, s->n ? 2 * s->n : 1, sizeof *s->watched);
	s->watched[s->n++] = *e;
}

/* A line is `tfd: 5 events: 2019 data: 5  pos:0 ino:1f sdev:9`. The inode tells whether
 * the number still means what it meant when it was registered. */
static void parse_entry(struct look *l, struct set *set, char *line)
{
	struct entry e = { .since = l->at, .since_ready = l->at, .ready = -1 };
	char *end;

	e.fd = (int)strtol(line + strlen("tfd:"), &end, 10);
	e.events = (uint32_t)field(end, "events:", 16);
	e.inode = field(end, "ino:", 16);
	add_entry(set, &e);
}

static void read_set(struct look *l, int fd, int dir, const char *name)
{
	int in = openat(dir, name, O_RDONLY | O_CLOEXEC);
	FILE *lines = in < 0 ? NULL : fdopen(in, "r");
	char line[256];

	if (!lines) {
		if (in >= 0)
			close(in);
		return; /* closed since */
	}
	l->sets = grown(l->sets, l->n_sets + 1, sizeof *l->sets);
	struct set *set = &l->sets[l->n_sets++];
	*set = (struct set){ .fd = fd };
	while (fgets(line, sizeof line, lines))
		if (strncmp(line, "tfd:", 4) == 0)
			parse_entry(l, set, line);
	fclose(lines);
}

static void read_fdinfo(struct look *l, struct fd *f, int dir, bool flags)
{
	bool timer = strcmp(f->type, "timerfd") == 0,
	     event = strcmp(f->type, "eventfd") == 0;
	char name[16], text[512];

	snprintf(name, sizeof name, "%d", f->fd);
	if (strcmp(f->type, "epoll") == 0)
		read_set(l, f->fd, dir, name);
	else if ((flags || timer || event) && whole(dir, name, text, sizeof text)) {
		f->flags_known = true;
		f->blocking = !(field(text, "flags:", 8) & O_NONBLOCK);
		f->count = timer   ? field(text, "ticks:", 10)
			   : event ? field(text, "eventfd-count:", 16)
				   : 0;
	}
}

/* --- all of them */

static int by_fd(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b; /* fd comes first in both structs */
}

void *find_fd(const void *list, size_t n, size_t size, int fd)
{
	return n > 0 ? bsearch(&fd, list, n, size, by_fd) : NULL;
}

/* The descriptors by their files. */
struct file {
	uint64_t inode;
	struct fd *fd;
};

static int by_inode(const void *a, const void *b)
{
	uint64_t x = ((const struct file *)a)->inode, y = ((const struct file *)b)->inode;

	return (x > y) - (x < y);
}

/* A registration belongs to the file, and every number of that file shares it. */
static void link_inode(struct entry *e, const struct file *list, size_t n)
{
	const struct file want = { .inode = e->inode };
	const struct file *at =
		n > 0 ? bsearch(&want, list, n, sizeof want, by_inode) : NULL;

	if (!at || e->inode == 0)
		return;
	while (at > list && at[-1].inode == e->inode)
		at--;
	for (; at < list + n && at->inode == e->inode; at++) {
		at->fd->watched++;
		if (!e->is)
			e->copy = at->fd;
	}
}

static int by_number_and_file(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return x->fd != y->fd ? by_fd(x, y)
			      : (x->inode > y->inode) - (x->inode < y->inode);
}

static void link_entries(struct look *l)
{
	struct file *list = grown(NULL, l->n_fds + 1, sizeof *list);

	for (size_t i = 0; i < l->n_fds; i++)
		list[i] = (struct file){ l->fds[i].inode, &l->fds[i] };
	qsort(list, l->n_fds, sizeof *list, by_inode);
	for (size_t i = 0; i < l->n_sets; i++) {
		struct set *s = &l->sets[i];

		if (s->n > 0)
			qsort(s->watched, s->n, sizeof *s->watched, by_number_and_file);
		for (size_t k = 0; k < s->n; k++) {
			struct entry *e = &s->watched[k];
			struct fd *f = find_fd(l->fds, l->n_fds, sizeof *f, e->fd);

			if (f && f->inode && e->inode && f->inode != e->inode)
				f = NULL;
			e->is = f;
			if (f && !f->inode)
				f->watched++;
			link_inode(e, list, l->n_fds);
		}
	}
	free(list);
}

static void add_fd(struct look *l, size_t *room, int dir, const char *name, pid_t pid)
{
	char link[256];
	ssize_t n = readlinkat(dir, name, link, sizeof link - 1);

	if (n < 0)
		return; /* closed since */
	link[n] = '\0';
	if (l->n_fds == *room) {
		*room = 2 * *room + 64;
		l->fds = grown(l->fds, *room, sizeof *l->fds);
	}
	struct fd *f = &l->fds[l->n_fds++];
	*f = (struct fd){
		.fd = (int)strtol(name, NULL, 10), .since = l->at, .since_count = l->at
	};
	name_fd(f, link, l, pid);
}

bool take_fds(struct look *l, pid_t pid, bool flags)
{
	char path[64];
	size_t room = 0;

	snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
	DIR *d = opendir(path);
	if (!d)
		return false;
	for (struct dirent *e; (e = readdir(d));)
		if (isdigit((unsigned char)e->d_name[0]))
			add_fd(l, &room, dirfd(d), e->d_name, pid);
	closedir(d);
	if (l->n_fds > 0)
		qsort(l->fds, l->n_fds, sizeof *l->fds, by_fd);
	snprintf(path, sizeof path, "/proc/%d/fdinfo", (int)pid);
	int info = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; info >= 0 && i < l->n_fds; i++)
		read_fdinfo(l, &l->fds[i], info, flags);
	if (info >= 0)
		close(info);
	link_entries(l);
	return true;
}

/* --- against the look before */

static void age_numbers(struct look *l, const struct look *before)
{
	for (size_t i = 0; i < l->n_fds; i++) {
		struct fd *f = &l->fds[i];
		const struct fd *b =
			find_fd(before->fds, before->n_fds, sizeof *f, f->fd);

		if (!b || b->inode != f->inode || strcmp(b->type, f->type) != 0)
			continue;
		if (!b->sock == !f->sock && b->asleep == f->asleep &&
			b->watched == f->watched)
			f->since = b->since;
		if (f->count && b->count)
			f->since_count = b->since_count;
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
				b->n == 0 ? NULL
					  : bsearch(e, b->watched, b->n, sizeof *e,
						    by_number_and_file);

			if (was && was->events == e->events && !was->is == !e->is)
				e->since = was->since;
			if (was && e->ready > 0 && was->ready > 0)
				e->since_ready = was->since_ready;
		}
	}
}

void age_fds(struct look *l, const struct look *before)
{
	age_numbers(l, before);
	age_sets(l, before);
}
