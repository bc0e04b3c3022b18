# What the quick profile consists of; the full one measures it too.
# shellcheck shell=bash disable=SC2154,SC2153,SC2034,SC2016,SC2015 # bench/run sets these; $names of jq

# 01 can serve only one connection at a time: so everyone gets one here.
syscalls_row() {
	serve "$LAB"
	if measure "$LAB" --connections 1 --rate 1000 --arrival fixed --size "$SIZE" \
		--duration "$SECONDS_COUNTS" --warmup 0.2; then
		row '.requests as $r |
			[n("epoll_wait.calls"), n("recv.ok"), n("recv.eagain"), n("send.ok"),
			 n("send.eagain"), n("epoll_ctl.calls"), n("accept4.calls")] as $named |
			[$lab, $r] + ($named + [calls - ($named | add)] | map(. / $r * 10000 | round / 10000))'
	fi
	stop "$PID"
}

do_syscalls() {
	begin syscalls "1 connection, 1,000 requests/s at fixed intervals, $SIZE bytes" 1 \
		lab requests epoll_wait recv_ok recv_eagain send_ok send_eagain epoll_ctl accept other
	for LAB in $(wanted 01 02 03 04 05 06) $(variants); do
		trial "$LAB" "$(sum "$SECONDS_COUNTS" 0.5)" syscalls_row
	done
	finish
}

# The variants of 03, in the full profile.
variants() {
	local v
	[ "$PROFILE" != quick ] || return 0
	for v in lt-ctl lt-small; do
		! { asked_for $v && built $v; } || echo $v
	done
}

ksweep_row() {
	serve "$LAB"
	if measure "$LAB" --connections 1 --rate 200 --arrival fixed \
		--size $((CASE * READ_SIZE)) --duration "$SECONDS_K" --warmup 0.1; then
		row '[$lab, $case, .size, 1, (calls / .requests * 1000 | round / 1000)]'
	fi
	stop "$PID"
}

do_ksweep() {
	begin ksweep "1 connection, 200 requests/s, message of k x $READ_SIZE bytes" 1 \
		lab k size trial calls_per_request
	for CASE in $KS; do
		for LAB in $(wanted 03 04); do
			trial "$LAB k=$CASE" "$(sum "$SECONDS_K" 0.4)" ksweep_row
		done
	done
	CASE=
	finish
}

latency_rows() {
	local connections=50
	[ "$LAB" != 01-blocking ] || connections=1
	serve "$LAB"
	if measure "$LAB" --connections $connections --depth 64 --rate 4000 --size "$SIZE" \
		--duration "$SECONDS_LATENCY" --warmup 0.3 --hgrm "$TMP/load.hgrm"; then
		spectrum "$LAB	$ROUND" "$TMP/load.hgrm" >>"$PART/rows"
	fi
	stop "$PID"
}

do_latency() {
	local order
	begin latency "open loop, 4,000 requests/s, Poisson, $SIZE bytes, 50 connections (01: 1)" "$TRIALS" \
		lab trial percentile inverse us
	for ((ROUND = 1; ROUND <= TRIALS; ROUND++)); do
		order=$(wanted 01 02 03 04)
		[ $((ROUND % 2)) -eq 1 ] || order=$(tac <<<"$order")
		for LAB in $order; do
			trial "$LAB trial $ROUND of $TRIALS" "$(sum "$SECONDS_LATENCY" 0.7)" latency_rows
		done
	done
	finish
}

# enough_descriptors N: or a line that says so.
enough_descriptors() {
	local limit
	limit=$(ulimit -Hn)
	[ "$limit" != unlimited ] && [ $(($1 + 64)) -gt "$limit" ] || return 0
	failed "$LAB" "$1 connections need more descriptors than ulimit -Hn = $limit"
	return 1
}

# The numbers of connections, no more than MANY.
sizes() {
	local n
	for n in $CONNECTIONS; do
		echo $((n < MANY ? n : MANY))
	done | uniq
}

