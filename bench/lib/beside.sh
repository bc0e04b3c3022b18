# What else runs beside a server: a load of its own, a tool that watches.
# shellcheck shell=bash disable=SC2034 # the scenarios read BESIDE

# beside CPU COMMAND...: in the background; sets BESIDE.
beside() {
	taskset -c "$1" "${@:2}" >"$TMP/beside.out" 2>"$TMP/beside.err" &
	BESIDE=$!
	PIDS+=("$BESIDE")
}

# idle_load N: N connections that are answered once, and idle from then on.
idle_load() {
	beside "$CLIENT_CPU" "$BUILD/load" --host "$HOST" --port "$PORT" --connections "$1" --active 1 --rate 0.001 \
		--pace timerfd --warmup 0 --duration 600
}

# leave PID: the end of one of them.
leave() {
	local p kept=()
	kill "$1" 2>/dev/null || true
	wait "$1" 2>/dev/null || true
	for p in "${PIDS[@]}"; do
		[ "$p" = "$1" ] || kept+=("$p")
	done
	PIDS=("${kept[@]}")
}

# within TENTHS COMMAND...: waits until COMMAND succeeds, so many tenths of a second, as long as
# what was put beside runs.
within() {
	local tries
	for ((tries = 0; tries < $1; tries++)); do
		! "${@:2}" || return 0
		kill -0 "$BESIDE" 2>/dev/null || return 1
		pause 0.1
	done
	return 1
}

# Bytes of memory that a process has written to: the heap and the stack.
anonymous() {
	awk '/^RssAnon/ { print 1024 * $2 }' "/proc/$1/status"
}
