# The configuration whose numbers the course quotes, and how 03 and 04 go with the load.
# shellcheck shell=bash disable=SC2154,SC2153,SC2034,SC2016,SC2015 # bench/run sets these; $names of jq

pair() {
	echo "${ARMS// /+}"
}

claim_row() {
	local connections=$MANY
	[ "$LAB" != 01-blocking ] || connections=1 # it serves one at a time
	enough_descriptors "$connections" || return 0
	serve "$LAB"
	if measure "$LAB" --connections "$connections" --depth 64 --rate 1000 --size "$SIZE" \
		--duration "$(scaled 10.4)" --warmup "$(scaled 1)" --hgrm "$TMP/load.hgrm"; then
		gate all
		row '[$lab, $trial, $pair, $kept, $why, .connections, .offered_rate, .latency_us.p50, .latency_us.p90,
			(.latency_us.p99 // "nan"), (calls / .duration_s | round), per(calls),
			per(n("epoll_wait.calls")), per(n("epoll_ctl.calls")), per(n("recv.ok")), per(n("recv.eagain")),
			per(n("send.calls")), (.server_cpu_s / .duration_s * 1e4 | round / 100), cpu_us,
			(.lost_s / .duration_s * 1e4 | round / 100), .lag_p99_us]'
		case +$(pair)+ in *"+$LAB+"*)
			spectrum "$LAB	$ROUND	$ROUND	$KEPT" "$TMP/load.hgrm" >"$PART/spectrum"
			;;
		esac
	fi
	stop "$PID"
}

do_claim() {
	local what="$MANY connections (01: 1), open loop, 1,000 requests/s, Poisson, $SIZE bytes"
	begin claim "$what" "${PAIRS:-10}" lab trial pair kept why connections rate p50_us p90_us p99_us \
		syscalls_per_s calls_per_request epoll_wait epoll_ctl recv_ok recv_eagain send \
		cpu_percent cpu_us lost_percent lag_p99_us
	remark "variants: lt-ctl is 03 that sends only when EPOLLOUT tells it to, lt-small is 03 that reads 16 bytes at a time"
	rounds "${PAIRS:-10}" "$(sum "$(scaled 11.4)" 1.6)" claim_row \
		"$(pair)" 01-blocking:7 02-nonblocking:7 lt-ctl:3 lt-small:3
	finish spectrum spectrum "$what" lab trial pair kept percentile inverse us
	finish
}

# ok, late (requests came back late or not at all) or client-limited, for a row.
VERDICT='(if .lag_us.p50 > 50 then "client-limited"
	elif .errors != {} or .rate < 0.99 * .requests / .duration_s or .latency_us.p90 > 1000 then "late"
	else "ok" end)'

thousand() {
	[ "$MANY" -lt 1000 ] && echo "$MANY" || echo 1000
}

load_row() {
	serve "$LAB"
	if LATE_IS_FINE=yes measure "$LAB" --connections "$(thousand)" --depth 64 --rate "$CASE" --size "$SIZE" \
		--duration "$(scaled 2)" --warmup "$(scaled 0.3)"; then
		gate lag
		row "[\$lab, \$trial, \$pair, \$kept, \$why, .offered_rate, (.rate | round), .latency_us.p50, .latency_us.p90,
			(.latency_us.p99 // \"nan\"), .lag_us.p50, cpu_us, per(calls), per(n(\"epoll_wait.calls\")), $VERDICT]"
	fi
	stop "$PID"
}

do_load() {
	local pairs
	begin load "$(thousand) connections, open loop, Poisson, $SIZE bytes" "${PAIRS:-4 to 8}" lab trial pair kept why \
		rate achieved p50_us p90_us p99_us lag_p50_us cpu_us calls_per_request epoll_wait_per_request verdict
	for CASE in 5000 20000 50000 100000 140000; do
		case $CASE in 20000 | 50000 | 100000) pairs=8 ;; *) pairs=4 ;; esac # where something is claimed
		rounds "${PAIRS:-$pairs}" "$(sum "$(scaled 2.3)" 0.8)" load_row "$(pair)"
	done
	CASE=
	finish
}

