/* Very many sockets in one epoll set, for tests/unit/scope.bats: prints `ready` and
 * sleeps until stdin ends. */
#include "err.h"
#include "net.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int pair[2], set = epoll_create1(0);

	raise_fd_limit();
	for (long n = argc > 1 ? strtol(argv[1], NULL, 10) : 0; n > 0; n -= 2) {
		if (set < 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
			die_errno("socketpair");
		for (int i = 0; i < 2; i++) {
			struct epoll_event ev = { .events = EPOLLIN };

			if (epoll_ctl(set, EPOLL_CTL_ADD, pair[i], &ev) < 0)
				die_errno("epoll_ctl");
		}
	}
	if (puts("ready") == EOF || fflush(stdout) != 0)
		die_errno("stdout");
	while (getchar() != EOF)
		;
	return 0;
}
