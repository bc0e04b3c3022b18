# 100,000 connections on one machine: a process may hold only so many descriptors, so several
# servers, each with a client of its own. Each server has its port, so the client's ports are
# enough for all.
# shellcheck shell=bash disable=SC2154,SC2153,SC2034,SC2016,SC2015 # bench/run sets these; $names of jq

# Kilobytes that the kernel holds in slabs, where sockets and files are.
slab_kb() {
	awk '/^Slab:/ { print $2 }' /proc/meminfo
}

# How many there may be, and what says so.
hundred_size() {
	local limit memory ports first last
	limit=$(ulimit -Hn)
	[ "$limit" != unlimited ] || limit=1000000
	read -r first last </proc/sys/net/ipv4/ip_local_port_range
	# connect(2) tries the ports of one parity first; once these are gone it gets slow.
	ports=$(((last - first) / 2 - 100))
	EACH=$((limit - 200)) LIMIT="$limit descriptors a process (ulimit -Hn)"
	[ "$EACH" -le "$ports" ] || EACH=$ports LIMIT="half of $((last - first + 1)) local ports for each server's port: connect(2) slows beyond"
	TOTAL=$HUNDRED
	# Both ends of a connection cost about 20 KB of the kernel's memory; take half of what is there.
	memory=$(awk '/^MemAvailable/ { print int($2 / 2 / 20) }' /proc/meminfo)
	if [ "$TOTAL" -gt "$memory" ]; then
		TOTAL=$memory LIMIT="memory for $memory connections"
	fi
	SERVERS=$(((TOTAL + EACH - 1) / EACH))
	EACH=$((TOTAL / SERVERS))
	TOTAL=$((EACH * SERVERS))
}

# Its server has answered N connections.
all_there() { # PAGE N
	[ "$(counter "$1" connections.active)" -ge "$2" ] && [ "$(counter "$1" send.ok)" -ge "$2" ]
}

user_of_all() {
	local pid sum=0
	for pid; do sum=$((sum + $(anonymous "$pid"))); done
	echo $sum
}

# The servers, in servers, pages and ports; then the clients, one after the other: none waits too
# long for its first answer.
hundred_up() {
	local i
	for ((i = 0; i < SERVERS; i++)); do
		serve
		servers+=("$PID") pages+=("$PAGE") ports+=("$PORT")
	done
	user=$(user_of_all "${servers[@]}") kernel=$(slab_kb)
	for ((i = 0; i < SERVERS; i++)); do
		PORT=${ports[i]}
		idle_load "$EACH"
		clients+=("$BESIDE")
		within 300 all_there "${pages[i]}" "$EACH" || return 1
	done
}

hundred_trial() {
	local servers=() clients=() pages=() ports=() i user kernel idle t0 us
	local TOTAL EACH SERVERS LIMIT
	hundred_size
	remark "limit: $LIMIT"
	if hundred_up; then
		pause 0.5
		number user_bytes_per_idle $((($(user_of_all "${servers[@]}") - user) / TOTAL))
		number kernel_bytes_per_idle $(((($(slab_kb) - kernel) * 1024) / TOTAL))
		t0=${EPOCHREALTIME/./} idle=$(cpu_ns_of "${servers[@]}")
		pause "$(scaled 3)"
		us=$((${EPOCHREALTIME/./} - t0)) idle=$(($(cpu_ns_of "${servers[@]}") - idle))
		number idle_cpu_percent "$(calculate %.3f "$idle / $us / 10")"
		number servers "$SERVERS"
		number connections "$TOTAL"
		number connections_each "$EACH"
		PID=${servers[0]} PORT=${ports[0]} PAGE=${pages[0]}
		! load 5 0.5 --connections 100 --depth 64 --rate 1000 ||
			numbers '{achieved: (.rate | round), p50_us: .latency_us.p50, p99_us: .latency_us.p99, cpu_us: cpu_us}'
	else
		failed "not all of $TOTAL connections came up: $(tail -n 1 "$TMP/beside.err")"
	fi
	for i in "${clients[@]}"; do leave "$i"; done
	for i in "${servers[@]}"; do stop "$i"; done
}

do_hundred() {
	begin "$HUNDRED connections, all idle (CPU and memory of the servers per connection), then 100 active ones among those of one server" 1 -
	[ "$DRY" = 1 ] || remark "user: growth of the servers' RssAnon; kernel: growth of Slab in /proc/meminfo, for both ends of each connection"
	# shellcheck disable=SC2086 # words
	rounds 1 9+12 hundred_trial $ARMS
}
