/* common/text.c: masks and JSON strings are the same text wherever they are printed. */
#include "text.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

static void same(const char *got, const char *expected)
{
	if (strcmp(got, expected) == 0)
		return;
	fprintf(stderr, "not so: '%s', expected '%s'\n", got, expected);
	exit(1);
}

static void json_is(const char *text, enum json_bytes bytes, const char *expected)
{
	char got[64] = "";
	FILE *out = fmemopen(got, sizeof got, "w");

	if (!out)
		exit(1);
	json_text(out, text, bytes);
	fclose(out);
	same(got, expected);
}

static void mask_is(uint32_t events, const char *expected)
{
	char got[96] = "";

	mask_text(got, sizeof got, events);
	same(got, expected);
}

int main(void)
{
	char tight[8] = "";

	json_is("a\"\\\n\t\303\274", JSON_UTF8, "\"a\\\"\\\\\\n\\u0009\303\274\"");
	json_is("a\"\\\n\t\303\274", JSON_BYTES,
		"\"a\\\"\\\\\\u000a\\u0009\\u00c3\\u00bc\"");
	json_is("a\"\\\n\t\303\274", JSON_ASCII, "\"a\\\"\\\\????\"");
	mask_is(0, "");
	mask_is(EPOLLIN, "IN");
	mask_is(UINT32_MAX, "IN|PRI|OUT|RDHUP|ERR|HUP|ET|ONESHOT|EXCLUSIVE|WAKEUP");
	mask_text(tight, sizeof tight, UINT32_MAX);
	same(tight, "IN|PRI|");
	same(errno_name(EAGAIN), "EAGAIN");
	if (errno_name(0) || errno_name(EDOM))
		exit(1);
	return 0;
}
