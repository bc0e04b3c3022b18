/* What the table and the quiz share. */
#ifndef FACTS_H
#define FACTS_H

#include "card.h"

enum { KINDS = 5 };

struct cell {
	char text[KINDS * (WORD + 1)]; /* 1/0/1 if tcp, unix and pipe disagree */
	char shown[KINDS * (WORD + 1) + 1]; /* with its mark: * or ~ */
	bool refused; /* by this kernel, for one kind at least */
	bool differs;
};

/* How many columns the card has: COLUMNS, or 1. */
int columns(const struct card *c);

/* One column of a card, over each kind of descriptor it holds for. */
struct cell measure(const struct card *c, int col);

/* Prints text in lines of at most 76 columns, each after the indent. */
void wrap(const char *indent, const char *text);

/* Prints what the card does; and why the kernel answers as it does. */
void draw(const struct card *c);
void explain(const struct card *c);

/* Asks for each card's answer, then shows it; prints the score. Returns 0. */
int quiz(void);

#endif
