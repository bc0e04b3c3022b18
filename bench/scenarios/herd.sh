# Wakeups per connection against the number of processes, and who then accepts.
# shellcheck shell=bash disable=SC2154 # bench/run and bench/lib.sh set PART, PID, PORT, PAGE
# shellcheck source=bench/prefork.sh
. "$ROOT/bench/prefork.sh"

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

# accepts_row LABEL ARRIVAL LAB [ARG...]: most first.
accepts_row() {
	local f
	start "${@:3}" --workers 4
	until [ "$(counter "$PAGE" epoll_ctl.calls)" -ge 4 ]; do pause 0.01; done
	pause 0.1
	read -ra f < <(family "$PID")
	if [ "$2" = together ]; then
		kill -STOP "${f[@]}" # all of them are there when the workers look
		connect "$PORT" $HERD_CONNECTIONS 0
		kill -CONT "${f[@]}"
		until [ "$(counter "$PAGE" accept4.ok)" -ge $HERD_CONNECTIONS ]; do pause 0.01; done
	else
		connect "$PORT" $HERD_CONNECTIONS $HERD_REST
	fi
	held "${f[@]}"
	printf '%s\n' "${HELD[@]}" | sort -rn | awk -v OFS='\t' -v lab="$1" -v a="$2" \
		'{ print lab, a, NR, 1, $1 }' >>"$PART/rows"
	hang_up
	stop "$PID"
}

do_accepts() {
	local lab arrival
	begin accepts "$HERD_CONNECTIONS connections to 4 workers: one every $HERD_REST s, or all together" 1 \
		lab arrival worker trial accepted
	for arrival in singly together; do
		for lab in $(wanted 09); do
			trial "$lab $arrival" 1.3 accepts_row "$lab" $arrival "$lab"
			trial "$lab--exclusive $arrival" 1.3 accepts_row "$lab--exclusive" $arrival "$lab" --exclusive
		done
		for lab in $(wanted 10); do
			trial "$lab $arrival" 1.3 accepts_row "$lab" $arrival "$lab"
		done
	done
	finish
}
