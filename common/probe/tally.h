/* Writes the page of counts that page.h reads. All but the first do nothing in a server
 * that was started without LAB_COUNTS. */
#ifndef TALLY_H
#define TALLY_H

#include "probe.h"
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Maps the file that LAB_COUNTS names and begins its page; returns whether there is one.
 * Dies with one line if the file cannot be used, holds something else, or is the page of
 * a server that lives. */
bool tally_init(void);

/* One call that has returned: its outcome, from result and errno. */
void tally_call(enum probe_call call, ssize_t result);

/* The same for a call that moves bytes: len is what was asked for. With `reads`, a result
 * of 0 is the end of what is read. */
void tally_bytes(enum probe_call call, size_t len, ssize_t result, bool reads);

/* A call that waits for events, and has returned n. */
void tally_events(int n);

/* accept4 has returned fd: a connection. */
void tally_opened(int fd);

/* Before close(fd): forgets the descriptor, and returns whether it was a connection.
 * After the call another thread may be given the number. */
bool tally_forget(int fd);

/* After close of a connection: who sees this count does not find the descriptor. */
void tally_closed(void);

/* splice has moved n bytes to this descriptor: a byte that is echoed goes through two
 * calls, from a connection into a pipe, and from there to a connection. */
void tally_spliced(int to, ssize_t n);

#endif
