/* Messages: a header that says whose and which, then a pattern that starts at another
 * place in each. What must stand at any place of any message is computed, never stored.
 */
#ifndef LOAD_MESSAGE_H
#define LOAD_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PIECE = 64 * 1024 }; /* most bytes that are asked for at once */

void message_init(void);

/* Writes n bytes (at most PIECE) of message seq of connection id, from offset off. */
void message_bytes(uint32_t id, uint64_t seq, size_t off, char *to, size_t n);

/* Are these the n bytes (at most PIECE) that stand there? */
bool message_is(uint32_t id, uint64_t seq, size_t off, const char *bytes, size_t n);

#endif
