#!/usr/bin/env bats
# shellcheck disable=SC2034,SC2154 # Bats sets and reads these elsewhere
# Plausible mistakes of students, tests/grade/mistakes/: the first explanation has to be the
# right one. Each file holds functions that take the place of the lab's own.

setup() {
	load ../unit/helper
	load ../unit/grade
	grade_setup
}

teardown() {
	nothing_left
}

# first_explained SOURCE: the first explanation of a check, on one line.
first_explained() {
	awk '/^[a-z0-9-]+$/ { n++ } /^(calls|  calls)/ { quiet = 1 } /^  read/ { quiet = 0 }
		/^still empty/ || n == 1 && !quiet' "$1" | xargs -d '\n' | tr -s ' '
}

# mistakes GLOB: checks each that fits.
mistakes() {
	local file lab source wanted
	for file in "$GRADE"/mistakes/$1.c; do
		lab=$(basename "$file" .c) lab=${lab%%-*}
		source=$BATS_TEST_TMPDIR/server.c
		awk -f "$GRADE/mistake.awk" "$file" "$ROOT"/labs/"$lab"-*/server.c >"$source"
		wanted=$(sed -n 's/^ \* First cause: //p' "$file")
		"$GRADE/check" "$lab" "$source" >"$BATS_TEST_TMPDIR/said" 2>/dev/null && fail "$file passes"
		run awk 'length > 80 && !/→/ && !/warning|\|/' "$BATS_TEST_TMPDIR/said"
		[[ -z $output ]] || fail "${file##*/}: wider than 80 columns: $output"
		[[ $(first_explained "$BATS_TEST_TMPDIR/said") == *"$wanted"* ]] ||
			fail "${file##*/}: not '$wanted' but: $(first_explained "$BATS_TEST_TMPDIR/said")"
	done
}

@test "mistakes: lab 03, those of watch" {
	mistakes '03-[aim]*'
}

@test "mistakes: lab 03, the others" {
	mistakes '03-[cnlo]*'
}

@test "mistakes: lab 04, a to n" {
	mistakes '04-[a-n]*'
}

@test "mistakes: lab 04, o to r" {
	mistakes '04-[o-r]*'
}

@test "mistakes: lab 04, s to z" {
	mistakes '04-[s-z]*'
}

# readme_says LAB: how many probes exercise E1 promises, of how many.
readme_says() {
	section "$1" | sed -n '/^\*\*E1/,/^\*\*E2/p' | grep -oE '[0-9]+ of [0-9]+ probes'
}

@test "mistakes: exercise E1 of lab 04 ends with the line that its README promises" {
	awk -f "$GRADE/mistake.awk" "$GRADE/mistakes/04-sends-too-late.c" "$ROOT/labs/04-epoll-et/server.c" \
		>"$BATS_TEST_TMPDIR/e1.c"
	run "$GRADE/check" 04 "$BATS_TEST_TMPDIR/e1.c"
	assert_failure 1
	[[ ${lines[-1]} == "04-epoll-et: $(readme_says 04-epoll-et), not yet"* ]] || fail "${lines[-1]}"
}
