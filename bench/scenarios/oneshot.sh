# Threads on one epoll set, 08 and the same without one-shot (zoo/threads-no-oneshot): how
# often two meet in a connection, and in what order the answers come back. Sourced by bench/run.
# shellcheck shell=bash

oneshot_row() { # SERVER MODE
	local lab=$1 mode=$2 said inside empty
	start "$lab" --mode "$mode" --work 20 2>"$TMP/oneshot.err"
	said=$(taskset -c "$CLIENT_CPU" "$BUILD/nudge" --host "$HOST" --port "$PORT" --burst 1 --silence 5 \
		--nudges 199 --gap-ms 5 --order | tail -n 1)
	empty=$(counter "$PAGE" recv.eagain)
	stop "$PID"
	inside=$(sed -n 's/.*: \([0-9]*\) overlaps$/\1/p' "$TMP/oneshot.err")
	sed -nE "s/.*: ([0-9]+) of ([0-9]+) answers.*/${lab#zoo/}\t$mode\t${inside:-0}\t$empty\t\1\t\2/p" \
		<<<"$said" >>"$PART/rows"
}

do_oneshot() {
	local lab mode
	begin oneshot "4 threads, 1 connection, 200 one-byte messages 5 ms apart, even ones cost 20 ms" 1 \
		lab mode overlaps empty_wakeups out_of_place answers
	for lab in $(wanted 08); do
		for mode in lt et; do
			trial "threads-no-oneshot --mode $mode" 1.8 oneshot_row zoo/threads-no-oneshot "$mode"
		done
		trial "$lab" 1.8 oneshot_row "$lab" oneshot
	done
	finish
}
