# What a script sees of a running server from outside: proc(5), the page of counts, a port.
# Functions only: sourcing this starts nothing. A process that has gone counts as nothing.
# shellcheck shell=bash disable=SC2034 # PORT, HELD: the caller reads them

HOST=127.0.0.1 # where servers listen; a script that starts them elsewhere sets it after this
NOTHING=''     # the pipe of pause, once it is open
CONNECTED=()   # the descriptors of connect

# pause SECONDS: sleeps without a fork. It reads from a pipe that nothing is written to.
pause() {
	local dir
	if [[ ! $NOTHING ]]; then
		dir=$(mktemp -d) # not <(:), which would set $!
		mkfifo "$dir/nothing"
		exec {NOTHING}<>"$dir/nothing"
		rm -r "$dir"
	fi
	read -rt "$1" -u "$NOTHING" || true
}

# said_port LOG: sets PORT from the whole line "listening on ADDR:PORT"; 1 if there is none yet.
said_port() {
	local line
	while read -r line; do
		[[ $line =~ ^listening\ on\ .*:([0-9]+)$ ]] || continue
		PORT=${BASH_REMATCH[1]}
		return 0
	done 2>/dev/null <"$1"
	return 1
}

# await_port LOG PID: waits for that line, at most 15 seconds and while PID lives. Sets PORT; 1
# if it did not come.
await_port() {
	local tries
	for ((tries = 0; tries < 1500; tries++)); do
		[[ ! -e $1 ]] || ! said_port "$1" || return 0
		kill -0 "$2" 2>/dev/null || return 1
		pause 0.01
	done
	return 1
}

# counter PAGE NAME: prints one value, 0 where the call was never made.
counter() {
	local page name value n=0
	page=$("$BUILD/counts" "$1") || return
	while IFS=$'\t' read -r name value; do
		[[ $name != "$2" ]] || n=$value
	done <<<"$page"
	echo "$n"
}

# children PID: prints its children, on one line.
children() {
	local list=
	{ read -r list <"/proc/$1/task/$1/children"; } 2>/dev/null || true # no newline at its end
	echo "$list"
}

# family PID: prints a server and its workers, on one line.
family() {
	echo "$1 $(children "$1")"
}

# sockets PID: prints how many sockets it holds, the listening one included.
sockets() {
	local fd n=0
	for fd in "/proc/$1/fd/"*; do
		[[ ! -S $fd ]] || n=$((n + 1))
	done
	echo $n
}

# held PID WORKER...: sets HELD, for each worker its sockets but for the listening one.
held() {
	local pid
	HELD=()
	for pid in "${@:2}"; do HELD+=($(($(sockets "$pid") - 1))); done
}

# room_for PID N: prints the limit of descriptors (RLIMIT_NOFILE) that leaves it N more.
room_for() {
	local limit=0 free=0
	while [[ -L /proc/$1/fd/$limit ]] || ((free++ < $2)); do limit=$((limit + 1)); done
	echo $limit
}

# switches PID...: prints their voluntary context switches. Each ends a sleep: they count wakeups.
# Returns of epoll_wait are fewer: a thread that wakes for a connection that another has taken
# goes back to sleep inside the call.
switches() {
	local pid name n sum=0
	for pid; do
		[[ -e /proc/$pid/status ]] || continue
		while read -r name n; do
			[[ $name != voluntary_ctxt_switches: ]] || sum=$((sum + n))
		done <"/proc/$pid/status"
	done 2>/dev/null
	echo $sum
}

# schedstat FIELD PID...: prints the sum of one field over the first threads: 1 is the time on a
# CPU, 2 the time in the queue for one, in ns.
schedstat() {
	local pid field=$1 times sum=0
	for pid in "${@:2}"; do
		{ read -ra times <"/proc/$pid/schedstat" && sum=$((sum + times[field - 1])); } 2>/dev/null || true
	done
	echo $sum
}

# cpu_ns PID..., cpu_ns_of PID...: prints the CPU time of their first threads, in ns.
cpu_ns() {
	schedstat 1 "$@"
}

cpu_ns_of() {
	cpu_ns "$@"
}

# anonymous PID: prints the bytes of memory that it has written to: the heap and the stack.
anonymous() {
	awk '/^RssAnon/ { print 1024 * $2 }' "/proc/$1/status"
}

# gone PID...: nothing of them is left, zombies aside.
gone() {
	local pid
	for pid; do
		! grep -qs '^State:.[^ZX]' "/proc/$pid/status" || return 1
	done
}

# connect PORT N SECONDS: opens N connections, a rest after each; they stay, in CONNECTED.
# 1 at the first that is refused.
connect() {
	local i fd
	for ((i = 0; i < $2; i++)); do
		exec {fd}<>"/dev/tcp/$HOST/$1" || return
		CONNECTED+=("$fd")
		pause "$3"
	done
}

# hang_up: closes all that connect opened.
hang_up() {
	local fd
	for fd in "${CONNECTED[@]}"; do exec {fd}>&-; done
	CONNECTED=()
}
