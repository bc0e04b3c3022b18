#ifndef PROBES_H
#define PROBES_H

#include "torture.h"

/* probes_bytes.c */
void probe_dribble(void);
void probe_burst(void);
void probe_size_ladder(void);
void probe_pipelined_order(void);
void probe_large_stream(void);
void probe_rearm(void);
void probe_oob_data(void);
void probe_short_io(void);
void probe_no_memory(void);

/* probes_close.c */
void probe_scan(void);
void probe_half_close(void);
void probe_fin_behind_data(void);
void probe_rst_idle(void);
void probe_rst_after_data(void);
void probe_close_with_replies_queued(void);
void probe_sigpipe(void);
void probe_stale_event(void);

void probe_fairness(void);
#endif
