#include "stats/question.h"
#include "args.h"
#include "err.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct question asked = {
	.against = "03-epoll-lt", .claim = NAN, .tolerance = 20, .within = NAN, .seed = 1
};

static const struct command_line {
	const char *name, *summary;
	enum command bit;
} commands[] = {
	{ "table", "A file of trials becomes a row for each server, case and metric.",
		TABLE },
	{ "summary", "The median of each server's trials (or --by), and how sure it is.",
		SUMMARY },
	{ "pairs", "The difference between two servers measured in pairs.", PAIRS },
	{ "claim",
		"A claim about a server (--server) or about a difference (--a, --b) "
		"against "
		"the trials.",
		CLAIM },
};

static const struct {
	int commands; /* that take it */
	struct opt opt;
} options[] = {
	{ SUMMARY | PAIRS | CLAIM,
		{ 'm', "metric", "METRIC", "what was measured", .text = &asked.metric } },
	{ TABLE, { 0, "against", "SERVER",
			 "the verdicts are differences from this one (03-epoll-lt)",
			 .text = &asked.against } },
	{ CLAIM, { 0, "server", "SERVER", "the server that the claim is about",
			 .text = &asked.server } },
	{ PAIRS | CLAIM, { 0, "a", "SERVER", "the difference from this server",
				 .text = &asked.a } },
	{ PAIRS | CLAIM, { 0, "b", "SERVER", "to this one", .text = &asked.b } },
	{ CLAIM,
		{ 0, "claim", "VALUE", "the number claimed; of a difference, in per cent",
			.real = &asked.claim, .min = -1e18, .max = 1e18 } },
	{ CLAIM, { 0, "tolerance", "PERCENT",
			 "so far from the claim it is still reproduced (20)",
			 .real = &asked.tolerance, .max = 1000 } },
	{ PAIRS, { 0, "within", "PERCENT",
			 "a difference that does not matter (5; with --absolute 0)",
			 .real = &asked.within, .max = 1e18 } },
	{ PAIRS | CLAIM, { 0, "absolute", NULL,
				 "differences in the metric's own unit, not in per cent",
				 .flag = &asked.absolute } },
	{ PAIRS | CLAIM,
		{ 0, "counts", NULL,
			"counts are equal in each trial: compare the two medians",
			.flag = &asked.counts } },
	{ PAIRS | CLAIM | TABLE, { 0, "seed", "N", "of the resampling (1)",
					 .number = &asked.seed, .max = 2147483647 } },
	{ SUMMARY | PAIRS | CLAIM,
		{ 0, "by", "COLUMN,...", "a row for each value of these columns",
			.text = &asked.by } },
	{ SUMMARY | PAIRS | CLAIM, { 0, "where", "COLUMN=VALUE,...", "only these trials",
					   .text = &asked.where } },
	{ SUMMARY | PAIRS | CLAIM,
		{ 'j', "json", NULL, "JSON instead of TAB-separated text",
			.flag = &asked.json } },
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

static const struct command_line *find_command(const char *name)
{
	if (name && (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0))
		list_commands();
	for (size_t i = 0; name && i < sizeof commands / sizeof *commands; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	die_usage("'%s' is not table, summary, pairs or claim, see --help",
		name ? name : "");
}

/* Messages and --help begin with the command's name as it is typed. */
static void parse(int argc, char **argv, const struct command_line *c)
{
	static char name[32];
	struct opt opts[OPTIONS + 1] = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < OPTIONS; i++)
		if (options[i].commands & (int)c->bit)
			opts[n++] = options[i].opt;
	snprintf(name, sizeof name, "stats %s", c->name);
	program_invocation_short_name = name;
	int first = args_parse(argc, argv, c->summary, "[FILE]", opts);
	if (argc - first > 1)
		die_usage("'%s': takes one FILE, see --help", argv[first + 1]);
	asked.file = argv[first];
}

static void need(const char *name, bool given)
{
	if (!given)
		die_usage("--%s is missing, see --help", name);
}

static void check_options(const struct command_line *c)
{
	bool two = c->bit == PAIRS || (c->bit == CLAIM && !asked.server);

	if (c->bit == TABLE) {
		asked.by = "server,case,metric";
		asked.within = 5;
		return;
	}
	need("metric", asked.metric);
	if (c->bit == CLAIM) {
		need("claim", !isnan(asked.claim));
		if (!asked.server == (!asked.a && !asked.b))
			die_usage("a claim is about --server, or about --a and --b");
		if (asked.server && (asked.absolute || asked.counts))
			die_usage("--absolute and --counts: go with --a and --b");
	}
	if (two) {
		need("a", asked.a);
		need("b", asked.b);
		if (strcmp(asked.a, asked.b) == 0)
			die_usage("--a and --b are both '%s'", asked.a);
	}
	if (c->bit == SUMMARY && !asked.by)
		asked.by = "server";
	if (isnan(asked.within))
		asked.within = asked.absolute ? 0 : 5;
}

void question_parse(int argc, char **argv)
{
	const struct command_line *c = find_command(argv[1]);

	asked.command = c->bit;
	parse(argc - 1, argv + 1, c);
	check_options(c);
}
