/* The list of probes: what each is for stands in --list. */
#include "probes.h"

const struct probe probes[] = {
	{ "dribble", "one byte at a time", probe_dribble, 0 },
};

const size_t nprobes = sizeof probes / sizeof probes[0];
