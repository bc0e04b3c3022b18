#include "text.h"
#include "torture.h"
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

const char *verdict_word(enum verdict v)
{
	return v == PASS ? "pass" : v == SKIP ? "skip" : "fail";
}

const char *seen_word(enum seen s)
{
	static const char *const words[] = {
		[OTHER] = "other",
		[WRONG_BYTE] = "wrong byte",
		[SURPLUS] = "surplus",
		[RESET] = "reset",
		[END_OF_STREAM] = "end of stream",
		[NO_CONNECTION] = "no connection",
		[GONE] = "gone",
		[SILENCE] = "silence",
		[LATE] = "late",
		[CPU] = "cpu",
		[MEMORY] = "memory",
		[DESCRIPTORS] = "descriptors",
	};

	return words[s];
}

void report_start(enum style style, size_t n)
{
	if (style == TAP)
		printf("TAP version 13\n1..%zu\n", n);
}

/* The terminal's columns; 0 where there is none, and a line is as long as it is. */
static size_t columns(void)
{
	struct winsize w;

	if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) < 0)
		return 0;
	return w.ws_col > 0 ? w.ws_col : 80;
}

/* Goes on at column `at`; a word that does not fit begins a line, behind `indent`. */
static void words(const char *text, size_t at, size_t indent, size_t cols)
{
	while (*text) {
		size_t len = strcspn(text, " ");

		if (at > indent && at + 1 + len > cols) {
			printf("\n%*s", (int)indent, "");
			at = indent;
		} else if (at > indent) {
			putchar(' ');
			at++;
		}
		at += (size_t)printf("%.*s", (int)len, text);
		text += len + strspn(text + len, " ");
	}
	putchar('\n');
}

static void labelled(const char *label, const char *text, size_t cols)
{
	words(text, (size_t)printf("      %s:", label), 8, cols);
}

/* As human(), in lines that fit. */
static void narrow(const struct probe *p, const struct result *r, size_t cols)
{
	size_t indent = cols >= 80 ? 25 : 8;
	char text[sizeof r->did + sizeof r->saw + 3];

	if (r->verdict == FAIL) {
		printf("FAIL  %s\n", p->name);
		labelled("did", r->did, cols);
		labelled("expected", r->expected, cols);
		labelled("saw", r->saw, cols);
		return;
	}
	snprintf(text, sizeof text, "%s%s%s", r->verdict == PASS ? r->did : "",
		r->verdict == PASS ? ": " : "", r->saw);
	words(text, (size_t)printf("%s  %s", verdict_word(r->verdict), p->name), indent,
		cols);
}

static void human(const struct probe *p, const struct result *r)
{
	size_t cols = columns();

	if (cols > 0)
		narrow(p, r, cols);
	else if (r->verdict == PASS)
		printf("pass  %-27s %s: %s\n", p->name, r->did, r->saw);
	else if (r->verdict == SKIP)
		printf("skip  %-27s %s\n", p->name, r->saw);
	else
		printf("FAIL  %-27s did: %s; expected: %s; saw: %s\n", p->name, r->did,
			r->expected, r->saw);
}

static void tap(const struct probe *p, const struct result *r)
{
	static int number;

	printf("%s %d - %s", r->verdict == FAIL ? "not ok" : "ok", ++number, p->name);
	if (r->verdict == SKIP)
		printf(" # SKIP %s", r->saw);
	printf("\n");
	if (r->verdict == FAIL)
		printf("# did: %s\n# expected: %s\n# saw: %s\n", r->did, r->expected,
			r->saw);
}

void report_one(enum style style, const struct probe *p, const struct result *r)
{
	if (style == HUMAN)
		human(p, r);
	else if (style == TAP)
		tap(p, r);
	fflush(stdout);
}

/* A server's own words may stand in a verdict: no byte of them may break the JSON. */
static void quoted(const char *s)
{
	json_text(stdout, s, JSON_BYTES);
}

static void field(const char *name, const char *value)
{
	printf(",\"%s\":", name);
	quoted(value);
}

static void json_probe(const struct probe *p, const struct result *r)
{
	printf("{\"name\":");
	quoted(p->name);
	field("verdict", verdict_word(r->verdict));
	field("did", r->did);
	field("expected", r->expected);
	field("saw", r->saw);
	if (r->verdict == FAIL) {
		field("seen", seen_word(r->seen));
		printf(",\"at\":%.6f", r->at);
	}
	printf(",\"seconds\":%.3f}", r->seconds);
}

void report_end(enum style style, const struct probe *const *chosen,
	const struct result *results, size_t n)
{
	size_t count[SKIP + 1] = { 0 };

	for (size_t i = 0; i < n; i++)
		count[results[i].verdict]++;
	if (style == HUMAN)
		printf("%zu passed, %zu failed, %zu skipped\n", count[PASS], count[FAIL],
			count[SKIP]);
	if (style != JSON)
		return;
	printf("{\"server\":");
	quoted(set.spawn ? set.spawn : "");
	printf(",\"passed\":%zu,\"failed\":%zu,\"skipped\":%zu,\"probes\":[", count[PASS],
		count[FAIL], count[SKIP]);
	for (size_t i = 0; i < n; i++) {
		printf(i ? ",\n" : "\n");
		json_probe(chosen[i], &results[i]);
	}
	printf("]}\n");
}
