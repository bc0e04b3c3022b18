#include "hist.h"
#include "err.h"
#include <math.h>
#include <stdlib.h>

struct hist *hist_new(void)
{
	struct hist *h = calloc(1, sizeof *h);

	if (!h)
		die_errno("histogram");
	h->min = UINT64_MAX;
	return h;
}

/* Below 2^11 a bucket for each value; above, the top 11 bits choose it. */
static size_t index_of(uint64_t ns)
{
	int shift = ns >> (HIST_BITS + 1) ? 63 - __builtin_clzll(ns) - HIST_BITS : 0;

	return ((size_t)shift << HIST_BITS) + (size_t)(ns >> shift);
}

static uint64_t upper_edge(size_t index)
{
	size_t shift = index >> HIST_BITS ? (index >> HIST_BITS) - 1 : 0;
	uint64_t top = index - (shift << HIST_BITS);

	return ((top + 1) << shift) - 1;
}

void hist_record(struct hist *h, uint64_t ns)
{
	size_t i = HIST_BUCKETS - 1;

	if (ns >> HIST_MAX_BITS)
		h->overflow++;
	else
		i = index_of(ns);
	h->bucket[i]++;
	h->count++;
	h->sum += (double)ns;
	if (ns < h->min)
		h->min = ns;
	if (ns > h->max)
		h->max = ns;
}

void hist_merge(struct hist *h, const struct hist *from)
{
	for (size_t i = 0; i < HIST_BUCKETS; i++)
		h->bucket[i] += from->bucket[i];
	h->count += from->count;
	h->overflow += from->overflow;
	h->sum += from->sum;
	if (from->min < h->min)
		h->min = from->min;
	if (from->max > h->max)
		h->max = from->max;
}

uint64_t hist_percentile(const struct hist *h, double p)
{
	uint64_t rank = (uint64_t)ceil(p * (double)h->count), seen = 0;

	if (rank == 0)
		rank = 1;
	for (size_t i = 0; i < HIST_BUCKETS; i++) {
		seen += h->bucket[i];
		if (seen >= rank) {
			/* The last bucket also holds what is beyond it. */
			uint64_t edge = i == HIST_BUCKETS - 1 ? h->max : upper_edge(i);
			return edge < h->max ? edge : h->max;
		}
	}
	return 0;
}

double hist_mean(const struct hist *h)
{
	return h->count ? h->sum / (double)h->count : 0;
}

static double deviation(const struct hist *h)
{
	double mean = hist_mean(h), squares = 0;

	for (size_t i = 0; i < HIST_BUCKETS; i++) {
		double off = (double)upper_edge(i) - mean;
		squares += (double)h->bucket[i] * off * off;
	}
	return h->count ? sqrt(squares / (double)h->count) : 0;
}

static uint64_t at_or_below(const struct hist *h, uint64_t ns)
{
	uint64_t seen = 0;

	for (size_t i = 0; i < HIST_BUCKETS && (i == 0 || upper_edge(i - 1) < ns); i++)
		seen += h->bucket[i];
	return seen;
}

/* Five lines for each halving of what is left above, as HdrHistogram prints them. */
void hist_write_hgrm(FILE *out, const struct hist *h)
{
	fprintf(out, "%12s %14s %10s %14s\n\n", "Value", "Percentile", "TotalCount",
		"1/(1-Percentile)");
	for (int step = 0; h->count; step++) {
		double left = exp2(-step / 5.0), p = 1 - left;
		uint64_t ns = hist_percentile(h, p);

		if (left * (double)h->count < 1)
			break;
		fprintf(out, "%12.3f %14.12f %10llu %14.2f\n", (double)ns / 1e3, p,
			(unsigned long long)at_or_below(h, ns), 1 / left);
	}
	if (h->count)
		fprintf(out, "%12.3f %14.12f %10llu %14s\n", (double)h->max / 1e3, 1.0,
			(unsigned long long)h->count, "inf");
	fprintf(out, "#[Mean    = %12.3f, StdDeviation   = %12.3f]\n", hist_mean(h) / 1e3,
		deviation(h) / 1e3);
	fprintf(out, "#[Max     = %12.3f, Total count    = %12llu]\n",
		(double)h->max / 1e3, (unsigned long long)h->count);
	fprintf(out, "#[Buckets = %12d, SubBuckets     = %12d]\n",
		HIST_MAX_BITS - HIST_BITS + 1, 1 << HIST_BITS);
}
