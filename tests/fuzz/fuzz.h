/* What the fuzzers share. Each is one program of one file: libFuzzer's main calls
 * LLVMFuzzerTestOneInput with ever new bytes, and what aborts is a crash. */
#ifndef FUZZ_H
#define FUZZ_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Not assert(3): this one cannot be compiled out. */
#define MUST(condition) \
	do \
		if (!(condition)) { \
			dprintf(STDERR_FILENO, "%s:%d: not so: %s\n", __FILE__, \
				__LINE__, #condition); \
			abort(); \
		} \
	while (0)

/* The code under test ends the program on bad input, and may. The linker's --wrap turns
 * its exit(3) into a jump back to the fuzzer, while one waits for it:
 *
 *	if (!setjmp(back)) {
 *		catching = true;
 *		... the call ...
 *	}                       // here exit_status tells, if `catching` is off again
 *	catching = false;
 */
static jmp_buf back;
static bool catching;
static int exit_status;
_Noreturn void __real_exit(int status);
_Noreturn void __wrap_exit(int status);

void __wrap_exit(int status)
{
	if (!catching)
		__real_exit(status);
	catching = false;
	exit_status = status;
	longjmp(back, 1);
}

/* Such a jump leaves behind what the end of the program would have unmapped. */
static void *mapped;
void *__real_mmap(void *, size_t, int, int, int, off_t);
void *__wrap_mmap(void *, size_t, int, int, int, off_t);

void *__wrap_mmap(void *at, size_t len, int prot, int flags, int fd, off_t off)
{
	void *p = __real_mmap(at, len, prot, flags, fd, off);

	if (catching)
		mapped = p;
	return p;
}

#endif
