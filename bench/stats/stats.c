/* What a file of trials says, and how surely: the median of each group, the difference
 * between two servers that were measured in pairs, a claim against what was measured. */
#include "args.h"
#include "err.h"
#include "median.h"
#include "trials.h"
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	MAX_KEYS = 8,
	MAX_CELLS = 32,
};

/* A difference that four plans in five would find, against half the width of the 95 %
 * interval, which only every second one does. Simulated, 6 to 20 pairs: 1.41 to 1.50. */
#define SEEN_BY_MOST 1.5

static const char *metric, *by, *where, *lab, *arm_a, *arm_b, *against;
static double claim = NAN, tolerance = 20, within = NAN;
static long seed = 1;
static bool absolute, json;

static struct trials trials;
static size_t metric_column, lab_column, pair_column;

/* --- groups: the trials that agree in the columns of --by */

static size_t key[MAX_KEYS];
static size_t keys;

struct group {
	struct trial *trial;
	size_t n;
};

static struct group *groups;
static size_t group_count;

/* The next of the words between commas; NULL at the end. */
static char *next_word(char **list)
{
	char *word = strsep(list, ",");

	if (word && !*word)
		die_usage("an empty word in a list with commas");
	return word;
}

/* A copy to take to pieces. */
static char *copy(const char *list)
{
	char *to = strdup(list ? list : "");

	if (!to)
		die_errno("options");
	return to;
}

static void parse_by(void)
{
	char *list = copy(by), *rest = by ? list : NULL;

	for (char *word; (word = next_word(&rest)); keys++) {
		if (keys == MAX_KEYS)
			die_usage("--by: more than %d columns", MAX_KEYS);
		key[keys] = trials_column(&trials, word);
		if (arm_a && key[keys] == lab_column)
			die_usage("--by: lab is what --a and --b compare");
	}
	free(list);
	for (size_t i = 0; against && i < keys; i++)
		if (key[i] == lab_column)
			return;
	if (against)
		die_usage("--against: compares labs, so --by needs lab");
}

static void parse_where(void)
{
	char *list = copy(where), *rest = where ? list : NULL;

	for (char *word; (word = next_word(&rest));) {
		char *value = strchr(word, '=');

		if (!value)
			die_usage("--where: '%s' is not COLUMN=VALUE", word);
		*value++ = '\0';
		trials_select(&trials, word, value);
	}
	free(list);
}

static bool same_keys(const struct trial *a, const struct trial *b)
{
	for (size_t i = 0; i < keys; i++)
		if (strcmp(a->cell[key[i]], b->cell[key[i]]) != 0)
			return false;
	return true;
}

static struct group *group_of(const struct trial *trial)
{
	for (size_t i = 0; i < group_count; i++)
		if (groups[i].n == 0 || same_keys(&groups[i].trial[0], trial))
			return &groups[i];
	return &groups[group_count++];
}

/* In the order of the file. Without --by all trials are one group, even of none. */
static void make_groups(void)
{
	groups = calloc(trials.n + 1, sizeof *groups);
	if (!groups)
		die_errno("groups");
	group_count = keys == 0;
	for (size_t i = 0; i < trials.n; i++) {
		struct group *g = group_of(&trials.trial[i]);

		g->trial = reallocarray(g->trial, g->n + 1, sizeof *g->trial);
		if (!g->trial)
			die_errno("groups");
		g->trial[g->n++] = trials.trial[i];
	}
}

/* --- output: a row of named cells, as TAB-separated text or as JSON */

static struct cell {
	const char *name, *text; /* no text: a number; NaN: there is none */
	double number;
} cell[MAX_CELLS];
static size_t cells, rows;

/* The output is held back until all of it is known: what fails prints no half of it. */
static FILE *out;
static char *output;
static size_t output_size;

static struct cell *put(const char *name)
{
	for (size_t i = 0; i < cells; i++)
		if (strcmp(cell[i].name, name) == 0)
			die_usage("--by: '%s' is also the name of a result", name);
	cell[cells].name = name;
	return &cell[cells++];
}

