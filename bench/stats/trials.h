/* A TAB-separated file of trials: lines of # comment, one row of column names, then a row
 * per number that a trial gave; a line beginning with ! names a server that gave no
 * trial. What is wrong with a file ends the program: one line with file, line and
 * culprit, exit status 1. */
#ifndef TRIALS_H
#define TRIALS_H

#include <stdbool.h>
#include <stddef.h>

struct trial {
	size_t line;
	char **cell;
	bool kept; /* no: the noise gate has rejected it */
	bool limited; /* the client was the limit: this is not the server's number */
};

struct trials {
	const char *file;
	char **column;
	size_t columns;
	struct trial *trial;
	size_t n;
	char **failed; /* the lines that begin with ! */
	size_t failures;
	char **said; /* the lines that begin with # or !, for who copies them */
	size_t lines;
};

/* Every file has the columns server, case, trial, kept (1, 0 or limited), metric and
 * value. Trials of the same number were measured together. NULL or "-" is stdin. */
struct trials trials_read(const char *path);

size_t trials_column(const struct trials *t, const char *name);

/* A number, or NaN where the cell says so. */
double trials_number(const struct trials *t, const struct trial *trial, size_t column);

/* There must be trials of this server, or a line that tells why not. */
void trials_know(const struct trials *t, const char *server);

/* Only the trials where the column reads so. That there are none is an error, unless a
 * server that gave no trial may be the cause. */
void trials_select(struct trials *t, const char *name, const char *value);

/* Says what is wrong with a trial of the file. */
_Noreturn void trials_die(const struct trials *t, const struct trial *trial,
	const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
