# The configuration whose numbers the course quotes, and how 03 and 04 go with the load.
# shellcheck shell=bash disable=SC2154,SC2034,SC2016 # bench/run and its libraries set these; $names of jq

pair() {
	echo "${ARMS// /+}"
}

thousand() {
	[ "$MANY" -lt 1000 ] && echo "$MANY" || echo 1000
}

claim_trial() {
	local connections=$MANY
	[ "$LAB" != 01-blocking ] || connections=1 # it serves one at a time
	enough_descriptors "$connections" || return 0
	measure 10.4 1 --connections "$connections" --depth 64 --rate 1000 --hgrm "$TMP/load.hgrm" || return 0
	gate all
	numbers '{p50_us: .latency_us.p50, p90_us: .latency_us.p90, p99_us: .latency_us.p99,
		syscalls_per_s: (calls / .duration_s | round), calls_per_request: per(calls),
		epoll_wait: per(n("epoll_wait.calls")), epoll_ctl: per(n("epoll_ctl.calls")), recv_ok: per(n("recv.ok")),
		recv_eagain: per(n("recv.eagain")), send: per(n("send.calls")),
		cpu_percent: (.server_cpu_s / .duration_s * 1e4 | round / 100), cpu_us: cpu_us,
		lost_percent: (.lost_s / .duration_s * 1e4 | round / 100), lag_p99_us}'
	[[ +$(pair)+ != *"+$LAB+"* ]] || spectrum "$TMP/load.hgrm" spectrum
}

do_claim() {
	begin "$MANY connections (01: 1), open loop, 1,000 requests/s, Poisson, $SIZE bytes" "${PAIRS:-10}" -
	[ "$DRY" = 1 ] || remark "variants: lt-ctl is 03 that sends only when EPOLLOUT tells it to, lt-small is 03 that reads 16 bytes at a time"
	rounds "${PAIRS:-10}" 11.4+1.6 claim_trial "$(pair)" 01-blocking:7 02-nonblocking:7 lt-ctl:3 lt-small:3
	finish spectrum inverse
}

# late: requests came back late or not at all.
LATE='(if .errors != {} or .rate < 0.99 * .requests / .duration_s or .latency_us.p90 > 1000 then 1 else 0 end)'

load_trial() {
	LATE_IS_FINE=yes measure 2 0.3 --connections "$(thousand)" --depth 64 --rate "$CASE" || return 0
	gate lag
	numbers '{achieved: (.rate | round), p50_us: .latency_us.p50, p90_us: .latency_us.p90, p99_us: .latency_us.p99,
		lag_p50_us: .lag_us.p50, cpu_us: cpu_us, calls_per_request: per(calls),
		epoll_wait_per_request: per(n("epoll_wait.calls")), late: '"$LATE"'}'
}

do_load() {
	local pairs
	begin "$(thousand) connections, open loop, Poisson, $SIZE bytes" "${PAIRS:-4 to 8}" rate
	for CASE in 5000 20000 50000 100000 140000; do
		case $CASE in 20000 | 50000 | 100000) pairs=8 ;; *) pairs=4 ;; esac # where something is claimed
		rounds "${PAIRS:-$pairs}" 2.3+0.8 load_trial "$(pair)"
	done
}

saturation_trial() {
	LATE_IS_FINE=yes measure 1.5 0.3 --connections "$(thousand)" --depth 64 --rate "$CASE" || return 0
	gate lag
	numbers '{achieved: (.rate | round), p90_us: .latency_us.p90, lag_p50_us: .lag_us.p50, late: '"$LATE"'}'
}

# step LAB RATE: what most of its trials at this rate say: ok, late or client-limited.
step() {
	cat "$STATE/saturation/$2_$1_round_"* | awk -F'\t' '
		$6 == "late" { all++; if ($5 == "limited") limited++; else if ($7) late++; else ok++ }
		END { print(2 * ok > all ? "ok" : limited && limited >= late ? "client-limited" : "late") }'
}

# Up in steps of 1.5 until a step fails, then halves of what is left, to 5 %. Each lab has a
# search of its own, but their trials are interleaved.
do_saturation() {
	local trials=${PAIRS:-3} labs=() again=1
	local -A low=() high=() at=() why=()
	begin "$(thousand) connections, open loop, Poisson, $SIZE bytes; a step holds if 99 % is answered, p90 <= 1 ms, lag p50 <= 50 us" \
		"$trials" rate
	for LAB in $ARMS; do
		! { asked_for "$LAB" && program "$LAB" >/dev/null; } || labs+=("$LAB")
	done
	if [ "$DRY" = 1 ]; then
		TOTAL_MS=$((TOTAL_MS + 9 * trials * ${#labs[@]} * $(cost 1.8+0.8)))
		return 0
	fi
	for LAB in "${labs[@]}"; do low[$LAB]=0 high[$LAB]=0 at[$LAB]=40000; done
	while [ $again = 1 ]; do
		for ((ROUND = 1; ROUND <= trials; ROUND++)); do
			for LAB in $(turned "${labs[@]}"); do
				CASE=${at[$LAB]}
				[ "$CASE" -eq 0 ] || trial 1.8+0.8 saturation_trial
			done
		done
		again=0
		for LAB in "${labs[@]}"; do
			[ "${at[$LAB]}" -gt 0 ] || continue
			search_on "$(step "$LAB" "${at[$LAB]}")"
			[ "${at[$LAB]}" -eq 0 ] || again=1
		done
	done
	ROUND=1 CASE=''
	for LAB in "${labs[@]}"; do trial 0+0 maximum_trial; done
}

# Where a search ends: the highest rate that held. Of a client that was the limit, at least that.
maximum_trial() {
	[ "${why[$LAB]-}" = late ] || KEPT=limited
	number maximum "${low[$LAB]}"
}

# search_on RESULT: where the search of $LAB goes on; at is 0 when it is over.
search_on() {
	if [ "$1" = ok ]; then low[$LAB]=${at[$LAB]}; else high[$LAB]=${at[$LAB]} why[$LAB]=$1; fi
	if [ "${high[$LAB]}" -eq 0 ]; then
		at[$LAB]=$((${low[$LAB]} * 3 / 2))
		[ "${at[$LAB]}" -le 1000000 ] || at[$LAB]=0
	elif [ "${low[$LAB]}" -eq 0 ]; then # not even the first: down again
		at[$LAB]=$((${high[$LAB]} / 2))
		[ "${at[$LAB]}" -ge 1000 ] || at[$LAB]=0
	elif [ $((20 * (${high[$LAB]} - ${low[$LAB]}))) -le "${high[$LAB]}" ]; then
		at[$LAB]=0
	else
		at[$LAB]=$(((${high[$LAB]} + ${low[$LAB]}) / 2))
	fi
}