connections_row() {
	local more=''
	[ "$PROFILE" = quick ] || more=' + [$pair, $kept, $why]'
	enough_descriptors "$CASE" || return 0
	serve "$LAB"
	if measure "$LAB" --connections "$CASE" --depth 64 --rate 1000 --size "$SIZE" \
		--duration "$SECONDS_CONNECTIONS" --warmup 0.2; then
		[ "$PROFILE" = quick ] || gate all
		row '[$lab, $case, $trial, .latency_us.p50, (.latency_us.p99 // "nan"),
			(calls / .duration_s | round), (.server_cpu_s / .duration_s * 1000 | round / 10),
			.requests]'"$more"
	fi
	stop "$PID"
}

do_connections() {
	local what="open loop, 1,000 requests/s, Poisson, $SIZE bytes, over all connections" groups
	local columns=(lab connections trial p50_us p99_us syscalls_per_s server_cpu_percent requests)
	if [ "$PROFILE" = quick ]; then
		begin connections "$what" 1 "${columns[@]}"
		ROUND=1
		for CASE in $CONNECTIONS; do
			for LAB in $(wanted 02 03 04); do
				trial "$LAB, $CASE" "$(sum "$SECONDS_CONNECTIONS" 0.8)" connections_row
			done
		done
	else
		begin connections "$what" "${PAIRS:-3}" "${columns[@]}" pair kept why
		for CASE in $(sizes); do
			rounds "${PAIRS:-3}" "$(sum "$SECONDS_CONNECTIONS" 0.8)" connections_row \
				02-nonblocking 03-epoll-lt+04-epoll-et
		done
	fi
	CASE=
	finish
}

starvation_rows() {
	serve "$LAB"
	taskset -c "$CLIENT_CPU" "$BUILD/nudge" --host "$HOST" --port "$PORT" --tsv | tail -n +2 |
		sed "s/^/$LAB\t/" >>"$PART/rows"
	stop "$PID"
}

do_starvation() {
	begin starvation "10,000 bytes in one send, silence for 1 s, then a byte every 50 ms" 1 \
		lab ms sent answered
	for LAB in $(wanted 03 04 05); do
		trial "$LAB" 2.5 starvation_rows
	done
	finish
}

# spin_row LABEL LAB [ARG...]: one idle connection, and what the server does all the same.
spin_row() {
	local calls cpu t0 t1 idle
	start "${@:2}"
	exec {idle}<>"/dev/tcp/$HOST/$PORT"
	until [ "$(counter "$PAGE" connections.active)" = 1 ]; do pause 0.01; done
	t0=${EPOCHREALTIME/./} calls=$(counter "$PAGE" epoll_wait.calls) cpu=$(cpu_ns "$PID")
	pause "$SECONDS_SPIN"
	calls=$(($(counter "$PAGE" epoll_wait.calls) - calls)) cpu=$(($(cpu_ns "$PID") - cpu))
	t1=${EPOCHREALTIME/./}
	exec {idle}>&-
	awk -v lab="$1" -v n="$calls" -v ns="$cpu" -v us=$((t1 - t0)) -v OFS='\t' \
		'BEGIN { printf "%s\t%.0f\t%.1f\n", lab, n / us * 1e6, ns / us / 10 }' >>"$PART/rows"
	stop "$PID"
}

do_spin() {
	begin spin "1 idle connection, $SECONDS_SPIN s" 1 lab returns_per_s cpu_percent
	for LAB in $(wanted 03 06); do
		trial "$LAB" "$(sum "$SECONDS_SPIN" 0.5)" spin_row "$LAB" "$LAB"
		[ "$LAB" != 06-epollout-spin ] ||
			trial "$LAB--et" "$(sum "$SECONDS_SPIN" 0.5)" spin_row "$LAB--et" "$LAB" --et
	done
	finish
}
