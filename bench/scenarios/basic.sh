# What the quick profile consists of; the full one measures it too.
# shellcheck shell=bash disable=SC2154,SC2153,SC2034,SC2016 # bench/run sets these; $names of jq

# 01 can serve only one connection at a time: so everyone gets one here.
syscalls_trial() {
	measure 1 0.2 --connections 1 --rate 1000 --arrival fixed || return 0
	numbers '.requests as $r | calls as $calls |
		{epoll_wait: n("epoll_wait.calls"), recv_ok: n("recv.ok"), recv_eagain: n("recv.eagain"),
		 send_ok: n("send.ok"), send_eagain: n("send.eagain"), epoll_ctl: n("epoll_ctl.calls"),
		 accept: n("accept4.calls")} | .other = $calls - add | .calls = $calls |
		map_values(. / $r | digits(10000)) | .requests = $r'
}

do_syscalls() {
	local variants='lt-ctl lt-small'
	[ "$PROFILE" != quick ] || variants=
	begin "1 connection, 1,000 requests/s at fixed intervals, $SIZE bytes" 1 -
	# shellcheck disable=SC2086
	rounds 1 1+0.5 syscalls_trial 01-blocking 02-nonblocking 03-epoll-lt 04-epoll-et 05-et-starving \
		06-epollout-spin $variants
}

ksweep_trial() {
	measure 0.5 0.1 --connections 1 --rate 200 --arrival fixed --size $((CASE * READ_SIZE)) || return 0
	numbers '{calls_per_request: (calls / .requests | digits(1000))}'
}

do_ksweep() {
	begin "1 connection, 200 requests/s, message of k x $READ_SIZE bytes" 1 k
	for CASE in 1 2 3 4 6 8; do
		rounds 1 0.5+0.4 ksweep_trial 03-epoll-lt 04-epoll-et
	done
}

latency_trial() {
	local connections=50
	[ "$LAB" != 01-blocking ] || connections=1
	measure 2.7 0.3 --connections $connections --depth 64 --rate 4000 --hgrm "$TMP/load.hgrm" || return 0
	spectrum "$TMP/load.hgrm"
	numbers '.latency_us | {p50_us: .p50, p99_us: .p99}' # a trial too short for a p99 has none
}

do_latency() {
	begin "open loop, 4,000 requests/s, Poisson, $SIZE bytes, 50 connections (01: 1)" 3 inverse
	rounds 3 2.7+0.7 latency_trial 01-blocking 02-nonblocking 03-epoll-lt 04-epoll-et
}

# The numbers of connections, no more than MANY.
sizes() {
	local n
	for n in 1 10 100 1000 10000; do
		echo $((n < MANY ? n : MANY))
	done | uniq
}

connections_trial() {
	local seconds=1.5
	[ "$PROFILE" != quick ] || seconds=1
	enough_descriptors "$CASE" || return 0
	measure $seconds 0.2 --connections "$CASE" --depth 64 --rate 1000 || return 0
	gate all
	numbers '{p50_us: .latency_us.p50, p99_us: .latency_us.p99, syscalls_per_s: (calls / .duration_s | round),
		server_cpu_percent: (.server_cpu_s / .duration_s * 100 | digits(10)), requests}'
}

do_connections() {
	local trials=${PAIRS:-3}
	[ "$PROFILE" != quick ] || trials=1
	begin "open loop, 1,000 requests/s, Poisson, $SIZE bytes, over all connections" "$trials" connections
	for CASE in $(sizes); do
		rounds "$trials" 1.5+0.8 connections_trial 02-nonblocking 03-epoll-lt+04-epoll-et
	done
}

# Within a millisecond the last sample counts. The client goes on after 1,000 ms.
starvation_trial() {
	serve
	taskset -c "$CLIENT_CPU" "$BUILD/nudge" --host "$HOST" --port "$PORT" --tsv | awk -F'\t' -v OFS='\t' '
		NR == 1 { next }
		{ sent[$1] = $2; answered[$1] = $3 }
		$1 != ms[n] { ms[++n] = $1 }
		END {
			for (i = 1; i <= n; i++) {
				print ms[i], "sent", sent[ms[i]]
				print ms[i], "answered", answered[ms[i]]
				if (ms[i] < 1000) quiet = ms[i]
			}
			print "-", "silence", answered[quiet]
			print "-", "stuck", sent[quiet] - answered[quiet]
			print "-", "end", answered[ms[n]]
		}' >>"$NUMBERS"
	stop "$PID"
}

do_starvation() {
	begin "10,000 bytes in one send, silence for 1 s, then a byte every 50 ms" 1 ms
	rounds 1 0+2.5 starvation_trial 03-epoll-lt 04-epoll-et 05-et-starving
}

# One idle connection, and what the server does all the same.
spin_trial() {
	local calls cpu t0 us idle
	serve
	exec {idle}<>"/dev/tcp/$HOST/$PORT"
	until [ "$(counter "$PAGE" connections.active)" = 1 ]; do pause 0.01; done
	t0=${EPOCHREALTIME/./} calls=$(counter "$PAGE" epoll_wait.calls) cpu=$(cpu_ns "$PID")
	pause "$(scaled 1)"
	calls=$(($(counter "$PAGE" epoll_wait.calls) - calls)) cpu=$(($(cpu_ns "$PID") - cpu))
	us=$((${EPOCHREALTIME/./} - t0))
	exec {idle}>&-
	stop "$PID"
	number returns_per_s "$(calculate %.0f "$calls / $us * 1e6")"
	number cpu_percent "$(calculate %.1f "$cpu / $us / 10")"
}

do_spin() {
	begin "1 idle connection, $(scaled 1) s" 1 -
	rounds 1 1+0.5 spin_trial 03-epoll-lt 06-epollout-spin 06-epollout-spin--et
}
