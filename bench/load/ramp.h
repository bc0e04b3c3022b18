/* Opens the connections. */
#ifndef LOAD_RAMP_H
#define LOAD_RAMP_H

#include "net.h"
#include <stdbool.h>

/* Connects all of them, and has an answer on each: that connect(2) is done says only that
 * the kernel has queued us, an answer says that the server has the connection. False if
 * the answers did not come or a signal ends us; dies if a connect fails. */
bool ramp(const struct address *at);

#endif
