/* Every byte comes back once and in order, whatever the sizes and the timing. */
#include "probes.h"

void probe_dribble(void)
{
	struct client *c = dial();

	did("one byte at a time: 100 waiting for each answer, 200 without");
	expect("every byte back");
	for (int i = 0; i < 100; i++)
		echo(c, 1);
	for (int i = 0; i < 200; i++)
		say(c, 1);
	hear(c);
	pass("300 bytes back");
}
