# What claims compare besides: the length of the sources, and this machine. No server runs.
# shellcheck shell=bash disable=SC2154,SC2034 # bench/run sets these

lines_trial() {
	number lines "$(wc -l <"$ROOT/labs/$LAB/server.c")"
}

do_sources() {
	begin "lines of each lab's server.c" 1 -
	for LAB in 01-blocking 03-epoll-lt 04-epoll-et; do
		! asked_for "$LAB" || trial 0+0 lines_trial
	done
}

cpus_trial() {
	number cpus "$(nproc)"
}

do_machine() {
	begin "the CPUs that may be used here" 1 -
	LAB=- trial 0+0 cpus_trial
}
