/* How the generator waits. */
#ifndef LOAD_LOOP_H
#define LOAD_LOOP_H

#include <stdint.h>

/* After conns_init. */
void loop_init(void);

/* A pause before this moment is not this machine's. */
void loop_begin(int64_t now);

/* Waits at most until `when` (of now_ns) and deals with what came. */
void loop_turn(int64_t when);

#endif
