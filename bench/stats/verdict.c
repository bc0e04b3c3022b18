#include "stats/verdict.h"
#include "stats/question.h"
#include <math.h>
#include <stdio.h>

/* A difference that four plans in five would find, against half the width of the 95 %
 * interval, which only every second one does. Simulated, 6 to 20 pairs: 1.41 to 1.50. */
#define SEEN_BY_MOST 1.5

static bool inside(struct range r, double limit)
{
	return r.low >= -limit && r.high <= limit;
}

/* 1: the difference is surely positive, -1: negative, 0: it may be none. */
static int sign(struct range r)
{
	return (r.low > 0) - (r.high < 0);
}

/* A small difference that is surely there is still a small one, so equivalence is asked
 * for first; the interval shows the sign. */
const char *judge(const struct difference *d)
{
	static char words[128];
	const char *unit = asked.absolute ? "" : " %";
	double seen = SEEN_BY_MOST * (d->r95.high - d->r95.low) / 2;
	char number[32];

	snprintf(number, sizeof number, seen < 10 ? "%.2g" : "%.0f", seen);
	if (d->n < ENOUGH)
		snprintf(words, sizeof words, "too few pairs (%zu of %d)", d->n, ENOUGH);
	else if (inside(d->r90, asked.within))
		snprintf(words, sizeof words, "equivalent within %g%s", asked.within,
			unit);
	else if (sign(d->r95))
		return sign(d->r95) > 0 ? "higher" : "lower";
	else
		snprintf(words, sizeof words,
			"no difference detected (could have seen >= %s%s)", number, unit);
	return words;
}

static const char *reproduced(void)
{
	static char words[64];

	snprintf(words, sizeof words, "reproduced within %g %%", asked.tolerance);
	return words;
}

static bool close_to_claim(double x)
{
	return fabs(x - asked.claim) <= asked.tolerance / 100 * fabs(asked.claim);
}

/* A number is not reproduced by luck: the interval must lie on the claim's side of 0.
 * That there is no difference is reproduced by showing equivalence. */
const char *judge_difference(const struct difference *d)
{
	if (d->n == 0)
		return "not testable here";
	if (d->n < ENOUGH)
		return judge(d);
	if (asked.claim == 0)
		return inside(d->r90, asked.absolute ? 0 : asked.tolerance)
			       ? reproduced()
			       : "not reproduced";
	if (sign(d->r95) != (asked.claim > 0) - (asked.claim < 0))
		return "not reproduced";
	return close_to_claim(d->median) ? reproduced() : "direction only";
}

const char *judge_sample(const struct sample *s)
{
	if (s->n)
		return close_to_claim(median(s->value, s->n)) ? reproduced()
							      : "not reproduced";
	/* The server can do at least what the client could ask for. */
	return s->bound > asked.claim + asked.tolerance / 100 * fabs(asked.claim)
		       ? "not reproduced"
		       : "not testable here";
}

const char *judge_counts(const struct difference *d)
{
	bool far = fabs(d->median) > asked.within;

	if (d->n == 0)
		return "not testable here";
	if (isnan(asked.claim))
		return !far            ? "equivalent within 5 %"
		       : d->median > 0 ? "higher"
				       : "lower";
	if (close_to_claim(d->median))
		return reproduced();
	return far && d->median * asked.claim > 0 ? "direction only" : "not reproduced";
}

const char *judge_shown(const struct difference *d)
{
	static char words[64];

	if (d->n >= ENOUGH)
		return judge(d);
	snprintf(words, sizeof words, "no difference shown by %zu trial%s", d->n,
		d->n == 1 ? "" : "s");
	return words;
}
