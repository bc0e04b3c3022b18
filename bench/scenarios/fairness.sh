# Fairness: what a ping waits while others flood. Sourced by bench/run.
# shellcheck shell=bash
# shellcheck disable=SC2154 # bench/run and bench/lib.sh set these

FLOOD_BEFORE=300 FLOOD_DURING=1200 FLOOD_AFTER=300 # ms

plan_fairness() {
	echo "$(wanted 03 04 07 | wc -l) 1.8 0.5"
}

# flood_once LAB: the rows of one flood in $TMP/flood.tsv, over a fresh server.
flood_once() {
	local rc=0
	start "$1"
	taskset -c "$CLIENT_CPU" "$BUILD/flood" --port "$PORT" --counts "$PAGE" --tsv \
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

# A row for each ping; and how often the server read from one epoll_wait to the next.
do_fairness() {
	local lab try
	begin fairness "3 clients flood for $FLOOD_DURING ms, another sends a ping every 10 ms" 1 \
		lab ms us flood
	for lab in $(wanted 03 04 07); do
		doing fairness "$lab" 1.8
		for try in 1 2 3; do
			flood_once "$lab" || break
			if ! too_late || [ $try -eq 3 ]; then
				sed "1d; /^#/d; s/^/$lab\t/" "$TMP/flood.tsv" >>"$ROWS"
				awk -v lab="$lab" '/^# flood/ { printf "# reads per epoll_wait %s: %d\n", lab, $3 / ($5 > 0 ? $5 : 1) }' \
					"$TMP/flood.tsv" >>"$ROWS"
				continue 2
			fi
		done
		printf '! %s error %s\n' "$lab" \
			"$(tail -n 1 "$TMP/flood.err" | grep . || echo "pings were not answered")" >>"$ROWS"
	done
	finish
}
