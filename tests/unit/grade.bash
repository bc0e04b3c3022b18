# What the tests of the grader share. Load after helper.
# shellcheck shell=bash disable=SC2034,SC2154 # Bats sets and reads these elsewhere

grade_setup() {
	requires jq timeout cc
	export BUILD WORK=$BATS_TEST_TMPDIR/work
	GRADE=$ROOT/tests/grade
	unset JSON PROBES FORCE LEVEL
	# shellcheck source=tests/grade/lib.sh
	source "$GRADE/lib.sh"
	mapfile -t LABS < <(labs_with_exercise)
}

own_source() { # LAB: the source that is right for its exercise
	echo "$ROOT/labs/$(solution "$1")/server.c"
}

# nasty PROBE: a program whose main does what stdin says, once it listens; it must fail, soon,
# and nothing of it may stay. Sets output.
nasty() {
	local src=$BATS_TEST_TMPDIR/nasty.c out=$BATS_TEST_TMPDIR/out rc=0 pid
	{
		printf '#include "%s.h"\n' args net
		printf '#include <%s.h>\n' signal stdio stdlib string unistd
		echo 'int main(int argc, char **argv) { struct address at = args_server(argc, argv, "nasty", NULL);'
		cat
		echo '}'
	} >"$src"
	PROBES=$1 timeout -k 1 50 "$GRADE/check" 04 "$src" >"$out" 2>&1 3>&- 4>&- &
	pid=$!
	wait "$pid" || rc=$?
	output=$(<"$out")
	[[ $rc -eq 1 ]] || fail "status $rc: $output"
	[[ ${#output} -lt 10000 ]] || fail "$(wc -c <"$out") bytes of output"
	assert_equal "$(tail -n 1 "$out")" '04-epoll-et: 0 of 1 probes asked for, not yet'
	nothing_left
}

# Everything in a cage has a mark in its environment, and what these tests started their own.
nothing_left() {
	local left
	left=$(grep -lsz "^GRADE_MARK=grade-" /proc/[0-9]*/environ |
		xargs -r grep -lszFx "BATS_RUN_TMPDIR=$BATS_RUN_TMPDIR" |
		cut -d/ -f3 | xargs -r ps -o pid,ppid,args) || true
	[[ $left != *nasty* && $left != */server* && $left != */client* ]] || fail "$left"
}
