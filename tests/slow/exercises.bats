#!/usr/bin/env bats
# shellcheck disable=SC2034,SC2154 # Bats sets and reads these elsewhere
# The grader over every lab, and what it adds up; students' servers that hide.
# shellcheck disable=SC2030,SC2031 # Bats runs every test in its own subshell

setup() {
	load ../unit/helper
	load ../unit/grade
	grade_setup
}

teardown() {
	nothing_left
}

@test "exercises: every lab has three hints, and its README promises what check says" {
	for lab in "${LABS[@]}"; do
		last=
		for level in 1 2 3; do
			run "$GRADE/hint" "$lab" "$level"
			assert_success
			[[ ${#output} -gt 80 && $output != "$last" ]] || fail "$lab: hint $level: $output"
			last=$output
		done
		assert_line --partial "labs/$(solution "$lab")/server.c"
		run "$GRADE/hint" "$lab"
		assert_line "more: make hint LAB=${lab%%-*} LEVEL=2"
		n=$(probes_of "$lab" | wc -l)
		section "$lab" | grep -q "\`$lab: $n of $n probes, 10 of 10 points\`" || fail "$lab: $n probes"
		run ! grep -E "$lab: .* of [0-9]+ probes" <(section "$lab" | grep -v " of $n probes")
	done
}

@test "exercises: the labs' own sources pass, and the last line says so" {
	PROBES=burst,survives-the-rude,asks-kernel-to-wait run --separate-stderr "$GRADE/check" 01 "$(own_source 01-blocking)"
	assert_success
	assert_output '01-blocking: 3 of 3 probes asked for'
	PROBES=eagain-means-later run "$GRADE/check" 02 "$(own_source 02-nonblocking)"
	assert_success
	PROBES=no-ctl-per-request,out-only-while-stuck,idle-wakeups run "$GRADE/check" 06 "$(own_source 06-epollout-spin)"
	assert_success
	PROBES=burst,goes-on-after-stuck,four-calls,one-registration run "$GRADE/check" 05 "$(own_source 05-et-starving)"
	assert_success
}

@test "exercises: grade adds up, and JSON=1 is one object" {
	"$GRADE/exercise" 03 # stays a skeleton
	mkdir -p "$WORK/04-epoll-et" "$WORK/01-blocking"
	cp "$(own_source 04-epoll-et)" "$WORK/04-epoll-et/server.c"
	echo 'int main(void) { return x; }' >"$WORK/01-blocking/server.c"
	export PROBES=burst
	run "$GRADE/grade"
	assert_failure 1
	[[ ${lines[-1]} == '10 of 30 points' ]]
	JSON=1 run "$GRADE/grade"
	assert_failure 1
	jq -e '.points == 10 and .of == 30 and (.labs | map(.lab)) == ["01-blocking", "03-epoll-lt", "04-epoll-et"]
		and .labs[0].failed == ["compile"] and .labs[1].failed == ["burst"] and .labs[2].failed == []' <<<"$output"
	JSON=1 run "$GRADE/check" 03
	assert_failure 1
	jq -e '.lab == "03-epoll-lt" and .compiled and .points == 0 and .of == 10
		and (.failed[0] | .name == "burst" and .cause != "" and .hand != "" and .read != "")' <<<"$output"
	JSON=1 run "$GRADE/check" 01
	assert_failure 1
	jq -e '.compiled == false and .points == 0' <<<"$output"
	rm "$WORK/03-epoll-lt/server.c" "$WORK/01-blocking/server.c"
	run "$GRADE/grade"
	assert_success
	[[ ${lines[-1]} == '10 of 10 points' ]]
}

@test "exercises: a server that hides from its parent, and ignores signals, is ended" {
	for probe in dribble four-calls; do
		nasty $probe <<-'C'
			if (fork()) _exit(0);
			setsid();
			if (fork()) _exit(0);
			for (int s = 1; s < 65; s++) signal(s, SIG_IGN);
			announce(listen_tcp(&at));
			for (;;) pause();
		C
	done
}

@test "exercises: a crash is shown with its line, a failed epoll_ctl with its error" {
	local source=$BATS_TEST_TMPDIR/server.c
	awk -f "$GRADE/mistake.awk" "$GRADE/mistakes/04-no-return.c" "$ROOT/labs/04-epoll-et/server.c" >"$source"
	PROBES=rst-idle run "$GRADE/check" 04 "$source"
	assert_failure 1
	used=$(grep -n 'while ((w = write_step' "$source" | head -n 1 | cut -d: -f1)
	assert_output --regexp 'used after it was freed, server\.c:[0-9]+'
	assert_output --partial ":$used)"
	awk -f "$GRADE/mistake.awk" "$GRADE/mistakes/03-add-for-mod.c" "$ROOT/labs/03-epoll-lt/server.c" >"$source"
	PROBES=large-stream run "$GRADE/check" 03 "$source"
	assert_failure 1
	assert_line --regexp '^  failed +epoll_ctl\(ADD, fd [0-9]+\) → EEXIST'
}

@test "exercises: at rest a server makes no call; = for == costs points" {
	local source=$BATS_TEST_TMPDIR/server.c
	awk -f "$GRADE/mistake.awk" "$GRADE/mistakes/04-assigns.c" "$ROOT/labs/04-epoll-et/server.c" >"$source"
	PROBES=at-rest run "$GRADE/check" 04 "$source"
	assert_failure 1
	assert_output --partial 'RETRY_MS'
	for lab in 03-epoll-lt 09-exclusive 10-reuseport; do
		PROBES=at-rest run "$GRADE/check" "$lab" "$(own_source "$lab")"
		assert_success
	done
}

@test "exercises: what does not compile is shown, in few lines" {
	for i in {1..100}; do echo "int f$i(void) { return nothing$i; }"; done >"$BATS_TEST_TMPDIR/many.c"
	run "$GRADE/check" 04 "$BATS_TEST_TMPDIR/many.c"
	assert_failure 1
	assert_line --partial nothing1
	[[ ${#lines[@]} -le 21 && ${lines[-1]} == "04-epoll-et: "*"does not compile, not yet (0 of 10 points)" ]]
	echo '#include "/dev/zero"' >"$BATS_TEST_TMPDIR/zero.c"
	run "$GRADE/check" 04 "$BATS_TEST_TMPDIR/zero.c"
	assert_failure 1
	assert_line --partial 'does not compile'
}
