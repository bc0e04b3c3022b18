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

# all_there PAGE N: until its server has answered N connections.
all_there() {
	local tries
	for ((tries = 0; tries < 300; tries++)); do
		[ "$(counter "$1" connections.active)" -lt "$2" ] || [ "$(counter "$1" send.ok)" -lt "$2" ] || return 0
		kill -0 "$BESIDE" 2>/dev/null || return 1
		pause 0.1
	done
	return 1
}

cpu_of_all() {
	local pid sum=0
	for pid; do
		sum=$((sum + $(cpu_ns "$pid")))
	done
	echo $sum
}

user_of_all() {
	local pid sum=0
	for pid; do
		sum=$((sum + $(anonymous "$pid")))
	done
	echo $sum
}

hundred_row() {
	local servers=() clients=() pages=() ports=() i user kernel idle t0 t1
	local TOTAL EACH SERVERS LIMIT
	hundred_size
	for ((i = 0; i < SERVERS; i++)); do
		serve "$LAB"
		servers+=("$PID") pages+=("$PAGE") ports+=("$PORT")
	done
	user=$(user_of_all "${servers[@]}") kernel=$(slab_kb)
	for ((i = 0; i < SERVERS; i++)); do # one after the other: none waits too long for its first answer
		beside "$CLIENT_CPU" "$BUILD/load" --host "$HOST" --port "${ports[i]}" --connections "$EACH" --active 1 \
			--rate 0.001 --pace timerfd --warmup 0 --duration 600
		clients+=("$BESIDE")
		all_there "${pages[i]}" "$EACH" || break
	done
	if [ "$i" -lt "$SERVERS" ]; then
		failed "$LAB" "not all of $TOTAL connections came up: $(tail -n 1 "$TMP/beside.err")"
	else
		pause 0.5
		user=$((($(user_of_all "${servers[@]}") - user) / TOTAL)) kernel=$(((($(slab_kb) - kernel) * 1024) / TOTAL))
		t0=${EPOCHREALTIME/./} idle=$(cpu_of_all "${servers[@]}")
		pause "$(scaled 3)"
		t1=${EPOCHREALTIME/./} idle=$(($(cpu_of_all "${servers[@]}") - idle))
		PID=${servers[0]} PORT=${ports[0]} PAGE=${pages[0]}
		if measure "$LAB" --connections 100 --depth 64 --rate 1000 --size "$SIZE" \
			--duration "$(scaled 5)" --warmup "$(scaled 0.5)"; then
			row '[$lab, '"$SERVERS, $((SERVERS + 1)), $TOTAL"', 100, .offered_rate, (.rate | round), .latency_us.p50,
				(.latency_us.p99 // "nan"), cpu_us, '"$(awk -v ns="$idle" -v us=$((t1 - t0)) 'BEGIN { printf "%.3f", ns / us / 10 }'), $user, $kernel"', "'"$LIMIT"'"]'
		fi
	fi
	for i in "${clients[@]}"; do leave "$i"; done
	for i in "${servers[@]}"; do stop "$i"; done
}

do_hundred() {
	local arm
	begin hundred "$HUNDRED connections, all idle (CPU and memory of the servers per connection), then 100 active ones among those of one server" 1 \
		lab servers clients connections active rate achieved p50_us p99_us cpu_us idle_cpu_percent \
		user_bytes_per_idle kernel_bytes_per_idle limit
	remark "user: growth of the servers' RssAnon; kernel: growth of Slab in /proc/meminfo, for both ends of each connection"
	for arm in $ARMS; do
		! { asked_for "$arm" && built "$arm"; } || LAB=$arm ROUND=1 trial "$arm" "$(sum "$(scaled 9)" 12)" hundred_row
	done
	finish
}
