#include "buf.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Makes room for n more bytes at the end: slides what is there, or doubles the block. */
static int reserve(struct buf *b, size_t n)
{
	size_t size = b->size ? b->size : 64;

	if (b->start > 0) {
		memmove(b->block, b->block + b->start, b->len);
		b->start = 0;
	}
	while (size < b->len + n)
		size *= 2;
	if (size == b->size)
		return 0;

	char *block = realloc(b->block, size);
	if (!block)
		return -1;
	b->block = block;
	b->size = size;
	return 0;
}

int buf_append(struct buf *b, const char *bytes, size_t n, size_t max)
{
	if (n > max || b->len > max - n) {
		errno = ENOBUFS;
		return -1;
	}
	if (b->start + b->len + n > b->size && reserve(b, n) < 0)
		return -1;
	memcpy(b->block + b->start + b->len, bytes, n);
	b->len += n;
	return 0;
}

void buf_consume(struct buf *b, size_t n)
{
	b->start += n;
	b->len -= n;
	if (b->len == 0)
		buf_free(b);
}

void buf_free(struct buf *b)
{
	free(b->block);
	*b = (struct buf){ 0 };
}
