#include "stats/sample.h"
#include "err.h"
#include "stats/median.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct sample sample(const struct group *g, const char *of)
{
	struct sample s = { .value = calloc(g->n + 1, sizeof *s.value), .bound = NAN };

	if (!s.value)
		die_errno("values");
	for (size_t i = 0; i < g->n; i++) {
		if (of && strcmp(g->trial[i].cell[table.server], of) != 0)
			continue;
		double x = trials_number(&table.trials, &g->trial[i], table.value);
		s.total++;
		s.kept += g->trial[i].kept;
		s.nan += g->trial[i].kept && isnan(x);
		if (g->trial[i].kept && !isnan(x))
			s.value[s.n++] = x;
		if (g->trial[i].limited)
			s.bound = fmax(s.bound, x);
	}
	sort(s.value, s.n);
	return s;
}
