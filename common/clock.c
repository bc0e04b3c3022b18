#include "clock.h"
#include <time.h>

int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail for this clock */
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

double now_s(void)
{
	return (double)now_ns() / 1e9;
}
