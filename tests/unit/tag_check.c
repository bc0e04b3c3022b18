/* common/probe/tag.c: what goes in comes out, whatever the data, process and moment. */
#include "err.h"
#include "probe/tag.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define MUST(what) \
	do \
		if (!(what)) { \
			fprintf(stderr, "line %d: not so: %s\n", __LINE__, #what); \
			exit(1); \
		} \
	while (0)

static const uint64_t some[] = { 0, 1, UINT64_MAX, UINT64_C(0x00007fffdeadbeef),
	UINT64_C(0xffff000000000000), UINT64_C(0x123456789abcdef0) };
enum { SOME = sizeof some / sizeof *some };

static void comes_back(int fd, uint64_t data)
{
	uint64_t tagged = tag(fd, data), again = tag(fd, data), out = tagged;

	MUST(tagged == again && untag(&out) == fd && out == data);
}

/* A set made before a fork gives either process the events of both. */
static void crosses_a_fork(void)
{
	uint64_t tagged[3];
	int ends[2], status;

	MUST(pipe(ends) == 0);
	pid_t child = fork();
	MUST(child >= 0);
	if (child == 0) {
		for (int i = 0; i < 3; i++)
			tagged[i] = tag(500 + i, some[i + 2]);
		_exit(write(ends[1], tagged, sizeof tagged) != (ssize_t)sizeof tagged);
	}
	MUST(waitpid(child, &status, 0) == child && status == 0);
	MUST(read(ends[0], tagged, sizeof tagged) == (ssize_t)sizeof tagged);
	for (int i = 0; i < 3; i++)
		MUST(untag(&tagged[i]) == 500 + i && tagged[i] == some[i + 2]);
}

int main(int argc, char **argv)
{
	uint64_t foreign = UINT64_C(0x7777000000000005);

	(void)argv;
	tag_init();
	MUST(untag(&foreign) == -1 && foreign == UINT64_C(0x7777000000000005));
	crosses_a_fork();
	for (int fd = 0; fd < 300; fd++)
		for (int i = 0; i < SOME; i++)
			comes_back(fd, some[i]);
	comes_back(INT32_MAX, UINT64_MAX);
	comes_back(65535, 0); /* where the number 0 would be next */
	for (int fd = 0; argc > 1 && fd <= 65536; fd++) /* any argument: it must refuse */
		tag(fd, 0);
	puts("ok");
	return 0;
}
