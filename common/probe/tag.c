#include "tag.h"
#include "err.h"
#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>

/* A pointer has 48 bits, and a descriptor in data leaves the upper half empty or the same
 * each time. So the upper 16 bits become a number: that of a pair, (descriptor, what
 * these 16 bits were). Pairs are never changed or removed, which needs no lock: nobody
 * waits for a process that was killed, and no event can be too late. */
enum { PAIRS = 1 << 16 };
#define USED (UINT64_C(1) << 63)
#define LOW ((UINT64_C(1) << 48) - 1)

static _Atomic uint64_t *pairs; /* number 0 stays free: an empty upper half is no tag */

void tag_init(void)
{
	void *p = mmap(NULL, PAIRS * sizeof *pairs, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		die_errno("LAB_TRACE: memory");
	pairs = p;
}

uint64_t tag(int fd, uint64_t data)
{
	uint64_t top = data >> 48, pair = USED | (uint64_t)(uint32_t)fd << 16 | top;
	uint64_t number = ((uint64_t)(uint32_t)fd + top) % PAIRS;

	for (int tries = 0; tries < PAIRS; tries++, number = (number + 1) % PAIRS) {
		uint64_t there = 0;

		if (number == 0)
			continue;
		if (atomic_compare_exchange_strong(&pairs[number], &there, pair) ||
			there == pair)
			return number << 48 | (data & LOW);
	}
	die_usage("LAB_TRACE: more than %d different registrations", PAIRS - 1);
}

int untag(uint64_t *data)
{
	uint64_t pair = atomic_load(&pairs[*data >> 48]);

	if (pair == 0)
		return -1;
	*data = (pair & 0xffff) << 48 | (*data & LOW);
	return (int)(pair >> 16 & UINT32_MAX);
}
