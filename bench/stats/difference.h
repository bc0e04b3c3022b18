/* Two servers' trials, in pairs. */
#ifndef STATS_DIFFERENCE_H
#define STATS_DIFFERENCE_H

#include "stats/median.h"
#include "stats/table.h"

struct difference {
	size_t n, nan, total; /* pairs */
	double median; /* in per cent, or absolute */
	struct range r95, r90;
};

/* From --a to --b, over the pairs of a group of which both trials were kept. */
struct difference difference(const struct group *g);

/* From the median of --a to that of --b: counts, which have no spread. n is 0 or 1. */
struct difference difference_of_counts(const struct group *g);

#endif
