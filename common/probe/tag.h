/* An event carries the data of its registration and not the descriptor. While the probe
 * traces, it registers data that names the descriptor too, and hands the program's own
 * data back with the event. */
#ifndef TAG_H
#define TAG_H

#include <stdint.h>

/* Makes the table, which forked processes share: they may share an epoll set. Dies with
 * one line if there is no memory. */
void tag_init(void);

/* What to register for fd instead of data. The same for the same two, for ever: an event
 * that comes late, or in another thread or process, still gives them. Dies with one line
 * after some 65,000 different pairs of a descriptor and the upper 16 bits of data. */
uint64_t tag(int fd, uint64_t data);

/* Puts the program's data back and returns the descriptor it was registered for; -1, and
 * the data stays, if it was not made by tag(). */
int untag(uint64_t *data);

#endif
