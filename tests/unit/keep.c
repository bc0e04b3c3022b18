/* Keeps a socket of another process open beside it, as a thread inside its epoll_wait
 * does for a moment: a close there is not the last one, and sends no FIN. For
 * tests/unit/oneshot.bats; prints "kept" and holds on until stdin ends. */
#include "args.h"
#include "err.h"
#include <errno.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { NOT_ALLOWED = 3 };

int main(int argc, char **argv)
{
	long pid = 0, fd = 0;
	const struct opt opts[] = {
		{ 'p', "pid", "PID", "whose", .number = &pid, .min = 1, .max = 1 << 22 },
		{ 'f', "fd", "FD", "which", .number = &fd, .max = 1 << 20 },
		{ 0 },
	};

	args_parse(argc, argv, "Keeps another process's descriptor open.", "", opts);
	long process = syscall(SYS_pidfd_open, (pid_t)pid, 0);
	long copy = process < 0 ? -1 : syscall(SYS_pidfd_getfd, (int)process, (int)fd, 0);
	if (copy < 0 && (errno == ENOSYS || errno == EPERM))
		return NOT_ALLOWED;
	if (copy < 0)
		die_errno("pidfd_getfd of %ld, %ld", pid, fd);
	puts("kept");
	fflush(stdout);
	while (getchar() != EOF)
		;
	return 0;
}
