#!/usr/bin/env bats
# shellcheck disable=SC2034,SC2154 # Bats sets and reads these elsewhere
# 08: several threads, and never two of them in one connection.
# shellcheck disable=SC2030,SC2031 # Bats runs every test in its own subshell

load helper
load labs

# order_of MODE: 200 numbered bytes, every other one is work; what came back, in $MODE. What the
# sender waits for a processor is harm, too: its bytes would come too late to meet.
order_of() {
	local nudge began=${EPOCHREALTIME/./} waited=0
	"$BUILD/nudge" --port "$LAB_PORT" --burst 1 --silence 5 --nudges 199 --gap-ms 5 --order \
		>"$BATS_TEST_TMPDIR/$1" 3>&- &
	nudge=$!
	while read -r _ waited _ <"/proc/$nudge/schedstat"; do
		pause 0.1 # the last look is before its end
	done 2>/dev/null
	wait $nudge
	harm $((waited / (${EPOCHREALTIME/./} - began)))
}

out_of_place() {
	sed -n 's/.*: \([0-9]*\) of 200 answers out of place$/\1/p' "$BATS_TEST_TMPDIR/$1"
}

overlaps() {
	sed -n 's/^threads-no-oneshot: \([0-9]*\) overlaps$/\1/p' "$LAB_LOG.err"
}

# meet MODE: a run of it leaves $MODE and $LAB_LOG.err.
meet() {
	local server=zoo/threads-no-oneshot
	[[ $1 != oneshot ]] || server=08-oneshot
	mkdir -p "$BATS_TEST_TMPDIR/zoo" # where start_lab puts its log
	start_lab $server --mode "$1" --work 20
	watched order_of "$1"
	stop_lab
}

few_met() { # $mode
	[[ $(out_of_place "$mode") -lt 150 || $(overlaps) -lt 150 ]]
}

# bats test_tags=quiet
@test "labs: 08: no two threads meet in a connection; without one-shot, et and lt, they do" {
	HARM=0
	meet oneshot
	[[ $(out_of_place oneshot) -eq 0 ]] || fail "oneshot: $(<"$BATS_TEST_TMPDIR/oneshot")"
	[[ ! -s $LAB_LOG.err ]] || fail "oneshot: $(<"$LAB_LOG.err")"
	for mode in et lt; do
		undisturbed meet $mode
		! few_met || fail "$mode: $(cat "$BATS_TEST_TMPDIR/$mode" "$LAB_LOG.err")"
	done
}

kept_or_gone() {
	[[ -s $BATS_TEST_TMPDIR/kept ]] || ! kill -0 "$keeper" 2>/dev/null
}

@test "labs: 08's FIN does not wait for who still holds the socket" {
	start_lab 08-oneshot
	client_in_background --mode hold
	wait_until 5 grep -q '^holding' "$OUT"
	newest=$(find "/proc/$LAB_PID/fd" -lname 'socket:*' -printf '%f\n' | sort -n | tail -n 1)
	mkfifo "$BATS_TEST_TMPDIR/keep"
	"$BUILD/tests/keep" --pid "$LAB_PID" --fd "$newest" <"$BATS_TEST_TMPDIR/keep" >"$BATS_TEST_TMPDIR/kept" 3>&- 8>&- &
	keeper=$!
	exec 9>"$BATS_TEST_TMPDIR/keep"
	wait_until 5 kept_or_gone
	[[ -s $BATS_TEST_TMPDIR/kept ]] || {
		client_goes_on
		skip "needs pidfd_getfd (Linux 5.6), and to be allowed it"
	}
	client_goes_on # it wants its last byte and the FIN
	exec 9>&-
	wait "$keeper"
}

four_at_work() {
	[[ $(count recv.ok) -ge 4 ]]
}

@test "labs: 08 leaves in time while every thread is at work" {
	local clients=()
	start_lab 08-oneshot --work 500
	for _ in 1 2 3 4 5 6 7 8; do
		(printf '%2000s' '' | nc 127.0.0.1 "$LAB_PORT" >/dev/null) 3>&- & # a blank is even
		clients+=($!)
	done
	wait_until 5 four_at_work
	sent=$(date +%s%N)
	stop_lab
	[[ $(($(date +%s%N) - sent)) -lt 1000000000 ]] || fail "slow to leave"
	wait "${clients[@]}" || true # not all children: one is Bats' clock
}

@test "labs: 08 under load from all sides, and the same without one-shot, ends clean" {
	mkdir -p "$BATS_TEST_TMPDIR/zoo"
	for how in '08-oneshot --threads 16' 'zoo/threads-no-oneshot --mode et --work 20' 'zoo/threads-no-oneshot --mode lt --work 20'; do
		# shellcheck disable=SC2086
		start_lab $how
		# The FIN comes while a thread is at work on the data before it.
		"$CLIENT" --port "$LAB_PORT" --mode rst --fin --quiet 5 --count 50 --size 6000 >/dev/null 3>&- &
		rude=$!
		run "$BUILD/load" --port "$LAB_PORT" --connections 50 --size 100 --duration 0.5 --warmup 0.1
		[[ $how == zoo/* ]] || assert_success # a race may lose bytes, never more
		wait $rude || true
		stop_lab # a sanitizer's report would be its status
	done
}
