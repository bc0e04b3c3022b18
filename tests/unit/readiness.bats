#!/usr/bin/env bats
# shellcheck disable=SC2034,SC2154 # Bats sets and reads these elsewhere
# What sets one lab apart from the next: the calls it makes, and when.
# shellcheck disable=SC2030,SC2031 # Bats runs every test in its own subshell

load helper
load labs

@test "labs: the three ways to a non-blocking socket cost 4, 1 and 3 calls, as the probe counts them" {
	run "$BUILD/ways"
	assert_success
	assert_line --regexp '^fcntl +4 +at first +at first$'
	assert_line --regexp '^accept4 +1 +never +never$'
	assert_line --regexp '^ioctl +3 +at first +at first$'
	[[ ${#lines[@]} -eq 4 ]]
	# Besides: one client each, 2 fcntl for the listener, and 4 looks at each socket's flags.
	[[ $(count accept4.ok) -eq 3 && $(count ioctl.ok) -eq 2 && $(count fcntl.ok) -eq $((3 + 2 + 3 * 4)) ]]
}

@test "labs: 01 makes the second client wait for the first" {
	start_lab 01-blocking
	client_in_background --mode hold
	wait_until 5 grep -q '^holding' "$OUT"
	echo second | timeout 1 nc -N 127.0.0.1 "$LAB_PORT" >"$BATS_TEST_TMPDIR/back" || true
	[[ ! -s $BATS_TEST_TMPDIR/back && $(count accept4.ok) -eq 1 ]]
	client_goes_on
	echo_works
}

@test "labs: 02 asks without end, 03, 04, 07 and 08 not once, with one idle client" {
	for lab in $MANY; do
		start_lab "$lab"
		client_in_background --mode hold
		wait_until 5 grep -q '^holding' "$OUT"
		calls=$(count recv.calls)
		wait_until 5 window_has_passed
		calls=$(($(count recv.calls) - calls))
		[[ $lab == 02-* && $calls -gt 1000 || $lab != 02-* && $calls -eq 0 ]] ||
			fail "$lab: $calls"
		client_goes_on
		stop_lab
	done
}

@test "labs: 05 answers one chunk of a burst, and one more for each nudge" {
	for chunk in 100 500; do
		start_lab 05-et-starving --chunk $chunk
		run "$BUILD/nudge" --port "$LAB_PORT" --silence 300 --nudges 5
		assert_line "sent 10000, silent for 300 ms: answered $chunk"
		assert_line "and 5 single bytes: sent 10005, answered $((6 * chunk))"
		stop_lab
	done
	for lab in 03-epoll-lt 04-epoll-et; do
		start_lab $lab
		run "$BUILD/nudge" --port "$LAB_PORT" --silence 300 --nudges 5
		assert_line 'sent 10000, silent for 300 ms: answered 10000'
		stop_lab
	done
}

@test "labs: 06 spins with one idle client, 06 --et and 03 do not" {
	for lab in 03-epoll-lt 06-epollout-spin '06-epollout-spin --et'; do
		# shellcheck disable=SC2086
		start_lab $lab
		client_in_background --mode hold
		wait_until 5 grep -q '^holding' "$OUT"
		calls=$(count epoll_wait.calls)
		wait_until 5 window_has_passed
		calls=$(($(count epoll_wait.calls) - calls))
		if [[ $lab == 06-epollout-spin ]]; then
			[[ $calls -gt 10000 ]] || fail "$lab: $calls"
		else
			[[ $calls -le 1 ]] || fail "$lab: $calls"
		fi
		client_goes_on
		stop_lab
	done
}

# The most reads of one descriptor in one turn, by the trace.
longest_turn() {
	awk '/ epoll_wait\(/ { split("", n) } match($0, /recv\([0-9]+/) { if (++n[substr($0, RSTART, RLENGTH)] > most) most = n[substr($0, RSTART, RLENGTH)] } END { print most + 0 }' "$LAB_LOG.err"
}

@test "labs: a turn is one read in 03, 8 in 07, and without end in 04" {
	for lab in 03-epoll-lt 04-epoll-et 07-et-fair; do
		LAB_TRACE=1 start_lab $lab
		echo_works --size 20000000
		stop_lab
		most=$(longest_turn)
		case $lab in
		03-*) [[ $most -eq 1 ]] ;;
		04-*) [[ $most -gt 8 ]] ;; # as many as come while it drains: 16 fill a socket
		07-*) [[ $most -eq 8 ]] ;;
		esac || fail "$lab read one client $most times in a turn"
	done
}

changed() {
	diff "$ROOT/labs/$1/server.c" "$ROOT/labs/$2/server.c" | grep -c '^[<>]'
}

@test "labs: the diff is the lesson, and it is small" {
	[[ $(changed 01-blocking 02-nonblocking) -le 190 ]]
	[[ $(changed 02-nonblocking 03-epoll-lt) -le 100 ]]
	[[ $(changed 03-epoll-lt 04-epoll-et) -le 55 ]]
	[[ $(changed 04-epoll-et 05-et-starving) -lt 20 ]]
	[[ $(changed 04-epoll-et 07-et-fair) -le 45 ]]
	[[ $(changed 03-epoll-lt 06-epollout-spin) -lt 25 ]]
	[[ $(changed 03-epoll-lt 08-oneshot) -le 150 ]]
	[[ $(changed 04-epoll-et 11-sendfile) -le 115 ]]
}

@test "labs: common/ never does the I/O that a lab is about" {
	run grep -nE '\b(epoll_[a-z0-9]+|accept4?|read|write|recv|send|sendfile)\(' \
		"$ROOT"/common/{args,buf,err,net,stop}.c
	assert_failure
}
