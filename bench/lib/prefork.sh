# What herd, accepts, workers and the demo share: servers of several processes, seen from
# outside.
# shellcheck shell=bash

# family PID: a server and its workers, on one line.
family() {
	local children
	read -r children <"/proc/$1/task/$1/children" || true # no newline at its end
	echo "$1 $children"
}

# workers_up PAGE N CALLS: waits until N workers have made CALLS epoll_ctl each, and sleep.
workers_up() {
	until [ "$(counter "$1" epoll_ctl.calls)" -ge $(($2 * $3)) ]; do pause 0.01; done
	pause 0.05
}

# Wakeups: each ends a sleep, and each sleep is one voluntary context switch (proc(5)).
# Returns of epoll_wait are fewer: who is woken for a connection that another has taken
# goes back to sleep inside the call.
switches() { # PID...
	local pid files=()
	for pid; do files+=("/proc/$pid/status"); done
	awk '/^voluntary/ { n += $2 } END { print n }' "${files[@]}"
}

# held PID WORKER...: what each worker holds: its sockets but for the listening one. In HELD.
held() {
	local pid fd n
	HELD=()
	for pid in "${@:2}"; do
		n=-1
		for fd in "/proc/$pid/fd/"*; do
			[ ! -S "$fd" ] || n=$((n + 1))
		done
		HELD+=("$n")
	done
}

# Nanoseconds of CPU of all of them.
cpu_ns_of() { # PID...
	local pid sum=0
	for pid; do sum=$((sum + $(cpu_ns "$pid"))); done
	echo "$sum"
}

# connect PORT N SECONDS: opens N connections, a rest after each; they stay, in CONNECTED.
CONNECTED=()
connect() {
	local i fd
	for ((i = 0; i < $2; i++)); do
		exec {fd}<>"/dev/tcp/${HOST:-127.0.0.1}/$1"
		CONNECTED+=("$fd")
		pause "$3"
	done
}

hang_up() {
	local fd
	for fd in "${CONNECTED[@]}"; do exec {fd}>&-; done
	CONNECTED=()
}
