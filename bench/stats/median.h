/* What a few trials tell of a median, and what they do not. No distribution is presumed
 * and no value is left out. A NaN stands for what so few values cannot tell. */
#ifndef MEDIAN_H
#define MEDIAN_H

#include <stddef.h>
#include <stdint.h>

enum {
	ENOUGH = 6, /* of fewer values, even all of them miss the median in more than 5 %
		     */
	RESAMPLES = 10000,
};

struct range {
	double low, high;
};

/* Ascending, as all below want their values. */
void sort(double *value, size_t n);

/* Of an even number, the mean of the two in the middle. */
double median(const double *sorted, size_t n);

/* From the k-th lowest to the k-th highest value, k as large as leaves 95 % or more: how
 * many values lie below the median is a matter of tossing coins. */
struct range median_interval(const double *sorted, size_t n);

/* The medians, ascending, of n values drawn with replacement, RESAMPLES times; the same
 * for the same seed. */
void resample(const double *sorted, size_t n, uint64_t seed, double medians[RESAMPLES]);

/* Holds the median with this confidence (.95, .9), by the medians of resamples of n. */
struct range bootstrap_interval(
	const double medians[RESAMPLES], size_t n, double confidence);

#endif
