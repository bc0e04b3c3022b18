/* Echo server, blocking: one client is served, and the others wait. */
#include "args.h"
#include "err.h"
#include "net.h"
#include "stop.h"
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	READ_SIZE = 4096,
	RETRY_MS = 100,
};

static int listen_on(const struct address *at)
{
	int one = 1;
	int lfd = socket(at->sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (lfd < 0)
		die_errno("socket");
	/* Without it bind fails for a minute: old connections are in TIME_WAIT. */
	if (setsockopt(lfd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) < 0)
		die_errno("setsockopt SO_REUSEADDR");
	/* Replies leave at once. Linux copies the option to every accepted socket. */
	if (setsockopt(lfd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) < 0)
		die_errno("setsockopt TCP_NODELAY");
	if (bind(lfd, (const struct sockaddr *)&at->sa, at->len) < 0)
		die_errno("bind");
	/* From here on the kernel completes handshakes by itself, even before accept. */
	if (listen(lfd, SOMAXCONN) < 0)
		die_errno("listen");
	return lfd;
}

/* Waits for a client. Returns its socket, or -1: try again. */
static int accept_step(int lfd)
{
	int fd = accept4(lfd, NULL, NULL, SOCK_CLOEXEC);

	/* ECONNABORTED: the client has left. EINTR: a signal came. Try again at once.
	 * Out of descriptors or memory accept4 does not wait: so wait here. */
	if (fd < 0 && errno != EINTR && errno != ECONNABORTED)
		poll(NULL, 0, RETRY_MS);
	return fd;
}

/* Waits until all bytes are in the kernel's send buffer. False: the client is gone. */
static bool send_all(int fd, const char *data, size_t len)
{
	while (len > 0 && !stopping) {
		/* MSG_NOSIGNAL: a client that has left is an error here, not SIGPIPE. */
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		data += n; /* a signal can make even a blocking send short */
		len -= (size_t)n;
	}
	return len == 0;
}

/* Echoes until the client sends no more. */
static void serve(int fd)
{
	char data[READ_SIZE];

	while (!stopping) {
		ssize_t n = recv(fd, data, sizeof data, 0); /* DOC: waits here */

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return; /* end of file, or an error: ECONNRESET, ETIMEDOUT … */
		if (!send_all(fd, data, (size_t)n))
			return;
	}
}

int main(int argc, char **argv)
{
	struct address at = args_server(
		argc, argv, "echo server: blocking, one client at a time", NULL);

	stop_on_signals();
	int lfd = listen_on(&at);
	announce(lfd);

	while (!stopping) {
		int fd = accept_step(lfd);

		if (fd < 0)
			continue;
		serve(fd);
		close(fd);
	}
	close(lfd);
	return 0;
}
