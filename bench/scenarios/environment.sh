# What the machine is, beyond what every file of numbers says: for the full profile.
# shellcheck shell=bash disable=SC2154,SC2153

environment() {
	local lost name
	start 03-epoll-lt
	taskset -c "$CLIENT_CPU" "$BUILD/load" --host "$HOST" --port "$PORT" --rate 10 --json --warmup 0.1 \
		--duration "$(scaled 5)" >"$TMP/idle.json" 2>"$TMP/load.err" || [ $? -ge 3 ] ||
		die "$(tail -n 1 "$TMP/load.err")"
	lost=$(jq '.lost_s / .duration_s * 1000 | round / 10' "$TMP/idle.json")
	stop "$PID"
	cat <<-EOF
		# lost at rest: $lost % of the time on the client's cpu, in gaps over 0.1 ms
		# load before: $(cut -d ' ' -f 1-3 /proc/loadavg)
		# governor: $(first_line "/sys/devices/system/cpu/cpu$CLIENT_CPU/cpufreq/scaling_governor")
		# mitigations: $(cat /sys/devices/system/cpu/vulnerabilities/* 2>/dev/null | cut -d ';' -f 1 | sort -u | paste -sd ';' || true)
		# memory: $(awk '/^MemTotal/ { printf "%d MB", $2 / 1024 }' /proc/meminfo)
		# port range: $(first_line /proc/sys/net/ipv4/ip_local_port_range)
		# tcp_wmem: $(first_line /proc/sys/net/ipv4/tcp_wmem)
		# tcp_rmem: $(first_line /proc/sys/net/ipv4/tcp_rmem)
		# cflags: ${CFLAGS:--O2 -g}
	EOF
	for name in load 03-epoll-lt 04-epoll-et; do
		echo "# sha256 $name: $(sha256sum "$BUILD/$name" | cut -c 1-12)"
	done
}

first_line() {
	{ head -n 1 "$1" 2>/dev/null || echo unknown; } | tr '\t' ' '
}
