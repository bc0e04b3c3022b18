#!/usr/bin/env bats
# shellcheck disable=SC2034,SC2154 # Bats sets and reads these elsewhere
# The make targets, the runner and the demos, as a user meets them.

setup() {
	load helper
	cd "$ROOT" || return 1
}

teardown() {
	stop_lab
	[[ -z ${RUNNER-} ]] || kill "$RUNNER" 2>/dev/null || true
}

# Processes that run something out of our build directory for this test.
ours() {
	pgrep -f "$BUILD/0[1-6]-.*--port 0|$BUILD/load" || true
}

none_of_ours() {
	[[ -z $(ours) ]]
}

@test "make help lists the targets with a line each" {
	run make -s help
	assert_success
	assert_line --regexp '^make plots +.+'
	assert_line --regexp '^make test +.+'
	assert_line --regexp '^make diffstat +.+'
}

@test "LAB takes a number, a name or both, and says what there is otherwise" {
	for lab in 04 epoll-et 04-epoll-et; do
		run make -s diff LAB=$lab
		assert_success
		assert_line --partial '--- labs/03-epoll-lt/server.c'
	done
	run make -s diff LAB=nope
	assert_failure
	assert_line --partial "LAB: 'nope' is none of 01-blocking"
}

@test "diffstat names each lab's parent and the lines that changed" {
	run make -s diffstat
	assert_success
	assert_line --regexp '^04-epoll-et +03-epoll-lt +[0-9]+, [0-9]+$'
	assert_line --regexp '^05-et-starving +04-epoll-et +1?[0-9], [0-9]+$'
}

@test "the README's table of labs is what diffstat says" {
	while read -r lab parent changed _; do
		[[ $lab != lab && $parent != - ]] || continue
		run grep -F "(labs/$lab)" README.md
		assert_success
		assert_output --partial "$parent"
		assert_output --partial "${changed%,}"
	done < <(make -s diffstat)
}

@test "the quick start in the README is two commands that exist" {
	grep -q 'make setup plots' README.md
	grep -q 'make setup test' README.md
	run make -n setup plots test
	assert_success
}

@test "a wrong sanitizer is refused by name" {
	run make -s SAN=wrong
	assert_failure
	assert_line --partial "SAN is asan or tsan, not 'wrong'"
}

@test "nudge sees 05 answer one chunk an edge, and 04 everything" {
	start_lab 05-et-starving
	run "$BUILD/nudge" --port "$LAB_PORT" --silence 300 --nudges 3
	assert_line 'sent 10000, silent for 300 ms: answered 100'
	assert_line 'and 3 single bytes: sent 10003, answered 400'
	stop_lab
	start_lab 04-epoll-et
	run "$BUILD/nudge" --port "$LAB_PORT" --silence 300 --nudges 3
	assert_line 'and 3 single bytes: sent 10003, answered 10003'
}

@test "nudge says in one line that nobody listens" {
	start_lab 03-epoll-lt
	port=$LAB_PORT
	stop_lab
	run --separate-stderr "$BUILD/nudge" --port "$port"
	assert_failure 1
	assert_output ''
	[[ ${#stderr_lines[@]} -eq 1 && $stderr == *"connect to 127.0.0.1"*refused ]]
}

@test "bench/run measures what it is asked for and writes the machine into the file" {
	OUT=$BATS_TEST_TMPDIR/out LABS="03 04" SCENARIOS=syscalls run bench/run
	assert_success
	run cat "$BATS_TEST_TMPDIR/out/syscalls.tsv"
	assert_line --regexp '^# kernel: Linux '
	assert_line --regexp '^# pinning: client cpu [0-9]+, server cpu [0-9]+'
	assert_line --regexp '^lab	requests	epoll_wait	recv_ok'
	assert_line --regexp '^03-epoll-lt	'
	assert_line --regexp '^04-epoll-et	'
	refute_line --regexp '^01'
}

@test "the model holds: LT makes 3k calls a request, ET that drains 2k+2" {
	OUT=$BATS_TEST_TMPDIR/out SCENARIOS=ksweep run bench/run
	assert_success
	run awk -F'\t' '
		/^0[34]/ {
			model = /^03/ ? 3 * $2 : 2 * $2 + 2
			off = $5 / model - 1
			if (off < -0.05 || off > 0.05) print "off by", off ": " $0
			n++
		}
		END { print n + 0, "points" }' "$BATS_TEST_TMPDIR/out/ksweep.tsv"
	assert_output '12 points'
}

@test "bench/run refuses a wrong profile or scenario in one line" {
	PROFILE=huge run bench/run
	assert_failure 1
	assert_output "run: PROFILE: 'huge' is neither quick nor full"
	SCENARIOS=nope run bench/run
	assert_failure 1
	assert_output "run: SCENARIOS: no scenario 'nope'"
}

@test "Ctrl-C in bench/run leaves no process and no half-written file" {
	out=$BATS_TEST_TMPDIR/out
	OUT=$out SCENARIOS=latency env --default-signal=INT setsid bench/run >/dev/null 2>"$BATS_TEST_TMPDIR/err" 3>&- &
	RUNNER=$!
	wait_until 10 grep -q 'trial 1 of' "$BATS_TEST_TMPDIR/err"
	wait_until 10 pgrep -f "$BUILD/load"
	kill -INT -- "-$RUNNER"
	rc=0
	wait "$RUNNER" || rc=$?
	unset RUNNER
	[[ $rc -eq 130 ]]
	wait_until 5 none_of_ours
	[[ ! -e $out ]]
}

@test "torture: a server that sleeps 0.25 s before each answer is slow; one that sleeps 0.75 s is silent, but for --slow 2" {
	slow() { # MS [OPTION...]
		run "$BUILD/torture" --probe rearm "${@:2}" --spawn "$BUILD/tests/bad_echo --mode merge --linger-ms $1"
	}
	slow 250
	assert_success
	slow 750
	assert_failure 1
	assert_output --partial '0 of 100 bytes back, then silence'
	slow 750 --slow 2
	assert_success
}
