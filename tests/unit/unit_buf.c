/* common/buf: bytes in order, the bound, and no memory when empty. */
#include "buf.h"
#include "err.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures;

static void expect(int good, const char *what)
{
	if (!good) {
		printf("not so: %s\n", what);
		failures++;
	}
}

/* Appends and consumes at random against a plain array. */
static void random_walk(unsigned seed)
{
	enum { ALL = 1 << 20, MAX = 5000 };
	char *in = malloc(ALL), piece[700];
	size_t put = 0, got = 0;
	struct buf b = { 0 };

	if (!in)
		die_errno("malloc");
	srand(seed);
	while (put + sizeof piece < ALL) {
		size_t n = (size_t)rand() % sizeof piece + 1;

		for (size_t i = 0; i < n; i++)
			piece[i] = (char)rand();
		if (buf_append(&b, piece, n, MAX) == 0) {
			memcpy(in + put, piece, n);
			put += n;
		} else {
			expect(errno == ENOBUFS && b.len + n > MAX,
				"refused only over the bound");
		}
		size_t out = b.len ? (size_t)rand() % (b.len + 1) : 0;
		if (out && (rand() & 1)) {
			expect(memcmp(buf_bytes(&b), in + got, out) == 0,
				"bytes in order");
			buf_consume(&b, out);
			got += out;
		}
		expect(b.len == put - got && b.len <= MAX, "length");
		expect((b.len == 0) == (b.block == NULL),
			"an empty buffer owns no memory");
	}
	buf_free(&b);
	expect(!b.block && b.len == 0, "freed");
	free(in);
}

int main(void)
{
	struct buf b = { 0 };

	expect(buf_append(&b, "12345678", 8, 8) == 0, "exactly the bound fits");
	expect(buf_append(&b, "9", 1, 8) < 0 && errno == ENOBUFS, "one more does not");
	expect(b.len == 8 && memcmp(buf_bytes(&b), "12345678", 8) == 0,
		"refusal changes nothing");
	buf_consume(&b, 3);
	expect(buf_append(&b, "abc", 3, 8) == 0, "room again after consume");
	expect(memcmp(buf_bytes(&b), "45678abc", 8) == 0, "slides");
	expect(buf_append(&b, "x", (size_t)-1, (size_t)-1) < 0, "no overflow of the sum");
	buf_consume(&b, 8);
	expect(!b.block, "released when empty");
	for (unsigned seed = 1; seed <= 20; seed++)
		random_walk(seed);
	if (!failures)
		puts("ok");
	return failures != 0;
}
