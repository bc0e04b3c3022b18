#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # Bats sets and reads these elsewhere
# Nothing of the environment is assumed: no locale, no terminal, no home; and a tool that is
# missing is named. tests/slow/setup.bats does this on a fresh root.

setup() {
	load helper
	cd "$ROOT" || return
}

# bare COMMAND...: with nothing in the environment but where programs are.
bare() {
	env -i PATH="$PATH" "$@"
}

# path_without TOOL...: a directory of links to every other program.
path_without() {
	local dir=$BATS_TEST_TMPDIR/bin place tool
	if [[ ! -d $dir ]]; then
		mkdir "$dir"
		for place in /usr/local/bin /usr/bin /bin /usr/sbin /sbin; do
			cp -sn "$place"/* "$dir/" 2>/dev/null || true # a program that an earlier one hides
		done
	fi
	for tool in "$dir"/*.hidden; do [[ ! -L $tool ]] || mv "$tool" "${tool%.hidden}"; done
	for tool; do [[ ! -L $dir/$tool ]] || mv "$dir/$tool" "$dir/$tool.hidden"; done
	echo "$dir"
}

@test "setup: every script that is started directly sets its locale, itself or in its library" {
	for script in bench/* bench/*/* plots/*.sh tests/seeds tests/selfcheck tests/grade/* tests/fuzz/run; do
		[[ -x $script && -f $script ]] || continue
		grep -qE '^export LC_ALL=|^(\.|source) .*(server|apt|lib|charts)\.sh"?$' "$script" || fail "$script"
	done
	for library in bench/lib/server.sh bench/setup/apt.sh plots/charts.sh tests/grade/lib.sh tests/unit/helper.bash; do
		grep -q '^export LC_ALL=C.UTF-8' "$library" || fail "$library"
	done
}

@test "setup: charts, table and report draw without a word of warning in an empty environment" {
	load plots
	plots_setup
	for script in 'draw.sh' 'report.sh'; do
		run --separate-stderr bare BUILD="$BUILD" BENCH="$BENCH" PLOTS="$PLOTS" OUT="$OUT" plots/$script
		assert_success
		assert_equal "$stderr" ''
	done
	[[ -s $PLOTS/syscalls.svg && -s $OUT/index.html ]]
}

@test "setup: make gives its locale to all that it starts" {
	printf 'include Makefile\nshow-locale:\n\t@locale charmap\n' >"$BATS_TEST_TMPDIR/Makefile"
	for environment in -- LANG=C LC_ALL=C LC_ALL=fr_FR.UTF-8; do
		run env -i PATH="$PATH" ${environment#--} make -s -f "$BATS_TEST_TMPDIR/Makefile" show-locale
		assert_output UTF-8
	done
}

@test "setup: without a compiler make says one thing to do" {
	for target in all tests-built charts facts; do
		run --separate-stderr bare make --no-print-directory CC=no-such-compiler B="$BATS_TEST_TMPDIR/b" $target
		assert_failure 2
		assert_equal "$(grep -v '^make' <<<"$stderr")" 'no C compiler (no-such-compiler): run make setup'
	done
}

@test "setup: a compiler that finds no headers is named as that" {
	printf '#!/bin/sh\nexit 1\n' >"$BATS_TEST_TMPDIR/cc"
	chmod +x "$BATS_TEST_TMPDIR/cc"
	run --separate-stderr bare make --no-print-directory CC="$BATS_TEST_TMPDIR/cc" B="$BATS_TEST_TMPDIR/b" all
	assert_failure 2
	assert_equal "$(grep -v '^make' <<<"$stderr")" "no headers of the C library (libc6-dev) for $BATS_TEST_TMPDIR/cc: run make setup"
}

# needs_line TARGET TOOL: make TARGET without the tool says in one line that it needs it.
needs_line() {
	local path
	path=$(path_without "$2")
	# shellcheck disable=SC2086 # a target and its variables
	run --separate-stderr env -i PATH="$path" make --no-print-directory B="$BUILD" BUILD="$BUILD" $1
	[[ $status -ne 0 && $(grep -v '^make' <<<"$stderr") == *"needs $2"* ]] || fail "make $1 without $2: $status $output $stderr"
	[[ $(grep -vc '^make' <<<"$stderr") -eq 1 ]] || fail "make $1 without $2: $stderr"
}

@test "setup: a target names the tool that it needs" {
	for pair in charts:gnuplot report:gnuplot gallery:jq claims:jq bench:jq test:bats test:jq \
		test:nc test-slow:bats grade:jq selfcheck:jq lint:clang-format cross-check:jq \
		'trace LAB=04 PLOT=1:gnuplot' fuzz:clang demo-emfile:prlimit demo-herd:taskset bench:taskset; do
		needs_line "${pair%:*}" "${pair##*:}"
	done
}

@test "setup: skipped tests are counted, with each reason" {
	run awk -f tests/unit/skips.awk <<-'EOF'
		1..4
		ok 1 a # skip needs strace
		ok 2 b
		ok 3 c # skip needs strace
		ok 4 d # skip the machine is busy
	EOF
	assert_output $'3 skipped:\n    2  needs strace\n    1  the machine is busy'
	run awk -f tests/unit/skips.awk <<<'ok 1 a'
	assert_output '0 skipped'
}
