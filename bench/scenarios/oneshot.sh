# Threads on one epoll set, 08 and the same without one-shot (zoo/threads-no-oneshot): how
# often two meet in a connection, and in what order the answers come back.
# shellcheck shell=bash disable=SC2154,SC2034,SC2016 # bench/run and its libraries set these; $names of jq

oneshot_trial() {
	local said
	serve --mode "$CASE" --work 20 2>"$TMP/oneshot.err"
	said=$(taskset -c "$CLIENT_CPU" "$BUILD/nudge" --host "$HOST" --port "$PORT" --burst 1 --silence 5 \
		--nudges 199 --gap-ms 5 --order | tail -n 1)
	number empty_wakeups "$(counter "$PAGE" recv.eagain)"
	stop "$PID"
	number overlaps "$(sed -n 's/.*: \([0-9]*\) overlaps$/\1/p' "$TMP/oneshot.err" | grep . || echo 0)"
	sed -nE "s/.*: ([0-9]+) of ([0-9]+) answers.*/out_of_place\t\1\nanswers\t\2/p" <<<"$said" >>"$NUMBERS"
}

do_oneshot() {
	begin "4 threads, 1 connection, 200 one-byte messages 5 ms apart, even ones cost 20 ms" 1 mode
	for CASE in lt et; do rounds 1 0+1.8 oneshot_trial threads-no-oneshot; done
	CASE=oneshot
	rounds 1 0+1.8 oneshot_trial 08-oneshot
}
