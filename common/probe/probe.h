/* The probe layer: the linker's --wrap (ld(1); the list of calls is calls.def) sends a
 * lab's system calls through wrap.c, so that its source stays plain.
 *
 *   LAB_COUNTS=FILE  counts every call and its outcome in a page of FILE, mapped shared:
 *                    it can be read at any moment from outside (build/counts FILE),
 *                    outlives SIGKILL, and adds up over threads and forked processes
 *   LAB_TRACE=1      tells each call on stderr, with the seconds since the start, and in
 *                    brackets the thread, where it is not the first
 *   LAB_TRACE=clock  the same with two numbers in front: CLOCK_MONOTONIC, which processes
 *                    share, when the call returned, and the seconds it took
 *
 * A call is counted when it returns, as strace(1) does. With LAB_TRACE=1, one of accept4,
 * recv, send, read and write that has to wait is told before as well: `recv(4, 4096)
 * ...waits`. One page is one server's: a second one is refused while the first lives.
 * This header is the page's layout; tally.c writes the page, page.c reads it.
 */
#ifndef PROBE_H
#define PROBE_H

#include <stdatomic.h>
#include <stdint.h>

enum probe_call {
#define CALL(ID, name, moves) PROBE_##ID,
#include "calls.def"
	PROBE_CALLS,
};

/* Every call ends in exactly one of the first five. */
struct probe_tally {
	_Atomic uint64_t ok;
	_Atomic uint64_t eagain;
	_Atomic uint64_t eintr;
	_Atomic uint64_t eof; /* a read of 0 bytes, when more than 0 were asked for */
	_Atomic uint64_t errors; /* every other errno */
	_Atomic uint64_t bytes;
};

#define PROBE_MAGIC UINT64_C(0x31626f727062616c)

struct probe_page {
	uint64_t magic;
	int64_t start_ns; /* CLOCK_MONOTONIC, which all processes share */
	_Atomic int64_t last_ns; /* the same clock, to some ms: the last call counted */
	int64_t pid; /* of the process that was started, not of its forks */
	int64_t started; /* the same process's start, in ticks: see common/started.h */
	_Atomic uint64_t events; /* delivered by epoll_wait */
	_Atomic uint64_t timeouts; /* epoll_wait returned 0 */
	_Atomic uint64_t opened; /* connections: accept4 returned a descriptor */
	_Atomic uint64_t closed; /* ... and close was called on it */
	_Atomic uint64_t spliced_out; /* of splice's bytes: those sent to a connection */
	struct probe_tally call[PROBE_CALLS];
};

#endif
