# 03 and 04 beside echo servers on libraries that everybody knows.
# shellcheck shell=bash disable=SC2154,SC2153,SC2034,SC2016,SC2015 # bench/run sets these; $names of jq

PEER_ARMS='03-epoll-lt 04-epoll-et libev libuv libevent'

peer_columns() {
	echo "[\$lab, \$trial, \$pair, \$kept, \$why, .connections, $1]"
}

# Half the rate that a core can take, and lag is what tells of noise: gaps hold real work.
peers_cpu() {
	COUNTS_IN='' serve "$LAB"
	if measure "$LAB" --connections "$(thousand)" --depth 64 --rate 50000 --size "$SIZE" \
		--duration "$(scaled 2.5)" --warmup "$(scaled 0.5)"; then
		gate lag
		row "$(peer_columns '.offered_rate, cpu_us, .latency_us.p50, "nan", "nan"')"
	fi
	stop "$PID"
}

peers_max() {
	COUNTS_IN='' serve "$LAB"
	if measure "$LAB" --connections "$(thousand)" --size "$SIZE" \
		--duration "$(scaled 1.5)" --warmup "$(scaled 0.3)"; then
		gate none
		row "$(peer_columns '"nan", cpu_us, .latency_us.p50, (.rate | round), "nan"')"
	fi
	stop "$PID"
}

# Each connection has been answered once, and is idle from then on.
peers_idle() {
	local before after idle=$((MANY / 2))
	COUNTS_IN='' serve "$LAB"
	before=$(anonymous "$PID")
	beside "$CLIENT_CPU" "$BUILD/load" --host "$HOST" --port "$PORT" --connections "$idle" --active 1 --rate 0.001 \
		--pace timerfd --warmup 0 --duration 600
	KEPT=0 WHY="the connections did not come to rest"
	if settle "$PID" "$BESIDE" "$idle"; then KEPT=1 WHY=-; fi
	after=$(anonymous "$PID")
	leave "$BESIDE"
	stop "$PID"
	echo $KEPT >"$PART/kept"
	printf '%s\t%s\t%s\t%s\t%s\t%s\tnan\tnan\tnan\tnan\t%s\n' "$LAB" "$ROUND" "$ROUND" $KEPT "$WHY" "$idle" \
		$(((after - before) / idle)) >>"$PART/rows"
}

do_peers() {
	local arms=${PEER_ARMS// /+}
	begin peers "$(thousand) connections: 50,000 requests/s open loop (cpu_us, p50_us) and closed loop (max_per_s); idle connections (bytes_per_idle: anonymous memory)" \
		"${PAIRS:-6 to 8}" lab trial pair kept why connections rate cpu_us p50_us max_per_s bytes_per_idle
	remark "03 and 04 count nothing here; p50_us and cpu_us of rows with max_per_s are of the closed loop"
	CASE=rate
	rounds "${PAIRS:-8}" "$(sum "$(scaled 3)" 0.8)" peers_cpu "$arms"
	CASE=max
	rounds "${PAIRS:-6}" "$(sum "$(scaled 1.8)" 0.8)" peers_max "$arms"
	CASE=idle
	rounds "$((${PAIRS:-2} < 2 ? 1 : 2))" 1.8 peers_idle "$arms"
	CASE=
	finish
}

peercalls_row() {
	local place='' lines=$TMP/calls.tsv
	case $LAB in lib*) place=peers/ ;; esac
	LONG=$(awk -v s="$(scaled 3)" 'BEGIN { print s < 1.5 ? 1.5 : s }') "$ROOT/bench/peers/calls" "$place$LAB" \
		>"$lines" 2>"$TMP/calls.err" || failed "$LAB" "$(tail -n 1 "$TMP/calls.err")"
	sed -n '/^#\|^server/!p' "$lines" >>"$PART/rows"
}

do_peercalls() {
	begin peercalls "system calls per request, counted from outside: 1 connection, 200 requests/s, $SIZE bytes" 1 \
		server calls_per_request epoll_wait read write other
	for LAB in $PEER_ARMS; do
		! asked_for "$LAB" || trial "$LAB" "$(sum "$(scaled 3)" 2.2)" peercalls_row
	done
	finish
}
