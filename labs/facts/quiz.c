/* The quiz: a card without its answer, then the answer. */
#include "facts.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Is `len` bytes of `text` one of the words, parted by spaces? */
static bool one_of(const char *words, const char *text, size_t len)
{
	while (*words) {
		size_t w = strcspn(words, " ");

		if (w == len && strncasecmp(words, text, len) == 0)
			return true;
		words += w + (words[w] == ' ');
	}
	return false;
}

/* Splits the answer; false if it is not n words of those the card allows. */
static bool parse(const struct card *c, char *line, const char *answer[], int n)
{
	int got = 0;
	char *rest;

	for (char *w = strtok_r(line, " \t\r\n", &rest); w;
		w = strtok_r(NULL, " \t\r\n", &rest)) {
		if (got == n || !one_of(c->answers, w, strlen(w)))
			return false;
		answer[got++] = w;
	}
	return got == n;
}

struct quiz {
	char line[256];
	int card, cards; /* this one, of so many */
	int asked, right;
};

/* One line; what is too long for an answer is none. False at the end of the input. */
static bool read_line(struct quiz *q)
{
	if (fflush(stdout) != 0 || !fgets(q->line, sizeof q->line, stdin))
		return false;
	if (strchr(q->line, '\n') || feof(stdin))
		return true;
	for (int ch = getchar(); ch != '\n' && ch != EOF;)
		ch = getchar();
	strcpy(q->line, "too long");
	return true;
}

/* Asks until the answer is one; false at the end of the input. */
static bool ask(struct quiz *q, const struct card *c, const char *answer[])
{
	int n = columns(c);

	for (;;) {
		char form[256];

		if (n > 1)
			snprintf(form, sizeof form,
				"Type %d words (LT, ET, LT+ONESHOT, ET+ONESHOT), each "
				"one of: %s",
				n, c->answers);
		else
			snprintf(form, sizeof form, "Type one word of: %s", c->answers);
		putchar('\n');
		wrap("  ", form);
		printf("  ? ");
		if (!read_line(q))
			return false;
		if (parse(c, q->line, answer, n))
			return true;
		printf("  That is no answer. It does not count.");
	}
}

static bool quiz_card(struct quiz *q, const struct card *c)
{
	struct cell cells[COLUMNS];
	const char *answer[COLUMNS] = { "", "", "", "" };
	char said[COLUMNS * (sizeof cells[0].text + sizeof " (not yours)") + 32];
	int wrong = 0;

	q->card++;
	for (int col = 0; col < columns(c); col++) {
		cells[col] = measure(c, col);
		if (cells[col].refused)
			return true; /* nothing to compare with */
	}
	printf("\ncard %d of %d, %s: %s\n\n", q->card, q->cards, c->name, c->title);
	draw(c);
	if (!ask(q, c, answer))
		return false;
	size_t len = (size_t)snprintf(said, sizeof said, "it is");
	for (int col = 0; col < columns(c); col++) {
		bool right = strcasecmp(answer[col], cells[col].text) == 0;

		q->asked++;
		q->right += right;
		wrong += !right;
		len += (size_t)snprintf(said + len, sizeof said - len, " %s%s",
			cells[col].text, right ? "" : " (not yours)");
	}
	snprintf(said + len, sizeof said - len, "%s", wrong ? "" : ": right");
	wrap("  ", said);
	explain(c);
	return true;
}

int quiz(void)
{
	struct quiz q = { 0 };
	bool more = true;

	for (const struct group *g = deck; g->name; g++)
		for (const struct card *c = g->cards; c->name; c++)
			q.cards++;
	printf("Say what the kernel will answer, then see it. Ctrl-D ends the quiz.\n");
	for (const struct group *g = deck; g->name && more; g++)
		for (const struct card *c = g->cards; c->name && more; c++)
			more = quiz_card(&q, c);
	printf("\nscore: %d of %d\n", q.right, q.asked);
	return 0;
}
