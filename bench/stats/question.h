/* The command line: what is asked of the trials. */
#ifndef STATS_QUESTION_H
#define STATS_QUESTION_H

#include <stdbool.h>

enum command { SUMMARY = 1, PAIRS = 2, CLAIM = 4, TABLE = 8 }; /* bits */

struct question {
	enum command command;
	const char *metric, *by, *where, *server, *a, *b, *against;
	double claim, tolerance, within;
	long seed;
	bool absolute, counts, json;
	const char *file; /* NULL: stdin */
};

/* Filled in by question_parse, read by all. */
extern struct question asked;

/* Dies of bad usage with one line and status 2. */
void question_parse(int argc, char **argv);

#endif
