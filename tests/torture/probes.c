/* The list of probes, in the order in which they are run. */
#include "probes.h"

const struct probe probes[] = {
	{ "scan", "port scanners connect and close: nothing may be left of them", probe_scan,
		0 },
	{ "dribble", "bytes come one at a time", probe_dribble, 0 },
	{ "burst", "much comes at once and then nothing: read it all", probe_burst, 0 },
	{ "size-ladder", "buffers go wrong at their edges", probe_size_ladder, 0 },
	{ "pipelined-order", "many requests under way: the answers keep their order",
		probe_pipelined_order, 0 },
	{ "large-stream", "more than any buffer holds, both ways at once", probe_large_stream,
		0 },
	{ "rearm", "every message is heard, not only the first", probe_rearm, 0 },
	{ "oob-data", "a short read does not mean that nothing is left", probe_oob_data, 0 },
	{ "half-close", "who has sent its FIN can still read", probe_half_close, 0 },
	{ "fin-behind-data", "what came before a FIN is still owed", probe_fin_behind_data,
		PROCESS },
	{ "rst-idle", "a client vanishes", probe_rst_idle, 0 },
	{ "rst-after-data", "a client vanishes, its last words unread", probe_rst_after_data,
		PROCESS },
	{ "close-with-replies-queued", "a client leaves without reading its answers",
		probe_close_with_replies_queued, 0 },
	{ "sigpipe", "writing to who has left raises SIGPIPE", probe_sigpipe, PROCESS },
	{ "stale-event", "an event may be older than the closing of its connection",
		probe_stale_event, PROCESS },
	{ "short-io", "system calls do less than asked, or are interrupted", probe_short_io,
		PROCESS | SHORT_IO },
	{ "no-memory", "malloc fails: that connection goes, the server stays",
		probe_no_memory, PROCESS | NO_MEMORY },
	{ "fairness", "x", probe_fairness, PROCESS },
};

const size_t nprobes = sizeof probes / sizeof probes[0];
