# Throughput and CPU against the number of processes: 09 and 10 under the same placement, and
# 10 --pin, which differs from 10 by nothing but pinning. The client has the first CPU, and a
# server may use them all, that one too: where there are two CPUs, several processes have
# nowhere else to run. A worker pinned to the client's CPU cannot leave it.
# shellcheck shell=bash disable=SC2154 # bench/run and bench/lib/server.sh set PART, PID, PORT, PAGE

WORKERS_N='1 2 4 8'

# placement WORKER...: the CPUs that each may use, without repetition: 0-1, or 0+1 if pinned.
placement() {
	local pid
	for pid; do sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' "/proc/$pid/status"; done | sort -u | paste -sd+
}

workers_row() { # LABEL WORKERS TRIAL LAB [ARG...]
	local f cpu requests cpus
	SERVER_CPU=$(every_cpu) start "${@:4}" --workers "$2"
	until [ "$(counter "$PAGE" epoll_ctl.calls)" -ge "$2" ]; do pause 0.01; done
	read -ra f < <(family "$PID")
	cpus=$(placement "${f[@]:1}")
	cpu=$(cpu_ns_of "${f[@]}")
	# The load looks at the CPU of one process only: all of them from here, and all requests.
	if measure "$1" --connections 50 --rate 0 --size "$SIZE" --duration "$SECONDS_COUNTS" --warmup 0.2; then
		cpu=$(($(cpu_ns_of "${f[@]}") - cpu))
		requests=$(counter "$PAGE" recv.ok)
		jq -r --arg lab "$1" --arg n "$2" --arg t "$3" --argjson ns "$cpu" --argjson q "$requests" --arg cpus "$cpus" '
			[$lab, $n, $t, $t, (.rate | round), ($ns / $q | round / 1000),
			 ($ns / $q * .rate / 1e7 | round), $cpus] | @tsv' "$JSON" >>"$PART/rows"
	fi
	stop "$PID"
}

every_cpu() {
	taskset -cp $$ | sed 's/.*: //'
}

do_workers() {
	local n trial trials=${PAIRS:-$TRIALS} lab option order
	SERVER_CPU=$(every_cpu) begin workers \
		"closed loop, 50 connections, $SIZE bytes; client on CPU $CLIENT_CPU, every server free to use all CPUs; --pin: worker i stays on the i-th CPU, the first of them the client's" \
		"$trials" lab workers trial pair rate cpu_us_per_request cpu_percent cpus
	for ((trial = 1; trial <= trials; trial++)); do
		for n in $WORKERS_N; do
			order=$(wanted 09 | sed 's/$/ --exclusive/' && wanted 10 && wanted 10 | sed 's/$/ --pin/')
			[ $((trial % 2)) -eq 1 ] || order=$(tac <<<"$order")
			while read -ru 8 lab option; do
				trial "$lab$option N=$n trial $trial" "$(sum "$SECONDS_COUNTS" 1.2)" \
					workers_row "$lab$option" "$n" "$trial" "$lab" ${option:+"$option"}
			done 8<<<"$order"
		done
	done
	finish
}
