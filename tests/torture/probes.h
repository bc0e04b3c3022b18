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

/* probes_many.c */
void probe_silent_blocks(void);
void probe_stalled_client_beside_others(void);
void probe_fairness(void);
void probe_accept_burst(void);
void probe_accept_aborted(void);
void probe_eintr(void);
void probe_many_connections(void);

/* probes_limits.c */
void probe_idle_cpu(void);
void probe_slow_reader_memory(void);
void probe_slow_reader_cpu(void);
void probe_fd_leak(void);
void probe_memory_leak(void);
void probe_fd_limit_spin(void);
void probe_fd_limit_strands(void);
void probe_clean_exit(void);

#endif
