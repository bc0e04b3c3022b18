# What the two files of tests of make trace share. Load after helper.
# shellcheck shell=bash disable=SC2034,SC2154 # Bats sets and reads these elsewhere

trace_setup() {
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

# carried SENDER: the bytes that the arrows from the client (▶) or from the server (◀) carry.
carried() {
	case $1 in
	client) sed -n 's/.* send([0-9]*, [0-9]*) → \([0-9]*\) .*▶$/\1/p' trace ;;
	server) sed -n 's/.*◀.* \([0-9]*\) bytes .*/\1/p' trace ;;
	esac | awk '{ n += $1 } END { print n + 0 }'
}
