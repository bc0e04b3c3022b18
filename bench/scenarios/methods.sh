# How one measures, measured: closed loops that hide a stall, tools that slow what they watch.
# shellcheck shell=bash disable=SC2154,SC2034,SC2016 # bench/run and its libraries set these; $names of jq

omission_trial() {
	local how=()
	[ "$LAB" = closed ] || how=(--rate 1000 --arrival fixed --depth 64)
	start tests/slow_echo --stall-ms "$(ms "$(scaled 0.5)")" --stall-at "$(scaled 2)"
	! load 5 0 --connections 10 "${how[@]}" --hgrm "$TMP/load.hgrm" || spectrum "$TMP/load.hgrm"
	stop "$PID"
}

do_omission() {
	begin "the same server, stalled $(scaled 0.5) s in $(scaled 5) s: 10 connections, 1,000 requests/s at fixed intervals, or closed loop" \
		1 inverse
	for LAB in open closed; do trial 5+0.7 omission_trial; done
}

# Tools that can only be attached: until they are, or nothing.
attached() {
	case $LAB in
	strace) ! grep -q '^TracerPid:[[:space:]]*0$' "/proc/$PID/status" ;;
	bpftrace) grep -q '^Attach' "$TMP/beside.out" "$TMP/beside.err" ;;
	esac
}

# watch: puts the tool named $LAB beside the server; false with a line if it cannot be.
watch() {
	local tool=()
	case $LAB in
	perf) tool=(perf stat -e raw_syscalls:sys_enter -p "$PID") ;;
	strace) tool=(strace -c -f -o /dev/null -p "$PID") ;;
	bpftrace) tool=(bpftrace -e "tracepoint:raw_syscalls:sys_enter /pid == $PID/ { @[args.id] = count(); }") ;;
	*) return 0 ;;
	esac
	command -v "$LAB" >/dev/null || { failed "not installed" && return 1; }
	beside "$SERVER_CPU" "${tool[@]}"
	pause 0.3
	within 60 attached && kill -0 "$BESIDE" 2>/dev/null && return 0
	failed "$(tail -n 1 "$TMP/beside.err")"
	return 1
}

observer_trial() {
	BESIDE=0
	if [ "$LAB" = probe ]; then start 03-epoll-lt; else COUNTS_IN='' start 03-epoll-lt; fi
	if watch && load 1.5 0.3 --connections 50; then
		numbers '{rate: (.rate | round), p50_us: .latency_us.p50}'
	fi
	[ "$BESIDE" = 0 ] || { kill -INT "$BESIDE" 2>/dev/null || true; leave "$BESIDE"; }
	stop "$PID"
}

do_observer() {
	local trials=${PAIRS:-4}
	asked_for 03-epoll-lt || return 0
	begin "03-epoll-lt, closed loop, 50 connections, $SIZE bytes, watched by nobody, by the probe, by tools" "$trials" -
	[ "$DRY" = 1 ] || remark "against: none"
	for ((ROUND = 1; ROUND <= trials; ROUND++)); do
		for LAB in none probe perf bpftrace strace; do trial 1.8+1.2 observer_trial; done
	done
}

# Counts without any spread: each request waits for the reply before. Not in a profile; the
# tests hold a server against itself with it, and against one that makes a call more.
exact_trial() {
	measure 1 0 --connections 1 || return 0
	numbers '{calls_per_request: per(calls)}'
}

do_exact() {
	begin "1 connection, closed loop, $SIZE bytes" "${PAIRS:-6}" -
	rounds "${PAIRS:-6}" 1+0.4 exact_trial "$(pair)"
}
