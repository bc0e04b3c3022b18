#!/usr/bin/env bats
# shellcheck disable=SC2034,SC2154 # Bats sets and reads these elsewhere
# The make targets, the runner and the demos, as a user meets them.
# shellcheck disable=SC2030,SC2031 # Bats runs every test in its own subshell

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
	assert_line $'scenario\tserver\tcase\ttrial\tkept\tmetric\tvalue'
	assert_line --regexp $'^syscalls\t03-epoll-lt\t-\t1\t1\tcalls\t[0-9.]+$'
	assert_line --regexp $'^syscalls\t04-epoll-et\t-\t1\t1\tcalls\t[0-9.]+$'
	refute_line --partial 01-blocking
}

@test "the model holds: LT makes 3k calls a request, ET that drains 2k+2" {
	OUT=$BATS_TEST_TMPDIR/out SCENARIOS=ksweep run bench/run
	assert_success
	run awk -F'\t' '
		$2 ~ /^0[34]/ {
			model = $2 ~ /^03/ ? 3 * $3 : 2 * $3 + 2
			off = $7 / model - 1
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
	wait_until 10 grep -q 'round 1' "$BATS_TEST_TMPDIR/err"
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

bench_commands() {
	local file
	for file in bench/* bench/*/*; do
		[[ ! -f $file || ! -x $file ]] || echo "$file"
	done
}

@test "every command in bench/ answers --help, refuses what it does not take, and does nothing else" {
	[[ $(bench_commands | wc -l) -ge 20 ]]
	while read -r command; do
		# Without a build each of them would fail, were it to start.
		BUILD=$BATS_TEST_TMPDIR OUT=$BATS_TEST_TMPDIR/out \
			run --separate-stderr timeout 5 "$command" --help
		[[ $status -eq 0 && -n $output && -z $stderr && $output != *'#'* ]] ||
			fail "$command --help: status $status, $output $stderr"
		BUILD=$BATS_TEST_TMPDIR OUT=$BATS_TEST_TMPDIR/out \
			run --separate-stderr timeout 5 "$command" --nonsense
		[[ $status -eq 2 && -z $output && ${#stderr_lines[@]} -eq 1 && $stderr == *"'--nonsense'"* ]] ||
			fail "$command --nonsense: status $status, $output $stderr"
	done < <(bench_commands)
	[[ ! -e $BATS_TEST_TMPDIR/out ]]
}

# blames STATUS TEXT COMMAND...: that status, and on stderr one line with that text.
blames() {
	run --separate-stderr timeout 20 "${@:3}"
	[[ $status -eq $1 && ${#stderr_lines[@]} -eq 1 && $stderr == *"$2"* ]] ||
		fail "${*:3}: status $status, $stderr"
}

start_wrong() { # MODE AFTER
	mkdir -p "$BATS_TEST_TMPDIR/tests" # where start_lab puts its log
	start_lab tests/bad_echo --mode "$1" --after "$2"
}

@test "flood compares every byte of a ping, and ends with 3 on surplus, FIN and RST" {
	while IFS='|' read -r mode text; do
		start_wrong "$mode" 3
		blames 3 "flood: $text" "$BUILD/flood" --port "$LAB_PORT" --flooders 0 --interval 5 \
			--before 100 --during 0 --after 0
		stop_lab
	done <<-'END'
		flip|an answer has not the bytes of its ping
		drop|an answer has not the bytes of its ping
		stale|an answer has not the bytes of its ping
		twice|
		close|the server has closed a connection
		reset|the server has reset a connection
	END
}

@test "flood: more back on a flooded connection than it sent is surplus" {
	start_wrong twice 0
	blames 3 'flood: the server has sent more bytes than it got' "$BUILD/flood" \
		--port "$LAB_PORT" --flooders 1 --before 0 --during 100 --after 0
}

@test "nudge ends with 3 and a line where the server closes, resets, or answers other bytes" {
	while IFS='|' read -r mode text; do
		start_wrong "$mode" 3
		blames 3 "nudge: $text" "$BUILD/nudge" --port "$LAB_PORT" --burst 10 --silence 20 \
			--nudges 6 --gap-ms 5
		stop_lab
	done <<-'END'
		flip|the answers are not the bytes that were sent
		twice|the server has sent more bytes than it got
		close|the server has closed the connection
		reset|the server has closed the connection
	END
}

@test "ask ends with 3 and a line where a reply is wrong, or bytes follow it" {
	start_wrong flip 1
	run --separate-stderr "$BUILD/ask" --port "$LAB_PORT" --requests 3
	assert_failure 3
	assert_equal "${stderr_lines[-1]}" 'ask: the reply is not what was sent'
	stop_lab
	start_wrong twice 0 # the only one: behind another, its surplus would be that one's reply
	run --separate-stderr "$BUILD/ask" --port "$LAB_PORT"
	assert_failure 3
	assert_equal "${stderr_lines[-1]}" 'ask: the server has sent more bytes than it got'
}

@test "sink has the default port of all others, and 0 is none" {
	run "$BUILD/sink" --help
	assert_line --regexp '--port PORT .*\(8080\)'
	blames 2 "--port: '0' is not a whole number from 1 to 65535" "$BUILD/sink" --port 0
}

@test "torture: nobody on --port is one line and status 3, in every style" {
	start_lab 03-epoll-lt
	port=$LAB_PORT
	stop_lab
	for style in --runs=1 --tap --json; do
		blames 3 "torture: no server at 127.0.0.1 port $port: Connection refused" \
			"$BUILD/torture" --port "$port" $style
		assert_output ''
	done
}

@test "torture: a command of 200 words starts with all of them" {
	printf '#!/bin/sh\n[ $# -eq 201 ] && exec "%s" --port 0\necho "$# words" >&2\n' \
		"$BUILD/03-epoll-lt" >"$BATS_TEST_TMPDIR/many"
	chmod +x "$BATS_TEST_TMPDIR/many"
	run "$BUILD/torture" --probe dribble --spawn "$BATS_TEST_TMPDIR/many $(printf 'x %.0s' {1..199})"
	assert_success
}

@test "torture: --keep-going is what it does anyway, and still accepted" {
	run "$BUILD/torture" --help
	refute_output --partial keep-going
	run "$BUILD/torture" --keep-going --list
	assert_success
}

@test "torture: a server may say more than that it listens" {
	cat >"$BATS_TEST_TMPDIR/chatty" <<-END
		#!/bin/bash
		exec > >(IFS= read -r line; cat <<<"\$line"\$'\nnote: hello'; exec cat)
		exec "$BUILD/03-epoll-lt" --port 0
	END
	chmod +x "$BATS_TEST_TMPDIR/chatty"
	run "$BUILD/torture" --probe dribble --spawn "$BATS_TEST_TMPDIR/chatty"
	assert_success
}

@test "flood: a server that answers no ping has no slowest answer" {
	start_wrong silent 0
	blames 3 'flood: pings are left without an answer' "$BUILD/flood" --port "$LAB_PORT" \
		--flooders 0 --before 20 --during 0 --after 0
	assert_output --regexp '^pings: 0 of [0-9]+ answered$'
}

@test "one text for a mask of events, an errno and a JSON string, whatever its bytes" {
	run "$BUILD/tests/text_check"
	assert_success
	assert_output ''
}
