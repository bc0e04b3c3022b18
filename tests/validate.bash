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
		WHY="not so: $e in $(cat "$JSON") $stderr"
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

# calm: nobody took the client's processor from it in the run that ended. The server's
# pauses do not show here: that is what more than one trial is for.
calm() {
	[[ $(value '.lost_s <= 0.01 * .duration_s and .lag_us.p90 < 50') == true ]]
}

# trials N FUNCTION...: it measures and returns whether all was as it should be. Once is
# enough. A machine that spoils every trial gets a skip, a generator that does gets red.
trials() {
	local n=$1 i quiet=0
	shift
	for ((i = 0; i < n; i++)); do
		! "$@" || return 0
		echo "# trial $((i + 1)): $WHY"
		! calm || quiet=$((quiet + 1))
	done
	((quiet > 0)) || skip "this machine is too noisy: in $n trials of $n it took the processor away"
	fail "no trial of $n, $quiet of them calm: $WHY"
}
