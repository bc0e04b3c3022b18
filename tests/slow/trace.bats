#!/usr/bin/env bats
# make trace over every lab.

setup() {
	load ../unit/helper
	cd "$BATS_TEST_TMPDIR" || return 1
	export BENCH=$BATS_TEST_TMPDIR/bench PLOTS=$BATS_TEST_TMPDIR/plots
}

# traced LAB [SIZE]: its output in $output and in the file `trace`.
traced() {
	SIZE=${2-6} run "$ROOT/bench/trace/trace" "$1"
	assert_success
	printf '%s\n' "$output" >trace
	calls=$(sed -n 's/^server: \([0-9]*\) calls for the request: .*/\1/p' trace)
}

# Characters, not bytes: whatever the locale of the test.
too_wide() {
	LC_ALL=C awk -v most="$1" '{ s = $0; gsub(/[\200-\277]/, "", s) } length(s) > most' "$2"
}

# bytes SENDER: what the arrows from the client (▶) or from the server (◀) carry.
carried() {
	case $1 in
	client) sed -n 's/.* send([0-9]*, [0-9]*) → \([0-9]*\) .*▶$/\1/p' trace ;;
	server) sed -n 's/.*◀.* \([0-9]*\) bytes .*/\1/p' trace ;;
	esac | awk '{ n += $1 } END { print n + 0 }'
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
