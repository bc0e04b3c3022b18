/* What a sample or a difference says, in the words that all tables use. */
#ifndef STATS_VERDICT_H
#define STATS_VERDICT_H

#include "stats/difference.h"
#include "stats/sample.h"

/* "higher", "lower", "equivalent within 5 %", "no difference detected (...)", "too few
 * pairs (...)". The words live until the next call. */
const char *judge(const struct difference *d);

/* Against --claim: "reproduced within 20 %", "direction only", "not reproduced", "not
 * testable here", or "too few pairs (...)". */
const char *judge_difference(const struct difference *d);
const char *judge_sample(const struct sample *s);

/* Of two counts, without a claim or against --claim. */
const char *judge_counts(const struct difference *d);

/* For a reader of the table: as judge, and "no difference shown by 3 trials". */
const char *judge_shown(const struct difference *d);

#endif
