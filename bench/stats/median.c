#include "stats/median.h"
#include "err.h"
#include <math.h>
#include <stdlib.h>

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

void sort(double *value, size_t n)
{
	if (n)
		qsort(value, n, sizeof *value, ascending);
}

double median(const double *sorted, size_t n)
{
	return n ? (sorted[(n - 1) / 2] + sorted[n / 2]) / 2 : NAN;
}

/* P(exactly k of n coins fall heads); in logarithms, 2^-n alone would underflow. */
static double heads(size_t k, size_t n)
{
	double ways = lgamma((double)n + 1) - lgamma((double)k + 1) -
		      lgamma((double)(n - k) + 1);

	return exp(ways - (double)n * log(2));
}

struct range median_interval(const double *sorted, size_t n)
{
	double missed = heads(0, n); /* on one side, by the k + 1 outermost values */
	size_t k = 0;

	if (n < ENOUGH)
		return (struct range){ NAN, NAN };
	while (missed + heads(k + 1, n) <= .025)
		missed += heads(++k, n);
	return (struct range){ sorted[k], sorted[n - 1 - k] };
}

/* splitmix64 */
static uint64_t next(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/* The value of this rank among those drawn, when value i was drawn drawn[i] times. */
static double ranked(const double *sorted, const size_t *drawn, size_t rank)
{
	size_t i = 0;

	for (size_t seen = drawn[0]; seen <= rank; seen += drawn[i])
		i++;
	return sorted[i];
}

void resample(const double *sorted, size_t n, uint64_t seed, double medians[RESAMPLES])
{
	size_t *drawn = calloc(n + 1, sizeof *drawn);

	if (!drawn)
		die_errno("resampling");
	for (int r = 0; r < RESAMPLES; r++) {
		for (size_t i = 0; i < n; i++)
			drawn[i] = 0;
		for (size_t i = 0; i < n; i++)
			drawn[(next(&seed) >> 32) * n >> 32]++;
		medians[r] = n ? (ranked(sorted, drawn, (n - 1) / 2) +
					 ranked(sorted, drawn, n / 2)) /
					     2
			       : NAN;
	}
	sort(medians, RESAMPLES);
	free(drawn);
}

/* P(|T| > t) for Student's T with df degrees of freedom: the finite series of Abramowitz
 * and Stegun, 26.7.3 and 26.7.4. */
static double student_tails(double t, size_t df)
{
	double angle = atan(t / sqrt((double)df)), c = cos(angle);
	double term = df % 2 ? c : 1, sum = df == 1 ? 0 : term;

	for (size_t k = 2 + df % 2; k + 2 <= df; k += 2) {
		term *= (double)(k - 1) / (double)k * c * c;
		sum += term;
	}
	sum *= sin(angle);
	return 1 - (df % 2 ? (angle + sum) * 2 / M_PI : sum);
}

static double student_quantile(double tails, size_t df)
{
	double low = 0, high = 1000;

	for (int i = 0; i < 60; i++) {
		double t = (low + high) / 2;

		if (student_tails(t, df) > tails)
			low = t;
		else
			high = t;
	}
	return low;
}

/* The share of the medians to cut off on each side. The plain percentile method, half of
 * what confidence leaves, is too narrow for few values: of 7 it holds the median in 87.5
 * % of cases. This is what it must be so that the mean of normal values gets Student's
 * interval: the expanded percentile interval of Hesterberg, The American Statistician 69
 * (2015), 371-386. */
static double cut(size_t n, double confidence)
{
	double t = student_quantile(1 - confidence, n - 1);

	return erfc(t * sqrt((double)n / (double)(n - 1)) / sqrt(2)) / 2;
}

struct range bootstrap_interval(
	const double medians[RESAMPLES], size_t n, double confidence)
{
	if (n < ENOUGH)
		return (struct range){ NAN, NAN };
	size_t out = (size_t)(cut(n, confidence) * RESAMPLES);
	return (struct range){ medians[out], medians[RESAMPLES - 1 - out] };
}
