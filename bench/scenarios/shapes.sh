# Other shapes of load: idle connections, bursts, streams, clients that do not read.
# shellcheck shell=bash disable=SC2154,SC2153,SC2034,SC2016 # bench/run and its libraries set these; $names of jq

idle_trial() {
	enough_descriptors "$CASE" || return 0
	measure 2 0.3 --connections "$CASE" --active 1 --depth 64 --rate 1000 || return 0
	gate all
	numbers '{p50_us: .latency_us.p50, cpu_us: cpu_us, calls_per_request: per(calls)}'
}

do_idle() {
	begin "1 active among N connections: 1,000 requests/s, Poisson, $SIZE bytes, on it alone" "${PAIRS:-3}" connections
	for CASE in $(sizes); do rounds "${PAIRS:-3}" 2.3+0.8 idle_trial "$(pair)" 02-nonblocking; done
}

bursts_trial() {
	measure 2 0.3 --connections 10 --depth 16 || return 0
	numbers '{calls_per_request: per(calls), cpu_us: cpu_us, p50_us: .latency_us.p50}'
}

do_bursts() {
	begin "pipelined: closed loop, 10 connections, 16 unanswered requests of $SIZE bytes on each" "${PAIRS:-5}" -
	rounds "${PAIRS:-5}" 2.3+0.8 bursts_trial "$(pair)"
}

streams_trial() {
	local how
	case $CASE in
	echo) how=(--depth 2) ;;
	upload) how=(--read-pause 2) ;;
	download) how=(--depth 2 --rcvbuf 65536) ;;
	esac
	measure 2 0.3 --connections 1 --size 1048576 "${how[@]}" || return 0
	numbers '(.received * .size / 1e6) as $mb |
		def per_mb(x): if $mb == 0 then null else x / $mb | digits(1000) end;
		{mb_per_s: ($mb / .duration_s | digits(10)), calls_per_mb: per_mb(calls),
		 epoll_ctl_per_mb: per_mb(n("epoll_ctl.calls")), cpu_ms_per_mb: per_mb(.server_cpu_s * 1000)}'
}

do_streams() {
	begin "1 connection, closed loop, messages of 1 MiB, MB/s one way" "${PAIRS:-4}" direction
	[ "$DRY" = 1 ] || remark "echo: 2 messages under way, the client reads all the time"
	[ "$DRY" = 1 ] || remark "upload: the client begins to read 2 ms after it began to send, when the message is with the kernel or the server"
	[ "$DRY" = 1 ] || remark "download: 2 messages under way, the client takes them through a receive buffer of 64 KB: the way back is the narrow one"
	for CASE in upload download echo; do rounds "${PAIRS:-4}" 2.3+0.8 streams_trial "$(pair)"; done
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

backpressure_trial() {
	if ! small_buffers; then
		leave "$NET"
		failed "no network namespace: $(tail -n 1 "$TMP/net.err")"
		return 0
	fi
	if measure 2 0.3 --connections 1 --size 49152 --rcvbuf 4096 --read-pause 20; then
		numbers 'def per_blocked(x): if .blocked == 0 then null else x / .blocked | digits(1000) end;
			{replies: .received, blocked, epoll_ctl_per_blocked: per_blocked(n("epoll_ctl.calls")), calls_per_reply: per(calls)}'
	fi
	WITHIN=()
	leave "$NET"
}

do_backpressure() {
	begin "1 connection, replies of 48 KB that the client leaves unread for 20 ms, into send buffers of 16 KB" "${PAIRS:-4}" -
	[ "$DRY" = 1 ] || remark "blocked: more bytes had come into the server than out of it when the client began to read"
	rounds "${PAIRS:-4}" 2.3+0.8 backpressure_trial "$(pair)"
}

# Nothing moves any more: the server reads no further, and the clients neither.
stuck() {
	local before=$READ
	READ=$(counter "$PAGE" recv.bytes)
	[ "$READ" -gt 0 ] && [ "$READ" = "$before" ] && [ "$(counter "$PAGE" connections.active)" -ge "$CASE" ]
}

slow_trial() {
	serve
	if [ "$CASE" -gt 0 ]; then
		beside "$CLIENT_CPU" "$BUILD/load" --host "$HOST" --port "$PORT" --connections "$CASE" --size 4000000 --rcvbuf 4096 \
			--read-pause 60000 --warmup 0 --duration 600 --pace timerfd
		# In the ramp already each gets its reply of 4 MB stuck: no kernel takes that in.
		READ=-1
		within 100 stuck || failed "the slow readers are not stuck"
	fi
	if load 2 0.3 --connections 10 --depth 64 --rate 1000; then
		gate all
		numbers '{p50_us: .latency_us.p50, p99_us: .latency_us.p99, cpu_us: cpu_us}'
		number memory_kb $(($(anonymous "$PID") / 1024))
	fi
	[ "$CASE" = 0 ] || leave "$BESIDE"
	stop "$PID"
}

do_slow() {
	begin "10 active connections, 1,000 requests/s, beside N that sent 4 MB and read nothing" "${PAIRS:-3}" slow
	for CASE in 0 10 100; do rounds "${PAIRS:-3}" 2.3+1.2 slow_trial "$(pair)"; done
}
