#include "load/result.h"
#include "err.h"
#include "load/conn.h"
#include "load/options.h"
#include "load/window.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A percentile with fewer than a hundred samples beyond it is a guess. */
static bool enough(const struct hist *h, double p)
{
	return (1 - p) * (double)h->count >= 100 - 1e-6;
}

/* In an open loop a latency counts from when its request was due, not from when we came
 * to send it: else a server that stalls would hide what it did to the requests behind. */
static const struct hist *headline(void)
{
	return asked.rate > 0 ? window.response : window.service;
}

static double answered_rate(void)
{
	return window.seconds > 0 ? (double)window.in_time / window.seconds : 0;
}

static void print_hist(const char *name, const struct hist *h)
{
	static const struct {
		const char *name;
		double p;
	} points[] = { { "p50", .5 }, { "p90", .9 }, { "p99", .99 }, { "p99_9", .999 } };

	printf("\"%s\":{", name);
	for (size_t i = 0; i < sizeof points / sizeof *points; i++)
		if (i < 2 ? h->count == 0 : !enough(h, points[i].p))
			printf("\"%s\":null,", points[i].name);
		else
			printf("\"%s\":%.3f,", points[i].name,
				(double)hist_percentile(h, points[i].p) / 1e3);
	if (h->count == 0)
		printf("\"max\":null,\"mean\":null,\"samples\":0}");
	else
		printf("\"max\":%.3f,\"mean\":%.3f,\"samples\":%" PRIu64 "}",
			(double)h->max / 1e3, hist_mean(h) / 1e3, h->count);
}

/* The names and numbers of an object, with commas between them. */
static void print_errors(void)
{
	const char *comma = "";

	printf("\"errors\":{");
	for (int i = 0; i < TROUBLES; i++)
		if (window.errors[i]) {
			printf("%s\"%s\":%" PRIu64, comma, trouble_name((enum trouble)i),
				window.errors[i]);
			comma = ",";
		}
	printf("},");
}

static void print_counts(const uint64_t before[COUNTERS], const uint64_t after[COUNTERS])
{
	const char *comma = "";

	printf(",\"blocked\":%" PRIu64 ",\"counts\":{", window.blocked);
	for (size_t i = 0; i < COUNTERS; i++)
		if (after[i] != before[i]) {
			printf("%s\"%s\":%" PRId64, comma, page_name(i),
				(int64_t)(after[i] - before[i]));
			comma = ",";
		}
	putchar('}');
}

static const char *arrivals(void)
{
	if (asked.rate == 0)
		return "closed";
	return asked.arrival == ARRIVAL_FIXED ? "fixed" : "poisson";
}

void result_json(
	double cpu, const uint64_t before[COUNTERS], const uint64_t after[COUNTERS])
{
	static const char *const paces[] = { "spin", "hybrid", "timerfd" };

	printf("{\"requests\":%" PRIu64 ",\"received\":%" PRIu64
	       ",\"unanswered\":%" PRIu64 ",\"deferred\":%" PRIu64 ",",
		window.requests, window.received, window.requests - window.received,
		window.deferred);
	printf("\"duration_s\":%.6f,\"rate\":%.3f,\"offered_rate\":%g,\"lost_s\":%.6f,",
		window.seconds, answered_rate(), asked.rate,
		(double)window.lost_ns / 1e9);
	printf("\"connections\":%ld,\"active\":%ld,\"size\":%ld,\"depth\":%ld,",
		asked.connections, asked.active, asked.size, asked.depth);
	printf("\"pace\":\"%s\",\"arrival\":\"%s\",\"seed\":%ld,", paces[asked.pace],
		arrivals(), asked.seed);
	print_errors();
	print_hist("latency_us", headline());
	putchar(',');
	print_hist("response_us", window.response);
	putchar(',');
	print_hist("service_us", window.service);
	putchar(',');
	print_hist("lag_us", window.lag);
	/* However few there are: it only says whether to trust the rest. */
	printf(",\"lag_p99_us\":%.3f", (double)hist_percentile(window.lag, .99) / 1e3);
	if (asked.counts_file || asked.pid)
		printf(",\"server_cpu_s\":%.9f", cpu);
	if (asked.counts_file)
		print_counts(before, after);
	printf("}\n");
}

