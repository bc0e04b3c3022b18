/* What the generator says in the end. */
#ifndef LOAD_RESULT_H
#define LOAD_RESULT_H

#include "probe/page.h"

/* The exit status (0, 3, 4 or 5, see --help), and in *verdict the sentence for it. */
int result_judge(const char **verdict);

/* cpu: seconds that the server took, shown if they were asked for. */
void result_text(const char *verdict, double cpu);

/* One object on stdout. cpu: seconds that the server took; its counters at both ends of
 * the window. */
void result_json(
	double cpu, const uint64_t before[COUNTERS], const uint64_t after[COUNTERS]);

/* Writes the percentile spectrum to --hgrm: all of the file or none of it. */
void result_hgrm(void);

#endif
