/* What a file of trials says, and how surely: the median of each group, the difference
 * between two servers that were measured in pairs, a claim against what was measured. */
#include "err.h"
#include "stats/difference.h"
#include "stats/median.h"
#include "stats/question.h"
#include "stats/row.h"
#include "stats/sample.h"
#include "stats/table.h"
#include "stats/verdict.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void put_keys(const struct group *g)
{
	for (size_t i = 0; i < table.keys; i++)
		put_text(table.trials.column[table.key[i]],
			g->trial[0].cell[table.key[i]]);
	put_text("metric", asked.metric);
}

static void put_sample(const struct sample *s)
{
	struct range r = median_interval(s->value, s->n);

	put_count("n", s->n);
	put_count("nan", s->nan);
	put_count("kept", s->kept);
	put_count("total", s->total);
	put_number("median", median(s->value, s->n));
	put_number("min", s->n ? s->value[0] : NAN);
	put_number("max", s->n ? s->value[s->n - 1] : NAN);
	put_number("low95", r.low);
	put_number("high95", r.high);
}

/* Same keys but for the lab, which is either the group's own or the other's. */
static bool comparable(const struct group *g, const struct trial *t)
{
	for (size_t i = 0; i < table.keys; i++)
		if (table.key[i] != table.lab && strcmp(g->trial[0].cell[table.key[i]],
							 t->cell[table.key[i]]) != 0)
			return false;
	return strcmp(t->cell[table.lab], asked.a) == 0 ||
	       strcmp(t->cell[table.lab], asked.b) == 0;
}

static const char *verdict_against(const struct group *g)
{
	size_t n = table.trials.n;
	struct group both = { .trial = calloc(n + 1, sizeof *both.trial) };

	if (!both.trial)
		die_errno("groups");
	asked.a = asked.against;
	asked.b = g->trial[0].cell[table.lab];
	for (size_t i = 0; i < n; i++)
		if (comparable(g, &table.trials.trial[i]))
			both.trial[both.n++] = table.trials.trial[i];
	struct difference d = difference(&both);
	free(both.trial);
	return judge(&d);
}

static void summary_row(const struct group *g)
{
	struct sample s = sample(g, NULL);

	put_keys(g);
	put_sample(&s);
	if (asked.against && strcmp(g->trial[0].cell[table.lab], asked.against) == 0)
		put_text("verdict", "-");
	else if (asked.against)
		put_text("verdict", verdict_against(g));
	row_end();
	free(s.value);
}

static void put_difference(const struct difference *d)
{
	put_count("n", d->n);
	put_count("nan", d->nan);
	put_count("total", d->total);
	put_text("unit", asked.absolute ? "-" : "%");
	put_number("difference", d->median);
	put_number("low95", d->r95.low);
	put_number("high95", d->r95.high);
	put_number("low90", d->r90.low);
	put_number("high90", d->r90.high);
}

static void pairs_row(const struct group *g)
{
	struct difference d = difference(g);

	put_keys(g);
	put_text("a", asked.a);
	put_text("b", asked.b);
	put_difference(&d);
	put_text("verdict", judge(&d));
	row_end();
}

static void claim_row(const struct group *g)
{
	put_keys(g);
	put_text("lab", asked.lab);
	put_number("claim", asked.claim);
	put_number("tolerance_percent", asked.tolerance);
	struct sample s = sample(g, asked.lab);
	put_sample(&s);
	put_text("verdict", judge_sample(&s));
	row_end();
	free(s.value);
}

static void claimed_difference_row(const struct group *g)
{
	struct difference d = difference(g);

	put_keys(g);
	put_text("a", asked.a);
	put_text("b", asked.b);
	put_number("claim", asked.claim);
	put_number("tolerance_percent", asked.tolerance);
	put_difference(&d);
	put_text("verdict", judge_difference(&d));
	row_end();
}

int main(int argc, char **argv)
{
	void (*answer)(const struct group *) = claim_row;

	question_parse(argc, argv);
	table_load(asked.file);
	if (asked.command == SUMMARY)
		answer = summary_row;
	else if (asked.command == PAIRS)
		answer = pairs_row;
	else if (!asked.lab)
		answer = claimed_difference_row;
	rows_begin(table.trials.failures, asked.a || asked.against);
	for (size_t i = 0; i < table.groups; i++)
		answer(&table.group[i]);
	rows_end();
	return 0;
}
