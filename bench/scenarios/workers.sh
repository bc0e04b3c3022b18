# Throughput and CPU against the number of processes: 09 and 10 under the same placement, and
# 10 --pin, which differs from 10 by nothing but pinning. The client has the first CPU, and a
# server may use them all, that one too: where there are two CPUs, several processes have
# nowhere else to run. A worker pinned to the client's CPU cannot leave it.
# shellcheck shell=bash disable=SC2154,SC2034,SC2016 # bench/run and its libraries set these; $names of jq

# placement WORKER...: the CPUs that each may use, without repetition: 0-1, or 0+1 if pinned.
placement() {
	local pid
	for pid; do sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' "/proc/$pid/status"; done | sort -u | paste -sd+
}

every_cpu() {
	taskset -cp $$ | sed 's/.*: //'
}

workers_trial() {
	local f cpu requests
	SERVER_CPU=$(every_cpu) serve --workers "$CASE"
	until [ "$(counter "$PAGE" epoll_ctl.calls)" -ge "$CASE" ]; do pause 0.01; done
	read -ra f < <(family "$PID")
	remark "cpus: $LAB $CASE $ROUND: $(placement "${f[@]:1}")"
	cpu=$(cpu_ns_of "${f[@]}")
	# The load looks at the CPU of one process only: all of them from here, and all requests.
	if load 1 0.2 --connections 50 --rate 0; then
		cpu=$(($(cpu_ns_of "${f[@]}") - cpu)) requests=$(counter "$PAGE" recv.ok)
		numbers '{rate: (.rate | round), cpu_us_per_request: ($ns / $q | round / 1000), cpu_percent: ($ns / $q * .rate / 1e7 | round)}' \
			--argjson ns $cpu --argjson q "$requests"
	fi
	stop "$PID"
}

do_workers() {
	local trials=${PAIRS:-3}
	SERVER_CPU=$(every_cpu) begin \
		"closed loop, 50 connections, $SIZE bytes; client on CPU $CLIENT_CPU, every server free to use all CPUs; --pin: worker i stays on the i-th CPU, the first of them the client's" \
		"$trials" workers
	for CASE in 1 2 4 8; do
		rounds "$trials" 1+1.2 workers_trial 09-exclusive--exclusive+10-reuseport+10-reuseport--pin
	done
}
