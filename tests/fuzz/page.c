/* common/probe/page.c: any file is read as what it says, or refused. */
#include "probe/page.h"
#include "fuzz.h"
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static void names_are_their_own(void)
{
	for (int i = 0; i < COUNTERS; i++)
		MUST(page_index(page_name((size_t)i)) == i);
	MUST(page_index("") == -1);
}

static void holds(const struct probe_page *page, const struct probe_page *file)
{
	uint64_t value[COUNTERS];

	page_read(page, value);
	for (size_t c = 0; c < PROBE_CALLS; c++) {
		const struct probe_tally *t = &file->call[c];
		const uint64_t *v = &value[7 * c];

		MUST(v[0] == t->ok + t->eagain + t->eintr + t->eof + t->errors);
		MUST(v[1] == t->ok && v[2] == t->eagain && v[3] == t->eintr);
		MUST(v[4] == t->eof && v[5] == t->errors && v[6] == t->bytes);
	}
	const uint64_t *v = &value[7 * PROBE_CALLS];
	MUST(v[0] == file->events && v[1] == file->timeouts && v[2] == file->opened);
	MUST(v[3] == file->closed && v[4] == file->opened - file->closed);
	MUST(v[5] == file->spliced_out);
}

/* Input: the file. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct probe_page file;
	static char path[32];
	static int memory = -1;
	const struct probe_page *page = NULL;

	if (memory < 0) {
		names_are_their_own();
		MUST((memory = memfd_create("page", MFD_CLOEXEC)) >= 0);
		snprintf(path, sizeof path, "/proc/self/fd/%d", memory);
	}
	MUST(ftruncate(memory, 0) == 0);
	MUST(pwrite(memory, data, size, 0) == (ssize_t)size);
	bool good = size == sizeof file;
	if (good)
		memcpy(&file, data, size);
	good = good && file.magic == PROBE_MAGIC;

	int next = dup(memory); /* the descriptor that page_open will get */
	close(next);
	exit_status = -1;
	mapped = NULL;
	if (!setjmp(back)) {
		catching = true;
		page = page_open(path);
		catching = false;
		MUST(good && fcntl(next, F_GETFD) < 0);
		holds(page, &file);
	} else {
		MUST(!good && exit_status == 2);
		close(next);
	}
	if (mapped)
		munmap(mapped, sizeof file);
	return 0;
}
