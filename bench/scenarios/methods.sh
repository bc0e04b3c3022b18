# How one measures, measured: closed loops that hide a stall, tools that slow what they watch.
# shellcheck shell=bash disable=SC2154,SC2153,SC2034,SC2016,SC2015 # bench/run sets these; $names of jq

omission_rows() {
	local how
	[ "$CASE" = open ] && how=(--rate 1000 --arrival fixed --depth 64) || how=()
	serve tests/slow_echo --stall-ms "$(ms "$(scaled 0.5)")" --stall-at "$(scaled 2)"
	if measure slow_echo --connections 10 --size "$SIZE" --duration "$(scaled 5)" --warmup 0 \
		"${how[@]}" --hgrm "$TMP/load.hgrm"; then
		spectrum "$CASE" "$TMP/load.hgrm" >>"$PART/rows"
	fi
	stop "$PID"
}

do_omission() {
	begin omission "the same server, stalled $(scaled 0.5) s in $(scaled 5) s: 10 connections, 1,000 requests/s at fixed intervals, or closed loop" 1 \
		how percentile inverse us
	for CASE in open closed; do
		trial "$CASE" "$(sum "$(scaled 5)" 0.7)" omission_rows
	done
	CASE=
	finish
}

# Tools that can only be attached: until they are, or nothing.
await_observer() {
	local tries
	for ((tries = 0; tries < 300; tries++)); do
		case $1 in
		strace) ! grep -q '^TracerPid:[[:space:]]*0$' "/proc/$PID/status" || { pause 0.02 && continue; } ;;
		bpftrace) grep -q '^Attach' "$TMP/beside.out" "$TMP/beside.err" || { pause 0.02 && continue; } ;;
		esac
		return 0
	done
	return 1
}

observer_row() {
	local watcher=$1 tool=()
	case $watcher in
	perf) tool=(perf stat -e raw_syscalls:sys_enter -p) ;;
	strace) tool=(strace -c -f -o /dev/null -p) ;;
	bpftrace) tool=(bpftrace -e "tracepoint:raw_syscalls:sys_enter /pid == PID/ { @[args.id] = count(); }") ;;
	esac
	BESIDE=0
	if [ ${#tool[@]} -gt 0 ] && ! command -v "$watcher" >/dev/null; then
		failed "$watcher" "not installed"
		echo 0 >"$PART/kept"
		return 0
	fi
	if [ "$watcher" = probe ]; then serve "$WATCHED"; else COUNTS_IN='' serve "$WATCHED"; fi
	case $watcher in
	perf | strace) beside "$SERVER_CPU" "${tool[@]}" "$PID" ;;
	bpftrace) beside "$SERVER_CPU" "${tool[@]//PID/$PID}" ;;
	esac
	[ "$BESIDE" = 0 ] || pause 0.3
	if [ "$BESIDE" != 0 ] && { ! kill -0 "$BESIDE" 2>/dev/null || ! await_observer "$watcher"; }; then
		failed "$watcher" "$(tail -n 1 "$TMP/beside.err")"
	elif measure "$watcher" --connections 50 --size "$SIZE" \
		--duration "$(scaled 1.5)" --warmup "$(scaled 0.3)"; then
		row '[$lab, $trial, (.rate | round), .latency_us.p50]'
	fi
	echo 1 >"$PART/kept"
	[ "$BESIDE" = 0 ] || { kill -INT "$BESIDE" 2>/dev/null || true; leave "$BESIDE"; }
	stop "$PID"
}

do_observer() {
	WATCHED=03-epoll-lt
	asked_for $WATCHED || return 0
	begin observer "$WATCHED, closed loop, 50 connections, $SIZE bytes, watched by nobody, by the probe, by tools" "${PAIRS:-4}" \
		how trial rate p50_us
	for ((ROUND = 1; ROUND <= ${PAIRS:-4}; ROUND++)); do
		for LAB in none probe perf bpftrace strace; do
			trial "$LAB trial $ROUND" "$(sum "$(scaled 1.8)" 1.2)" observer_row "$LAB"
		done
	done
	finish
}

# Counts without any spread: each request waits for the reply before. Not in a profile; the
# tests hold a server against itself with it, and against one that makes a call more.
exact_row() {
	serve "$LAB"
	if measure "$LAB" --size "$SIZE" --duration "$(scaled 1)" --warmup 0; then
		gate none
		row '[$lab, $trial, $pair, $kept, $why, per(calls)]'
	fi
	stop "$PID"
}

do_exact() {
	begin exact "1 connection, closed loop, $SIZE bytes" "${PAIRS:-6}" lab trial pair kept why calls_per_request
	rounds "${PAIRS:-6}" "$(sum "$(scaled 1)" 0.4)" exact_row "$(pair)"
	finish
}
