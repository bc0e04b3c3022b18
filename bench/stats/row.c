#include "stats/row.h"
#include "err.h"
#include "stats/median.h"
#include "stats/question.h"
#include "text.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_CELLS = 32 };

static struct cell {
	const char *name, *text; /* no text: a number; NaN: there is none */
	double number;
} cell[MAX_CELLS];
static size_t cells, rows;

/* A stream into memory: see rows_begin. */
static FILE *out;
static char *output;
static size_t output_size;
static bool named; /* the columns were named before the first row */

static struct cell *put(const char *name)
{
	for (size_t i = 0; i < cells; i++)
		if (strcmp(cell[i].name, name) == 0)
			die_usage("--by: '%s' is also the name of a result", name);
	cell[cells].name = name;
	return &cell[cells++];
}

void put_text(const char *name, const char *text)
{
	put(name)->text = text;
}

void put_number(const char *name, double number)
{
	struct cell *c = put(name);

	c->text = NULL;
	c->number = number;
}

void put_count(const char *name, size_t count)
{
	put_number(name, (double)count);
}

static void json_row(void)
{
	fprintf(out, "%s{", rows ? ",\n" : "\n");
	for (size_t i = 0; i < cells; i++) {
		if (i)
			fputc(',', out);
		json_text(out, cell[i].name, JSON_UTF8);
		fputc(':', out);
		if (cell[i].text)
			json_text(out, cell[i].text, JSON_UTF8);
		else if (isnan(cell[i].number))
			fputs("null", out);
		else
			fprintf(out, "%.9g", cell[i].number);
	}
	fputc('}', out);
}

static void text_row(void)
{
	for (size_t i = 0; rows == 0 && !named && i < cells; i++)
		fprintf(out, "%s%c", cell[i].name, i + 1 < cells ? '\t' : '\n');
	for (size_t i = 0; i < cells; i++) {
		if (cell[i].text)
			fputs(cell[i].text, out);
		else if (isnan(cell[i].number))
			fputc('-', out);
		else
			fprintf(out, "%.9g", cell[i].number);
		fputc(i + 1 < cells ? '\t' : '\n', out);
	}
}

void row_end(void)
{
	if (asked.json)
		json_row();
	else
		text_row();
	rows++;
	cells = 0;
}

static void open_output(void)
{
	out = open_memstream(&output, &output_size);
	if (!out)
		die_errno("output");
}

void rows_begin_with(char *const *line, size_t lines, const char *names)
{
	open_output();
	for (size_t i = 0; i < lines; i++)
		fprintf(out, "%s\n", line[i]);
	fprintf(out, "%s\n", names);
	named = true;
}

void rows_begin(size_t failures, bool resampled)
{
	open_output();
	if (asked.json)
		fprintf(out, "{\"failed\":%zu,", failures);
	else
		fprintf(out, "# failed: %zu\n", failures);
	if (resampled && asked.json)
		fprintf(out, "\"seed\":%ld,\"resamples\":%d,", asked.seed, RESAMPLES);
	else if (resampled)
		fprintf(out, "# seed: %ld, resamples: %d\n", asked.seed, RESAMPLES);
	if (asked.json)
		fputs("\"rows\":[", out);
}

void rows_end(void)
{
	if (asked.json)
		fputs("\n]}\n", out);
	if (fclose(out) != 0)
		die_errno("output");
	if (fwrite(output, 1, output_size, stdout) != output_size || fflush(stdout) != 0)
		die_errno("stdout");
	free(output);
}
