#include "stats/trials.h"
#include "err.h"
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One line, `program: file[:line]: what`. */
__attribute__((format(printf, 3, 0))) static void say(
	const char *file, size_t line, const char *fmt, va_list ap)
{
	fprintf(stderr, "%s: %s:", program_invocation_short_name, file);
	if (line)
		fprintf(stderr, "%zu:", line);
	fputc(' ', stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
}

__attribute__((format(printf, 3, 4))) static _Noreturn void die_at(
	const char *file, size_t line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(file, line, fmt, ap);
	va_end(ap);
	exit(1);
}

void trials_die(const struct trials *t, const struct trial *trial, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(t->file, trial->line, fmt, ap);
	va_end(ap);
	exit(1);
}

/* Room for one more element; doubles whenever n is a power of two. */
static void *grow(void *array, size_t n, size_t size)
{
	if (n & (n - 1))
		return array;
	array = reallocarray(array, n ? 2 * n : 1, size);
	if (!array)
		die_errno("trials");
	return array;
}

static char **split(char *line, size_t *cells)
{
	char **cell = NULL;
	size_t n = 0;

	while (line) {
		cell = grow(cell, n, sizeof *cell);
		cell[n++] = strsep(&line, "\t");
	}
	*cells = n;
	return cell;
}

static void read_header(struct trials *t, char *line, size_t number)
{
	static const char *const needed[] = { "server", "case", "trial", "kept", "metric",
		"value" };

	t->column = split(line, &t->columns);
	for (size_t i = 0; i < t->columns; i++)
		for (size_t j = 0; j < i; j++)
			if (strcmp(t->column[i], t->column[j]) == 0)
				die_at(t->file, number, "two columns '%s'", t->column[i]);
	for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
		trials_column(t, needed[i]);
}

static void read_trial(struct trials *t, char *line, size_t number)
{
	struct trial trial = { .line = number };
	size_t cells;

	trial.cell = split(line, &cells);
	if (cells != t->columns)
		die_at(t->file, number, "%zu columns, the header has %zu", cells,
			t->columns);
	const char *kept = trial.cell[trials_column(t, "kept")];
	trial.kept = strcmp(kept, "1") == 0;
	trial.limited = strcmp(kept, "limited") == 0;
	if (!trial.kept && !trial.limited && strcmp(kept, "0") != 0)
		die_at(t->file, number, "kept: '%s' is none of 1, 0, limited", kept);
	t->trial = grow(t->trial, t->n, sizeof *t->trial);
	t->trial[t->n++] = trial;
}

static void read_line(struct trials *t, const char *text, size_t number)
{
	char *line = strdup(text);

	if (!line)
		die_errno("trials");
	if (*line == '#' || *line == '!') {
		t->said = grow(t->said, t->lines, sizeof *t->said);
		t->said[t->lines++] = line;
	}
	if (*line == '!') {
		t->failed = grow(t->failed, t->failures, sizeof *t->failed);
		t->failed[t->failures++] = line;
	} else if (*line == '#') {
		/* cppcheck-suppress memleak */
		return; /* kept as it is, in said */
	} else if (!t->column) {
		read_header(t, line, number);
	} else {
		read_trial(t, line, number);
	}
}

struct trials trials_read(const char *path)
{
	bool standard = !path || strcmp(path, "-") == 0;
	struct trials t = { .file = standard ? "stdin" : path };
	FILE *in = standard ? stdin : fopen(path, "re");
	char *line = NULL;
	size_t room = 0, number = 0;
	ssize_t len;

	if (!in)
		die_errno("%s", path);
	while ((len = getline(&line, &room, in)) > 0) {
		number++;
		if (memchr(line, 0, (size_t)len))
			die_at(t.file, number, "a NUL byte: not a text file");
		if (line[len - 1] == '\n')
			line[--len] = '\0';
		if (len > 0)
			read_line(&t, line, number);
	}
	if (ferror(in))
		die_errno("%s", t.file);
	free(line);
	if (!standard)
		fclose(in);
	if (!t.column)
		die_at(t.file, 0, "no row of column names");
	if (t.n == 0 && t.failures == 0)
		die_at(t.file, 0, "no trials");
	return t;
}

size_t trials_column(const struct trials *t, const char *name)
{
	for (size_t i = 0; i < t->columns; i++)
		if (strcmp(t->column[i], name) == 0)
			return i;
	die_at(t->file, 0, "no column '%s'", name);
}

double trials_number(const struct trials *t, const struct trial *trial, size_t column)
{
	const char *text = trial->cell[column];
	char *end;

	if (strcmp(text, "nan") == 0)
		return NAN;
	double x = strtod(text, &end);
	if (end == text || *end || !isfinite(x))
		trials_die(t, trial, "%s: '%s' is not a number", t->column[column], text);
	return x;
}

/* `! SERVER error WHY` */
static bool failed(const char *line, const char *server)
{
	size_t len = strlen(server);

	line += 1 + strspn(line + 1, " \t");
	return strncmp(line, server, len) == 0 &&
	       strspn(line + len, " \t") + !line[len] > 0;
}

void trials_know(const struct trials *t, const char *server)
{
	size_t column = trials_column(t, "server");

	for (size_t i = 0; i < t->n; i++)
		if (strcmp(t->trial[i].cell[column], server) == 0)
			return;
	for (size_t i = 0; i < t->failures; i++)
		if (failed(t->failed[i], server))
			return;
	die_at(t->file, 0, "no trial of server '%s'", server);
}

void trials_select(struct trials *t, const char *name, const char *value)
{
	size_t column = trials_column(t, name), left = 0;

	for (size_t i = 0; i < t->n; i++) {
		if (strcmp(t->trial[i].cell[column], value) == 0) {
			t->trial[left++] = t->trial[i];
		} else {
			free(t->trial[i].cell[0]); /* where the line begins */
			free(t->trial[i].cell);
		}
	}
	t->n = left;
	if (t->n == 0 && t->failures == 0)
		die_at(t->file, 0, "no trial where %s is '%s'", name, value);
}
