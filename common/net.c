#include "net.h"
#include "err.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

int address_parse(struct address *a, const char *host, uint16_t port)
{
	struct addrinfo hints = {
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
		.ai_socktype = SOCK_STREAM,
	};
	struct addrinfo *found;
	char service[sizeof "65535"];
	struct in_addr v4;

	/* getaddrinfo would also take 1.2.3, and mean 1.2.0.3. */
	if (!strchr(host, ':') && inet_pton(AF_INET, host, &v4) != 1)
		return -1;
	snprintf(service, sizeof service, "%u", (unsigned)port);
	if (getaddrinfo(host, service, &hints, &found) != 0)
		return -1;
	*a = (struct address){ .len = found->ai_addrlen };
	memcpy(&a->sa, found->ai_addr, found->ai_addrlen);
	freeaddrinfo(found);
	return 0;
}

struct text {
	char host[NI_MAXHOST], port[NI_MAXSERV];
};

static struct text address_text(const struct address *a)
{
	struct text t;

	if (getnameinfo((const struct sockaddr *)&a->sa, a->len, t.host, sizeof t.host,
		    t.port, sizeof t.port, NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		die_usage("getnameinfo: no text for the address");
	return t;
}

/* An accepted socket inherits TCP_NODELAY from the listener. */
static int tcp_socket(const struct address *a)
{
	int one = 1;
	int fd = socket(a->sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die_errno("socket");
	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) < 0)
		die_errno("setsockopt TCP_NODELAY");
	return fd;
}

int listen_tcp(const struct address *at)
{
	int one = 1;
	int lfd = tcp_socket(at);

	if (setsockopt(lfd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) < 0)
		die_errno("setsockopt SO_REUSEADDR");
	if (bind(lfd, (const struct sockaddr *)&at->sa, at->len) < 0)
		die_errno("bind");
	if (listen(lfd, SOMAXCONN) < 0)
		die_errno("listen");
	return lfd;
}

int client_socket(const struct address *to)
{
	return tcp_socket(to);
}

void client_connect(int fd, const struct address *to)
{
	struct text text;

	if (connect(fd, (const struct sockaddr *)&to->sa, to->len) == 0)
		return;
	int error = errno;
	text = address_text(to);
	errno = error;
	die_errno("connect to %s port %s", text.host, text.port);
}

int set_nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags < 0 ? -1 : fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

void announce(int lfd)
{
	struct address at = { .len = sizeof at.sa };

	if (getsockname(lfd, (struct sockaddr *)&at.sa, &at.len) < 0)
		die_errno("getsockname");
	struct text text = address_text(&at);
	printf(strchr(text.host, ':') ? "listening on [%s]:%s\n" : "listening on %s:%s\n",
		text.host, text.port);
	if (fflush(stdout) != 0)
		die_errno("stdout");
}

unsigned long raise_fd_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		die_errno("getrlimit RLIMIT_NOFILE");
	rlim_t before = limit.rlim_cur;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		return before;
	return limit.rlim_cur;
}
