/* Growable bytes with a bound: what was read and could not be sent yet.
 * An empty buffer owns no memory, so an idle connection costs only this struct. */
#ifndef BUF_H
#define BUF_H

#include <stddef.h>

struct buf {
	char *block; /* from malloc, NULL when empty */
	size_t start; /* the first byte not yet consumed */
	size_t len;
	size_t size; /* of the block */
};

/* The bytes waiting, buf.len of them; valid until the next call on this buffer. */
static inline const char *buf_bytes(const struct buf *b)
{
	return b->block + b->start;
}

/* Copies n bytes (n > 0) to the end. Returns 0, or -1 with nothing appended and errno
 * set: ENOBUFS if more than max bytes would wait, ENOMEM if malloc(3) has no more. */
int buf_append(struct buf *b, const char *bytes, size_t n, size_t max);

/* Drops the first n bytes (n <= len), and the memory with the last of them. */
void buf_consume(struct buf *b, size_t n);

/* Drops everything. */
void buf_free(struct buf *b);

#endif
