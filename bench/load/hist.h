/* Log-linear histogram of nanoseconds: 1024 buckets for each power of two, so that no
 * value is off by more than 2^-10 (0.1 %). From 0 to 137 s; what is above goes into the
 * last bucket and is counted as overflow. Exact minimum, maximum and sum are kept aside.
 */
#ifndef HIST_H
#define HIST_H

#include <stdint.h>
#include <stdio.h>

enum {
	HIST_BITS = 10,
	HIST_MAX_BITS = 37,
	HIST_BUCKETS = (HIST_MAX_BITS - HIST_BITS + 1) << HIST_BITS,
};

struct hist {
	uint64_t count, overflow, min, max;
	double sum;
	uint64_t bucket[HIST_BUCKETS];
};

/* A new, empty histogram, 229 KB; free(3) it. Dies if there is no memory. */
struct hist *hist_new(void);

void hist_record(struct hist *h, uint64_t ns);

/* Adds what is in `from`, as if it had been recorded in `h`. */
void hist_merge(struct hist *h, const struct hist *from);

/* The value at rank ceil(p * count), p from 0 to 1: the upper edge of its bucket, but
 * never above the exact maximum. 0 for an empty histogram. */
uint64_t hist_percentile(const struct hist *h, double p);

/* 0 for an empty histogram. */
double hist_mean(const struct hist *h);

/* HdrHistogram's percentile table (.hgrm), values in microseconds. */
void hist_write_hgrm(FILE *out, const struct hist *h);

#endif
