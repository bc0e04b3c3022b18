/* Epoll's promises, measured now on this kernel: a card a situation. */
#include "facts.h"
#include "args.h"
#include "card.h"
#include "err.h"
#include "text.h"
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/utsname.h>
#include <unistd.h>

static const struct {
	uint32_t mode;
	const char *name;
} column[COLUMNS] = {
	{ 0, "LT" },
	{ EPOLLET, "ET" },
	{ EPOLLONESHOT, "LT+ONESHOT" },
	{ EPOLLET | EPOLLONESHOT, "ET+ONESHOT" },
};

static const struct {
	enum kind kind;
	const char *name;
} kinds[KINDS] = {
	{ TCP, "tcp" },
	{ UNIX, "unix" },
	{ PIPE, "pipe" },
	{ EVENTFD, "eventfd" },
	{ ALONE, "alone" },
};

enum { WIDTH = 80 };

static struct utsname host;

int columns(const struct card *c)
{
	return c->expected[1] ? COLUMNS : 1;
}

/* The words of all kinds, once if they agree. */
static void join(struct cell *cell, char words[][WORD], size_t n)
{
	bool agree = true;
	size_t len = 0;

	for (size_t i = 1; i < n; i++)
		agree = agree && strcmp(words[i], words[0]) == 0;
	for (size_t i = 0; i < (agree && n > 0 ? 1 : n); i++)
		len += (size_t)snprintf(cell->text + len, sizeof cell->text - len, "%s%s",
			i ? "/" : "", words[i]);
	if (n == 0)
		strcpy(cell->text, "n/a");
}

/* One column of a card, over each kind of descriptor it holds for. */
struct cell measure(const struct card *c, int col)
{
	struct cell cell = { 0 };
	char words[KINDS][WORD];
	size_t n = 0;

	for (size_t i = 0; i < KINDS; i++) {
		struct scene s;

		if (!(c->kinds & kinds[i].kind))
			continue;
		scene_open(&s, kinds[i].kind, column[col].mode);
		const char *got = c->run(&s);
		if (s.refused)
			cell.refused = true;
		else
			snprintf(words[n++], WORD, "%s", s.late ? "late" : got);
		scene_close(&s);
	}
	join(&cell, words, n);
	cell.differs = n > 0 && strcmp(cell.text, c->expected[col]) != 0;
	const char *mark = cell.refused ? "~" : "";
	snprintf(cell.shown, sizeof cell.shown, "%s%s", cell.text,
		cell.differs ? "*" : mark);
	return cell;
}

/* The last column has no blanks behind it. */
static int pad(const struct card *c, int col, int width)
{
	return col + 1 < columns(c) ? width : 0;
}

static void rule(void)
{
	for (int i = 0; i < WIDTH - 1; i++)
		putchar('-');
	putchar('\n');
}

/* Keeps the lines that explain the marks for the end of the table. */
struct notes {
	int cards, cells, differ, refused;
	char *text;
	size_t size;
	FILE *out;
};

static void note(
	struct notes *notes, const struct card *c, int col, const struct cell *cell)
{
	notes->cells++;
	notes->differ += cell->differs;
	notes->refused += cell->refused && !cell->differs;
	if (cell->differs)
		fprintf(notes->out, "* %s%s%s: expected %s, measured %s\n", c->name,
			columns(c) > 1 ? ", " : "",
			columns(c) > 1 ? column[col].name : "", c->expected[col],
			cell->text);
}

static void table_row(struct notes *notes, const struct card *c)
{
	printf("%-18s %-32s ", c->name, c->title);
	for (int col = 0; col < columns(c); col++) {
		struct cell cell = measure(c, col);

		printf("%-*s", pad(c, col, 7), cell.shown);
		note(notes, c, col, &cell);
	}
	putchar('\n');
	notes->cards++;
}

