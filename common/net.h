/* Set-up of sockets, once lab 01 has spelled it out. No accept, no reading or writing. */
#ifndef NET_H
#define NET_H

#include <stdint.h>
#include <sys/socket.h>

struct address {
	struct sockaddr_storage sa;
	socklen_t len;
};

/* Turns an IPv4 or IPv6 literal and a port into an address. No names: nothing here ever
 * asks a resolver. Returns 0, or -1 if host is no literal. */
int address_parse(struct address *a, const char *host, uint16_t port);

/* socket, SO_REUSEADDR, TCP_NODELAY, bind, listen: lab 01 shows each. The socket is
 * close-on-exec and blocking. Dies if any of it fails. */
int listen_tcp(const struct address *at);

/* A client's socket: close-on-exec, blocking, with TCP_NODELAY. What must be set before
 * the connection, such as SO_RCVBUF, is set between this and client_connect. Dies if it
 * fails. */
int client_socket(const struct address *to);

/* connect(2), and waits for it. Dies with one line that names the address. */
void client_connect(int fd, const struct address *to);

/* Adds O_NONBLOCK, keeping the other flags: lab 02 shows this and two other ways.
 * Returns 0, or -1 with errno from fcntl(2). */
int set_nonblocking(int fd);

/* Prints `listening on ADDR:PORT` on stdout, flushed: the port is the one the kernel
 * chose if 0 was asked for, an IPv6 address stands in brackets. Dies if stdout fails. */
void announce(int lfd);

/* Raises the soft limit on open descriptors to the hard one (getrlimit(2)), so that ten
 * thousand connections need no `ulimit -n`. Not being allowed to is no error.
 * Returns the limit now in force. */
unsigned long raise_fd_limit(void);

#endif
