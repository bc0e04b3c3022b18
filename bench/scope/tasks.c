/* In which call each thread sleeps: proc_pid_syscall(5), as far as we may read it. */
#include "scope.h"
#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

/* The numbers differ between architectures, and some calls are not on all of them. */
static const struct call {
	long number;
	const char *name;
	bool io; /* waits for the descriptor that is its first argument */
	bool fd; /* has one */
} calls[] = {
	{ SYS_read, "read", true, true },
	{ SYS_write, "write", true, true },
	{ SYS_readv, "readv", true, true },
	{ SYS_writev, "writev", true, true },
	{ SYS_recvfrom, "recv", true, true },
	{ SYS_sendto, "send", true, true },
	{ SYS_recvmsg, "recvmsg", true, true },
	{ SYS_sendmsg, "sendmsg", true, true },
	{ SYS_accept, "accept", true, true },
	{ SYS_accept4, "accept4", true, true },
	{ SYS_connect, "connect", false, true },
	{ SYS_sendfile, "sendfile", false, true },
	{ SYS_splice, "splice", false, true },
	{ SYS_epoll_pwait, "epoll_pwait", false, true },
#ifdef SYS_epoll_wait
	{ SYS_epoll_wait, "epoll_wait", false, true },
	{ SYS_poll, "poll", false, false },
	{ SYS_select, "select", false, false },
#endif
	{ SYS_ppoll, "ppoll", false, false },
	{ SYS_pselect6, "pselect", false, false },
	{ SYS_futex, "futex", false, false },
	{ SYS_wait4, "wait4", false, false },
	{ SYS_nanosleep, "nanosleep", false, false },
	{ SYS_clock_nanosleep, "nanosleep", false, false },
	{ SYS_rt_sigtimedwait, "sigtimedwait", false, false },
};

static void take_call(struct look *l, struct task *t, long number, int fd)
{
	struct fd *f = find_fd(l->fds, l->n_fds, sizeof *f, fd);

	snprintf(t->call, sizeof t->call, "call %ld", number);
	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
		if (calls[i].number == number) {
			snprintf(t->call, sizeof t->call, "%s", calls[i].name);
			t->fd = calls[i].fd ? fd : -1;
			if (f && calls[i].io)
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
		*t = (struct task){
			.tid = (pid_t)strtol(e->d_name, NULL, 10), .state = '?', .fd = -1
		};
		take_task(l, t);
	}
	if (d)
		closedir(d);
}
