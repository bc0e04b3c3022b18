#include "load/cpu.h"
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The kernel adds the time of a child to its parent's cutime and cstime when the parent
 * waits for it: fields 16 and 17 of proc_pid_stat(5). The name in field 2 can hold blanks
 * and brackets, so counting begins behind the last bracket. */
static double waited_for(pid_t pid)
{
	char path[64], line[1024];
	long user = 0, system = 0;
	double seconds = 0;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	FILE *in = fopen(path, "re");
	if (!in)
		return 0;
	const char *rest = fgets(line, sizeof line, in) ? strrchr(line, ')') : NULL;
	if (rest && sscanf(rest,
			    ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %ld "
			    "%ld",
			    &user, &system) == 2)
		seconds = (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
	fclose(in);
	return seconds;
}

static double cpu_of_children(pid_t pid, const char *thread)
{
	char path[320];
	double seconds = 0;
	int child;

	snprintf(path, sizeof path, "/proc/%d/task/%s/children", (int)pid, thread);
	FILE *in = fopen(path, "re");
	if (!in)
		return 0;
	while (fscanf(in, "%d", &child) == 1) {
		double more = cpu_of_tree(child);
		seconds += more > 0 ? more : 0; /* it may have exited just now */
	}
	fclose(in);
	return seconds;
}

double cpu_of_tree(pid_t pid)
{
	char path[64];
	struct timespec t;
	clockid_t clock;
	const struct dirent *thread;

	errno = clock_getcpuclockid(pid, &clock);
	if (errno || clock_gettime(clock, &t) < 0)
		return -1;
	double seconds = (double)t.tv_sec + (double)t.tv_nsec / 1e9 + waited_for(pid);
	snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
	DIR *threads = opendir(path);
	if (!threads)
		return seconds;
	while ((thread = readdir(threads)))
		if (thread->d_name[0] != '.')
			seconds += cpu_of_children(pid, thread->d_name);
	closedir(threads);
	return seconds;
}
