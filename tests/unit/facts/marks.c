/* A deck that is wrong on purpose: how facts shows what is not as expected. */
#include "../../../labs/facts/card.h"

static const char *same(struct scene *s)
{
	return s->mode ? "0" : "1";
}

static const char *by_kind(struct scene *s)
{
	return s->kind == UNIX ? "0" : "1";
}

static const char *refused(struct scene *s)
{
	s->refused = true;
	return "";
}

static const char *refused_in_part(struct scene *s)
{
	s->refused = s->kind == TCP;
	return "1";
}

static const char *late(struct scene *s)
{
	s->late = true;
	return "1";
}

#define CARD(NAME, KINDS, RUN, ...) \
	{ \
		.name = NAME, .title = NAME, .kinds = KINDS, \
		.expected = { __VA_ARGS__ }, .answers = "0 1", .run = RUN, \
		.drawing = "nothing\n", .why = "No reason.", \
	}

static const struct card cards[] = {
	CARD("as-expected", STREAMS, same, "1", "0", "0", "0"),
	CARD("one-cell", STREAMS, same, "1", "1", "0", "0"),
	CARD("one-kind", STREAMS, by_kind, "1"),
	CARD("refused", STREAMS, refused, "1"),
	CARD("refused-in-part", STREAMS, refused_in_part, "1"),
	CARD("late", UNIX, late, "1"),
	{ 0 },
};

const struct group deck[] = {
	{ "Wrong", cards },
	{ 0 },
};