static void put_text(const char *name, const char *text)
{
	put(name)->text = text;
}

static void put_number(const char *name, double number)
{
	struct cell *c = put(name);

	c->text = NULL;
	c->number = number;
}

static void put_count(const char *name, size_t count)
{
	put_number(name, (double)count);
}

static void put_keys(const struct group *g)
{
	for (size_t i = 0; i < keys; i++)
		put_text(trials.column[key[i]], g->trial[0].cell[key[i]]);
	put_text("metric", metric);
}

static void json_text(const char *s)
{
	fputc('"', out);
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			fprintf(out, "\\%c", *s);
		else if ((unsigned char)*s < ' ')
			fprintf(out, "\\u%04x", (unsigned char)*s);
		else
			fputc(*s, out);
	}
	fputc('"', out);
}

static void json_row(void)
{
	fprintf(out, "%s{", rows ? ",\n" : "\n");
	for (size_t i = 0; i < cells; i++) {
		if (i)
			fputc(',', out);
		json_text(cell[i].name);
		fputc(':', out);
		if (cell[i].text)
			json_text(cell[i].text);
		else if (isnan(cell[i].number))
			fputs("null", out);
		else
			fprintf(out, "%.9g", cell[i].number);
	}
	fputc('}', out);
}

static void text_row(void)
{
	for (size_t i = 0; rows == 0 && i < cells; i++)
		fprintf(out, "%s%c", cell[i].name, i + 1 < cells ? '\t' : '\n');
	for (size_t i = 0; i < cells; i++) {
		if (cell[i].text)
			fputs(cell[i].text, out);
		else if (isnan(cell[i].number))
			fputc('-', out);
		else
			fprintf(out, "%.9g", cell[i].number);
		fputc(i + 1 < cells ? '\t' : '\n', out);
	}
}

static void end_row(void)
{
	if (json)
		json_row();
	else
		text_row();
	rows++;
	cells = 0;
}

static void begin_output(bool resampled)
{
	out = open_memstream(&output, &output_size);
	if (!out)
		die_errno("output");
	if (json)
		fprintf(out, "{\"failed\":%zu,", trials.failures);
	else
		fprintf(out, "# failed: %zu\n", trials.failures);
	if (resampled && json)
		fprintf(out, "\"seed\":%ld,\"resamples\":%d,", seed, RESAMPLES);
	else if (resampled)
		fprintf(out, "# seed: %ld, resamples: %d\n", seed, RESAMPLES);
	if (json)
		fputs("\"rows\":[", out);
}

static void end_output(void)
{
	if (json)
		fputs("\n]}\n", out);
	if (fclose(out) != 0)
		die_errno("output");
	if (fwrite(output, 1, output_size, stdout) != output_size || fflush(stdout) != 0)
		die_errno("stdout");
	free(output);
}

/* --- one server's trials */

struct sample {
	double *value; /* ascending: kept, and a number */
	size_t n, nan, kept, total;
};

/* Of one lab, or of all for NULL. */
static struct sample sample(const struct group *g, const char *of)
{
	struct sample s = { .value = calloc(g->n + 1, sizeof *s.value) };

	if (!s.value)
		die_errno("values");
	for (size_t i = 0; i < g->n; i++) {
		if (of && strcmp(g->trial[i].cell[lab_column], of) != 0)
			continue;
		double x = trials_number(&trials, &g->trial[i], metric_column);
		s.total++;
		s.kept += g->trial[i].kept;
		s.nan += g->trial[i].kept && isnan(x);
		if (g->trial[i].kept && !isnan(x))
			s.value[s.n++] = x;
	}
	sort(s.value, s.n);
	return s;
}

static void put_sample(const struct sample *s)
{
	struct range r = median_interval(s->value, s->n);

	put_count("n", s->n);
	put_count("nan", s->nan);
	put_count("kept", s->kept);
	put_count("total", s->total);
	put_number("median", median(s->value, s->n));
	put_number("min", s->n ? s->value[0] : NAN);
	put_number("max", s->n ? s->value[s->n - 1] : NAN);
	put_number("low95", r.low);
	put_number("high95", r.high);
}

