#!/usr/bin/env bats
# Every demo on a terminal of 80 columns and 24 lines, as a projector shows it.
# shellcheck shell=bash disable=SC2154

setup() {
	load ../unit/helper
	load ../unit/screen
	cd "$ROOT" || return 1
}

teardown() {
	close_terminal
}

# stays_in ROW TEXT: the only place of the picture; no second one below it.
stays_in() {
	[[ $(row "$2") == "$1" ]] || fail "'$2' is not in row $1: $(picture)"
}

# plays DEMO TEXT: from its first picture, which has the text, to its verdict nothing scrolls or
# wraps. It takes at most 30 s. In 60 columns Ctrl-C ends it, and leaves nothing behind.
plays() {
	local first off began
	open_terminal 80
	began=${EPOCHREALTIME/[.,]/}
	play "bench/demos/$1"
	wait_until 15 row "$2"
	first=$(row "$2") off=$(scrolled)
	until played; do
		stays_in "$first" "$2"
		((${EPOCHREALTIME/[.,]/} - began < 30000000)) || fail "still playing after 30 s: $(picture)"
		pause 0.2
	done
	stays_in "$first" "$2"
	[[ $(scrolled) == "$off" ]] || fail "it scrolls: $(page)"
	[[ $(row "LOOK AT") -lt $first ]] || fail "the text has left the screen: $(picture)"
	row "$1: " || fail "no verdict: $(picture)"
	nothing_wraps "$1"
	! page | grep -nE '^.{80}' || fail "the last column is free, unless a line was cut there"
	terminal_is_left_alone
	[[ $(<"$OUT/status") == 0 ]] || fail "$(picture)"
	close_terminal

	open_terminal 60
	play "trap : INT; TMPDIR=$OUT bench/demos/$1"
	wait_until 15 row "${2:0:20}"
	pause 0.5
	nothing_wraps "$1"
	terminal send-keys -t s C-c
	wait_until 10 played
	[[ $(<"$OUT/status") == 130 ]] || fail "status $(<"$OUT/status"): $(picture)"
	terminal_is_left_alone
	[[ -z $(compgen -G "$OUT/tmp.*") ]] || fail "left behind: $(ls "$OUT")"
}

@test "screen: demo-starvation" {
	plays starvation '03-epoll-lt    ['
}

@test "screen: demo-spin" {
	plays spin '03-epoll-lt  '
}

@test "screen: demo-blocking" {
	plays blocking '01-blocking      '
}

@test "screen: demo-emfile" {
	plays emfile '03-epoll-lt   '
}

@test "screen: demo-fairness" {
	plays fairness 'the flood ---'
}

@test "screen: demo-herd" {
	plays herd 'clients are connected'
}

@test "screen: demo-oneshot" {
	plays oneshot 'messages are sent'
}

@test "screen: demo-overwrite" {
	plays overwrite '03-epoll-lt    has'
}
