#include "load/options.h"
#include "args.h"
#include "err.h"
#include <stddef.h>

enum {
	MAX_DEPTH = 64,
	MAX_SIZE = 16 * 1024 * 1024,
};

#define MIN_RATE 1e-3 /* requests a second: the time between two fits in 64 bits */
#define MAX_RATE 1e8

struct options asked = {
	.host = "127.0.0.1",
	.port = 8080,
	.connections = 1,
	.size = 64,
	.depth = 1,
	.seed = 1,
	.duration = 5,
	.warmup = 0.5,
};

static const struct opt table[] = {
	{ 'p', "port", "PORT", "the server's port (8080)", .number = &asked.port,
		.min = 1, .max = 65535 },
	{ 0, "host", "ADDR", "its address (127.0.0.1)", .text = &asked.host },
	{ 'c', "connections", "N", "open so many (1)", .number = &asked.connections,
		.min = 1, .max = 1000000 },
	{ 0, "active", "N", "send on so many of them (all)", .number = &asked.active,
		.min = 1, .max = 1000000 },
	{ 'r', "rate", "R", "requests a second in all; 0: closed loop (0)",
		.real = &asked.rate, .max = MAX_RATE },
	{ 0, "arrival", "poisson|fixed", "how they are spaced (poisson)",
		.choice = &asked.arrival },
	{ 's', "size", "BYTES", "of each message (64)", .number = &asked.size,
		.min = MIN_SIZE, .max = MAX_SIZE },
	{ 0, "depth", "N", "unanswered ones on a connection at most (1)",
		.number = &asked.depth, .min = 1, .max = MAX_DEPTH },
	{ 'd', "duration", "S", "the window (5)", .real = &asked.duration, .min = .01,
		.max = 86400 },
	{ 0, "warmup", "S", "before it, not measured (0.5)", .real = &asked.warmup,
		.max = 3600 },
	{ 0, "pace", "spin|hybrid|timerfd", "how to wait for the next (spin)",
		.choice = &asked.pace },
	{ 0, "seed", "N", "of the schedule (1)", .number = &asked.seed, .min = 1,
		.max = 1e15 },
	{ 0, "counts", "FILE", "the server's LAB_COUNTS page",
		.text = &asked.counts_file },
	{ 0, "pid", "PID", "the server without a page, for its CPU time",
		.number = &asked.pid, .min = 1, .max = 1e9 },
	{ 0, "rcvbuf", "BYTES", "a small receive buffer: a slow reader's",
		.number = &asked.rcvbuf, .min = 1, .max = 1e9 },
	{ 0, "read-pause", "MS", "read nothing for so long after sending (0)",
		.number = &asked.read_pause, .max = 60000 },
	{ 0, "json", NULL, "one object on stdout", .flag = &asked.json },
	{ 0, "hgrm", "FILE", "write the percentile spectrum there",
		.text = &asked.hgrm_file },
	{ 0, "graceful", NULL, "end with FIN, not with RST", .flag = &asked.graceful },
	{ 0, "gate", NULL, "exit with 4 if this machine was too noisy",
		.flag = &asked.gate },
	{ 0 },
};

struct address options_parse(int argc, char **argv)
{
	struct address at;

	args_parse(argc, argv,
		"Loads an echo server and verifies every byte.\n"
		"Exit status: 0 good, 1 no set-up, 2 usage, 3 a wrong or missing reply,\n"
		"4 too noisy (--gate), 5 this program was the limit.",
		"", table);
	if (address_parse(&at, asked.host, (uint16_t)asked.port) < 0)
		die_usage("--host: '%s' is not an IPv4 or IPv6 address", asked.host);
	if (asked.rate > 0 && asked.rate < MIN_RATE)
		die_usage("--rate: '%g' is neither 0 nor a number from %g to %g",
			asked.rate, MIN_RATE, MAX_RATE);
	if (!asked.active)
		asked.active = asked.connections;
	if (asked.active > asked.connections)
		die_usage("--active: %ld is more than --connections %ld", asked.active,
			asked.connections);
	return at;
}
