#!/usr/bin/env bats
# shellcheck disable=SC2034,SC2154 # helper.bash and Bats read these
# shellcheck disable=SC2030,SC2031 # Bats runs every test in its own subshell
# The labs under injected faults (tests/faults/faults.c), and the faults themselves.

setup() {
	load helper
	CLIENT=$BUILD/tests/client
	LOG=$BATS_TEST_TMPDIR/faults.log
	[[ -e $BUILD/faults.so ]] || fail "$BUILD/faults.so is not built"
	export ASAN_OPTIONS=verify_asan_link_order=0 # the preload comes before it, as it must
}

teardown() {
	[[ -z ${NC_PID-} ]] || kill "$NC_PID" 2>/dev/null || true
	[[ -z ${LAB_PID-} ]] || kill -CONT "$LAB_PID" 2>/dev/null || true
	stop_lab
}

# faulty_lab NAME [VARIABLE=VALUE...]: start_lab, with only the server under faults.
faulty_lab() {
	LAB_LOG=$BATS_TEST_TMPDIR/lab.log
	rm -f "$LAB_LOG"
	env LD_PRELOAD="$BUILD/faults.so" LAB_FAULTS_LOG="$LOG" "${@:2}" \
		"$BUILD/$1" --port 0 >"$LAB_LOG" 2>"$LAB_LOG.err" 3>&- &
	LAB_PID=$!
	wait_until 10 listening
}

# everything_comes_back: one big stream, one slow reader, small requests, many clients.
everything_comes_back() {
	"$CLIENT" --port "$LAB_PORT" --size 100000 &&
		"$CLIENT" --port "$LAB_PORT" --mode slow --size 1000000 </dev/null &&
		"$CLIENT" --port "$LAB_PORT" --mode ping --size 500 --count 10 &&
		many_clients
}

many_clients() {
	"$BUILD/load" --port "$LAB_PORT" --json --connections 60 --size 3000 --graceful \
		--duration 0.1 --warmup 0.02 >"$BATS_TEST_TMPDIR/load.json"
}

@test "faults: 02, 03, 04, 07 and 08 return every byte, and met every kind" {
	for lab in 02-nonblocking 03-epoll-lt 04-epoll-et 07-et-fair 08-oneshot; do
		rm -f "$LOG"
		for seed in 1 2 3; do
			faulty_lab $lab LAB_FAULTS=$seed
			run everything_comes_back
			assert_success
			stop_lab
		done
		met=$(cat "$LOG")
		[[ $(wc -l <"$LOG") -eq 3 ]] || fail "three runs, but: $met"
		for kind in 'accept '{EINTR,ECONNABORTED,EMFILE,ENFILE,ENOMEM,ENOBUFS} \
			{recv,send}' '{short,EINTR,EAGAIN} 'wait EINTR'; do
			[[ $lab$kind != 02-*wait* ]] || continue # it never waits
			[[ $lab$kind != 08-*EAGAIN ]] || continue # not after ONESHOT: faults.c
			[[ $met == *" $kind "* ]] || fail "$lab never met $kind: $met"
		done
	done
}

@test "faults: 01 returns every byte to one client at a time, and is never told EAGAIN" {
	faulty_lab 01-blocking LAB_FAULTS=4
	for _ in 1 2 3; do
		run "$CLIENT" --port "$LAB_PORT" --size 100000
		assert_success
	done
	stop_lab
	run cat "$LOG"
	assert_output --partial 'recv short'
	refute_output --partial EAGAIN
}

@test "faults: without memory some connection goes, the server stays" {
	for lab in 02-nonblocking 03-epoll-lt 04-epoll-et 07-et-fair 08-oneshot; do
		rm -f "$LOG"
		faulty_lab $lab LAB_FAULTS=1,malloc
		for _ in 1 2 3; do
			many_clients || true
		done
		served=no
		for _ in {1..20}; do
			! "$CLIENT" --port "$LAB_PORT" --size 1000 || served=yes
		done
		stop_lab
		run cat "$LOG"
		assert_output --partial 'malloc ENOMEM'
		[[ $served == yes ]] || fail "$lab serves nobody any more"
	done
}

# fates SEED: what 04 meets when all its input is there before it looks.
fates() {
	faulty_lab 04-epoll-et LAB_FAULTS="$1" LAB_TRACE=1
	kill -STOP "$LAB_PID"
	wait_until 5 grep -q '^State:.T' "/proc/$LAB_PID/status"
	(head -c 30000 /dev/zero | nc -N 127.0.0.1 "$LAB_PORT" >/dev/null) 3>&- &
	NC_PID=$!
	wait_until 5 fin_arrived
	kill -CONT "$LAB_PID"
	wait $NC_PID
	unset NC_PID
	stop_lab
	grep -Eo '(accept4|recv|send)\(.*' "$LAB_LOG.err"
}

fin_arrived() {
	[[ -n $(ss -Htn state close-wait "sport = :$LAB_PORT") ]]
}

@test "faults: the same seed gives the same faults, another seed others" {
	requires nc ss
	fates 11 >"$BATS_TEST_TMPDIR/one"
	fates 11 >"$BATS_TEST_TMPDIR/two"
	fates 12 >"$BATS_TEST_TMPDIR/three"
	[[ $(wc -l <"$BATS_TEST_TMPDIR/one") -gt 10 ]]
	diff "$BATS_TEST_TMPDIR/one" "$BATS_TEST_TMPDIR/two"
	run diff "$BATS_TEST_TMPDIR/one" "$BATS_TEST_TMPDIR/three"
	assert_failure 1
}

@test "faults: mistakes that fair weather hides are found" {
	for wrong in eintr-fatal short-write-lost emfile-strands; do
		faulty_lab "zoo/$wrong"
		run "$CLIENT" --port "$LAB_PORT" --size 3000
		assert_success
		run many_clients
		assert_success
		stop_lab
		faulty_lab "zoo/$wrong" LAB_FAULTS=3
		run short_of_something
		assert_failure
		kill "$LAB_PID" 2>/dev/null || true
		wait "$LAB_PID" || true
		unset LAB_PID
	done
}

short_of_something() {
	for _ in {1..20}; do
		"$CLIENT" --port "$LAB_PORT" --size 3000 --quiet 300 --patience 500 || return
	done
}

@test "faults: they do not excuse 05" {
	faulty_lab 05-et-starving LAB_FAULTS=1
	run "$CLIENT" --port "$LAB_PORT" --size 10000 --quiet 300 --patience 500
	assert_failure
}

@test "faults: nothing happens unless asked for" {
	export LAB_COUNTS=$BATS_TEST_TMPDIR/counts
	for how in '' LAB_FAULTS=; do
		# shellcheck disable=SC2086
		faulty_lab 04-epoll-et $how
		run "$CLIENT" --port "$LAB_PORT" --size 100000
		assert_success
		[[ $(count recv.eintr) -eq 0 && $(count accept4.errors) -eq 0 ]]
		stop_lab
		[[ ! -e $LOG ]]
	done
}

@test "faults: a bad seed is one line that names it, status 2" {
	for bad in x -1 ' 1' 1x '1,' 1,mal 99999999999999999999999; do
		run --separate-stderr env LD_PRELOAD="$BUILD/faults.so" LAB_FAULTS="$bad" \
			"$BUILD/04-epoll-et" --help
		assert_failure 2
		[[ -z $output && $stderr == *LAB_FAULTS*"'$bad'"* && $stderr != *$'\n'* ]] ||
			fail "$stderr"
	done
}
