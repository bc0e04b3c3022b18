# What every Bats file loads: start a server on a free port, poll instead of sleeping.
# shellcheck shell=bash disable=SC2034
export LC_ALL=C.UTF-8 # whatever the machine has or lacks
bats_require_minimum_version 1.5.0
bats_load_library bats-support
bats_load_library bats-assert

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
BUILD=${BUILD:-$ROOT/build}
export BATS_TEST_TIMEOUT=${BATS_TEST_TIMEOUT:-60} # hanging is how this subject fails

# pause SECONDS: without a fork, in a pipe that nothing ever comes out of.
NOTHING=$BATS_RUN_TMPDIR/nothing
[[ -p $NOTHING ]] || mkfifo "$NOTHING" 2>/dev/null || true
pause() {
	read -rt "$1" <>"$NOTHING" || true
}

# wait_until SECONDS COMMAND...: polls until the command succeeds.
wait_until() {
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		((SECONDS <= end)) || fail "still not true: $*"
		pause 0.02
	done
}

# start_lab NAME [ARG...]: sets LAB_PID, LAB_PORT, LAB_LOG.
start_lab() {
	LAB_LOG=$BATS_TEST_TMPDIR/$1.log
	rm -f "$LAB_LOG" # an earlier server's port is not this one's
	"$BUILD/$1" --port 0 "${@:2}" >"$LAB_LOG" 2>"$LAB_LOG.err" 3>&- &
	LAB_PID=$!
	wait_until 10 listening
}

listening() {
	local line
	{ read -r line <"$LAB_LOG"; } 2>/dev/null && [[ $line == 'listening on '* ]] || return 1
	LAB_PORT=${line##*:}
}

# stop_lab: SIGTERM must be what ends it, with status 0 (a sanitizer's report is not).
stop_lab() {
	[[ -n ${LAB_PID-} ]] || return 0
	local rc=0 pid=$LAB_PID
	unset LAB_PID
	kill "$pid" 2>/dev/null || true
	wait "$pid" || rc=$?
	((rc == 0)) || fail "the server ended with status $rc: $(cat "$LAB_LOG.err")"
}

# count NAME: one value from the page $LAB_COUNTS, 0 where the server never made the call.
count() {
	local name value n=0
	while IFS=$'\t' read -r name value; do
		[[ $name != "$1" ]] || n=$value
	done < <("$BUILD/counts" "$LAB_COUNTS")
	echo "$n"
}

# requires COMMAND...: skips where one is missing.
requires() {
	local c
	for c; do
		command -v "$c" >/dev/null || skip "needs $c"
	done
}
