/* bench/load/hist against an exact sort: no percentile is off by more than 2^-10. */
#include "err.h"
#include "load/hist.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { SAMPLES = 100000 };

static int failures;

static double uniform(void)
{
	return (rand() + 1.0) / (RAND_MAX + 2.0);
}

static uint64_t draw(int kind)
{
	switch (kind) {
	case 0:
		return (uint64_t)(uniform() * 1e6);
	case 1: /* lognormal: a long tail */
		return (uint64_t)exp(
			10 + 2 * sqrt(-2 * log(uniform())) * cos(6.2831853 * uniform()));
	case 2: /* bimodal */
		return (uint64_t)((uniform() < .9 ? 3e4 : 2e8) * (1 + uniform() / 10));
	case 3:
		return 12345678;
	default: /* every power of two and its neighbours */
		return (UINT64_C(1) << rand() % 37) + (uint64_t)(rand() % 3) - 1;
	}
}

static int ascending(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void check(int kind, size_t n)
{
	static const double points[] = { 0, .01, .5, .9, .99, .999, .9999, 1 };
	struct hist *h = hist_new(), *half = hist_new();
	uint64_t *all = malloc(n * sizeof *all);
	double sum = 0;

	if (!all)
		die_errno("malloc");
	for (size_t i = 0; i < n; i++) {
		all[i] = draw(kind);
		sum += (double)all[i];
		hist_record(i % 2 ? h : half, all[i]);
	}
	hist_merge(h, half);
	qsort(all, n, sizeof *all, ascending);
	for (size_t i = 0; i < sizeof points / sizeof *points; i++) {
		size_t rank = (size_t)ceil(points[i] * (double)n);
		double exact = (double)all[rank ? rank - 1 : 0];
		double told = (double)hist_percentile(h, points[i]);

		if (told < exact || told > exact * (1 + 0x1p-10)) {
			printf("kind %d, %zu samples, p%g: %.0f, exact %.0f\n", kind, n,
				100 * points[i], told, exact);
			failures++;
		}
	}
	if (h->count != n || h->min != all[0] || h->max != all[n - 1]) {
		printf("kind %d: count, min or max\n", kind);
		failures++;
	}
	if (fabs(hist_mean(h) * (double)n / sum - 1) > 1e-9) {
		printf("kind %d: mean\n", kind);
		failures++;
	}
	free(all);
	free(h);
	free(half);
}

int main(void)
{
	struct hist *h = hist_new();

	for (int kind = 0; kind < 5; kind++) {
		check(kind, SAMPLES);
		check(kind, 1);
		check(kind, 7);
	}
	if (hist_percentile(h, .5) != 0 || hist_mean(h) != 0)
		failures++;
	hist_record(
		h, UINT64_MAX / 2); /* beyond the range: kept, counted, told exactly */
	if (h->overflow != 1 || hist_percentile(h, 1) != UINT64_MAX / 2)
		failures++;
	free(h);
	if (!failures)
		puts("ok");
	return failures != 0;
}
