#include "card.h"

const struct group deck[] = {
	{ "Reading", reading_cards },
	{ "The end of a stream", ending_cards },
	{ "Writing", writing_cards },
	{ "Registering", registering_cards },
	{ "Descriptors and errors", descriptor_cards },
	{ "Where servers were bitten", bitten_cards },
	{ "Timers, copies and sets in sets", special_cards },
	{ 0 },
};
