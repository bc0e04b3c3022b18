#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2034,SC2154 # Bats sets and reads these elsewhere; try expands
# The commands "by hand" that make check shows: on a right server they show the right thing,
# on a wrong one they do not. tests/grade/by-hand.tsv: probe, lab, what a right server shows
# (a regular expression, lines joined by spaces), a wrong server.

setup() {
	load ../unit/helper
	load ../unit/grade
	grade_setup
	requires nc prlimit ss ps
}

# shown PROBE LAB SERVER: what the command shows, on one line.
shown() {
	local hand with
	hand=$(awk -F'\t' -v p="$1" '$1 == p { print $4 }' "$GRADE/causes")
	with=$(awk -F'\t' -v p="$1" '$1 == p { print $5 }' "$GRADE/causes")
	[[ $with != - ]] || with=$(options "$2")
	# shellcheck disable=SC2086 # words
	SERVER=$BUILD/$3 timeout 60 "$GRADE/try" "$2" "${hand//SIZE/20000}" $with 2>&1 </dev/null 3>&- 4>&- |
		xargs
}

fits() { # EXPRESSION TEXT
	if [[ $1 =~ ^([0-9]+)\ lines$ ]]; then
		[[ $(wc -w <<<"$2") -eq ${BASH_REMATCH[1]} ]]
	else
		grep -qE -- "$1" <<<"$2"
	fi
}

@test "by hand: each command is in the table, and stops the server that it started" {
	run diff <(awk -F'\t' '!/^#/ && $4 != "-" { print $1 }' "$GRADE/causes" | sort) \
		<(cut -f1 "$GRADE/by-hand.tsv" | sort)
	assert_success
	run "$GRADE/try" 04 'echo $PID' </dev/null
	SERVER=$BUILD/04-epoll-et run "$GRADE/try" 04 'kill -STOP $PID; echo $PID'
	assert_success
	run ! kill -0 "$output"
}

@test "by hand: a right server shows the right thing, a wrong one does not" {
	while IFS=$'\t' read -r probe lab right wrong; do
		output=$(shown "$probe" "$lab" "$lab")
		fits "$right" "$output" || fail "$probe on $lab: '$output' is not '$right'"
		[[ $wrong != - ]] || continue
		output=$(shown "$probe" "$lab" "$wrong")
		! fits "$right" "$output" || fail "$probe on $wrong: '$output' looks right"
	done <"$GRADE/by-hand.tsv"
}
