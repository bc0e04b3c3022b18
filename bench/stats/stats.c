/* What a file of trials says, and how surely: the median of each group, the difference
 * between two servers that were measured in pairs, a claim against what was measured. */
#include "stats/difference.h"
#include "stats/median.h"
#include "stats/question.h"
#include "stats/row.h"
#include "stats/sample.h"
#include "stats/second.h"
#include "stats/table.h"
#include "stats/verdict.h"
#include <math.h>
#include <stdlib.h>

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

static void summary_row(const struct group *g)
{
	struct sample s = sample(g, NULL);

	put_keys(g);
	put_sample(&s);
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
	struct difference d = asked.counts ? difference_of_counts(g) : difference(g);

	put_keys(g);
	put_text("a", asked.a);
	put_text("b", asked.b);
	put_difference(&d);
	put_text("verdict", asked.counts ? judge_counts(&d) : judge(&d));
	row_end();
}

static void claim_row(const struct group *g)
{
	put_keys(g);
	put_text("server", asked.server);
	put_number("claim", asked.claim);
	put_number("tolerance_percent", asked.tolerance);
	struct sample s = sample(g, asked.server);
	put_sample(&s);
	put_number("bound", s.bound);
	put_text("verdict", judge_sample(&s));
	row_end();
	free(s.value);
}

static void claimed_difference_row(const struct group *g)
{
	struct difference d = asked.counts ? difference_of_counts(g) : difference(g);

	put_keys(g);
	put_text("a", asked.a);
	put_text("b", asked.b);
	put_number("claim", asked.claim);
	put_number("tolerance_percent", asked.tolerance);
	put_difference(&d);
	put_text("verdict", asked.counts ? judge_counts(&d) : judge_difference(&d));
	row_end();
}

int main(int argc, char **argv)
{
	void (*answer)(const struct group *) = claim_row;

	question_parse(argc, argv);
	table_load(asked.file);
	if (asked.command == TABLE) {
		second_table();
		return 0;
	}
	if (asked.command == SUMMARY)
		answer = summary_row;
	else if (asked.command == PAIRS)
		answer = pairs_row;
	else if (!asked.server)
		answer = claimed_difference_row;
	rows_begin(table.trials.failures, asked.a != NULL);
	for (size_t i = 0; i < table.groups; i++)
		answer(&table.group[i]);
	rows_end();
	return 0;
}
