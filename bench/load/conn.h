/* The connections: what is on its way on each, and how it goes out and comes back. */
#ifndef LOAD_CONN_H
#define LOAD_CONN_H

#include "probe/probe.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A request on its way: sent is 0 until the first byte of it has left. */
struct request {
	int64_t due, sent;
};

struct conn {
	int fd; /* -1: closed */
	bool wants_out; /* EPOLLOUT is armed */
	bool held; /* its reply is left unread for now */
	int64_t held_until;
	uint32_t first, inflight; /* the ring of requests */
	uint32_t written; /* of them, sent whole */
	uint64_t seq_out, seq_in; /* numbers of the messages being sent and received */
	size_t off_out, off_in; /* how far */
	struct request ring[];
};

/* All of them together. */
struct conns {
	int epfd; /* every connection is registered there, with a pointer to its struct */
	long alive; /* open */
	long with_room; /* active ones that can take more requests */
	int64_t room_at; /* when a connection had room again */
	uint64_t inflight; /* requests on all connections */
	const struct probe_page *page; /* the server's counts, or NULL */
};

extern struct conns conns;

/* Memory for all connections that were asked for, none of them open, and the epoll set.
 */
void conns_init(void);

struct conn *conn_at(size_t i);

/* May one more request go out on it? */
bool conn_has_room(const struct conn *c);

/* Sends a request that was due then, behind those already on their way. */
void conn_issue(struct conn *c, int64_t due);

/* Sends what is queued, as far as the kernel takes it. */
void conn_flush(struct conn *c);

/* One recv: bytes of one or more replies, or a part of one; every byte is compared. */
void conn_receive(struct conn *c);

/* Records the requests on it as unanswered. Returns how many there were. */
uint64_t conn_give_up(struct conn *c, int64_t now);

/* When the first of those that leave their replies unread will read again; INT64_MAX if
 * there is none. conns_release lets those read whose time has come. */
int64_t conns_next_release(void);
void conns_release(int64_t now);

/* Closes all: with a RST, so that no TIME_WAIT keeps the port, or with a FIN
 * (--graceful).
 */
void conns_close(void);

#endif