static int table(void)
{
	struct notes notes = { 0 };

	notes.out = open_memstream(&notes.text, &notes.size);
	if (!notes.out)
		die_errno("open_memstream");
	printf("%s %s. 1S is EPOLLONESHOT. --row NAME explains a row.\n", host.sysname,
		host.release);
	for (const struct group *g = deck; g->name; g++) {
		printf("\n%-51s %-6s %-6s %-6s %s\n", g->name, "LT", "ET", "LT+1S",
			"ET+1S");
		rule();
		for (const struct card *c = g->cards; c->name; c++)
			table_row(&notes, c);
	}
	putchar('\n');
	if (fclose(notes.out) != 0)
		die_errno("open_memstream");
	fputs(notes.text, stdout);
	free(notes.text);
	if (notes.refused)
		printf("~ refused by this kernel or sandbox, in part or (n/a) whole; not "
		       "counted\n");
	printf("%d cards, %d cells: %d as expected, %d not\n", notes.cards, notes.cells,
		notes.cells - notes.refused - notes.differ, notes.differ);
	return notes.differ > 0;
}

/* Prints text in lines of at most 76 columns, each after the indent. */
void wrap(const char *indent, const char *text)
{
	size_t at = 0;

	while (*text) {
		size_t len = strcspn(text, " ");

		if (at > 0 && at + 1 + len > 76) {
			putchar('\n');
			at = 0;
		}
		at += (size_t)printf("%s%.*s", at ? " " : indent, (int)len, text);
		text += len + (text[len] == ' ');
	}
	putchar('\n');
}

void draw(const struct card *c)
{
	for (const char *line = c->drawing; *line;) {
		size_t len = strcspn(line, "\n");

		printf("    %.*s\n", (int)len, line);
		line += len + 1;
	}
	printf("\n  over:");
	for (size_t i = 0; i < KINDS; i++)
		if (c->kinds & kinds[i].kind)
			printf(" %s", kinds[i].kind == ALONE ? "its own descriptors"
							     : kinds[i].name);
	putchar('\n');
}

void explain(const struct card *c)
{
	putchar('\n');
	wrap("  ", c->why);
	if (c->quote) {
		printf("\n  %s says:\n", c->page);
		wrap("    ", c->quote);
	}
	if (c->bites) {
		printf("\n  Where it bites:\n");
		wrap("    ", c->bites);
	}
	if (c->chapter) {
		printf("\n  The chapter says, and the kernel does:\n");
		wrap("    ", c->chapter);
	}
}

static int row(const char *name)
{
	const struct card *c = NULL;
	bool differs = false, refused = false;
	struct cell cells[COLUMNS];

	for (const struct group *g = deck; g->name && !c; g++)
		for (const struct card *each = g->cards; each->name; each++)
			if (strcmp(each->name, name) == 0)
				c = each;
	if (!c)
		die_usage("--row: no row '%s', see --list", name);
	printf("%s: %s\n\n", c->name, c->title);
	draw(c);
	if (columns(c) > 1)
		printf("\n  %-10s %-11s%-11s%-11s%s\n", "", column[0].name,
			column[1].name, column[2].name, column[3].name);
	else
		putchar('\n');
	printf("  expected  ");
	for (int col = 0; col < columns(c); col++)
		printf(" %-*s", pad(c, col, 10), c->expected[col]);
	printf("\n  measured  ");
	for (int col = 0; col < columns(c); col++) {
		cells[col] = measure(c, col);
		differs |= cells[col].differs;
		refused |= cells[col].refused;
		printf(" %-*s", pad(c, col, 10), cells[col].shown);
	}
	putchar('\n');
	if (differs)
		printf("  * not as expected\n");
	if (refused)
		printf("  ~ refused by this kernel or sandbox, in part or (n/a) whole\n");
	explain(c);
	return differs;
}

static int list(void)
{
	for (const struct group *g = deck; g->name; g++)
		for (const struct card *c = g->cards; c->name; c++)
			printf("%-18s %s\n", c->name, c->title);
	return 0;
}

