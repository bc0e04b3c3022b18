#include "stats/table.h"
#include "err.h"
#include "stats/question.h"
#include <stdlib.h>
#include <string.h>

struct table table;

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
	char *list = copy(asked.by), *rest = asked.by ? list : NULL;

	for (char *word; (word = next_word(&rest)); table.keys++) {
		if (table.keys == MAX_KEYS)
			die_usage("--by: more than %d columns", MAX_KEYS);
		table.key[table.keys] = trials_column(&table.trials, word);
		if (asked.a && table.key[table.keys] == table.server)
			die_usage("--by: server is what --a and --b compare");
	}
	free(list);
}

static void parse_where(void)
{
	char *list = copy(asked.where), *rest = asked.where ? list : NULL;

	for (char *word; (word = next_word(&rest));) {
		char *value = strchr(word, '=');

		if (!value)
			die_usage("--where: '%s' is not COLUMN=VALUE", word);
		*value++ = '\0';
		trials_select(&table.trials, word, value);
	}
	free(list);
}

static bool same_keys(const struct trial *a, const struct trial *b)
{
	for (size_t i = 0; i < table.keys; i++)
		if (strcmp(a->cell[table.key[i]], b->cell[table.key[i]]) != 0)
			return false;
	return true;
}

static struct group *group_of(const struct trial *trial)
{
	for (size_t i = 0; i < table.groups; i++)
		if (table.group[i].n == 0 || same_keys(&table.group[i].trial[0], trial))
			return &table.group[i];
	return &table.group[table.groups++];
}

static void make_groups(void)
{
	table.group = calloc(table.trials.n + 1, sizeof *table.group);
	if (!table.group)
		die_errno("groups");
	table.groups = table.keys == 0;
	for (size_t i = 0; i < table.trials.n; i++) {
		struct group *g = group_of(&table.trials.trial[i]);

		g->trial = reallocarray(g->trial, g->n + 1, sizeof *g->trial);
		if (!g->trial)
			die_errno("groups");
		g->trial[g->n++] = table.trials.trial[i];
	}
}

void table_load(const char *path)
{
	table.trials = trials_read(path);
	table.value = trials_column(&table.trials, "value");
	table.server = trials_column(&table.trials, "server");
	table.round = trials_column(&table.trials, "trial");
	if (asked.server)
		trials_know(&table.trials, asked.server);
	if (asked.a)
		trials_know(&table.trials, asked.a);
	if (asked.b)
		trials_know(&table.trials, asked.b);
	if (asked.metric)
		trials_select(&table.trials, "metric", asked.metric);
	parse_where();
	parse_by();
	make_groups();
}
