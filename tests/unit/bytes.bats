#!/usr/bin/env bats
# shellcheck disable=SC2034,SC2154 # Bats sets and reads these elsewhere
# Every byte of every client comes back, in order: whatever the sizes, and whatever interrupts.
# shellcheck disable=SC2030,SC2031 # Bats runs every test in its own subshell

load helper
load labs

@test "labs: every byte comes back, whatever the sizes" {
	for lab in $CORRECT 06-epollout-spin '06-epollout-spin --et'; do
		# shellcheck disable=SC2086
		start_lab $lab
		for size in 0 1 4095 4096 4097 100000 3000000; do
			echo_works --size $size
		done
		echo_works --size 2000 --piece 1
		stop_lab
	done
}

fin_arrived() { # our side of the connection is in CLOSE-WAIT: the FIN is there
	[[ -n $(ss -Htn state close-wait "sport = :$LAB_PORT") ]]
}

@test "labs: data that arrives together with its FIN is echoed" {
	for lab in $CORRECT 06-epollout-spin; do
		start_lab "$lab"
		for size in 5 4096 10000; do
			kill -STOP "$LAB_PID"
			(head -c $size /dev/zero | nc -N 127.0.0.1 "$LAB_PORT" >"$BATS_TEST_TMPDIR/back") 3>&- &
			nc_pid=$!
			wait_until 5 fin_arrived
			kill -CONT "$LAB_PID"
			wait $nc_pid
			[[ $(stat -c %s "$BATS_TEST_TMPDIR/back") -eq $size ]]
		done
		stop_lab
	done
}

@test "labs: freezing and going on (EINTR) changes nothing" {
	for lab in $CORRECT; do
		start_lab "$lab"
		for _ in 1 2 3 4 5; do
			kill -STOP "$LAB_PID"
			wait_until 5 grep -q '^State:.T' "/proc/$LAB_PID/status"
			kill -CONT "$LAB_PID"
			wait_until 5 grep -q '^State:.[SR]' "/proc/$LAB_PID/status"
		done
		echo_works
		[[ $lab != 0[3478]-* || $(count epoll_wait.eintr) -gt 0 ]]
		stop_lab
	done
}

@test "labs: buf keeps order and bound, and owns nothing when empty" {
	run "$BUILD/tests/unit_buf"
	assert_success
	assert_output ok
}
