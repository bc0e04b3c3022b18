# Other shapes of load: idle connections, bursts, streams, clients that do not read.
# shellcheck shell=bash disable=SC2154,SC2153,SC2034,SC2016,SC2015 # bench/run sets these; $names of jq

idle_row() {
	enough_descriptors "$CASE" || return 0
	serve "$LAB"
	if measure "$LAB" --connections "$CASE" --active 1 --depth 64 --rate 1000 --size "$SIZE" \
		--duration "$(scaled 2)" --warmup "$(scaled 0.3)"; then
		gate all
		row '[$lab, $case, $trial, $pair, $kept, $why, .latency_us.p50, cpu_us, per(calls)]'
	fi
	stop "$PID"
}

do_idle() {
	begin idle "1 active among N connections: 1,000 requests/s, Poisson, $SIZE bytes, on it alone" "${PAIRS:-4}" \
		lab connections trial pair kept why p50_us cpu_us calls_per_request
	for CASE in $(sizes); do
		rounds "${PAIRS:-3}" "$(sum "$(scaled 2.3)" 0.8)" idle_row "$(pair)" 02-nonblocking:3
	done
	CASE=
	finish
}

bursts_row() {
	serve "$LAB"
	if measure "$LAB" --connections 10 --depth 16 --size "$SIZE" \
		--duration "$(scaled 2)" --warmup "$(scaled 0.3)"; then
		gate none
		row '[$lab, $trial, $pair, $kept, $why, .depth, per(calls), cpu_us, .latency_us.p50]'
	fi
	stop "$PID"
}

do_bursts() {
	begin bursts "pipelined: closed loop, 10 connections, 16 unanswered requests of $SIZE bytes on each" "${PAIRS:-5}" \
		lab trial pair kept why depth calls_per_request cpu_us p50_us
	rounds "${PAIRS:-5}" "$(sum "$(scaled 2.3)" 0.8)" bursts_row "$(pair)"
	finish
}

streams_row() {
	local how
	case $CASE in
	echo) how=(--depth 2) ;;
	upload) how=(--read-pause 2) ;;
	download) how=(--depth 2 --rcvbuf 65536) ;;
	esac
	serve "$LAB"
	if measure "$LAB" --connections 1 --size 1048576 "${how[@]}" \
		--duration "$(scaled 2)" --warmup "$(scaled 0.3)"; then
		gate none
		row '(.received * .size / 1e6) as $mb |
			def per_mb(x): if $mb == 0 then "nan" else x / $mb | digits(1000) end;
			[$lab, $trial, $pair, $kept, $why, $case, .size, ($mb / .duration_s | digits(10)), per_mb(calls),
			 per_mb(n("epoll_ctl.calls")), per_mb(.server_cpu_s * 1000)]'
	fi
	stop "$PID"
}

do_streams() {
	begin streams "1 connection, closed loop, messages of 1 MiB, MB/s one way" "${PAIRS:-4}" \
		lab trial pair kept why direction size mb_per_s calls_per_mb epoll_ctl_per_mb cpu_ms_per_mb
	remark "echo: 2 messages under way, the client reads all the time"
	remark "upload: the client begins to read 2 ms after it began to send, when the message is with the kernel or the server"
	remark "download: 2 messages under way, the client takes them through a receive buffer of 64 KB: the way back is the narrow one"
	for CASE in upload download echo; do
		rounds "${PAIRS:-4}" "$(sum "$(scaled 2.3)" 0.8)" streams_row "$(pair)"
	done
	CASE=
	finish
}

# A network of its own, where no send buffer grows beyond 16 KB: a reply of 48 KB is sure to
# get stuck, and less than the server's high-water mark is left with it.
small_buffers() {
	unshare --user --map-root-user --net bash -c '
		ip link set lo up && echo "4096 16384 16384" >/proc/sys/net/ipv4/tcp_wmem && echo ready &&
		exec sleep infinity' >"$TMP/net.out" 2>"$TMP/net.err" &
	NET=$!
	PIDS+=("$NET")
	until grep -q ready "$TMP/net.out"; do
		kill -0 "$NET" 2>/dev/null || return 1
		pause 0.01
	done
	WITHIN=(nsenter --target "$NET" --user --net --preserve-credentials)
}

backpressure_row() {
	if ! small_buffers; then
		leave "$NET"
		failed "$LAB" "no network namespace: $(tail -n 1 "$TMP/net.err")"
		return 0
	fi
	serve "$LAB"
	if measure "$LAB" --connections 1 --size 49152 --rcvbuf 4096 --read-pause 20 \
		--duration "$(scaled 2)" --warmup "$(scaled 0.3)"; then
		gate none
		row 'def per_blocked(x): if .blocked == 0 then "nan" else x / .blocked | digits(1000) end;
			[$lab, $trial, $pair, $kept, $why, .received, .blocked, per_blocked(n("epoll_ctl.calls")), per(calls)]'
	fi
	stop "$PID"
	WITHIN=()
	leave "$NET"
}

do_backpressure() {
	begin backpressure "1 connection, replies of 48 KB that the client leaves unread for 20 ms, into send buffers of 16 KB" "${PAIRS:-4}" \
		lab trial pair kept why replies blocked epoll_ctl_per_blocked calls_per_reply
	remark "blocked: more bytes had come into the server than out of it when the client began to read"
	rounds "${PAIRS:-4}" "$(sum "$(scaled 2.3)" 0.8)" backpressure_row "$(pair)"
	finish
}

slow_row() {
	local slow=0
	serve "$LAB"
	if [ "$CASE" -gt 0 ]; then
		beside "$CLIENT_CPU" "$BUILD/load" --host "$HOST" --port "$PORT" --connections "$CASE" --size 4000000 --rcvbuf 4096 \
			--read-pause 60000 --warmup 0 --duration 600 --pace timerfd
		slow=$BESIDE
		# In the ramp already each gets its reply of 4 MB stuck: no kernel takes that in.
		await_stuck || failed "$LAB" "the slow readers are not stuck"
	fi
	if measure "$LAB" --connections 10 --depth 64 --rate 1000 --size "$SIZE" \
		--duration "$(scaled 2)" --warmup "$(scaled 0.3)"; then
		gate all
		MEMORY=$(anonymous "$PID")
		row '[$lab, $trial, $pair, $kept, $why, $case, .latency_us.p50, (.latency_us.p99 // "nan"), cpu_us, '"$((MEMORY / 1024))"']'
	fi
	[ "$slow" = 0 ] || leave "$slow"
	stop "$PID"
}

# Until nothing moves any more: the server reads no further, and the clients neither.
await_stuck() {
	local tries before after=-1
	for ((tries = 0; tries < 100; tries++)); do
		before=$after
		kill -0 "$BESIDE" 2>/dev/null || return 1
		after=$(counter "$PAGE" recv.bytes)
		[ "$after" -gt 0 ] && [ "$after" = "$before" ] &&
			[ "$(counter "$PAGE" connections.active)" -ge "$CASE" ] && return 0
		pause 0.1
	done
	return 1
}

do_slow() {
	begin slow "10 active connections, 1,000 requests/s, beside N that sent 4 MB and read nothing" "${PAIRS:-3}" \
		lab trial pair kept why slow p50_us p99_us cpu_us memory_kb
	for CASE in 0 10 100; do
		rounds "${PAIRS:-3}" "$(sum "$(scaled 2.3)" 1.2)" slow_row "$(pair)"
	done
	CASE=
	finish
}
