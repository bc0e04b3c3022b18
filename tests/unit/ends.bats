#!/usr/bin/env bats
# shellcheck disable=SC2034,SC2154 # Bats sets and reads these elsewhere
# A connection that ends badly, or is reset, costs the others nothing.
# shellcheck disable=SC2030,SC2031 # Bats runs every test in its own subshell

load helper
load labs

fds() {
	local all=("/proc/$LAB_PID/fd/"*)
	echo ${#all[@]}
}

fds_are() {
	[[ $(fds) -eq $1 ]]
}

nobody_connected() {
	[[ $(count connections.active) -eq 0 ]]
}

@test "labs: resets, idle or with replies queued, close that one connection only" {
	for lab in $CORRECT 06-epollout-spin; do
		start_lab "$lab"
		echo_works
		wait_until 5 nobody_connected # the client had its FIN before the descriptor was closed
		before=$(fds)
		for rude in '--size 0' '--size 0 --fin' '--size 60000' '--size 60000 --fin'; do
			# shellcheck disable=SC2086
			run "$CLIENT" --port "$LAB_PORT" --mode rst --count 50 --quiet 1 $rude
			assert_success
		done
		echo_works
		[[ $lab == 01-* ]] || {
			client_in_background --mode slow --size 20000000 --count 3
			wait_until 20 grep -q 'stuck after' "$OUT"
			client_leaves
			echo_works
		}
		wait_until 5 fds_are "$before"
		stop_lab
	done
}

two_are_pending() { # connected, and the frozen server has not accepted them
	[[ $(ss -Htn state established state fin-wait-1 state fin-wait-2 "dport = :$LAB_PORT" | wc -l) -eq 2 ]]
}

@test "labs: an aborted accept, or one without memory, strands nobody" {
	requires strace ss
	export ASAN_OPTIONS=detect_leaks=0 # it cannot look for leaks below strace
	for lab in $CORRECT; do
		for error in ECONNABORTED ENOMEM EINTR; do
			LAB_LOG=$BATS_TEST_TMPDIR/strace.log
			rm -f "$LAB_LOG" # an earlier server's port is not this one's
			strace -f -qq -D -o "$BATS_TEST_TMPDIR/strace.out" -e trace=accept4 -e signal=none \
				-e inject=accept4:error=$error:when=1..2 \
				"$BUILD/$lab" --port 0 >"$LAB_LOG" 2>"$LAB_LOG.err" 3>&- &
			LAB_PID=$!
			wait_until 5 listening
			kill -STOP "$LAB_PID"
			"$CLIENT" --port "$LAB_PORT" --size 10000 >/dev/null 3>&- &
			one=$!
			"$CLIENT" --port "$LAB_PORT" --size 10000 >/dev/null 3>&- &
			two=$!
			wait_until 5 two_are_pending
			kill -CONT "$LAB_PID"
			wait $one || fail "$lab: $error stranded a client"
			wait $two || fail "$lab: $error stranded a client"
			stop_lab
		done
		injected=$(grep -c INJECTED "$BATS_TEST_TMPDIR/strace.out") # two in each thread
		[[ $lab == 02-* || $injected -eq 2 || $lab == 08-* && $injected -ge 2 ]]
	done
}

# reset_before_reply LAB: the reply waits 200 ms for the reset; what came of it in strace.out.
reset_before_reply() {
	LAB_LOG=$BATS_TEST_TMPDIR/strace.log
	rm -f "$LAB_LOG"
	strace -f -qq -D -o "$BATS_TEST_TMPDIR/strace.out" -e trace=sendto -e signal=none \
		-e inject=sendto:delay_enter=200000:when=1 \
		"$BUILD/$1" --port 0 >"$LAB_LOG" 2>"$LAB_LOG.err" 3>&- &
	LAB_PID=$!
	wait_until 5 listening
	run "$CLIENT" --port "$LAB_PORT" --mode rst --size 50 --fin --quiet 50
	assert_success
	echo_works --mode ping
	stop_lab
}

@test "labs: a reset between the read and the reply is EPIPE, not SIGPIPE" {
	requires strace
	export ASAN_OPTIONS=detect_leaks=0
	for lab in $ALL; do
		for _ in {1..5}; do # on a busy machine the reset may be late
			reset_before_reply "$lab"
			! grep -q EPIPE "$BATS_TEST_TMPDIR/strace.out" || continue 2
		done
		fail "$lab: never tried"
	done
}

@test "labs: 05 is right for small messages, and for resets" {
	start_lab 05-et-starving
	echo_works --mode ping --size 99 --count 20
	run "$CLIENT" --port "$LAB_PORT" --mode rst --size 50 --count 20
	assert_success
	echo_works --mode ping --size 99
}
