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

# ticks: sets ALL and OWN, CPU time so far in ticks: of the whole machine, and of what is ours
# (the server, this shell, and what it waited for).
ticks() {
	local pid line stat
	read -ra stat </proc/stat # cpu user nice system idle iowait irq softirq steal
	ALL=$((stat[1] + stat[2] + stat[3] + stat[6] + stat[7] + stat[8])) OWN=0
	for pid in "$BASHPID" ${LAB_PID-}; do
		line=$(<"/proc/$pid/stat")
		read -ra stat <<<"${line##*) }" # from the state on; utime stime cutime cstime
		OWN=$((OWN + stat[11] + stat[12] + stat[13] + stat[14]))
	done
}

# beside COMMAND...: sets OTHERS, the share of the machine that other processes took meanwhile,
# in per cent of all processors.
beside() {
	local all own began
	ticks
	all=$ALL own=$OWN began=${EPOCHREALTIME/./}
	"$@"
	ticks # of 10 ms
	OTHERS=$(((ALL - all - OWN + own) * 1000000 / (${EPOCHREALTIME/./} - began) / $(nproc)))
}

# undisturbed [--if CONDITION] COMMAND...: runs it until others took less than a tenth of the
# machine meanwhile, or what they took did no harm (CONDITION is false). After five times the
# test is skipped. What COMMAND leaves is then judged once.
undisturbed() {
	local try harmed=true
	[[ $1 != --if ]] || { harmed=$2 && shift 2; }
	for try in 1 2 3 4 5; do
		beside "$@"
		((OTHERS >= 10)) && $harmed || return 0
		echo "# try $try: other processes took $OTHERS % of the machine"
	done
	skip "this machine is busy: other processes took $OTHERS % of it in the last of $try tries"
}
