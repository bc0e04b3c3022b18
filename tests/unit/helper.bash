# What every Bats file loads: start a server on a free port, poll instead of sleeping.
# shellcheck shell=bash disable=SC2034
export LC_ALL=C.UTF-8 # whatever the machine has or lacks
bats_require_minimum_version 1.5.0
bats_load_library bats-support
bats_load_library bats-assert

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BUILD=${BUILD:-$ROOT/build}
export BATS_TEST_TIMEOUT=${BATS_TEST_TIMEOUT:-60} # hanging is how this subject fails

# shellcheck source=bench/lib/proc.sh
source "$ROOT/bench/lib/proc.sh"

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
	[[ -e $LAB_LOG ]] && said_port "$LAB_LOG" && LAB_PORT=$PORT
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

# count NAME: one value from the page $LAB_COUNTS.
count() {
	counter "$LAB_COUNTS" "$1"
}

# requires COMMAND...: skips where one is missing.
requires() {
	local c
	for c; do
		command -v "$c" >/dev/null || skip "needs $c"
	done
}

# queued PID...: prints how long their threads have waited for a processor, in ns: proc(5).
queued() {
	local pid file waited sum=0
	for pid; do
		for file in "/proc/$pid/task/"*/schedstat; do
			{ read -r _ waited _ <"$file" && sum=$((sum + waited)); } 2>/dev/null || true
		done
	done
	echo $sum
}

# harm PERMILLE: what a trial's process lost of its time; HARM keeps the worst of the trial.
harm() {
	((HARM >= ${1:-0})) || HARM=$1
}

# watched COMMAND...: runs it, the window of a trial; what the server waited meanwhile is harm.
watched() {
	local began=${EPOCHREALTIME/./} waited
	waited=$(queued "$LAB_PID")
	"$@"
	harm $((($(queued "$LAB_PID") - waited) / (${EPOCHREALTIME/./} - began)))
}

# undisturbed TRIAL...: TRIAL calls watched, and harm for its other processes. One that lost more
# than 2 % of its time is thrown away before anybody looks at its verdict. The first calm one is
# judged, once.
undisturbed() {
	local try
	for try in {1..5}; do
		HARM=0
		"$@"
		((HARM > 20)) || return 0
		echo "# trial $try: a process of it lost $HARM/1000 of its time"
	done
	skip "this machine is busy: in each of 5 trials a process of the test lost more than 2 % of its time"
}