/* --- two servers' trials, in pairs */

struct pair {
	const char *id;
	const struct trial *a, *b; /* kept */
};

struct difference {
	size_t n, nan, total; /* pairs */
	double median; /* in per cent, or absolute */
	struct range r95, r90;
};

static struct pair *pair_of(struct pair *pairs, size_t *n, const struct trial *trial)
{
	const char *id = trial->cell[pair_column];

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
		const char *who = trial->cell[lab_column];
		bool is_a = strcmp(who, arm_a) == 0;

		if (!is_a && strcmp(who, arm_b) != 0)
			continue;
		trials_number(&trials, trial, metric_column);
		struct pair *p = pair_of(pairs, &n, trial);
		const struct trial **arm = is_a ? &p->a : &p->b;
		if (!trial->kept)
			continue;
		if (*arm)
			trials_die(&trials, trial,
				"a second trial of %s in pair '%s', see line %zu", who,
				p->id, (*arm)->line);
		*arm = trial;
	}
	return n;
}

/* NaN where an arm has no number. */
static double compare(const struct pair *p)
{
	double a = trials_number(&trials, p->a, metric_column);
	double b = trials_number(&trials, p->b, metric_column);

	if (absolute || isnan(a) || isnan(b))
		return b - a;
	if (a <= 0)
		trials_die(&trials, p->a,
			"%s is %g: nothing is relative to that, see --absolute", metric,
			a);
	return 100 * (b - a) / a;
}

static struct difference difference(const struct group *g)
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
	resample(value, d.n, (uint64_t)seed, medians);
	d.r95 = bootstrap_interval(medians, d.n, .95);
	d.r90 = bootstrap_interval(medians, d.n, .90);
	free(pairs);
	free(value);
	return d;
}

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
static const char *judge(const struct difference *d)
{
	static char words[128];
	const char *unit = absolute ? "" : " %";
	double seen = SEEN_BY_MOST * (d->r95.high - d->r95.low) / 2;
	char number[32];

	snprintf(number, sizeof number, seen < 10 ? "%.2g" : "%.0f", seen);
	if (d->n < ENOUGH)
		snprintf(words, sizeof words, "too few pairs (%zu of %d)", d->n, ENOUGH);
	else if (inside(d->r90, within))
		snprintf(words, sizeof words, "equivalent within %g%s", within, unit);
	else if (sign(d->r95))
		return sign(d->r95) > 0 ? "higher" : "lower";
	else
		snprintf(words, sizeof words,
			"no difference detected (could have seen >= %s%s)", number, unit);
	return words;
}

static void put_difference(const struct difference *d)
{
	put_count("n", d->n);
	put_count("nan", d->nan);
	put_count("total", d->total);
	put_text("unit", absolute ? "-" : "%");
	put_number("difference", d->median);
	put_number("low95", d->r95.low);
	put_number("high95", d->r95.high);
	put_number("low90", d->r90.low);
	put_number("high90", d->r90.high);
}

static void pairs_row(const struct group *g)
{
	struct difference d = difference(g);

	put_keys(g);
	put_text("a", arm_a);
	put_text("b", arm_b);
	put_difference(&d);
	put_text("verdict", judge(&d));
	end_row();
}

/* --- one server's trials, and its difference from another */

/* Same keys but for the lab, which is either the group's own or the other's. */
static bool comparable(const struct group *g, const struct trial *t)
{
	for (size_t i = 0; i < keys; i++)
		if (key[i] != lab_column &&
			strcmp(g->trial[0].cell[key[i]], t->cell[key[i]]) != 0)
			return false;
	return strcmp(t->cell[lab_column], arm_a) == 0 ||
	       strcmp(t->cell[lab_column], arm_b) == 0;
}

static const char *verdict_against(const struct group *g)
{
	struct group both = { .trial = calloc(trials.n + 1, sizeof *both.trial) };

	if (!both.trial)
		die_errno("groups");
	arm_a = against;
	arm_b = g->trial[0].cell[lab_column];
	for (size_t i = 0; i < trials.n; i++)
		if (comparable(g, &trials.trial[i]))
			both.trial[both.n++] = trials.trial[i];
	struct difference d = difference(&both);
	free(both.trial);
	return judge(&d);
}