saturation_row() {
	serve "$LAB"
	if LATE_IS_FINE=yes measure "$LAB" --connections "$(thousand)" --depth 64 --rate "$CASE" --size "$SIZE" \
		--duration "$(scaled 1.5)" --warmup "$(scaled 0.3)"; then
		gate lag
		row "[\$lab, \$trial, \$pair, \$kept, \$why, .offered_rate, (.rate | round), .latency_us.p90, .lag_us.p50, $VERDICT]"
	fi
	stop "$PID"
}

# step LAB RATE: what most of its trials at this rate say.
step() {
	local files=("$STATE/$SCENARIO/$2_$1_round_"*/rows)
	cat "${files[@]}" | awk -F'\t' '
		!/^!/ { n[$NF]++; all++ }
		END {
			if (2 * n["ok"] > all) print "ok"
			else if (n["client-limited"] >= n["late"] && n["client-limited"]) print "client-limited"
			else print "late"
		}'
}

# Up in steps of 1.5 until a step fails, then halves of what is left, to 5 %. Each lab has a
# search of its own, but their trials are interleaved.
do_saturation() {
	local trials=${PAIRS:-3} labs=() lab r again=1
	local -A low=() high=() at=() why=()
	begin saturation "$(thousand) connections, open loop, Poisson, $SIZE bytes; a step holds if 99 % is answered, p90 <= 1 ms, lag p50 <= 50 us" \
		"$trials" lab trial pair kept why rate achieved p90_us lag_p50_us verdict
	for lab in ${ARMS}; do
		! { asked_for "$lab" && built "$lab"; } || labs+=("$lab")
	done
	if [ "$DRY" = 1 ]; then
		TOTAL_MS=$((TOTAL_MS + 9 * trials * ${#labs[@]} * $(ms "$(sum "$(scaled 1.8)" 0.8)")))
		return 0
	fi
	for lab in "${labs[@]}"; do
		low[$lab]=0 high[$lab]=0 at[$lab]=40000
	done
	while [ $again = 1 ]; do
		again=0
		for ((ROUND = 1; ROUND <= trials; ROUND++)); do
			for lab in $([ $((ROUND % 2)) = 1 ] && echo "${labs[@]}" || printf '%s\n' "${labs[@]}" | tac); do
				[ "${at[$lab]}" -gt 0 ] || continue
				CASE=${at[$lab]}
				LAB=$lab SEED=$((SEED0 + ROUND)) trial "$CASE $lab round $ROUND" \
					"$(sum "$(scaled 1.8)" 0.8)" saturation_row
			done
		done
		for lab in "${labs[@]}"; do
			[ "${at[$lab]}" -gt 0 ] || continue
			r=$(step "$lab" "${at[$lab]}")
			if [ "$r" = ok ]; then low[$lab]=${at[$lab]}; else high[$lab]=${at[$lab]} why[$lab]=$r; fi
			next_rate "$lab"
			[ "${at[$lab]}" -eq 0 ] || again=1
		done
	done
	for lab in "${labs[@]}"; do
		if [ "${why[$lab]-}" = late ]; then
			remark "maximum $lab: ${low[$lab]}"
		else
			remark "maximum $lab: >= ${low[$lab]} (client-limited)"
		fi
	done
	CASE=
	finish
}

# Where the search of a lab goes on; 0 when it is over.
next_rate() {
	if [ "${high[$1]}" -eq 0 ]; then
		at[$1]=$((${low[$1]} * 3 / 2))
		[ "${at[$1]}" -le 1000000 ] || at[$1]=0
	elif [ "${low[$1]}" -eq 0 ]; then # not even the first: down again
		at[$1]=$((${high[$1]} / 2))
		[ "${at[$1]}" -ge 1000 ] || at[$1]=0
	elif [ $((20 * (${high[$1]} - ${low[$1]}))) -le "${high[$1]}" ]; then
		at[$1]=0
	else
		at[$1]=$(((${high[$1]} + ${low[$1]}) / 2))
	fi
}
