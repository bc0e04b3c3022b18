#!/usr/bin/env bats
# shellcheck disable=SC2034,SC2154 # Bats sets and reads these elsewhere
# The grader: skeletons, verdicts, hints, and students' servers that behave badly.
# shellcheck disable=SC2030,SC2031 # Bats runs every test in its own subshell

setup() {
	load helper
	load grade
	grade_setup
}

# A client that outlives its check would also keep Bats from ending.
teardown() {
	nothing_left
}

one_line_status_2() { # WORD COMMAND...
	run --separate-stderr "${@:2}"
	assert_failure 2
	[[ -z $output && ${#stderr_lines[@]} -eq 1 && $stderr == *"$1"* ]] || fail "$*: $output$stderr"
}

@test "exercises: each skeleton compiles without a warning, and only the named bodies are gone" {
	[[ ${#LABS[@]} -ge 6 ]]
	for lab in "${LABS[@]}"; do
		"$GRADE/exercise" "$lab"
		run cc -std=c11 -D_GNU_SOURCE -I"$ROOT/common" -Wall -Wextra -Wpedantic -Wshadow -Wmissing-prototypes \
			-Wformat=2 -Wconversion -O2 -c -o "$BATS_TEST_TMPDIR/o" "$WORK/$lab/server.c"
		assert_success
		assert_output ''
		for f in $(functions "$lab"); do
			[[ $(contract "$lab" "$f") == *[.?] ]] || fail "$lab: no contract for $f"
			grep -q "^static .*[ *]$f(" "$ROOT/labs/$lab/server.c" || fail "$lab has no $f"
		done
		if to_mend "$lab"; then
			[[ $(grep -c TODO "$WORK/$lab/server.c") -eq $(functions "$lab" | wc -w) ]]
			run diff "$ROOT/labs/$lab/server.c" "$WORK/$lab/server.c"
			refute_line --regexp '^<' # it comes whole
		else
			[[ $(grep -c '^/\* TODO: ' "$WORK/$lab/server.c") -eq $(functions "$lab" | wc -w) ]]
			[[ $(sed -n '/^int main/,$p' "$WORK/$lab/server.c") == "$(sed -n '/^int main/,$p' "$ROOT/labs/$lab/server.c")" ]]
		fi
	done
}

@test "exercises: a student's file is never overwritten; FORCE=1 keeps it" {
	"$GRADE/exercise" 04
	echo mine >"$WORK/04-epoll-et/server.c"
	one_line_status_2 server.c "$GRADE/exercise" epoll-et
	[[ $(<"$WORK/04-epoll-et/server.c") == mine ]]
	FORCE=1 "$GRADE/exercise" 04-epoll-et
	FORCE=1 "$GRADE/exercise" 04
	[[ $(<"$WORK/04-epoll-et/server.c.1") == mine ]]
	grep -q TODO "$WORK/04-epoll-et/server.c.2"
	grep -q TODO "$WORK/04-epoll-et/server.c"
}

@test "exercises: every probe is known to the torture or the lessons, and has its cause" {
	known=$("$BUILD/torture" --list | cut -f1)$'\n'$(sed -n 's/^lesson_\(.*\)() {/\1/p' "$GRADE/lessons.sh" | tr _ -)
	run awk -F'\t' 'NF != 7 || /\t\t/' "$GRADE/causes"
	assert_output ''
	for lab in "${LABS[@]}"; do
		probes_of "$lab" >"$BATS_TEST_TMPDIR/probes"
		[[ -s $BATS_TEST_TMPDIR/probes && -z $(sort "$BATS_TEST_TMPDIR/probes" | uniq -d) ]]
		run grep -vxFf <(echo "$known") "$BATS_TEST_TMPDIR/probes"
		assert_output '' # probes nobody knows
		run awk -F'\t' 'FNR == 1 { file++ }
			file == 1 { heading[$1] = $7 }
			file == 2 && sub(/^## ([0-9]+\. )?/, "") { there[$0] = 1 }
			file == 3 && !(heading[$1] in there) { print $1 ": no section " heading[$1] }' \
			"$GRADE/causes" "$ROOT/labs/$lab/README.md" "$BATS_TEST_TMPDIR/probes"
		assert_output ''
	done
}

@test "exercises: bad usage is one line that names the culprit, status 2" {
	one_line_status_2 "'99'" "$GRADE/exercise" 99
	one_line_status_2 "'zoo'" "$GRADE/check" zoo
	one_line_status_2 lab "$GRADE/check"
	one_line_status_2 "'99'" "$GRADE/hint" 99
	one_line_status_2 "'4'" "$GRADE/hint" 04 4
	one_line_status_2 "make exercise LAB=04" "$GRADE/check" 04
	one_line_status_2 "'/nowhere.c'" "$GRADE/check" 04 /nowhere.c
	one_line_status_2 "'$ROOT'" "$GRADE/check" 04 "$ROOT"
	PROBES=magic one_line_status_2 "'magic'" "$GRADE/check" 04 "$(own_source 04-epoll-et)"
	BUILD=/nowhere one_line_status_2 /nowhere/torture "$GRADE/check" 04 "$(own_source 04-epoll-et)"
	one_line_status_2 'make exercise' "$GRADE/grade"
}

@test "exercises: a failure tells what was done, expected, got, the cause, the command, the section" {
	PROBES=burst,four-calls run "$GRADE/check" 05 "$ROOT/labs/05-et-starving/server.c"
	assert_failure 1
	assert_line burst
	for field in did expected got because calls by\ hand read; do
		assert_line --regexp "^  $field +[^ ]"
	done
	assert_line --partial 'The server read once'
	assert_line --partial "tests/grade/try 05 '(sleep 0.2; head -c 20000"
	assert_line --partial 'labs/05-et-starving/README.md, "Read the code"'
	run awk 'length > 84' <<<"$output" # bytes: an arrow has three
	assert_output ''
	PROBES=burst,four-calls run "$GRADE/check" 05 "$ROOT/labs/05-et-starving/server.c"
	[[ ${lines[-1]} == '05-et-starving: '[01]' of 2 probes asked for, not yet' ]]
	PROBES=idle-wakeups run "$GRADE/check" 06 "$ROOT/labs/06-epollout-spin/server.c"
	assert_failure 1
	assert_line --regexp '^  got +[0-9]+ epoll_wait'
}

@test "exercises: an unfinished server is recognised by the function that is still empty" {
	"$GRADE/exercise" 04
	run "$GRADE/check" 04
	assert_failure 1
	assert_line --partial 'still empty: on_event, on_listener.'
	refute_output --partial 'did '
	awk -f "$GRADE/mistake.awk" <(body_as_written on_listener) "$WORK/04-epoll-et/server.c" >"$BATS_TEST_TMPDIR/half.c"
	run "$GRADE/check" 04 "$BATS_TEST_TMPDIR/half.c"
	assert_failure 1
	assert_line --regexp '^still empty: on_event\.'
	for lab in "${LABS[@]}"; do
		[[ -z $(unwritten "$lab" "$ROOT/labs/$lab/server.c") ]] || fail "$lab: $(unwritten "$lab" "$ROOT/labs/$lab/server.c")"
		to_mend "$lab" && continue
		skeleton "$lab" >"$BATS_TEST_TMPDIR/skeleton.c"
		[[ $(unwritten "$lab" "$BATS_TEST_TMPDIR/skeleton.c" | xargs) == "$(functions "$lab" | xargs)" ]] || fail "$lab"
	done
}

body_as_written() { # FUNCTION of lab 04
	sed -n "/^static .*[ *]$1(/,/^}/p" "$ROOT/labs/04-epoll-et/server.c"
}

@test "exercises: make run and trace take SRC= and SAN=, check takes SRC=" {
	local out=$BATS_TEST_TMPDIR/out pid
	cp "$ROOT/labs/04-epoll-et/server.c" "$BATS_TEST_TMPDIR/own.c"
	make -C "$ROOT" --no-print-directory run LAB=04 SRC="$BATS_TEST_TMPDIR/own.c" PORT=0 >"$out" 2>&1 3>&- 4>&- &
	pid=$!
	wait_until 60 grep -q '^listening on' "$out"
	grep -q '^build[a-z-]*/mine/own --port 0' "$out" || fail "$(<"$out")"
	kill -TERM "$(cut -d" " -f1 "/proc/$pid/task/$pid/children")"
	wait "$pid" || true
	run make -C "$ROOT" -n --no-print-directory run SAN=asan LAB=04
	[[ ${lines[-1]} == 'build-asan/04-epoll-et --port 8080' ]] || fail "${lines[-1]}"
	run make -C "$ROOT" -n --no-print-directory trace LAB=04 SRC="$BATS_TEST_TMPDIR/own.c"
	[[ ${lines[-1]} == *'SERVER='*'/mine/own bench/trace/trace 04-epoll-et' ]] || fail "${lines[-1]}"
	run make -C "$ROOT" -n --no-print-directory demo-fairness SAN=asan
	[[ ${lines[-1]} == 'BUILD='*'/build-asan bench/demos/fairness' ]] || fail "${lines[-1]}"
	PROBES=dribble run make -C "$ROOT" --no-print-directory check LAB=04 SRC="$BATS_TEST_TMPDIR/own.c"
	assert_success
	refute_output --partial 'up to date'
	refute_output --partial 'Nothing to be done'
}

# --- students' servers that hang, fork, flood, eat, hide, or do not compile

@test "exercises: SIGTERM amid a check leaves nothing" {
	"$GRADE/check" 04 "$(own_source 04-epoll-et)" >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- 4>&- &
	pid=$!
	wait_until 20 cage_runs
	kill -TERM "$pid"
	rc=0
	wait "$pid" || rc=$?
	[[ $rc -eq 143 ]]
	run ! cage_runs
	nothing_left
}

cage_runs() {
	grep -qsz "^GRADE_MARK=grade-$pid-" /proc/[0-9]*/environ
}
