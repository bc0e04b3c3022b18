/* A process whose epoll sets are known, for tests/unit/scope.bats: prints its descriptors
 * as `name=number` words and sleeps until stdin ends. */
#include "err.h"
#include "net.h"
#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

static int need(int fd, const char *what)
{
	if (fd < 0)
		die_errno("%s", what);
	return fd;
}

static void add(int set, int fd, uint32_t events)
{
	struct epoll_event ev = { .events = events };

	need(epoll_ctl(set, EPOLL_CTL_ADD, fd, &ev), "epoll_ctl");
}

/* Both ends of a connection to our own listener. */
static void tcp_pair(int ends[2])
{
	struct address at;

	address_parse(&at, "127.0.0.1", 0);
	int lfd = listen_tcp(&at);
	need(getsockname(lfd, (struct sockaddr *)&at.sa, &at.len), "getsockname");
	ends[0] = need(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), "socket");
	if (connect(ends[0], (struct sockaddr *)&at.sa, at.len) < 0 &&
		errno != EINPROGRESS)
		die_errno("connect");
	ends[1] = need(accept4(lfd, NULL, NULL, SOCK_NONBLOCK), "accept4");
	close(lfd);
}

int main(void)
{
	int local[2], pipes[2], half[2], alone[2], copy[2];
	struct address six;

	address_parse(&six, "::1", 0);
	int set = need(epoll_create1(0), "epoll_create1");
	int inner = need(epoll_create1(0), "epoll_create1");
	int event = need(eventfd(0, EFD_NONBLOCK), "eventfd");
	int timer = need(timerfd_create(CLOCK_MONOTONIC, 0), "timerfd_create");
	int six_fd = need(socket(AF_INET6, SOCK_STREAM, 0), "socket");
	need(bind(six_fd, (struct sockaddr *)&six.sa, six.len), "bind");
	need(listen(six_fd, 8), "listen");
	need(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, local), "socketpair");
	need(pipe(pipes), "pipe");
	tcp_pair(half);
	tcp_pair(alone);
	tcp_pair(copy);

	add(set, local[0], EPOLLIN | EPOLLET);
	add(set, pipes[0], EPOLLIN | EPOLLONESHOT);
	add(set, event, EPOLLIN | EPOLLEXCLUSIVE);
	add(set, timer, EPOLLIN | EPOLLRDHUP | EPOLLET | EPOLLONESHOT);
	add(set, six_fd, EPOLLIN);
	add(set, inner, EPOLLIN);
	add(inner, half[0], EPOLLIN);
	add(inner, half[1], EPOLLIN);
	add(inner, copy[0], EPOLLIN);
	need((int)write(local[1], "seven b", 7), "write");
	need((int)write(alone[1], "four", 4), "write");
	close(half[1]); /* half[0] will see a FIN, and never read it */
	need(dup(copy[0]), "dup");
	close(copy[0]); /* the copy keeps it in the set */
	printf("set=%d inner=%d event=%d timer=%d six=%d unix=%d pipe=%d half=%d "
	       "alone=%d "
	       "copy=%d\n",
		set, inner, event, timer, six_fd, local[0], pipes[0], half[0], alone[0],
		copy[0]);
	if (fflush(stdout) != 0)
		die_errno("stdout");
	while (getchar() != EOF)
		;
	return 0;
}
