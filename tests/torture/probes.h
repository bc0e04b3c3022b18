#ifndef PROBES_H
#define PROBES_H

#include "torture.h"

void probe_dribble(void);

#endif
