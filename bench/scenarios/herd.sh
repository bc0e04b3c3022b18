# Wakeups per connection against the number of processes, and who then accepts.
# shellcheck shell=bash disable=SC2154,SC2034,SC2016 # bench/run and its libraries set these; $names of jq

HERD_CONNECTIONS=100
HERD_REST=0.005 # between two: time to go to sleep again

herd_trial() {
	local f before
	serve --workers "$CASE"
	workers_up "$PAGE" "$CASE" 2
	read -ra f < <(family "$PID")
	before=$(switches "${f[@]}")
	connect "$PORT" $HERD_CONNECTIONS $HERD_REST
	number switches_per_connection "$(calculate %.3f "($(switches "${f[@]}") - $before) / $HERD_CONNECTIONS")"
	number returns_per_connection "$(calculate %.3f "$(counter "$PAGE" epoll_wait.ok) / $HERD_CONNECTIONS")"
	hang_up
	stop "$PID"
}

do_herd() {
	begin "$HERD_CONNECTIONS connections, one every $HERD_REST s, N processes on one listening socket" 1 workers
	for CASE in 1 2 4 8 16; do rounds 1 0+1.3 herd_trial 09-exclusive 09-exclusive--exclusive; done
}

# arrive PROCESS...: all connections, singly, or together for who then looks.
arrive() {
	if [ "$CASE" = singly ]; then
		connect "$PORT" $HERD_CONNECTIONS $HERD_REST
		return
	fi
	kill -STOP "$@"
	connect "$PORT" $HERD_CONNECTIONS 0
	kill -CONT "$@"
	until [ "$(counter "$PAGE" accept4.ok)" -ge $HERD_CONNECTIONS ]; do pause 0.01; done
}

# What each has accepted, a line each on stdin; the busiest is the first.
accepted() {
	sort -rn | awk -v OFS='\t' '{ print "accepted_" NR, $1 }' >>"$NUMBERS"
}

accepts_trial() {
	local f
	[[ $LAB != 08-* ]] || { accepts_by_threads && return 0; }
	serve --workers 4
	until [ "$(counter "$PAGE" epoll_ctl.calls)" -ge 4 ]; do pause 0.01; done
	pause 0.1
	read -ra f < <(family "$PID")
	arrive "${f[@]}"
	held "${f[@]}"
	printf '%s\n' "${HELD[@]}" | accepted
	hang_up
	stop "$PID"
}

# One epoll set for all: threads. Only the trace shows which of them accepts.
accepts_by_threads() {
	WITHIN=(sh -c 'exec "$@" 2>"$0"' "$TMP/narration")
	LAB_TRACE=1 serve --threads 4
	WITHIN=()
	pause 0.2 # until all of them wait
	arrive "$PID"
	pause 0.1
	(cd "/proc/$PID/task" && printf '%s\n' [0-9]*) | awk -v pid="$PID" '
		NR == FNR { if (/ accept4\(.*→ [0-9]/) n[$2]++; next }
		$1 != pid { print n["[" $1 "]"] + 0 }' "$TMP/narration" - | accepted
	hang_up
	stop "$PID"
}

do_accepts() {
	begin "$HERD_CONNECTIONS connections to 4 workers (08: threads, narrated): one every $HERD_REST s, or all together" 1 arrival
	for CASE in singly together; do
		rounds 1 0+1.5 accepts_trial 09-exclusive 09-exclusive--exclusive 08-oneshot 10-reuseport
	done
}
