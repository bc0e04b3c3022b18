/* Load generator for echo servers: one thread, open or closed loop, every byte verified.
 */
#include "err.h"
#include "load/conn.h"
#include "load/cpu.h"
#include "load/loop.h"
#include "load/message.h"
#include "load/options.h"
#include "load/ramp.h"
#include "load/result.h"
#include "load/schedule.h"
#include "load/window.h"
#include "stop.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <time.h>

/* One look at the server, once it had the time to finish what it does after its last
 * reply. Returns its CPU time in seconds. */
static double look(uint64_t value[COUNTERS])
{
	struct timespec t = { .tv_nsec = 2000000 };

	if (!conns.page && !asked.pid)
		return 0;
	nanosleep(&t, NULL); /* cut short by a signal: stopping is set then */
	if (conns.page)
		page_read(conns.page, value);
	double cpu = cpu_of_tree((pid_t)(asked.pid ? asked.pid : conns.page->pid));
	if (cpu < 0 && asked.pid)
		die_errno("--pid %ld", asked.pid);
	return cpu > 0 ? cpu : 0; /* the server has gone: its page stays */
}

static void need_descriptors(void)
{
	unsigned long limit = raise_fd_limit();

	if (limit >= (unsigned long)asked.connections + 16)
		return;
	errno = EMFILE;
	die_errno("%ld connections need %ld descriptors, the limit is %lu: raise it "
		  "(ulimit "
		  "-Hn, /etc/security/limits.conf)",
		asked.connections, asked.connections + 16, limit);
}

static int report(
	double cpu, const uint64_t before[COUNTERS], const uint64_t after[COUNTERS])
{
	const char *verdict;
	int status = result_judge(&verdict);

	if (asked.hgrm_file)
		result_hgrm();
	if (asked.json)
		result_json(cpu, before, after);
	else
		result_text(verdict, cpu);
	if (fflush(stdout) != 0)
		die_errno("stdout");
	if (asked.json && status)
		fprintf(stderr, "load: %s\n", verdict);
	return status;
}

int main(int argc, char **argv)
{
	static uint64_t before[COUNTERS], after[COUNTERS];
	struct address at = options_parse(argc, argv);

	stop_on_signals();
	need_descriptors();
	message_init();
	window_init();
	conns_init();
	if (asked.counts_file)
		conns.page = page_open(asked.counts_file);
	schedule_init();
	loop_init();
	window.set_up = ramp(&at);
	if (window.set_up && asked.warmup > 0)
		schedule_run(asked.warmup, false);

	double cpu = look(before);
	if (window.set_up && !stopping)
		schedule_run(asked.duration, true);
	cpu = fmax(look(after) - cpu, 0); /* a worker that exits is rounded to a tick */
	schedule_end();
	conns_close();
	if (!stopping)
		return report(cpu, before, after);
	fprintf(stderr, "load: interrupted, there is no result\n");
	return 130;
}