static void summary_row(const struct group *g)
{
	struct sample s = sample(g, NULL);

	put_keys(g);
	put_sample(&s);
	if (against && strcmp(g->trial[0].cell[lab_column], against) == 0)
		put_text("verdict", "-");
	else if (against)
		put_text("verdict", verdict_against(g));
	end_row();
	free(s.value);
}

/* --- a claim */

static const char *reproduced(void)
{
	static char words[64];

	snprintf(words, sizeof words, "reproduced within %g %%", tolerance);
	return words;
}

static bool close_to_claim(double x)
{
	return fabs(x - claim) <= tolerance / 100 * fabs(claim);
}

/* A number is not reproduced by luck: the interval must lie on the claim's side of 0.
 * That there is no difference is reproduced by showing equivalence. */
static const char *judge_difference(const struct difference *d)
{
	if (d->n == 0)
		return "not testable here";
	if (d->n < ENOUGH)
		return judge(d);
	if (claim == 0)
		return inside(d->r90, absolute ? 0 : tolerance) ? reproduced()
								: "not reproduced";
	if (sign(d->r95) != (claim > 0) - (claim < 0))
		return "not reproduced";
	return close_to_claim(d->median) ? reproduced() : "direction only";
}

static const char *judge_sample(const struct sample *s)
{
	if (s->n == 0)
		return "not testable here";
	return close_to_claim(median(s->value, s->n)) ? reproduced() : "not reproduced";
}

static void claim_row(const struct group *g)
{
	put_keys(g);
	put_text("lab", lab);
	put_number("claim", claim);
	put_number("tolerance_percent", tolerance);
	struct sample s = sample(g, lab);
	put_sample(&s);
	put_text("verdict", judge_sample(&s));
	end_row();
	free(s.value);
}

static void claimed_difference_row(const struct group *g)
{
	struct difference d = difference(g);

	put_keys(g);
	put_text("a", arm_a);
	put_text("b", arm_b);
	put_number("claim", claim);
	put_number("tolerance_percent", tolerance);
	put_difference(&d);
	put_text("verdict", judge_difference(&d));
	end_row();
}

/* --- the command line */

enum { SUMMARY = 1, PAIRS = 2, CLAIM = 4 };

static const struct command {
	const char *name, *summary;
	int bit;
} commands[] = {
	{ "summary", "The median of each lab's trials (or --by), and how sure it is.",
		SUMMARY },
	{ "pairs", "The difference between two servers measured in pairs.", PAIRS },
	{ "claim",
		"A claim about a server (--lab) or about a difference (--a, --b) against "
		"the trials.",
		CLAIM },
};

static const struct {
	int commands; /* that take it */
	struct opt opt;
} options[] = {
	{ SUMMARY | PAIRS | CLAIM,
		{ 'm', "metric", "COLUMN", "what was measured", .text = &metric } },
	{ SUMMARY, { 0, "against", "LAB",
			   "a verdict: each lab's difference from this one, in pairs",
			   .text = &against } },
	{ CLAIM,
		{ 0, "lab", "LAB", "the server that the claim is about", .text = &lab } },
	{ PAIRS | CLAIM,
		{ 0, "a", "LAB", "the difference from this server", .text = &arm_a } },
	{ PAIRS | CLAIM, { 0, "b", "LAB", "to this one", .text = &arm_b } },
	{ CLAIM,
		{ 0, "claim", "VALUE", "the number claimed; of a difference, in per cent",
			.real = &claim, .min = -1e18, .max = 1e18 } },
	{ CLAIM, { 0, "tolerance", "PERCENT",
			 "so far from the claim it is still reproduced (20)",
			 .real = &tolerance, .max = 1000 } },
	{ PAIRS, { 0, "within", "PERCENT",
			 "a difference that does not matter (5; with --absolute 0)",
			 .real = &within, .max = 1e18 } },
	{ PAIRS | CLAIM, { 0, "absolute", NULL,
				 "differences in the metric's own unit, not in per cent",
				 .flag = &absolute } },
	{ PAIRS | CLAIM, { 0, "seed", "N", "of the resampling (1)", .number = &seed,
				 .max = 2147483647 } },
	{ SUMMARY | PAIRS | CLAIM,
		{ 0, "by", "COLUMN,...", "a row for each value of these columns",
			.text = &by } },
	{ SUMMARY | PAIRS | CLAIM,
		{ 0, "where", "COLUMN=VALUE,...", "only these trials", .text = &where } },
	{ SUMMARY | PAIRS | CLAIM,
		{ 'j', "json", NULL, "JSON instead of TAB-separated text",
			.flag = &json } },
};

