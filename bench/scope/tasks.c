/* In which call each thread sleeps: proc_pid_syscall(5), as far as we may read it. */
#include "scope.h"
#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

/* The numbers differ between architectures, and some calls are not on all of them. */
enum {
	FD = 1, /* the first argument is a descriptor */
	IO = 2, /* it waits for that descriptor */
	WAITS = 4, /* it is there to wait, for whatever comes */
};

static const struct call {
	long number;
	const char *name;
	int how; /* of: */
} calls[] = {
	{ SYS_read, "read", FD | IO },
	{ SYS_write, "write", FD | IO },
	{ SYS_readv, "readv", FD | IO },
	{ SYS_writev, "writev", FD | IO },
	{ SYS_recvfrom, "recv", FD | IO },
	{ SYS_sendto, "send", FD | IO },
	{ SYS_recvmsg, "recvmsg", FD | IO },
	{ SYS_sendmsg, "sendmsg", FD | IO },
	{ SYS_accept, "accept", FD | IO },
	{ SYS_accept4, "accept4", FD | IO },
	{ SYS_connect, "connect", FD },
	{ SYS_sendfile, "sendfile", FD },
	{ SYS_splice, "splice", FD },
	{ SYS_close, "close", FD },
	{ SYS_fsync, "fsync", FD },
	{ SYS_epoll_pwait, "epoll_pwait", FD | WAITS },
#ifdef SYS_epoll_pwait2
	{ SYS_epoll_pwait2, "epoll_pwait2", FD | WAITS },
#endif
#ifdef SYS_io_uring_enter
	{ SYS_io_uring_enter, "io_uring_enter", FD | WAITS },
#endif
#ifdef SYS_epoll_wait
	{ SYS_epoll_wait, "epoll_wait", FD | WAITS },
	{ SYS_poll, "poll", WAITS },
	{ SYS_select, "select", WAITS },
#endif
	{ SYS_ppoll, "ppoll", WAITS },
	{ SYS_pselect6, "pselect", WAITS },
	{ SYS_futex, "futex", WAITS },
	{ SYS_wait4, "wait4", WAITS },
	{ SYS_nanosleep, "nanosleep", 0 },
	{ SYS_clock_nanosleep, "nanosleep", 0 },
	{ SYS_rt_sigtimedwait, "sigtimedwait", WAITS },
};

static void take_call(struct look *l, struct task *t, long number, int fd)
{
	struct fd *f = find_fd(l->fds, l->n_fds, sizeof *f, fd);

	t->waits = true; /* nobody is accused of what has no name here */
	snprintf(t->call, sizeof t->call, "call %ld", number);
	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
		if (calls[i].number == number) {
			snprintf(t->call, sizeof t->call, "%s", calls[i].name);
			t->fd = calls[i].how & FD ? fd : -1;
			t->waits = calls[i].how & WAITS;
			if (f && calls[i].how & IO)
				f->asleep = true;
		}
}

/* Where the call may not be read (as for ptrace), the place in the kernel may. */
static void take_place(struct look *l, struct task *t)
{
	char path[64];

	snprintf(path, sizeof path, "task/%d/wchan", (int)t->tid);
	FILE *in = proc_open(l->pid, path);
	if (in && (!fgets(t->call, sizeof t->call, in) || strcmp(t->call, "0") == 0))
		t->call[0] = '\0';
	t->waits = true;
	if (in)
		fclose(in);
}

static void take_task(struct look *l, struct task *t)
{
	char path[64], line[256];
	long number = -1;
	unsigned fd = 0;
	uint64_t n;

	snprintf(path, sizeof path, "task/%d/status", (int)t->tid);
	FILE *in = proc_open(l->pid, path);
	while (in && fgets(line, sizeof line, in))
		if (sscanf(line, "voluntary_ctxt_switches: %" SCNu64, &n) == 1)
			l->wakeups += n;
		else if (strncmp(line, "State:\t", 7) == 0)
			t->state = line[7];
	if (in)
		fclose(in);
	snprintf(path, sizeof path, "task/%d/syscall", (int)t->tid);
	in = proc_open(l->pid, path);
	int words = in ? fscanf(in, "%ld 0x%x", &number, &fd) : EOF;
	if (words == 2 && number >= 0)
		take_call(l, t, number, (int)fd);
	else if (words == EOF) /* not for us; a thread that runs has one word */
		take_place(l, t);
	if (in)
		fclose(in);
}

void take_tasks(struct look *l)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/task", (int)l->pid);
	DIR *d = opendir(path);
	for (struct dirent *e; d && (e = readdir(d));) {
		if (e->d_name[0] == '.')
			continue;
		if ((l->n_tasks & (l->n_tasks - 1)) == 0) /* a power of two: full */
			l->tasks = grown(l->tasks, l->n_tasks ? 2 * l->n_tasks : 1,
				sizeof *l->tasks);
		struct task *t = &l->tasks[l->n_tasks++];
		*t = (struct task){ .tid = (pid_t)strtol(e->d_name, NULL, 10),
			.state = '?',
			.fd = -1,
			.since = l->at };
		take_task(l, t);
	}
	if (d)
		closedir(d);
}
