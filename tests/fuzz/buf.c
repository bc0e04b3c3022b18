/* common/buf.c against a plain array: appends, consumes and frees in any order. */
#include "buf.h"
#include "fuzz.h"
#include <errno.h>
#include <string.h>

enum { MOST = 4096 };

/* Input: the bound (two bytes), then steps of three bytes: what, and how much. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char model[MOST], piece[MOST];
	static unsigned char next;
	struct buf b = { 0 };
	size_t len = 0;

	if (size < 2)
		return -1;
	size_t max = (size_t)(data[0] | data[1] << 8) % (MOST + 1);
	for (size_t i = 2; i + 3 <= size; i += 3) {
		size_t n = (size_t)(data[i + 1] | data[i + 2] << 8) % (MOST + 1);

		switch (data[i] % 4) {
		case 0:
		case 1:
			n += n == 0;
			for (size_t k = 0; k < n; k++)
				piece[k] = (char)next++;
			errno = 0;
			if (buf_append(&b, piece, n, max) == 0) {
				MUST(len + n <= max);
				memcpy(model + len, piece, n);
				len += n;
			} else {
				MUST(errno == ENOBUFS && len + n > max);
			}
			break;
		case 2:
			n = len ? n % (len + 1) : 0;
			if (len)
				buf_consume(&b, n);
			len -= n;
			memmove(model, model + n, len);
			break;
		default:
			buf_free(&b);
			len = 0;
		}
		MUST(b.len == len && b.start + b.len <= b.size);
		MUST((b.len == 0) == (b.block == NULL));
		MUST(b.size < 2 * max + 128); /* bounded means the block too */
		MUST(len == 0 || memcmp(buf_bytes(&b), model, len) == 0);
	}
	buf_free(&b);
	return 0;
}