static void print_latency(const struct hist *h)
{
	if (h->count == 0) {
		printf("no answer came: there is no latency\n");
		return;
	}
	printf("latency p50 %.1f us, p90 %.1f us, ", (double)hist_percentile(h, .5) / 1e3,
		(double)hist_percentile(h, .9) / 1e3);
	if (enough(h, .99))
		printf("p99 %.1f us, ", (double)hist_percentile(h, .99) / 1e3);
	printf("max %.1f us (%s, %" PRIu64 " samples)\n", (double)h->max / 1e3,
		asked.rate > 0 ? "from when each was due" : "from when each was sent",
		h->count);
}

static void print_wrong(const struct wrong_byte *w)
{
	if (w->id < 0)
		return;
	printf("first wrong byte: connection %ld, message %" PRIu64 ", byte %zu of %ld: ",
		w->id, w->seq, w->off, asked.size);
	if (w->want < 0)
		printf("nothing was sent that far, found 0x%02x\n", (unsigned)w->found);
	else
		printf("expected 0x%02x, found 0x%02x\n", (unsigned)w->want,
			(unsigned)w->found);
}

static void print_troubles(void)
{
	for (int i = 0; i < TROUBLES; i++)
		if (window.errors[i])
			printf("errors: %s %" PRIu64 "\n", trouble_name((enum trouble)i),
				window.errors[i]);
	print_wrong(&window.wrong);
	if (conns.alive == 0)
		printf("every connection broke: the run ended after %.2f s\n",
			window.seconds);
	if (window.requests > window.received)
		printf("unanswered: %" PRIu64 "\n", window.requests - window.received);
}

void result_text(const char *verdict, double cpu)
{
	printf("%" PRIu64 " requests in %.2f s: %.0f/s answered", window.requests,
		window.seconds, answered_rate());
	if (asked.rate > 0)
		printf(" of %.0f/s offered", asked.rate);
	putchar('\n');
	print_latency(headline());
	if (asked.counts_file || asked.pid)
		printf("the server used %.3f s of CPU time\n", cpu);
	if (window.deferred)
		printf("%" PRIu64 " requests had to wait for a connection with room\n",
			window.deferred);
	print_troubles();
	printf("%s\n", verdict);
}

void result_hgrm(void)
{
	char temporary[4096];
	FILE *out;

	snprintf(
		temporary, sizeof temporary, "%s.%d.tmp", asked.hgrm_file, (int)getpid());
	if (!(out = fopen(temporary, "we")))
		die_errno("%s", asked.hgrm_file);
	hist_write_hgrm(out, headline());
	bool bad = ferror(out);
	if (fclose(out) != 0 || bad || rename(temporary, asked.hgrm_file) < 0) {
		int why = errno;
		if (unlink(temporary) < 0)
			warn_errno("%s", temporary);
		errno = why;
		die_errno("%s", asked.hgrm_file);
	}
}

/* The generator was the limit: it was late with what a connection had room for, and so
 * were the replies. A server that stalls makes requests wait, but not us; replies that
 * never came are not ours either. */
static bool client_limited(void)
{
	uint64_t late = hist_percentile(window.lag, .5);
	bool short_of = (double)window.in_time < .99 * (double)window.received;

	return asked.rate > 0 && (late > 1000000 || (asked.pace != PACE_TIMERFD &&
							    short_of && late > 50000));
}

static bool noisy(void)
{
	return hist_percentile(window.lag, .99) > 50000 ||
	       (asked.pace == PACE_SPIN &&
		       (double)window.lost_ns > .002e9 * window.seconds);
}

int result_judge(const char **verdict)
{
	uint64_t broken = window.errors[TROUBLE_RESET] + window.errors[TROUBLE_EOF] +
			  window.errors[TROUBLE_CORRUPT] + window.errors[TROUBLE_OTHER];

	*verdict = "a reply was wrong, missing or failed";
	if (broken)
		return 3;
	*verdict = "the first request of some connections had no answer: nothing was "
		   "measured";
	if (!window.set_up)
		return 3;
	*verdict = "client-limited: this program, not the server, was the limit";
	if (client_limited())
		return 5;
	*verdict = "replies are missing";
	if (window.requests != window.received || window.errors[TROUBLE_TIMEOUT])
		return 3;
	*verdict = "this machine was too noisy to trust the latencies";
	if (asked.gate && noisy())
		return 4;
	*verdict = "every reply came and every byte was right";
	return 0;
}
