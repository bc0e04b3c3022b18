#!/usr/bin/env bats
# shellcheck disable=SC2034,SC2154 # Bats sets and reads these elsewhere
# What every lab prints and accepts when it starts, and how it ends.
# shellcheck disable=SC2030,SC2031 # Bats runs every test in its own subshell

load helper
load labs

@test "labs: the first line on stdout is the address, IPv4 and IPv6" {
	for lab in $ALL; do
		start_lab "$lab"
		run cat "$LAB_LOG"
		assert_output --regexp '^listening on 127\.0\.0\.1:[0-9]+$'
		stop_lab
		[[ -e /proc/net/if_inet6 ]] || continue
		start_lab "$lab" --bind ::1
		run cat "$LAB_LOG"
		assert_output --regexp '^listening on \[::1\]:[0-9]+$'
		echo_works --mode ping --host ::1
		stop_lab
	done
}

@test "labs: --help is on stdout with status 0" {
	for lab in $ALL; do
		run --separate-stderr "$BUILD/$lab" --help
		assert_success
		assert_line --partial "usage: $lab"
		assert_line --partial '--bind ADDR'
		[[ -z $stderr ]]
	done
}

one_line_about() {
	[[ -z $output ]] || fail "unexpected output: $output"
	[[ ${#stderr_lines[@]} -eq 1 ]] || fail "not one line: $stderr"
	[[ $stderr == *"$1"* ]] || fail "does not name $1: $stderr"
}

@test "labs: bad usage and a bad environment are one line that names the culprit, status 2" {
	for lab in $ALL; do
		for bad in '--nope' '--port 65536' '--port x' '--port -1' '--bind localhost' \
			'--bind 1.2.3' 'operand'; do
			# shellcheck disable=SC2086
			run --separate-stderr "$BUILD/$lab" $bad
			assert_failure 2
			one_line_about "$(sed 's/.* //; s/^--//' <<<"$bad")"
		done
		LAB_TRACE=loud run --separate-stderr "$BUILD/$lab" --port 0
		assert_failure 2
		one_line_about LAB_TRACE
	done
	run --separate-stderr "$BUILD/05-et-starving" --chunk 0
	assert_failure 2
	one_line_about chunk
	run --separate-stderr "$BUILD/08-oneshot" --mode et # now in the zoo
	assert_failure 2
	one_line_about et
	run --separate-stderr "$BUILD/ways" operand
	assert_failure 2
	one_line_about operand
}

@test "labs: a port in use is one line with the call and the reason, status 1" {
	for lab in $ALL; do
		start_lab "$lab"
		LAB_COUNTS="" run --separate-stderr "$BUILD/$lab" --port "$LAB_PORT"
		assert_failure 1
		one_line_about 'bind: Address already in use'
		stop_lab
	done
}

@test "labs: SIGTERM and SIGINT end it with status 0, idle, with clients, with output stuck" {
	for lab in $ALL; do
		for signal in TERM INT; do
			start_lab "$lab"
			client_in_background --mode slow --size 20000000
			wait_until 20 grep -q 'stuck after' "$OUT"
			kill -s $signal "$LAB_PID"
			sent=$(date +%s%N) rc=0
			wait "$LAB_PID" || rc=$?
			unset LAB_PID
			[[ $rc -eq 0 ]] || fail "$lab: status $rc after SIG$signal"
			[[ $(($(date +%s%N) - sent)) -lt 1000000000 ]] || fail "$lab: slow to leave"
			client_leaves
		done
	done
}

@test "labs: every descriptor is close-on-exec, every connection of 02 to 08 non-blocking" {
	for lab in $ALL; do
		start_lab "$lab"
		client_in_background --mode hold
		wait_until 5 grep -q '^holding' "$OUT"
		for fd in "/proc/$LAB_PID/fd/"*; do
			[[ $(readlink "$fd") == @(socket|anon_inode)* ]] || continue # not ours
			flags=$(awk '/^flags/ { print $2 }' "/proc/$LAB_PID/fdinfo/${fd##*/}")
			((8#$flags & 8#2000000)) || fail "$lab: fd ${fd##*/} is inherited: $flags"
			[[ $lab == 01-* || $(readlink "$fd") != socket* ]] || ((8#$flags & 8#4000)) ||
				fail "$lab: fd ${fd##*/} is blocking: $flags"
		done
		client_goes_on
		stop_lab
	done
}
