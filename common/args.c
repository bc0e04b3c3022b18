#include "args.h"
#include "err.h"
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_OPTS = 40 };

static void help(
	const char *summary, const char *operands, const struct opt *opts, size_t n)
{
	printf("usage: %s [options]%s%s\n%s\n\n", program_invocation_short_name,
		*operands ? " " : "", operands, summary);
	for (size_t i = 0; i < n; i++) {
		char left[64];
		char letter[5] = "    ";

		if (!opts[i].help)
			continue;
		if (opts[i].letter)
			snprintf(letter, sizeof letter, "-%c, ", opts[i].letter);
		snprintf(left, sizeof left, "%s--%s %s", letter, opts[i].name,
			opts[i].value ? opts[i].value : "");
		printf("  %-32s %s\n", left, opts[i].help);
	}
	printf("  %-32s %s\n", "-h, --help", "print this and exit");
	exit(fflush(stdout) == 0 ? 0 : 1);
}

static double parse_real(const struct opt *o, const char *text)
{
	char *end;

	errno = 0;
	double x = strtod(text, &end);
	if (end == text || *end || errno || !isfinite(x) || x < o->min || x > o->max)
		die_usage("--%s: '%s' is not a number from %g to %g", o->name, text,
			o->min, o->max);
	return x;
}

static long parse_number(const struct opt *o, const char *text)
{
	char *end;

	errno = 0;
	long x = strtol(text, &end, 10);
	if (end == text || *end || errno || (double)x < o->min || (double)x > o->max)
		die_usage("--%s: '%s' is not a whole number from %.0f to %.0f", o->name,
			text, o->min, o->max);
	return x;
}

static int parse_choice(const struct opt *o, const char *text)
{
	int index = 0;

	for (const char *word = o->value; *word; index++) {
		size_t len = strcspn(word, "|");

		if (strlen(text) == len && memcmp(word, text, len) == 0)
			return index;
		word += len + (word[len] == '|');
	}
	die_usage("--%s: '%s' is not one of %s", o->name, text, o->value);
}

static void set(const struct opt *o, const char *text)
{
	if (o->flag)
		*o->flag = true;
	else if (o->number)
		*o->number = parse_number(o, text);
	else if (o->real)
		*o->real = parse_real(o, text);
	else if (o->choice)
		*o->choice = parse_choice(o, text);
	else if (o->text)
		*o->text = text;
}

int args_parse(int argc, char **argv, const char *summary, const char *operands,
	const struct opt *opts)
{
	struct option longs[MAX_OPTS + 2] = { 0 };
	char shorts[2 * MAX_OPTS + 2];
	size_t n, len = 0;
	int got;

	for (n = 0; n < MAX_OPTS && opts[n].name; n++) {
		longs[n] = (struct option){
			.name = opts[n].name,
			.has_arg = opts[n].value ? required_argument : no_argument,
			.val = 256 + (int)n,
		};
		if (opts[n].letter)
			shorts[len++] = opts[n].letter;
		if (opts[n].letter && opts[n].value)
			shorts[len++] = ':';
	}
	longs[n] = (struct option){ .name = "help", .val = 'h' };
	shorts[len++] = 'h';
	shorts[len] = '\0';

	if (argc > 0)
		argv[0] = program_invocation_short_name; /* what getopt's messages begin
							    with */
	while ((got = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		if (got == '?')
			exit(2); /* getopt has said why */
		if (got == 'h')
			help(summary, operands, opts, n);
		size_t i = 0;
		if (got >= 256)
			i = (size_t)(got - 256);
		else
			while (opts[i].letter != got)
				i++;
		set(&opts[i], optarg);
	}
	if (optind < argc && !*operands)
		die_usage("'%s': takes options only, see --help", argv[optind]);
	return optind;
}

struct address args_server(
	int argc, char **argv, const char *summary, const struct opt *own)
{
	const char *host = "127.0.0.1";
	long port = 8080;
	struct opt opts[MAX_OPTS] = {
		{ 'p', "port", "PORT", "listen on this port, 0: any free one (8080)",
			.number = &port, .max = 65535 },
		{ 'b', "bind", "ADDR", "listen on this IPv4 or IPv6 address (127.0.0.1)",
			.text = &host },
	};
	struct address at;

	for (size_t i = 0; own && own[i].name; i++)
		opts[2 + i] = own[i];
	args_parse(argc, argv, summary, "", opts);
	if (address_parse(&at, host, (uint16_t)port) < 0)
		die_usage("--bind: '%s' is not an IPv4 or IPv6 address", host);
	return at;
}
