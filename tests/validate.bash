# What the two files that validate the load generator share: a server with a known fault or
# slowness, both sides pinned, and trials that a noisy machine may spoil but not decide.
# shellcheck shell=bash disable=SC2034,SC2154 # Bats sets and reads these elsewhere

JSON=$BATS_TEST_TMPDIR/load.json
HGRM=$BATS_TEST_TMPDIR/load.hgrm
ARRIVALS=$BATS_TEST_TMPDIR/arrivals
PINS=$(sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' /proc/self/status)
CLIENT_CPU=${PINS%%[,-]*} SERVER_CPU=${PINS##*[,-]}

# instrument NAME [ARG...]: one of tests/*.c as the server, alone on its processor.
instrument() {
	mkdir -p "$BATS_TEST_TMPDIR/tests" # where start_lab puts its log
	stop_lab
	start_lab "tests/$1" "${@:2}"
	taskset -cp "$SERVER_CPU" "$LAB_PID" >/dev/null
}

# measure OPTION...: the result in $JSON and $HGRM, the exit status in $status. Nothing
# here may take longer than it says: the window, the drain, and a machine's bad seconds.
measure() {
	run --separate-stderr timeout 30 taskset -c "$CLIENT_CPU" "$BUILD/load" \
		--port "$LAB_PORT" --json --hgrm "$HGRM" "$@"
	((status != 124)) || fail "load hung: $*"
	printf '%s\n' "$output" >"$JSON"
}

# so EXPRESSION...: each one of jq, over the result. The first that is false is $WHY.
so() {
	local e
	for e; do
		WHY="not so: $e in $(cat "$JSON") ${stderr-}"
		[[ $(jq "$e" "$JSON") == true ]] || return 1
	done
}

holds() {
	so "$@" || fail "$WHY"
}

# close_to A B TOLERANCE WHAT: |A - B| <= TOLERANCE.
close_to() {
	WHY="$4: $1, wanted $2 +- $3"
	awk -v a="$1" -v b="$2" -v t="$3" 'BEGIN { exit !((a > b ? a - b : b - a) <= t) }'
}

value() {
	jq "$1" "$JSON"
}

# calm: nobody took the processors away in the run that ended, neither the client's from it
# nor the server's, if it is one that says so.
calm() {
	local lost
	lost=$(sed -n "s/^lost_s //p" "$LAB_LOG")
	so ".lost_s <= 0.01 * .duration_s and .lag_us.p90 < 50" "${lost:-0} <= 0.01 * .duration_s"
}

# trials N FUNCTION: up to N of them, and no new one after ten seconds. It measures (not in
# a subshell: the server would outlive it) and returns whether all was as it should be. Once
# is enough. A machine that spoils every trial gets a skip, a generator that does gets red.
trials() {
	local n=$1 i reason quiet=0 end=$((SECONDS + 10))
	shift
	for ((i = 0; i < n && (i == 0 || SECONDS < end); i++)); do
		! "$@" || return 0
		echo "# trial $((i + 1)): $WHY"
		stop_lab
		reason=$WHY
		! calm || quiet=$((quiet + 1))
	done
	((quiet > 0)) || skip "this machine is too noisy: in $i trials of $i it took the processor away"
	fail "no trial of $i, $quiet of them calm: $reason"
}
