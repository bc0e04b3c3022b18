/* The trials of a file, and the groups that they form. */
#ifndef STATS_TABLE_H
#define STATS_TABLE_H

#include "stats/trials.h"

enum { MAX_KEYS = 8 };

/* The trials that agree in the columns of --by. */
struct group {
	struct trial *trial;
	size_t n;
};

struct table {
	struct trials trials;
	size_t server, round, value; /* columns: a round is a trial's number */
	size_t key[MAX_KEYS], keys; /* the columns of --by */
	struct group
		*group; /* in the order of the file; without --by one, even of none */
	size_t groups;
};

extern struct table table;

/* Reads FILE (NULL: stdin), and does what --where and --by ask for. Dies of a bad file.
 */
void table_load(const char *path);

#endif
