#!/usr/bin/env bats
# shellcheck disable=SC2154 # the file loaded sets these
# make trace over every lab.

setup() {
	load ../unit/helper
	load ../unit/trace
	trace_setup
}

@test "trace: every other lab answers in it, and no process stays" {
	for dir in "$ROOT"/labs/[01]*; do
		lab=${dir##*/}
		[[ ! $lab =~ ^(0[345]|1[2-9]) ]] || continue # traced above; no echo servers
		traced "$lab"
		[[ $(carried server) -eq 6 && $calls -ge 2 ]] || fail "$lab: $output"
		[[ $(wc -l <trace) -le 45 ]] || fail "$lab: what repeats itself is not told once"
	done
	for exe in /proc/[0-9]*/exe; do
		[[ $(readlink "$exe" 2>/dev/null) != "$BUILD/ask" ]] || fail "a client stayed: $exe"
	done
}
