/* The stage of a card: two ends of a channel and an epoll set, opened for one cell of the
 * table and closed after it. Nothing here waits for time to pass: what was sent is waited
 * for with poll(2), which takes no edge from epoll, and then epoll_wait has a timeout of
 * 0.
 *
 * A call that this kernel (or a sandbox) refuses is kept in `refused`, and from then on
 * the scene does nothing. Any other failure of the set-up ends the program. */
#ifndef SCENE_H
#define SCENE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the two ends are; a card names all it holds for. */
enum kind {
	TCP = 1, /* over 127.0.0.1 */
	UNIX = 2, /* socketpair(2), a stream */
	PIPE = 4, /* fd reads, peer writes; see swap_ends() */
	EVENTFD = 8, /* fd and peer are the same descriptor */
	ALONE = 16, /* no channel: the card opens what it needs */
	STREAMS = TCP | UNIX | PIPE,
};

enum { SCENE_FDS = 12, WORD = 32 };

struct scene {
	enum kind kind;
	uint32_t mode; /* EPOLLET, EPOLLONESHOT, both or neither: watch() adds it */
	int epfd;
	int fd; /* the end that is watched; non-blocking */
	int peer; /* the other one; non-blocking */
	uint32_t mask; /* what the last wait_once() brought */
	uint64_t data; /* and its data, which is fd unless a card says otherwise */
	bool refused; /* this kernel does not let us try */
	bool late; /* something sent did not arrive within seconds */
	int fds[SCENE_FDS]; /* to be closed */
	size_t n;
	char word[WORD]; /* room for the result */
};

void scene_open(struct scene *s, enum kind kind, uint32_t mode);
void scene_close(struct scene *s);

/* Lets scene_close close it. Takes any result of a call that makes a descriptor: a
 * failure is `refused`, or ends the program naming `call`. */
int keep(struct scene *s, const char *call, int fd);
/* Closes it now. */
void drop(struct scene *s, int fd);

/* Watches and writes at the other end from now on. */
void swap_ends(struct scene *s);

void watch(struct scene *s, uint32_t events); /* ADD fd, with the mode of this column */
void rearm(struct scene *s, uint32_t events); /* MOD */
int wait_once(struct scene *s); /* epoll_wait, at most one event, timeout 0: 0 or 1 */

/* The peer writes n bytes; returns when they are there to be read. */
void peer_writes(struct scene *s, int n);
/* Reads at most n bytes from fd, in one call; returns how many, 0 for none. */
int read_some(struct scene *s, int n);
void drain(struct scene *s);
void fill(struct scene *s); /* writes to fd until EAGAIN */
void peer_drains(struct scene *s); /* reads at the peer until fd can be written to */
void fin(struct scene *s); /* the peer will write no more */
void peer_closes(struct scene *s);
void rst(struct scene *s); /* the peer aborts the connection */

/* Waits until poll(2) reports one of `events` on fd; for seconds, then it is late. */
void await(struct scene *s, int fd, short events);
/* Waits until TCP at `to` has acknowledged all that `from` sent. */
void await_ack(struct scene *s, int from, int to);

int listener(struct scene *s); /* non-blocking, on 127.0.0.1, kept */
int connect_to(struct scene *s, int lfd); /* kept; returns when it waits for accept */

/* Is this kernel of one of these releases, both ends included? */
bool kernel_from_to(int major1, int minor1, int major2, int minor2);

/* The results, as words that the table shows. */
const char *wait_count(struct scene *s); /* wait_once() */
const char *wait_mask(
	struct scene *s); /* wait_once, and the events: IN|OUT; 0 for no event */
const char *outcome(struct scene *s, long result); /* ok, or the name of errno */
const char *word(struct scene *s, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
