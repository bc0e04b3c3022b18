# What a ping waits while others flood.
# shellcheck shell=bash disable=SC2154,SC2034,SC2016 # bench/run and its libraries set these; $names of jq

FLOOD_BEFORE=300 FLOOD_DURING=1200 FLOOD_AFTER=300 # ms

# One flood over a fresh server.
flood_once() {
	local rc=0
	serve
	taskset -c "$CLIENT_CPU" "$BUILD/flood" --host "$HOST" --port "$PORT" --counts "$PAGE" --tsv \
		--before $FLOOD_BEFORE --during $FLOOD_DURING --after $FLOOD_AFTER \
		--interval 10 >"$TMP/flood.tsv" 2>"$TMP/flood.err" || rc=$?
	stop "$PID"
	[ $rc -ne 130 ] || exit 130
	return $rc
}

# The client itself stood still for long: what it measured is this machine.
too_late() {
	awk '/^# flood/ { late = $(NF - 2) } END { exit !(late > 50) }' "$TMP/flood.tsv"
}

# A row for each ping; how often the server read from one epoll_wait to the next; the worst.
fairness_trial() {
	local try
	for try in 1 2 3; do
		flood_once || { failed "$(tail -n 1 "$TMP/flood.err" | grep . || echo "pings were not answered")" && return 0; }
		too_late || break
	done
	awk -F'\t' -v OFS='\t' '
		/^# flood/ { split($0, w, " "); print "reads_per_wait", sprintf("%d", w[3] / (w[5] > 0 ? w[5] : 1)); next }
		/^#/ || !n++ { next }
		{ print $1, "us", $2; print $1, "flood", $3; if ($3 == 1 && $2 + 0 > worst + 0) worst = $2 }
		END { print "slowest_us", worst }' "$TMP/flood.tsv" >>"$NUMBERS"
}

do_fairness() {
	begin "3 clients flood for $FLOOD_DURING ms, another sends a ping every 10 ms" 1 ms
	rounds 1 0+2.3 fairness_trial 03-epoll-lt 04-epoll-et 07-et-fair
}
