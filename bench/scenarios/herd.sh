# Wakeups per connection against the number of processes, and who then accepts.
# shellcheck shell=bash disable=SC2154,SC2034 # bench/run and bench/lib/server.sh set or use PART, PID, PORT, PAGE, WITHIN
# shellcheck source=bench/lib/prefork.sh
. "$ROOT/bench/lib/prefork.sh"

HERD_WORKERS='1 2 4 8 16'
HERD_CONNECTIONS=100
HERD_REST=0.005 # between two: time to go to sleep again

herd_row() { # LABEL WORKERS LAB [ARG...]
	local f before n
	start "${@:3}" --workers "$2"
	workers_up "$PAGE" "$2" 2
	read -ra f < <(family "$PID")
	before=$(switches "${f[@]}")
	connect "$PORT" $HERD_CONNECTIONS $HERD_REST
	n=$(($(switches "${f[@]}") - before))
	awk -v lab="$1" -v w="$2" -v c=$HERD_CONNECTIONS -v n=$n -v r="$(counter "$PAGE" epoll_wait.ok)" \
		'BEGIN { printf "%s\t%d\t%d\t1\t%.3f\t%.3f\n", lab, w, c, n / c, r / c }' >>"$PART/rows"
	hang_up
	stop "$PID"
}

do_herd() {
	local lab n
	begin herd "$HERD_CONNECTIONS connections, one every $HERD_REST s, N processes on one listening socket" 1 \
		lab workers connections trial switches_per_connection returns_per_connection
	for n in $HERD_WORKERS; do
		for lab in $(wanted 09); do
			trial "$lab N=$n" 1.3 herd_row "$lab" "$n" "$lab"
			trial "$lab--exclusive N=$n" 1.3 herd_row "$lab--exclusive" "$n" "$lab" --exclusive
		done
	done
	finish
}

# arrive ARRIVAL PROCESS...: all connections, singly, or together for who then looks.
arrive() {
	if [ "$1" = singly ]; then
		connect "$PORT" $HERD_CONNECTIONS $HERD_REST
		return
	fi
	kill -STOP "${@:2}"
	connect "$PORT" $HERD_CONNECTIONS 0
	kill -CONT "${@:2}"
	until [ "$(counter "$PAGE" accept4.ok)" -ge $HERD_CONNECTIONS ]; do pause 0.01; done
}

# accepts_row LABEL ARRIVAL LAB [ARG...]: most first.
accepts_row() {
	local f
	start "${@:3}" --workers 4
	until [ "$(counter "$PAGE" epoll_ctl.calls)" -ge 4 ]; do pause 0.01; done
	pause 0.1
	read -ra f < <(family "$PID")
	arrive "$2" "${f[@]}"
	held "${f[@]}"
	printf '%s\n' "${HELD[@]}" | sort -rn | awk -v OFS='\t' -v lab="$1" -v a="$2" \
		'{ print lab, a, NR, 1, $1 }' >>"$PART/rows"
	hang_up
	stop "$PID"
}

# One epoll set for all: threads. Which of them accepts, nothing tells but the narration.
accepts_threads_row() { # LAB ARRIVAL
	# shellcheck disable=SC2016 # what sh expands
	WITHIN=(sh -c 'exec "$@" 2>"$0"' "$TMP/narration")
	LAB_TRACE=1 start "$1" --threads 4
	WITHIN=()
	pause 0.2 # until all of them wait
	arrive "$2" "$PID"
	pause 0.1
	(cd "/proc/$PID/task" && printf '%s\n' [0-9]*) | awk -v OFS='\t' -v pid="$PID" '
		NR == FNR { if (/ accept4\(.*→ [0-9]/) n[$2]++; next }
		$1 != pid { print n["[" $1 "]"] + 0 }' "$TMP/narration" - |
		sort -rn | awk -v OFS='\t' -v lab="$1" -v a="$2" '{ print lab, a, NR, 1, $1 }' >>"$PART/rows"
	hang_up
	stop "$PID"
}

do_accepts() {
	local lab arrival
	begin accepts "$HERD_CONNECTIONS connections to 4 workers (08: threads, narrated): one every $HERD_REST s, or all together" 1 \
		lab arrival worker trial accepted
	for arrival in singly together; do
		for lab in $(wanted 09); do
			trial "$lab $arrival" 1.3 accepts_row "$lab" $arrival "$lab"
			trial "$lab--exclusive $arrival" 1.3 accepts_row "$lab--exclusive" $arrival "$lab" --exclusive
		done
		for lab in $(wanted 08); do
			trial "$lab $arrival" 1.5 accepts_threads_row "$lab" $arrival
		done
		for lab in $(wanted 10); do
			trial "$lab $arrival" 1.3 accepts_row "$lab" $arrival "$lab"
		done
	done
	finish
}
