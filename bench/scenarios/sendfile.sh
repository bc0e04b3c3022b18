# The same file to the same client, by sendfile and by pread and send.
# shellcheck shell=bash disable=SC2154,SC2034,SC2016 # bench/run and its libraries set these; $names of jq

SENDFILE_MB=${SENDFILE_MB:-256}
SENDFILE_TRIALS=${SENDFILE_TRIALS:-3}

# The whole file, once, to a client that drops it unread.
sendfile_trial() {
	local t0 us cpu call
	[ -e "$TMP/sendfile.data" ] || head -c $((SENDFILE_MB * 1000000)) /dev/zero >"$TMP/sendfile.data"
	serve --file "$TMP/sendfile.data"
	cpu=$(cpu_ns "$PID") t0=${EPOCHREALTIME/./}
	if taskset -c "$CLIENT_CPU" "$BUILD/sink" --host "$HOST" --port "$PORT" --discard 2>"$TMP/sink.err" &&
		grep -q "^$((SENDFILE_MB * 1000000)) bytes, then FIN" "$TMP/sink.err"; then
		us=$((${EPOCHREALTIME/./} - t0)) cpu=$(($(cpu_ns "$PID") - cpu))
		number cpu_s_per_gb "$(calculate %.4f "$cpu / 1e6 / $SENDFILE_MB")"
		number mb_per_s "$(calculate %.0f "$SENDFILE_MB / $us * 1e6")"
		for call in sendfile pread send epoll_wait; do
			number $call "$(calculate %.1f "$(counter "$PAGE" $call.calls) / $SENDFILE_MB * 1000")"
		done
	else
		failed "$(tail -n 1 "$TMP/sink.err")"
	fi
	stop "$PID"
}

do_sendfile() {
	begin "a file of $SENDFILE_MB MB, in the page cache, to 1 client that drops it unread" "$SENDFILE_TRIALS" -
	rounds "$SENDFILE_TRIALS" 0+1 sendfile_trial 11-sendfile 11-sendfile--copy
	rm -f "$TMP/sendfile.data"
}
