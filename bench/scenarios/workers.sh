# Throughput and CPU against the number of processes. Server and client share the machine:
# where it has two CPUs, more workers have nowhere to run, and the numbers say so.
# shellcheck shell=bash disable=SC2154 # bench/run and bench/lib.sh set PART, PID, PORT, PAGE

WORKERS_N='1 2 4 8'

workers_row() { # LABEL WORKERS TRIAL LAB [ARG...]
	local f cpu requests
	# On every CPU, the client's too: several processes make sense on several CPUs only.
	SERVER_CPU=$(taskset -cp $$ | sed 's/.*: //') start "${@:4}" --workers "$2"
	until [ "$(counter "$PAGE" epoll_ctl.calls)" -ge "$2" ]; do pause 0.01; done
	read -ra f < <(family "$PID")
	cpu=$(cpu_ns_of "${f[@]}")
	# The load looks at the CPU of one process only: all of them from here, and all requests.
	if measure "$1" --connections 50 --rate 0 --size "$SIZE" --duration "$SECONDS_COUNTS" --warmup 0.2; then
		cpu=$(($(cpu_ns_of "${f[@]}") - cpu))
		requests=$(counter "$PAGE" recv.ok)
		jq -r --arg lab "$1" --arg n "$2" --arg t "$3" --argjson ns "$cpu" --argjson q "$requests" '
			[$lab, $n, $t, (.rate | round), ($ns / $q | round / 1000),
			 ($ns / $q * .rate / 1e7 | round)] | @tsv' "$JSON" >>"$PART/rows"
	fi
	stop "$PID"
}

do_workers() {
	local lab n trial
	begin workers "closed loop, 50 connections, $SIZE bytes; server on all CPUs, client on one of them" "$TRIALS" \
		lab workers trial rate cpu_us_per_request cpu_percent
	for ((trial = 1; trial <= TRIALS; trial++)); do
		for n in $WORKERS_N; do
			for lab in $(wanted 09); do
				trial "$lab--exclusive N=$n trial $trial" "$(sum "$SECONDS_COUNTS" 1.2)" \
					workers_row "$lab--exclusive" "$n" "$trial" "$lab" --exclusive
			done
			for lab in $(wanted 10); do
				trial "$lab N=$n trial $trial" "$(sum "$SECONDS_COUNTS" 1.2)" \
					workers_row "$lab" "$n" "$trial" "$lab"
			done
		done
	done
	finish
}
