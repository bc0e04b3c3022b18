/* common/args.c: any command line ends in values within their limits, in the help, or in
 * one line on stderr and status 2. */
#include "args.h"
#include "fuzz.h"
#include <getopt.h>
#include <math.h>
#include <string.h>

enum { MAX_ARGS = 32 };

static int argc;
static char *argv[MAX_ARGS + 2];
static const char *text;
static long number, below;
static double real;
static bool flag;
static int choice;
static bool good; /* what was given must be taken */

static const struct opt opts[] = {
	{ 'f', "flag", NULL, "a flag", .flag = &flag },
	{ 'n', "number", "N", "a number", .number = &number, .max = 65535 },
	{ 0, "below", "N", "one below zero", .number = &below, .min = -10, .max = -1 },
	{ 'r', "real", "X", "a real one", .real = &real, .min = -1.5, .max = 1e6 },
	{ 0, "text", "TEXT", "any text", .text = &text },
	{ 'c', "choice", "one|two|three", "one of them", .choice = &choice },
	{ 0 },
};

static void options(void)
{
	int i = args_parse(argc, argv, "summary", "FILE...", opts);

	MUST(i >= 1 && i <= argc);
	MUST(number >= 0 && number <= 65535 && below >= -10 && below <= -1);
	MUST(isfinite(real) && real >= -1.5 && real <= 1e6);
	MUST(choice >= 0 && choice <= 2 && text);
}

/* What --number may be, said once more in another way. */
static bool is_number(const char *word, long *value)
{
	word += strspn(word, " \t\v\f\r");
	bool minus = *word == '-';
	word += minus || *word == '+';
	size_t len = strspn(word, "0123456789");

	*value = 0;
	for (size_t i = 0; i < len && *value <= 65535; i++)
		*value = 10 * *value + word[i] - '0';
	return len > 0 && !word[len] && *value <= 65535 && (!minus || *value == 0);
}

/* The first argument as a number, and as a choice: taken if it is one, else refused. */
static void one_number(void)
{
	static char option[] = "--number";
	long value = 0;

	good = argv[1] && is_number(argv[1], &value);
	argc = argv[1] ? 3 : 2;
	argv[2] = argv[1];
	argv[1] = option;
	args_parse(argc, argv, "summary", "", opts);
	MUST(good && number == value);
}

static void one_choice(void)
{
	static char option[] = "-c";
	static const char *const words[] = { "one", "two", "three" };

	for (int i = 0; i < 3 && argv[1]; i++)
		good |= strcmp(argv[1], words[i]) == 0;
	argc = argv[1] ? 3 : 2;
	argv[2] = argv[1];
	argv[1] = option;
	args_parse(argc, argv, "summary", "", opts);
	MUST(argv[2] && strcmp(argv[2], words[choice]) == 0);
}

static void server(void)
{
	struct address at = args_server(argc, argv, "summary", opts);

	MUST(at.sa.ss_family == AF_INET || at.sa.ss_family == AF_INET6);
}

/* stderr is a piece of memory meanwhile, so that the line can be looked at. */
static void ends_well(void (*parse)(void), const uint8_t *data, size_t size)
{
	char *copy = strndup((const char *)data, size), *said, *rest = copy;
	static char me[] = "fuzz";
	size_t len;
	FILE *before = stderr;

	argv[0] = me;
	for (argc = 1; argc <= MAX_ARGS && rest; argc++)
		argv[argc] = strsep(&rest, "\n");
	argv[argc] = NULL;
	optind = 0; /* glibc's getopt: start again */
	number = 1, below = -1, real = 0, text = "", choice = 0;
	good = false;
	exit_status = -1;
	stderr = open_memstream(&said, &len);
	MUST(copy && stderr);
	if (!setjmp(back)) {
		catching = true;
		parse();
	}
	catching = false;
	fclose(stderr);
	stderr = before;
	MUST(!good || exit_status == -1);
	MUST(exit_status == -1 || exit_status == 0 || exit_status == 2);
	if (exit_status == 2)
		MUST(len > 1 && strchr(said, '\n') == said + len - 1);
	else
		MUST(len == 0);
	free(said);
	free(copy);
}

/* Input: the arguments, one a line. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ends_well(options, data, size);
	ends_well(one_number, data, size);
	ends_well(one_choice, data, size);
	ends_well(server, data, size);
	return 0;
}
