/* One server's trials. */
#ifndef STATS_SAMPLE_H
#define STATS_SAMPLE_H

#include "stats/table.h"

struct sample {
	double *value; /* ascending: kept, and a number; free(3) it */
	size_t n, nan, kept, total;
	double bound; /* the largest of the trials that the client limited, or NaN */
};

/* The metric in a group, of one server or of all for NULL. */
struct sample sample(const struct group *g, const char *of);

#endif
