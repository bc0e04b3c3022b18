# Fairness: what a ping waits while others flood. Sourced by bench/run.
# shellcheck shell=bash
# shellcheck disable=SC2154 # bench/run and bench/lib/server.sh set these

FLOOD_BEFORE=300 FLOOD_DURING=1200 FLOOD_AFTER=300 # ms

# flood_once LAB: the rows of one flood in $TMP/flood.tsv, over a fresh server.
flood_once() {
	local rc=0
	start "$1"
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

# A row for each ping; and how often the server read from one epoll_wait to the next.
fairness_row() { # LAB
	local try
	for try in 1 2 3; do
		flood_once "$1" || break
		if ! too_late || [ $try -eq 3 ]; then
			sed "1d; /^#/d; s/^/$1\t/" "$TMP/flood.tsv" >>"$PART/rows"
			awk -v lab="$1" '/^# flood/ { printf "# reads per epoll_wait %s: %d\n", lab, $3 / ($5 > 0 ? $5 : 1) }' \
				"$TMP/flood.tsv" >>"$PART/rows"
			return
		fi
	done
	failed "$1" "$(tail -n 1 "$TMP/flood.err" | grep . || echo "pings were not answered")"
}

do_fairness() {
	local lab
	begin fairness "3 clients flood for $FLOOD_DURING ms, another sends a ping every 10 ms" 1 \
		lab ms us flood
	for lab in $(wanted 03 04 07); do
		trial "$lab" 2.3 fairness_row "$lab"
	done
	finish
}
