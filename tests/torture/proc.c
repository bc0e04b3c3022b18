/* One process, as /proc shows it: proc(5). */
#include "torture.h"
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void each_number(const char *path, void (*each)(int number, void *arg), void *arg)
{
	DIR *dir = opendir(path);
	struct dirent *entry;

	if (!dir)
		return; /* the process is gone */
	while ((entry = readdir(dir)))
		if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9')
			each(atoi(entry->d_name), arg);
	closedir(dir);
}

struct family {
	pid_t parent, except;
	bool stop;
	pid_t *pids;
	size_t *n;
};

static void walk(pid_t parent, pid_t except, bool stop, pid_t *pids, size_t *n);

/* A process is listed as the child of the thread that forked it. */
static void children_of_thread(int tid, void *arg)
{
	struct family *f = arg;
	char path[64];
	int child;

	snprintf(path, sizeof path, "/proc/%d/task/%d/children", f->parent, tid);
	FILE *in = fopen(path, "re");
	if (!in)
		return;
	while (fscanf(in, "%d", &child) == 1)
		if (child != f->except && *f->n < MAX_PIDS) {
			f->pids[(*f->n)++] = child;
			if (f->stop)
				kill(child, SIGSTOP);
			walk(child, f->except, f->stop, f->pids, f->n);
		}
	fclose(in);
}

static void walk(pid_t parent, pid_t except, bool stop, pid_t *pids, size_t *n)
{
	struct family f = { parent, except, stop, pids, n };
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/task", parent);
	each_number(path, children_of_thread, &f);
}

void children_of(pid_t parent, pid_t except, pid_t *pids, size_t *n)
{
	walk(parent, except, false, pids, n);
}

void stop_children_of(pid_t parent, pid_t except, pid_t *pids, size_t *n)
{
	walk(parent, except, true, pids, n);
}

long memory_kb(pid_t pid)
{
	char path[64], line[128];
	long kb = 0;

	snprintf(path, sizeof path, "/proc/%d/status", pid);
	FILE *in = fopen(path, "re");
	if (!in)
		return 0;
	while (fgets(line, sizeof line, in))
		if (sscanf(line, "RssAnon: %ld", &kb) == 1)
			break;
	fclose(in);
	return kb;
}

struct look {
	pid_t pid;
	char wanted; /* state of every thread */
	bool all;
};

/* The state stands behind the name, and the name may hold anything. */
static void look_at_thread(int tid, void *arg)
{
	struct look *l = arg;
	char path[64], line[512];

	snprintf(path, sizeof path, "/proc/%d/task/%d/stat", l->pid, tid);
	FILE *in = fopen(path, "re");
	if (!in)
		return;
	if (fgets(line, sizeof line, in)) {
		const char *end = strrchr(line, ')');

		if (end && end[1] && end[2] != l->wanted && end[2] != 'Z')
			l->all = false;
	}
	fclose(in);
}

bool all_threads(pid_t pid, char wanted)
{
	struct look l = { pid, wanted, true };
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/task", pid);
	each_number(path, look_at_thread, &l);
	return l.all;
}

bool stopped(pid_t pid)
{
	return all_threads(pid, 'T');
}

struct schedule {
	pid_t pid;
	struct cpu_time *sum;
};

/* proc(5), schedstat: ns on a CPU, ns in the queue for one. */
static void add_thread_time(int tid, void *arg)
{
	struct schedule *s = arg;
	unsigned long long run, queued;
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/task/%d/schedstat", s->pid, tid);
	FILE *f = fopen(path, "re");
	if (!f)
		return;
	if (fscanf(f, "%llu %llu", &run, &queued) == 2) {
		s->sum->had += (double)run / 1e9;
		s->sum->waited += (double)queued / 1e9;
	}
	fclose(f);
}

void add_cpu_time(pid_t pid, struct cpu_time *sum)
{
	struct schedule s = { pid, sum };
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/task", pid);
	each_number(path, add_thread_time, &s);
}

static void count_fd(int fd, void *arg)
{
	(void)fd;
	++*(int *)arg;
}

int fds_of(pid_t pid)
{
	char path[64];
	int n = 0;

	snprintf(path, sizeof path, "/proc/%d/fd", pid);
	each_number(path, count_fd, &n);
	return n;
}
