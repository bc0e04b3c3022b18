# Scenario sendfile: the same file to the same client, by sendfile and by pread and send.
# shellcheck shell=bash disable=SC2154 # bench/run sets the rest

SENDFILE_MB=${SENDFILE_MB:-256}
SENDFILE_TRIALS=${SENDFILE_TRIALS:-3}

# sendfile_row LAB TRIAL [OPTION]: the whole file, once, to a client that drops it unread.
sendfile_row() {
	local lab=$1 trial=$2 file=$TMP/sendfile.data row=$1${3-} t0 t1 cpu
	start "$lab" --file "$file" "${@:3}"
	cpu=$(cpu_ns "$PID") t0=${EPOCHREALTIME/./}
	if taskset -c "$CLIENT_CPU" "$BUILD/sink" --host "$HOST" --port "$PORT" --discard 2>"$TMP/sink.err" &&
		grep -q "^$((SENDFILE_MB * 1000000)) bytes, then FIN" "$TMP/sink.err"; then
		t1=${EPOCHREALTIME/./} cpu=$(($(cpu_ns "$PID") - cpu))
		"$BUILD/counts" "$PAGE" | awk -F'\t' -v lab="$row" -v trial="$trial" -v mb="$SENDFILE_MB" \
			-v ns=$cpu -v us=$((t1 - t0)) '
			{ n[$1] = $2 }
			END {
				gb = mb / 1000
				printf "%s\t%d\t%d\t%.4f\t%.0f", lab, trial, mb, ns / 1e9 / gb, mb / (us / 1e6)
				split("sendfile pread send epoll_wait", call, " ")
				for (i = 1; i <= 4; i++) printf "\t%.1f", n[call[i] ".calls"] / gb
				printf "\n"
			}' >>"$PART/rows"
	else
		printf '! %s error %s\n' "$row" "$(tail -n 1 "$TMP/sink.err")" >>"$PART/rows"
	fi
	stop "$PID"
}

do_sendfile() {
	local lab trial
	begin sendfile "a file of $SENDFILE_MB MB, in the page cache, to 1 client that drops it unread" \
		"$SENDFILE_TRIALS" lab trial mb cpu_s_per_gb mb_per_s sendfile pread send epoll_wait
	[ "$DRY" = 1 ] || head -c $((SENDFILE_MB * 1000000)) /dev/zero >"$TMP/sendfile.data"
	for ((trial = 1; trial <= SENDFILE_TRIALS; trial++)); do
		for lab in $(wanted 11); do
			if [ $((trial % 2)) -eq 1 ]; then
				trial "$lab trial $trial" 1 sendfile_row "$lab" $trial
				trial "$lab--copy trial $trial" 1 sendfile_row "$lab" $trial --copy
			else
				trial "$lab--copy trial $trial" 1 sendfile_row "$lab" $trial --copy
				trial "$lab trial $trial" 1 sendfile_row "$lab" $trial
			fi
		done
	done
	rm -f "$TMP/sendfile.data"
	finish
}
