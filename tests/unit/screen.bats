#!/usr/bin/env bats
# What is shown fits a terminal of 80 columns and 24 lines, and a narrower one.
# shellcheck shell=bash disable=SC2154

setup() {
	load helper
	load screen
	cd "$ROOT" || return 1
}

teardown() {
	close_terminal
	stop_lab
}

# fits COLUMNS COMMAND...: each command in its turn.
fits() {
	local command
	open_terminal "$1"
	for command in "${@:2}"; do
		play "$command"
		wait_until 30 played
		nothing_wraps "$command"
	done
}

# server: one with a client, whose byte it will not read: scope has something to say.
server() {
	export LAB_COUNTS=$BATS_TEST_TMPDIR/counts
	start_lab 05-et-starving
	exec {client}<>"/dev/tcp/127.0.0.1/$LAB_PORT"
	printf '%0300d' 0 >&"$client"
	wait_until 10 [ "$(count recv.bytes)" -gt 0 ]
}

@test "screen: texts fit 80 columns" {
	server
	fits 80 "make -s help" "make -s demo" "make -s zoo" "make -s diffstat" bench/setup/doctor \
		"$BUILD/facts" "$BUILD/facts --row half-read" "$BUILD/facts --quiz </dev/null" \
		"tests/grade/hint 01 3" "$BUILD/torture --list" \
		"$BUILD/torture --port $LAB_PORT --probe burst" \
		"$BUILD/counts $LAB_COUNTS" "$BUILD/scope --once $LAB_PID"
}

@test "screen: in 60 columns texts are wrapped between words, or cut" {
	server
	fits 60 "make -s help" "make -s demo" "make -s zoo" "tests/grade/hint 01 3" \
		"$BUILD/torture --port $LAB_PORT --probe burst" "$BUILD/scope --once $LAB_PID"
}

# stays TEXT COMMAND: the row of the text is the same in each of some frames, and nothing scrolls.
stays() {
	local first off
	play "$2"
	wait_until 10 row "$1"
	first=$(row "$1") off=$(scrolled)
	for _ in 1 2 3; do
		pause 0.6
		[[ $(row "$1") == "$first" ]] || fail "$1 is not in row $first: $(picture)"
		[[ $(picture | grep -cF -- "$1") -eq 1 ]] || fail "twice: $(picture)"
	done
	[[ $(scrolled) == "$off" ]] || fail "it scrolls: $(page)"
	nothing_wraps "$2"
	terminal send-keys -t s C-c
	wait_until 10 played
	terminal_is_left_alone
}

@test "screen: scope and counts --watch redraw in place, and leave the terminal as it was" {
	server
	open_terminal 80
	stays ', state ' "trap : INT; $BUILD/scope --interval 0.3 $LAB_PID"
	stays 'per second' "trap : INT; $BUILD/counts --watch $LAB_COUNTS"
	close_terminal
	open_terminal 60 12
	stays ', state ' "trap : INT; $BUILD/scope --interval 0.3 $LAB_PID"
}

@test "screen: a dumb terminal and a pipe get no escape codes" {
	server
	open_terminal 80
	for command in "$BUILD/scope $LAB_PID" "timeout -s TERM 1.5 $BUILD/counts --watch $LAB_COUNTS"; do
		play "env TERM=dumb script -qc '$command' /dev/null >$OUT/raw"
		wait_until 10 played
		[[ -s $OUT/raw ]]
		! grep -q $'\e' "$OUT/raw" || fail "$command: $(cat -v "$OUT/raw")"
		run bash -c "$command"
		refute_output --partial $'\e'
	done
}

@test "screen: wrap keeps words whole, and what fits as it is" {
	run bench/lib/wrap 4 <<<$'short  line\n'"$(printf 'word%02d ' {1..20})"
	assert_line --index 0 'short  line'
	assert_line --index 1 "$(printf 'word%02d ' {1..11} | sed 's/ $//')"
	assert_line --index 2 "    $(printf 'word%02d ' {12..20} | sed 's/ $//')"
}
