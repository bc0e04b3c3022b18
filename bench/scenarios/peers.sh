# 03 and 04 beside echo servers on libraries that everybody knows.
# shellcheck shell=bash disable=SC2154,SC2153,SC2034,SC2016 # bench/run and its libraries set these; $names of jq

PEER_ARMS='03-epoll-lt 04-epoll-et libev libuv libevent'

# Half the rate that a core can take, and lag is what tells of noise: gaps hold real work.
peers_rate() {
	COUNTS_IN='' measure 2.5 0.5 --connections "$(thousand)" --depth 64 --rate 50000 || return 0
	gate lag
	numbers '{cpu_us: cpu_us, p50_us: .latency_us.p50}'
}

peers_max() {
	COUNTS_IN='' measure 1.5 0.3 --connections "$(thousand)" || return 0
	numbers '{max_per_s: (.rate | round)}'
}

# The connections are there and answered, and all is quiet for three looks.
at_rest() {
	local before=$CPU
	CPU=$(cpu_ns "$PID")
	if [ "$(find "/proc/$BESIDE/fd" -mindepth 1 | wc -l)" -ge "$1" ] && [ $((CPU - before)) -lt 1000000 ]; then
		QUIET=$((QUIET + 1))
	else
		QUIET=0
	fi
	[ "$QUIET" -ge 3 ]
}

peers_idle() {
	local before many=$((MANY / 2))
	COUNTS_IN='' serve
	before=$(anonymous "$PID")
	idle_load "$many"
	CPU=0 QUIET=0
	within 600 at_rest "$many" || reject "the connections did not come to rest"
	number bytes_per_idle $((($(anonymous "$PID") - before) / many))
	leave "$BESIDE"
	stop "$PID"
}

do_peers() {
	local arms=${PEER_ARMS// /+}
	begin "$(thousand) connections: 50,000 requests/s open loop (cpu_us, p50_us) and closed loop (max_per_s); idle connections (bytes_per_idle: anonymous memory)" \
		"${PAIRS:-6 to 8}" measured
	[ "$DRY" = 1 ] || remark "03 and 04 count nothing here"
	CASE=rate
	rounds "${PAIRS:-8}" 3+0.8 peers_rate "$arms"
	CASE=max
	rounds "${PAIRS:-6}" 1.8+0.8 peers_max "$arms"
	CASE=idle
	rounds "$((${PAIRS:-2} < 2 ? 1 : 2))" 0+1.8 peers_idle "$arms"
}

peercalls_trial() {
	local long
	long=$(scaled 3)
	[ "$(ms "$long")" -ge 1500 ] || long=1.5
	LONG=$long "$ROOT/bench/peers/calls" "$(program "$LAB")" >"$TMP/calls.tsv" 2>"$TMP/calls.err" ||
		{ failed "$(tail -n 1 "$TMP/calls.err")" && return 0; }
	awk -F'\t' -v OFS='\t' '/^#/ { next } $1 == "server" { split($0, name); next }
		{ for (i = 2; i <= NF; i++) print name[i], $i }' "$TMP/calls.tsv" >>"$NUMBERS"
}

do_peercalls() {
	begin "system calls per request, counted from outside: 1 connection, 200 requests/s, $SIZE bytes" 1 -
	# shellcheck disable=SC2086 # words
	rounds 1 3+2.2 peercalls_trial $PEER_ARMS
}
