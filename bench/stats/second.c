#include "stats/second.h"
#include "err.h"
#include "stats/difference.h"
#include "stats/median.h"
#include "stats/question.h"
#include "stats/row.h"
#include "stats/sample.h"
#include "stats/table.h"
#include "stats/verdict.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SERVER, CASE, METRIC }; /* the keys, in the order of --by */

static const char *key(const struct group *g, int i)
{
	return g->trial[0].cell[table.key[i]];
}

/* The same case and metric of the server that all are compared with; NULL if it has none.
 */
static const struct group *base_of(const struct group *g)
{
	for (size_t i = 0; i < table.groups; i++) {
		const struct group *b = &table.group[i];

		if (strcmp(key(b, SERVER), asked.against) == 0 &&
			strcmp(key(b, CASE), key(g, CASE)) == 0 &&
			strcmp(key(b, METRIC), key(g, METRIC)) == 0)
			return b;
	}
	return NULL;
}

/* Nothing is relative to 0. */
static bool all_positive(const struct group *g)
{
	for (size_t i = 0; i < g->n; i++)
		if (!(trials_number(&table.trials, &g->trial[i], table.value) > 0))
			return false;
	return true;
}

static const char *against_base(const struct group *g)
{
	const struct group *base = base_of(g);

	if (!base || strcmp(key(g, SERVER), asked.against) == 0 || !all_positive(base))
		return "-";
	struct group both = { .n = base->n + g->n };
	both.trial = calloc(both.n + 1, sizeof *both.trial);
	if (!both.trial)
		die_errno("trials");
	memcpy(both.trial, base->trial, base->n * sizeof *both.trial);
	memcpy(both.trial + base->n, g->trial, g->n * sizeof *both.trial);
	asked.a = asked.against;
	asked.b = key(g, SERVER);
	struct difference d = difference(&both);
	free(both.trial);
	return judge_shown(&d);
}

/* No trial is fit to be trusted, so the row shows all of them. */
static struct sample all_trials(const struct group *g)
{
	struct group any = { .n = g->n, .trial = calloc(g->n + 1, sizeof *any.trial) };

	if (!any.trial)
		die_errno("trials");
	memcpy(any.trial, g->trial, g->n * sizeof *any.trial);
	for (size_t i = 0; i < any.n; i++)
		any.trial[i].kept = true;
	struct sample s = sample(&any, NULL);
	free(any.trial);
	return s;
}

/* 1=23.4 2!25.1 3~30; the caller frees it. */
static char *each_trial(const struct group *g)
{
	char *text;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (!to)
		die_errno("trials");
	for (size_t i = 0; i < g->n; i++) {
		const struct trial *t = &g->trial[i];

		fprintf(to, "%s%s%c%s", i ? " " : "", t->cell[table.round],
			t->kept      ? '='
			: t->limited ? '~'
				     : '!',
			t->cell[table.value]);
	}
	if (fclose(to) != 0)
		die_errno("trials");
	return text;
}

static void put_group(const struct group *g)
{
	struct sample s = sample(g, NULL);
	size_t n = s.n;
	bool limited = !isnan(s.bound);
	char *trials = each_trial(g);

	put_text("scenario", g->trial[0].cell[trials_column(&table.trials, "scenario")]);
	put_text("server", key(g, SERVER));
	put_text("case", key(g, CASE));
	put_text("metric", key(g, METRIC));
	put_count("n", n);
	put_count("total", s.total);
	if (n == 0) {
		free(s.value);
		s = all_trials(g);
	}
	put_number("median", median(s.value, s.n));
	put_number("low", s.n ? s.value[0] : NAN);
	put_number("high", s.n ? s.value[s.n - 1] : NAN);
	put_text("verdict", n         ? against_base(g)
			    : limited ? "client-limited"
				      : "no trial kept: too noisy");
	put_text("trials", trials);
	row_end();
	free(trials);
	free(s.value);
}

/* Labs by their number, then the others; among equals the order of the file. */
static int place(const struct group *g)
{
	const char *name = key(g, SERVER);

	return *name >= '0' && *name <= '9' ? atoi(name) : 100;
}

/* All rows of a server that has not been printed, in the order of the file. */
static void put_server(const char *server, bool *done)
{
	for (size_t i = 0; i < table.groups; i++)
		if (strcmp(key(&table.group[i], SERVER), server) == 0) {
			put_group(&table.group[i]);
			done[i] = true;
		}
}

void second_table(void)
{
	bool *done = calloc(table.groups + 1, sizeof *done);

	if (!done)
		die_errno("rows");
	rows_begin_with(table.trials.said, table.trials.lines,
		"scenario\tserver\tcase\tmetric\tn\ttotal\tmedian\tlow\thigh\tverdict\t"
		"trials");
	for (int at = 0; at <= 100; at++)
		for (size_t i = 0; i < table.groups; i++)
			if (!done[i] && place(&table.group[i]) == at)
				put_server(key(&table.group[i], SERVER), done);
	rows_end();
	free(done);
}