static void json_string(const char *key, const char *text)
{
	printf("\"%s\":", key);
	if (!text) {
		printf("null");
		return;
	}
	json_text(stdout, text, JSON_UTF8);
}

static int json_card(const struct group *g, const struct card *c)
{
	bool differs = false, refused = false, any = false;

	putchar('{');
	json_string("name", c->name);
	putchar(',');
	json_string("group", g->name);
	putchar(',');
	json_string("title", c->title);
	printf(",\"over\":[");
	for (size_t i = 0; i < KINDS; i++)
		if (c->kinds & kinds[i].kind) {
			printf("%s\"%s\"", any ? "," : "", kinds[i].name);
			any = true;
		}
	printf("],\"expected\":[");
	for (int col = 0; col < columns(c); col++)
		printf("%s\"%s\"", col ? "," : "", c->expected[col]);
	printf("],\"measured\":[");
	for (int col = 0; col < columns(c); col++) {
		struct cell cell = measure(c, col);

		differs |= cell.differs;
		refused |= cell.refused;
		printf("%s\"%s\"", col ? "," : "", cell.text);
	}
	printf("],\"differs\":%s,\"refused\":%s,", differs ? "true" : "false",
		refused ? "true" : "false");
	json_string("drawing", c->drawing);
	putchar(',');
	json_string("why", c->why);
	putchar(',');
	json_string("quote", c->quote);
	putchar(',');
	json_string("page", c->page);
	putchar(',');
	json_string("bites", c->bites);
	putchar(',');
	json_string("chapter", c->chapter);
	putchar('}');
	return differs;
}

static int json(void)
{
	int differ = 0;
	bool any = false;

	printf("{\"kernel\":\"%s "
	       "%s\",\"columns\":[\"%s\",\"%s\",\"%s\",\"%s\"],\"cards\":[",
		host.sysname, host.release, column[0].name, column[1].name,
		column[2].name, column[3].name);
	for (const struct group *g = deck; g->name; g++)
		for (const struct card *c = g->cards; c->name; c++) {
			printf("%s\n", any ? "," : "");
			differ += json_card(g, c);
			any = true;
		}
	printf("\n],\"differ\":%d}\n", differ);
	return differ > 0;
}

/* On one CPU nothing is half delivered while we run: what a send over the loopback sets
 * off is done there, before we go on or before poll(2) wakes us. Where it is not allowed
 * it is only a little less sure. */
static void stay_on_one_cpu(void)
{
	cpu_set_t set;
	int cpu = sched_getcpu();

	if (cpu < 0 || cpu >= CPU_SETSIZE)
		return;
	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	(void)sched_setaffinity(0, sizeof set, &set);
}

int main(int argc, char **argv)
{
	bool want_quiz = false, want_json = false, want_list = false;
	const char *name = NULL;
	const struct opt opts[] = {
		{ 'q', "quiz", NULL, "ask before telling, and keep the score",
			.flag = &want_quiz },
		{ 'r', "row", "NAME", "explain one row", .text = &name },
		{ 'l', "list", NULL, "the names of the rows", .flag = &want_list },
		{ 0, "json", NULL, "one object", .flag = &want_json },
		{ 0 },
	};
	int status;

	args_parse(argc, argv,
		"What epoll promises, measured now on this kernel: a row a situation, a "
		"column\n"
		"a way to register. A cell that is not as expected has a *, and the "
		"exit\n"
		"status is then 1.",
		"", opts);
	if (want_quiz + want_json + want_list + (name != NULL) > 1)
		die_usage("--quiz, --row, --list and --json: one of them at a time");
	if (uname(&host) < 0)
		die_errno("uname");
	stay_on_one_cpu();
	if (want_quiz)
		status = quiz();
	else if (want_json)
		status = json();
	else if (want_list)
		status = list();
	else
		status = name ? row(name) : table();
	if (fflush(stdout) != 0)
		die_errno("stdout");
	return status;
}
