#!/usr/bin/env bats
# shellcheck disable=SC2034,SC2154 # Bats sets and reads these elsewhere
# What a look of build/scope costs, against the number of sockets.

setup() {
	load ../unit/helper
	requires jq
	CHILDREN=()
}

teardown() {
	[[ ${#CHILDREN[@]} -eq 0 ]] || kill "${CHILDREN[@]}" 2>/dev/null || true
}

# cost N: the CPU in ms, outside the kernel, of eight times scope for N sockets in one set.
cost() {
	local words spent TIMEFORMAT=%3U
	coproc MANY { exec "$BUILD/tests/many_fds" "$1" 3>&-; }
	local many=$MANY_PID end=${MANY[1]}
	CHILDREN+=("$many")
	read -r -t 20 -u "${MANY[0]}" words
	spent=$({ time for _ in 1 2 3 4 5 6 7 8; do "$BUILD/scope" --json "$many" >/dev/null; done; } 2>&1)
	exec {end}>&-
	wait "$many"
	echo $((10#${spent/./}))
}

@test "scope: five times the sockets cost less than eight times the CPU" {
	(($(ulimit -Hn) > 10100)) || skip "may open only $(ulimit -Hn) descriptors"
	some=$(cost 2000)
	many=$(cost 10000)
	echo "2,000 sockets: $some ms, 10,000: $many ms"
	((some > 0 && many < 8 * some))
}