enum { OPTIONS = sizeof options / sizeof *options };

static void list_commands(void)
{
	printf("usage: stats COMMAND [options] [FILE]\n"
	       "What a file of trials says, and how surely. FILE is stdin if "
	       "absent.\n\n");
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		printf("  %-10s %s\n", commands[i].name, commands[i].summary);
	puts("\nstats COMMAND --help lists its options.");
	exit(fflush(stdout) == 0 ? 0 : 1);
}

static const struct command *find_command(const char *name)
{
	if (name && (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0))
		list_commands();
	for (size_t i = 0; name && i < sizeof commands / sizeof *commands; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	die_usage("'%s' is not summary, pairs or claim, see --help", name ? name : "");
}

/* Messages and --help begin with the command's name as it is typed. */
static const char *parse(int argc, char **argv, const struct command *c)
{
	static char name[32];
	struct opt opts[OPTIONS + 1] = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < OPTIONS; i++)
		if (options[i].commands & c->bit)
			opts[n++] = options[i].opt;
	snprintf(name, sizeof name, "stats %s", c->name);
	program_invocation_short_name = name;
	int first = args_parse(argc, argv, c->summary, "[FILE]", opts);
	if (argc - first > 1)
		die_usage("'%s': takes one FILE, see --help", argv[first + 1]);
	return argv[first];
}

static void need(const char *name, bool given)
{
	if (!given)
		die_usage("--%s is missing, see --help", name);
}

static void check_options(const struct command *c)
{
	bool two = c->bit == PAIRS || (c->bit == CLAIM && !lab);

	need("metric", metric);
	if (c->bit == CLAIM) {
		need("claim", !isnan(claim));
		if (!lab == (!arm_a && !arm_b))
			die_usage("a claim is about --lab, or about --a and --b");
		if (lab && absolute)
			die_usage("--absolute: goes with --a and --b");
	}
	if (two) {
		need("a", arm_a);
		need("b", arm_b);
		if (strcmp(arm_a, arm_b) == 0)
			die_usage("--a and --b are both '%s'", arm_a);
	}
	if (c->bit == SUMMARY && !by)
		by = "lab";
	if (isnan(within))
		within = absolute ? 0 : 5;
}

static void load(const char *path)
{
	trials = trials_read(path);
	metric_column = trials_column(&trials, metric);
	lab_column = trials_column(&trials, "lab");
	pair_column = trials_column(&trials, "pair");
	if (lab)
		trials_know(&trials, lab);
	if (against)
		trials_know(&trials, against);
	if (arm_a)
		trials_know(&trials, arm_a);
	if (arm_b)
		trials_know(&trials, arm_b);
	parse_where();
	parse_by();
	make_groups();
}

int main(int argc, char **argv)
{
	const struct command *c = find_command(argv[1]);
	void (*row)(const struct group *) = claim_row;

	const char *path = parse(argc - 1, argv + 1, c);
	check_options(c);
	load(path);
	if (c->bit == SUMMARY)
		row = summary_row;
	else if (c->bit == PAIRS)
		row = pairs_row;
	else if (!lab)
		row = claimed_difference_row;
	begin_output(arm_a || against);
	for (size_t i = 0; i < group_count; i++)
		row(&groups[i]);
	end_output();
	return 0;
}
