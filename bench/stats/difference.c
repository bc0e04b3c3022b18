#include "stats/difference.h"
#include "err.h"
#include "stats/question.h"
#include "stats/sample.h"
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct pair {
	const char *id;
	const struct trial *a, *b; /* kept */
};

static struct pair *pair_of(struct pair *pairs, size_t *n, const struct trial *trial)
{
	const char *id = trial->cell[table.round];

	for (size_t i = 0; i < *n; i++)
		if (strcmp(pairs[i].id, id) == 0)
			return &pairs[i];
	pairs[*n].id = id;
	return &pairs[(*n)++];
}

static size_t find_pairs(const struct group *g, struct pair *pairs)
{
	size_t n = 0;

	for (size_t i = 0; i < g->n; i++) {
		const struct trial *trial = &g->trial[i];
		const char *who = trial->cell[table.server];
		bool is_a = strcmp(who, asked.a) == 0;

		if (!is_a && strcmp(who, asked.b) != 0)
			continue;
		trials_number(&table.trials, trial, table.value);
		struct pair *p = pair_of(pairs, &n, trial);
		const struct trial **arm = is_a ? &p->a : &p->b;
		if (!trial->kept)
			continue;
		if (*arm)
			trials_die(&table.trials, trial,
				"a second trial of %s in pair '%s', see line %zu", who,
				p->id, (*arm)->line);
		*arm = trial;
	}
	return n;
}

/* NaN where an arm has no number. */
static double compare(const struct pair *p)
{
	double a = trials_number(&table.trials, p->a, table.value);
	double b = trials_number(&table.trials, p->b, table.value);

	if (asked.absolute || isnan(a) || isnan(b))
		return b - a;
	if (a <= 0)
		trials_die(&table.trials, p->a,
			"%s is %g: nothing is relative to that, see --absolute",
			asked.metric, a);
	return 100 * (b - a) / a;
}

struct difference difference(const struct group *g)
{
	static double medians[RESAMPLES];
	struct pair *pairs = calloc(g->n + 1, sizeof *pairs);
	double *value = calloc(g->n + 1, sizeof *value);
	struct difference d = { 0 };

	if (!pairs || !value)
		die_errno("pairs");
	d.total = find_pairs(g, pairs);
	for (size_t i = 0; i < d.total; i++) {
		if (!pairs[i].a || !pairs[i].b)
			continue;
		double x = compare(&pairs[i]);
		if (isnan(x))
			d.nan++;
		else
			value[d.n++] = x;
	}
	sort(value, d.n);
	d.median = median(value, d.n);
	resample(value, d.n, (uint64_t)asked.seed, medians);
	d.r95 = bootstrap_interval(medians, d.n, .95);
	d.r90 = bootstrap_interval(medians, d.n, .90);
	free(pairs);
	free(value);
	return d;
}

struct difference difference_of_counts(const struct group *g)
{
	struct sample a = sample(g, asked.a), b = sample(g, asked.b);
	double from = median(a.value, a.n), to = median(b.value, b.n);
	struct range none = { NAN, NAN };
	struct difference d = { .median = NAN, .r95 = none, .r90 = none, .total = 1 };

	if (a.n && b.n && (from > 0 || asked.absolute)) {
		d.n = 1;
		d.median = asked.absolute ? to - from : 100 * (to - from) / from;
	}
	free(a.value);
	free(b.value);
	return d;
}
