/* A card: one situation, what epoll does in it, and where that is promised. */
#ifndef CARD_H
#define CARD_H

#include "scene.h"

enum { COLUMNS = 4 }; /* LT, ET, LT+ONESHOT, ET+ONESHOT */

struct card {
	const char *name; /* for --row */
	const char *title; /* for the table */
	unsigned kinds; /* of enum kind: measured over each of them */
	/* One word per column; only the first: the columns make no difference, or the
	 * card decides the flags itself, and it is measured once. */
	const char *expected[COLUMNS];
	const char *answers; /* "0 1": the words that could come out, for the quiz */
	const char *(*run)(struct scene *s); /* the word that came out */
	const char *drawing; /* what is done, top down */
	const char *why; /* what the kernel does, and the function that does it */
	const char *quote; /* a sentence of the manual; NULL if it says nothing */
	const char *page; /* where that stands */
	const char *bites; /* a program that was bitten: a public bug, or NULL */
	const char *chapter; /* where the course chapter says otherwise, or NULL */
};

struct group {
	const char *name;
	const struct card *cards; /* the last has no name */
};

/* All of them; the last group has no name. */
extern const struct group deck[];

extern const struct card reading_cards[], ending_cards[], writing_cards[],
	registering_cards[], descriptor_cards[], bitten_cards[], special_cards[];

#endif
