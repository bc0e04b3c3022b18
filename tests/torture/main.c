/* torture: attacks a TCP echo server and says what it stands. */
#include "args.h"
#include "err.h"
#include "stop.h"
#include "torture.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

enum { MAX_PROBES = 64 };

enum { ALL_PASSED, SOME_FAILED, USAGE, NO_SERVER };

static const struct probe *chosen[MAX_PROBES];
static size_t nchosen;
static struct result results[MAX_PROBES];

static const struct probe *probe_named(const char *name, size_t len)
{
	for (size_t i = 0; i < nprobes; i++)
		if (strlen(probes[i].name) == len &&
			memcmp(probes[i].name, name, len) == 0)
			return &probes[i];
	die_usage("--probe: '%.*s' is no probe, see --list", (int)len, name);
}

static void choose(const char *names)
{
	if (!names) {
		for (size_t i = 0; i < nprobes; i++)
			chosen[nchosen++] = &probes[i];
		return;
	}
	while (nchosen < MAX_PROBES) {
		size_t len = strcspn(names, ",");

		chosen[nchosen++] = probe_named(names, len);
		if (!names[len])
			return;
		names += len + 1;
	}
	die_usage("--probe: more than %d names", MAX_PROBES);
}

static void list(void)
{
	for (size_t i = 0; i < nprobes; i++)
		printf("%s\t%s\n", probes[i].name, probes[i].reason);
	exit(fflush(stdout) == 0 ? 0 : 1);
}

/* One connection, before the first probe: where nobody listens no verdict means a thing.
 * With SO_SNDTIMEO, connect(2) gives up by itself, with EINPROGRESS. */
static bool somebody_listens(const char *host, long port)
{
	struct timeval patience = { .tv_sec = 5 * set.slow };
	int fd = socket(set.at.sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die_errno("socket");
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) < 0)
		die_errno("setsockopt SO_SNDTIMEO");
	bool there = connect(fd, (const struct sockaddr *)&set.at.sa, set.at.len) == 0;
	if (!there) {
		errno = errno == EINPROGRESS ? ETIMEDOUT : errno;
		warn_errno("no server at %s port %ld", host, port);
	}
	close(fd);
	return there;
}

static int once(enum style style)
{
	int status = ALL_PASSED;

	report_start(style, nchosen);
	for (size_t i = 0; i < nchosen; i++) {
		if (!supervise(chosen[i], &results[i]))
			return NO_SERVER;
		if (stopping)
			return SOME_FAILED;
		report_one(style, chosen[i], &results[i]);
		if (results[i].verdict == FAIL)
			status = SOME_FAILED;
	}
	report_end(style, chosen, results, nchosen);
	return status;
}

/* The same set again: an instrument must say the same thing twice. */
static int again(enum style style, long runs, int status)
{
	FILE *to = style == HUMAN ? stdout : stderr;
	bool same = true;

	for (long run = 2; run <= runs && !stopping; run++)
		for (size_t i = 0; i < nchosen; i++) {
			struct result r;

			if (!supervise(chosen[i], &r))
				return NO_SERVER;
			if (stopping)
				return SOME_FAILED;
			if (r.verdict == results[i].verdict)
				continue;
			same = false;
			fprintf(to,
				"run %ld: %s %s, was %s: did: %s; expected: %s; saw: "
				"%s\n",
				run, chosen[i]->name, verdict_word(r.verdict),
				verdict_word(results[i].verdict), r.did, r.expected,
				r.saw);
			fflush(to);
		}
	fprintf(to, "%ld runs, %s\n", runs, same ? "same verdicts" : "verdicts differ");
	return same ? status : SOME_FAILED;
}

static unsigned long fd_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		die_errno("getrlimit RLIMIT_NOFILE");
	return limit.rlim_cur;
}

int main(int argc, char **argv)
{
	const char *host = "127.0.0.1", *names = NULL;
	long port = 0, runs = 1;
	bool lists = false, tap = false, json = false, always;

	set = (struct settings){ .slow = 1, .seed = 1, .memory_mb = 512 };
	const struct opt opts[] = {
		{ 's', "spawn", "CMD", "start this server, fresh for every probe",
			.text = &set.spawn },
		{ 'p', "port", "PORT", "attack the server that runs on this port",
			.number = &port, .min = 1, .max = 65535 },
		{ 0, "host", "ADDR", "... at this address (127.0.0.1)", .text = &host },
		{ 0, "probe", "A,B", "only these probes", .text = &names },
		{ 'l', "list", NULL, "list the probes, each with its reason",
			.flag = &lists },
		{ 0, "tap", NULL, "Test Anything Protocol", .flag = &tap },
		{ 0, "json", NULL, "one JSON object", .flag = &json },
		{ 0, "seed", "N", "of short-io and no-memory (1)", .number = &set.seed,
			.max = 2147483647 },
		{ 0, "runs", "N", "repeat: every run must say the same", .number = &runs,
			.min = 1, .max = 100000 },
		{ 0, "slow", "N", "wait N times longer (valgrind: 20)",
			.number = &set.slow, .min = 1, .max = 1000 },
		{ 0, "memory", "MB", "kill a server that uses more (512)",
			.number = &set.memory_mb, .min = 1, .max = 1 << 20 },
		/* What it does anyway; older scripts ask for it. */
		{ .name = "keep-going", .flag = &always },
		{ .name = NULL },
	};

	args_parse(argc, argv,
		"attacks a TCP echo server: exit status 0 all passed, 1 some failed, 3 "
		"no server",
		"", opts);
	if (lists)
		list();
	if (!set.spawn == !port)
		die_usage("--spawn CMD or --port PORT, one of them");
	if (set.spawn && !set.spawn[strspn(set.spawn, " \t")])
		die_usage("--spawn: '%s' names no program", set.spawn);
	if (tap && json)
		die_usage("--tap and --json: one of them");
	if (address_parse(&set.at, host, (uint16_t)port) < 0)
		die_usage("--host: '%s' is not an IPv4 or IPv6 address", host);
	choose(names);

	set.server_fds = fd_limit();
	raise_fd_limit();
	stop_on_signals();
	if (!set.spawn && !somebody_listens(host, port))
		return NO_SERVER;
	supervise_init();
	enum style style = json ? JSON : tap ? TAP : HUMAN;
	int status = once(style);
	if (runs > 1 && status != NO_SERVER && !stopping)
		status = again(style, runs, status);
	return status;
}
