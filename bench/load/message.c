#include "load/message.h"
#include "load/options.h"
#include <string.h>

enum { PATTERN = 256 };

static unsigned char pattern[PATTERN + PIECE];

void message_init(void)
{
	for (size_t i = 0; i < sizeof pattern; i++)
		pattern[i] = (unsigned char)(i % PATTERN * 167 + 13);
}

void message_bytes(uint32_t id, uint64_t seq, size_t off, char *to, size_t n)
{
	char head[MIN_SIZE];
	uint32_t length = (uint32_t)asked.size;

	memcpy(head, &id, 4);
	memcpy(head + 4, &seq, 8);
	memcpy(head + 12, &length, 4);
	for (; n > 0 && off < MIN_SIZE; n--)
		*to++ = head[off++];
	memcpy(to, pattern + (id * 31 + seq * 7 + off) % PATTERN, n);
}

bool message_is(uint32_t id, uint64_t seq, size_t off, const char *bytes, size_t n)
{
	static char want[PIECE];

	message_bytes(id, seq, off, want, n);
	return memcmp(want, bytes, n) == 0;
}
