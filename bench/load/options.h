/* What the command line asks for. */
#ifndef LOAD_OPTIONS_H
#define LOAD_OPTIONS_H

#include "net.h"
#include <stdbool.h>

enum {
	MIN_SIZE = 16, /* of a message: connection, sequence number, size */
};

enum pace {
	PACE_SPIN,
	PACE_HYBRID,
	PACE_TIMERFD,
};

enum arrival {
	ARRIVAL_POISSON,
	ARRIVAL_FIXED,
};

struct options {
	const char *host, *counts_file, *hgrm_file;
	long port, connections, active, size, depth, seed;
	long pid, rcvbuf, read_pause;
	double rate, duration, warmup;
	int pace, arrival; /* the pace falls back to PACE_SPIN on an old kernel */
	bool json, graceful, gate;
};

/* Filled in by options_parse, read by all. */
extern struct options asked;

/* Returns the server's address. Dies of bad usage with one line and status 2. */
struct address options_parse(int argc, char **argv);

#endif
