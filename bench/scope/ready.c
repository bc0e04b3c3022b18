/* Why does it spin? A descriptor that is watched level-triggered and stays ready makes
 * each epoll_wait return at once, whatever kind of file it is. */
#include "scope.h"
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MOST = 64 }; /* of each kind of event there is no need to know more */

/* Sleep is a voluntary context switch: a process without any, that uses the CPU, either
 * computes, or its calls return at once. */
bool spins(const struct look *l)
{
	return l->cpu > 20 && l->wakeups_s < l->cpu / 10;
}

static int pidfd_open_of(pid_t pid)
{
#ifdef SYS_pidfd_open
	return (int)syscall(SYS_pidfd_open, pid, 0);
#else
	(void)pid;
	errno = ENOSYS;
	return -1;
#endif
}

/* A copy of the process' descriptor. It asks for the right to trace, and stops nothing.
 */
static int copy_of(int pidfd, int fd)
{
#ifdef SYS_pidfd_getfd
	return (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
#else
	(void)pidfd;
	(void)fd;
	errno = ENOSYS;
	return -1;
#endif
}

/* The bits of epoll and of poll have the same values: epoll_ctl(2), poll(2). */
static short ready(int fd, uint32_t events)
{
	struct pollfd p = { .fd = fd, .events = (short)(events & 0x7fff) };

	return poll(&p, 1, 0) < 0 ? -1 : p.revents;
}

static bool worth_asking(const struct look *l, const struct entry *e, const struct fd *f)
{
	if (strcmp(f->type, "pipe") == 0 || strcmp(f->type, "epoll") == 0)
		return true;
	return spins(l) && !(e->events & (uint32_t)(EPOLLET | EPOLLONESHOT));
}

void take_ready(struct look *l)
{
	int pidfd = pidfd_open_of(l->pid), asked = 0;

	for (size_t i = 0; pidfd >= 0 && i < l->n_sets; i++)
		for (size_t k = 0; k < l->sets[i].n && asked < MOST; k++) {
			struct entry *e = &l->sets[i].watched[k];
			const struct fd *f = e->is ? e->is : e->copy;

			if (!f || !worth_asking(l, e, f))
				continue;
			int fd = copy_of(pidfd, f->fd);
			if (fd < 0)
				continue;
			e->ready = ready(fd, e->events);
			asked += e->ready > 0;
			close(fd);
		}
	if (pidfd >= 0)
		close(pidfd);
}
