/* One client must not cost the others anything. */
#include "probes.h"
#include <stdio.h>

enum { FLOODERS = 3 };

/* Each time the server is frozen a connection takes in what its window allows; a server
 * that then reads all of it in one go has its window doubled by the kernel. */
static uint64_t grow(struct client **c, uint64_t wanted)
{
	uint64_t least = 0;

	for (int i = 0; i < 20 && least < wanted; i++) {
		settle();
		freeze();
		stuff(c, FLOODERS, c[0]->sent + 4 * wanted);
		least = UINT64_MAX;
		for (int k = 0; k < FLOODERS; k++) {
			struct far_end f = { 0 };

			far_end(c[k], &f);
			printf("%d: %u ", i, f.unread);
			least = f.unread < least ? f.unread : least;
		}
		printf("\n");
		thaw();
		for (int k = 0; k < FLOODERS; k++)
			hear(c[k]);
	}
	return least;
}

void probe_fairness(void)
{
	struct client *c[FLOODERS];
	for (int k = 0; k < FLOODERS; k++) {
		c[k] = dial();
		echo(c[k], 10);
	}
	grow(c, 1 << 20);
	pass("x");
}
