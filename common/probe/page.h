/* Reads the page of counts that the probe layer writes (tally.h). */
#ifndef PAGE_H
#define PAGE_H

#include "probe.h"
#include <stdbool.h>
#include <stddef.h>

enum { COUNTERS = 7 * PROBE_CALLS + 6 };

/* Maps FILE read-only. Dies with one line if it cannot be read or is no page of counts.
 * The mapping lasts until the program ends. */
const struct probe_page *page_open(const char *file);

/* Whether the server lives, and for how many seconds it has, or had. */
bool page_running(const struct probe_page *page);
double page_uptime(const struct probe_page *page);

/* One snapshot of every counter. Each is read atomically; between two of them the server
 * may have moved on by a call. */
void page_read(const struct probe_page *page, uint64_t value[COUNTERS]);

/* The name of counter i: `recv.calls`, `recv.eagain`, `epoll_wait.events`,
 * `connections.opened` … `splice.out_bytes` is the part of `splice.bytes` that went to a
 * connection. `connections.active` is the only one that can fall. */
const char *page_name(size_t i);

/* Whether a call of enum probe_call moves bytes. */
bool page_moves(size_t call);

/* The index of a name, or -1. */
int page_index(const char *name);

#endif
