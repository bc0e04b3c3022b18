/* Three ways to a non-blocking, close-on-exec client, and what each costs: a table. */
#include "args.h"
#include "err.h"
#include "net.h"
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static int calls; /* system calls for this client */

/* Counts one call, and returns what it returned. */
static int did(int result)
{
	if (result < 0)
		die_errno("system call %d", calls + 1);
	calls++;
	return result;
}

/* F_SETFL replaces all flags, so the old ones are read first. */
static void by_fcntl(int fd)
{
	int flags = did(fcntl(fd, F_GETFL));

	did(fcntl(fd, F_SETFL, flags | O_NONBLOCK));
	did(fcntl(fd, F_SETFD, FD_CLOEXEC));
}

/* Each of these calls sets one flag, and does not change the others. */
static void by_ioctl(int fd)
{
	int on = 1;

	did(ioctl(fd, FIONBIO, &on));
	did(ioctl(fd, FIOCLEX));
}

/* What another thread sees at this moment. These two calls are not counted. */
static bool blocking(int fd)
{
	return !(fcntl(fd, F_GETFL) & O_NONBLOCK);
}

static bool inheritable(int fd)
{
	return !(fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

static void row(const char *way, int lfd, int flags, void (*finish)(int))
{
	struct address at = { .len = sizeof at.sa };
	int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (client < 0 || getsockname(lfd, (struct sockaddr *)&at.sa, &at.len) < 0 ||
		connect(client, (struct sockaddr *)&at.sa, at.len) < 0)
		die_errno("a client of our own");
	calls = 0;
	int fd = did(accept4(lfd, NULL, NULL, flags)); /* no flags: the same as accept */
	bool blocks = blocking(fd), leaks = inheritable(fd);
	if (finish)
		finish(fd);
	printf("%-8s %12d %10s %12s\n", way, calls, blocks ? "at first" : "never",
		leaks ? "at first" : "never");
	if (blocking(fd) || inheritable(fd))
		die_usage("%s: a flag is not set in the end", way);
	close(fd);
	close(client);
}

int main(int argc, char **argv)
{
	struct address any;

	args_parse(argc, argv, "three ways to a non-blocking socket, and their cost", "",
		(const struct opt[]){ { 0 } });
	address_parse(&any, "127.0.0.1", 0);
	int lfd = listen_tcp(&any);
	if (set_nonblocking(lfd) < 0) /* no accepted socket inherits it */
		die_errno("non-blocking listener");

	printf("%-8s %12s %10s %12s\n", "way", "system calls", "blocking", "inheritable");
	row("fcntl", lfd, 0, by_fcntl);
	row("accept4", lfd, SOCK_NONBLOCK | SOCK_CLOEXEC, NULL);
	row("ioctl", lfd, 0, by_ioctl);
	close(lfd);
	return 0;
}
