#!/usr/bin/env bats
# shellcheck disable=SC2034,SC2154 # Bats sets and reads these elsewhere
# The load generator: it sends what it says, sees every wrong byte, and blames the right one.

setup() {
	load helper
	requires jq
	JSON=$BATS_TEST_TMPDIR/load.json
	export LAB_COUNTS=$BATS_TEST_TMPDIR/page
}

teardown() {
	if [[ -n ${LOAD_PID-} ]]; then
		kill -KILL "$LOAD_PID" 2>/dev/null || true
	fi
	if [[ -n ${LAB_PID-} ]]; then
		kill -CONT "$LAB_PID" 2>/dev/null || true
	fi
	stop_lab
}

# measure OPTION...: the result in $JSON, the exit status in $status.
measure() {
	run --separate-stderr "$BUILD/load" --port "$LAB_PORT" --json "$@"
	printf '%s\n' "$output" >"$JSON"
}

# trial MEASURE...: for undisturbed: the server's harm, and the generator's own.
trial() {
	watched "$@"
	harm "$(jq '1000 * .lost_s / .duration_s | ceil' "$JSON")"
}

# holds EXPRESSION: of jq, over the result.
holds() {
	[[ $(jq "$1" "$JSON" | uniq) == true ]] || fail "not so: $1 in $(cat "$JSON") $stderr"
}

start_bad() { # MODE
	mkdir -p "$BATS_TEST_TMPDIR/tests" # where start_lab puts its log
	rm -f "$BATS_TEST_TMPDIR/tests/bad_echo.log" # or the last one's port might be read
	start_lab tests/bad_echo --mode "$1"
}

@test "no percentile of the histogram is off by more than 2^-10" {
	run "$BUILD/tests/hist_check"
	assert_success
	assert_output ok
}

# bats test_tags=quiet
@test "one connection to 03: each request is one epoll_wait, one recv, one send" {
	start_lab 03-epoll-lt
	undisturbed trial \
		measure --rate 500 --arrival fixed --duration 1 --warmup 0.2 --counts "$LAB_COUNTS"
	assert_success
	holds '.requests == .received and .unanswered == 0 and .errors == {}'
	holds '.requests >= 499 and .requests <= 500'
	holds '.counts["recv.calls"] == .requests and .counts["send.calls"] == .requests'
	holds '.counts["recv.bytes"] == .requests * 64'
	holds '(.counts["epoll_wait.calls"] / .requests - 1 | fabs) <= 0.01'
	holds '.counts["accept4.calls"] == null and .counts["close.calls"] == null'
	holds '.server_cpu_s > 0 and .server_cpu_s < .duration_s'
}

@test "the warm-up is not in the counts, whatever the load" {
	start_lab 03-epoll-lt
	measure --connections 20 --depth 4 --rate 20000 --duration 0.5 --warmup 0.3 \
		--pace hybrid --counts "$LAB_COUNTS"
	holds '.requests == .received and .counts["recv.bytes"] == .requests * 64'
	holds '.counts["send.bytes"] == .requests * 64'
	measure --connections 20 --duration 0.3 --warmup 0.2 --counts "$LAB_COUNTS"
	assert_success
	holds '.counts["recv.bytes"] == .requests * 64 and .offered_rate == 0'
}

@test "every pace keeps the schedule" {
	start_lab 03-epoll-lt
	for pace in spin hybrid timerfd; do
		measure --connections 10 --rate 1000 --arrival fixed --duration 0.6 \
			--warmup 0 --pace $pace
		holds ".requests == .received and .pace == \"$pace\""
		holds '(.requests / .duration_s / 1000 - 1 | fabs) < 0.01'
		holds '.duration_s == 0.6 and .offered_rate == 1000'
		holds '[.response_us, .service_us, .lag_us | .samples] | unique == [.[0]]'
		holds '.lag_us.samples == .requests'
	done
}

@test "the same seed makes the same poisson schedule, another makes another" {
	start_lab 03-epoll-lt
	local counts=()
	for seed in 1 1 2 3; do
		measure --connections 10 --rate 2000 --duration 0.5 --warmup 0 --seed $seed
		counts+=("$(jq .requests "$JSON")")
		holds '(.requests - 1000 | fabs) < 4 * 32' # 4 standard deviations
	done
	[[ ${counts[0]} == "${counts[1]}" ]]
	[[ ${counts[2]} != "${counts[1]}" || ${counts[3]} != "${counts[1]}" ]]
}

@test "only the active connections are used, all of them are opened" {
	start_lab 03-epoll-lt
	measure --connections 2000 --active 10 --duration 0.3 --warmup 0 --counts "$LAB_COUNTS"
	assert_success
	holds '.connections == 2000 and .active == 10'
	holds '.counts["epoll_wait.events"] / .counts["epoll_wait.calls"] <= 10'
	[[ $(count connections.opened) -eq 2000 ]]
}

# The two sides differ by what is under way at the ends of the window: 20 answers at most at each.
@test "closed loop: rate times mean latency is the number of connections (Little's law)" {
	start_lab 03-epoll-lt
	for _ in {1..5}; do # until no answer took so long that the law says nothing here
		measure --connections 20 --duration 1 --warmup 0.2
		assert_success
		jq -e '.service_us.max < 20000' "$JSON" >/dev/null || continue
		holds '(.rate * .service_us.mean / 1e6 / 20 - 1 | fabs) <= 0.02'
		return
	done
	skip "this machine is busy: each of 5 windows had an answer of over 20 ms"
}

@test "big messages go through while replies come back" {
	start_lab 03-epoll-lt
	measure --connections 2 --depth 2 --size 4000000 --duration 0.5 --warmup 0
	assert_success
	holds '.requests > 1 and .requests == .received'
}

@test "replies in single bytes, or many in one, are right" {
	for mode in split merge; do
		start_bad $mode
		measure --depth 8 --size 100 --rate 200 --duration 0.4 --warmup 0.1
		holds '.errors == {} and .requests == .received and .requests > 40'
		((status != 3)) || fail "blamed: $stderr" # a busy machine may say 5
		stop_lab
	done
}

@test "a wrong byte, a second reply and a closed connection are seen and named" {
	local -A kind=([flip]=corrupt [twice]=corrupt [close]=eof)
	for mode in flip twice close; do
		start_bad $mode
		measure --duration 5 --warmup 0
		assert_equal "$status" 3
		holds ".errors == {\"${kind[$mode]}\": 1} and .duration_s < 4" # nobody left
		stop_lab
	done
}

# bats test_tags=quiet
@test "a reply that never comes is unanswered, and as old as it is" {
	start_bad silent
	undisturbed trial \
		measure --rate 200 --depth 64 --duration 0.4 --warmup 0
	assert_equal "$status" 3
	holds '.unanswered > 0 and .unanswered == .requests - .received'
	holds '.errors.timeout == .unanswered and .response_us.samples == .requests'
	holds '.response_us.max >= 2e6'
}

received() {
	(($(count recv.calls) > $1))
}

measure_a_stall() {
	local before
	before=$(count recv.calls)
	"$BUILD/load" --port "$LAB_PORT" --connections 10 --rate 1000 --arrival fixed \
		--duration 2 --warmup 0 --json >"$JSON" 3>&- &
	LOAD_PID=$!
	wait_until 5 received $((before + 200))
	kill -STOP "$LAB_PID"
	pause 0.5 # the stall itself
	kill -CONT "$LAB_PID"
	status=0
	wait "$LOAD_PID" || status=$?
	unset LOAD_PID
}

# bats test_tags=quiet
@test "a stall is in the open loop's percentiles, and it is the server's" {
	start_lab 03-epoll-lt
	measure --connections 10 --duration 0.3 --warmup 0.1
	closed=$(jq .latency_us.p50 "$JSON")
	undisturbed trial measure_a_stall
	assert_equal "$status" 0 # not 5
	holds '.requests == .received and .deferred >= 300'
	holds '[.latency_us.p50, .lag_us.p50] | max < 100000'
	holds ".latency_us.max >= 450000 and .latency_us.p90 > 100 * $closed"
	holds '.lag_us.p90 < .response_us.p90 / 10'
	holds '.service_us.p90 < .response_us.p90 / 10' # what a closed loop would tell
}

@test "an impossible rate is blamed on the generator" {
	start_lab 03-epoll-lt
	measure --connections 100 --depth 64 --rate 5000000 --duration 0.3 --warmup 0
	assert_equal "$status" 5
	assert_equal "$stderr" 'load: client-limited: this program, not the server, was the limit'
	holds '.rate < 0.99 * .offered_rate and .requests > 1000000'
}

@test "too few descriptors: one line with the way out, before any connection" {
	start_lab 03-epoll-lt
	run --separate-stderr bash -c "ulimit -n 100; '$BUILD/load' --port $LAB_PORT -c 500"
	assert_failure 1
	assert_output ''
	[[ ${#stderr_lines[@]} -eq 1 ]]
	[[ $stderr == *'500 connections need 516 descriptors, the limit is 100: raise it (ulimit -Hn'* ]]
	[[ $(count connections.opened) -eq 0 ]]
}

@test "nobody listens: one line" {
	start_lab 03-epoll-lt
	stop_lab
	run --separate-stderr "$BUILD/load" --port "$LAB_PORT" --json
	assert_failure 1
	assert_output ''
	[[ ${#stderr_lines[@]} -eq 1 && $stderr == *"port $LAB_PORT: Connection refused" ]]
}

@test "bad options: one line that names the culprit" {
	for bad in --rate=-1 --size=15 --size=16777217 --depth=65 --connections=0 --nope \
		--pace=fast --duration=0 --host=localhost '--active=2' extra --port=x; do
		run --separate-stderr "$BUILD/load" "$bad"
		assert_failure 2
		assert_output ''
		[[ ${#stderr_lines[@]} -eq 1 ]] || fail "$bad: $stderr"
		name=${bad%%=*}
		[[ $stderr == *"${name#--}"* ]] || fail "$bad: $stderr"
	done
}

@test "Ctrl-C ends it with 130 and no file; a whole run leaves a whole file" {
	start_lab 03-epoll-lt
	opened() { (($(count recv.calls) > 100)); }
	"$BUILD/load" --port "$LAB_PORT" --duration 60 --hgrm "$BATS_TEST_TMPDIR/a.hgrm" \
		>"$JSON" 3>&- &
	LOAD_PID=$!
	wait_until 5 opened
	kill -TERM "$LOAD_PID" # Bats starts background jobs with SIGINT ignored
	rc=0
	wait "$LOAD_PID" || rc=$?
	unset LOAD_PID
	assert_equal "$rc" 130
	[[ ! -s $JSON && -z $(compgen -G "$BATS_TEST_TMPDIR/a.hgrm*") ]]

	measure --duration 0.3 --warmup 0 --hgrm "$BATS_TEST_TMPDIR/a.hgrm"
	assert_success
	run tail -n 3 "$BATS_TEST_TMPDIR/a.hgrm"
	assert_line --regexp '^#\[Mean +=.*StdDeviation'
	assert_line --regexp "^#\[Max +=.*Total count +=  +$(jq .requests "$JSON")\]"
	run awk 'NF == 4 && $2 + 0 < last { exit 1 } NF == 4 { last = $2 + 0 }' \
		"$BATS_TEST_TMPDIR/a.hgrm"
	assert_success
}

@test "without --json: a few lines with units, no errors, a verdict" {
	start_lab 03-epoll-lt
	run --separate-stderr "$BUILD/load" --port "$LAB_PORT" --duration 0.2 --warmup 0
	assert_success
	assert_equal "$stderr" '' # no progress in a pipe
	assert_line --regexp '^[0-9]+ requests in 0.20 s: [0-9]+/s answered$'
	assert_line --regexp '^latency p50 [0-9.]+ us, '
	assert_line 'every reply came and every byte was right'
	refute_output --partial error
}

@test "its own sends and receives are what strace counts" {
	requires strace
	start_lab 03-epoll-lt
	run strace -f -c -U name,calls -o "$BATS_TEST_TMPDIR/trace" "$BUILD/load" \
		--port "$LAB_PORT" --connections 5 --rate 200 --duration 0.5 --warmup 0 --json
	((status == 0)) || skip "ptrace is not allowed here"
	printf '%s\n' "$output" >"$JSON"
	calls() { awk -v n="$1" '$1 == n { print $2 }' "$BATS_TEST_TMPDIR/trace"; }
	# And one verified echo on each connection before the clock starts.
	[[ $(calls sendto) -eq $(($(jq .requests "$JSON") + 5)) ]]
	[[ $(calls recvfrom) -eq $(($(jq .requests "$JSON") + 5)) ]]
}

@test "--counts: the CPU time of a prefork server is that of its workers" {
	[[ -r /proc/self/schedstat && -r /proc/self/task/$BASHPID/children ]] ||
		skip "this kernel shows no schedstat or no children"
	start_lab 09-exclusive --workers 2
	mapfile -t workers < <(pgrep -P "$LAB_PID")
	measure --connections 4 --duration 0.5 --warmup 0 --counts "$LAB_COUNTS"
	assert_success
	holds ".server_cpu_s / ($(cpu_ns "${workers[@]}") / 1e9) | . > 0.8 and . < 1.25"
	measure --connections 4 --duration 0.2 --pid "$LAB_PID"
	holds '.server_cpu_s > 0.01'
}

@test "--pid: the CPU time of a child that was killed and replaced is not lost" {
	[[ -r /proc/self/schedstat && -r /proc/self/task/$BASHPID/children ]] ||
		skip "this kernel shows no schedstat or no children"
	LAB_LOG=$BATS_TEST_TMPDIR/log
	# shellcheck disable=SC2016 # the inner shell's
	bash -c 'trap "kill \$!; wait; exit 0" TERM
		while :; do "$0" --port 0 >"$1" & wait $!; done' \
		"$BUILD/03-epoll-lt" "$LAB_LOG" 2>"$LAB_LOG.err" 3>&- &
	LAB_PID=$!
	wait_until 10 listening
	child=$(pgrep -P "$LAB_PID")
	"$BUILD/load" --port "$LAB_PORT" --json --connections 4 --duration 30 --warmup 0 \
		--pid "$LAB_PID" >"$JSON" 2>/dev/null 3>&- &
	LOAD_PID=$!
	enough() { dead=$(cpu_ns "$child") && ((dead >= 300000000)); }
	wait_until 20 enough # 0.3 s: a tick, to which it is rounded, is 0.01 s
	kill -KILL "$child"
	wait "$LOAD_PID" || true
	unset LOAD_PID
	holds '.errors | keys - ["reset", "eof"] == []'
	holds ".server_cpu_s > 0.8 * $dead / 1e9"
}

@test "a number out of its range is refused in one line that names the range" {
	for rate in 1e-10 0.0009 nan inf 1e308 -1 ''; do
		run --separate-stderr "$BUILD/load" --rate "$rate"
		assert_failure 2
		assert_output ''
		[[ ${#stderr_lines[@]} -eq 1 && $stderr == "load: --rate: '$rate' is n"*"number from 0"*" to 1e+08" ]] ||
			fail "$rate: $stderr"
	done
	for bad in '--size 15' '--size 16777217' '--duration 0' '--duration nan' '--duration 1e6' \
		'--warmup -1' '--connections 0' '--connections 99999999999999999999' '--depth 65' \
		'--port 65536' '--active 0' '--read-pause -1' '--rcvbuf 0' '--seed 0' '--pid 0'; do
		# shellcheck disable=SC2086 # an option and its value
		run --separate-stderr "$BUILD/load" $bad
		assert_failure 2
		[[ ${#stderr_lines[@]} -eq 1 && $stderr == "load: ${bad% *}: '${bad#* }' is not a "*"number from "*" to "* ]] ||
			fail "$bad: $stderr"
	done
}

@test "no answer: no latency, and why there is no result" {
	mkdir -p "$BATS_TEST_TMPDIR/tests"
	start_lab tests/bad_echo --mode close --after 0
	measure --duration 0.2 --warmup 0
	assert_failure 3
	holds '.latency_us | .samples == 0 and ([.p50, .p90, .p99, .max, .mean] | unique == [null])'
	run --separate-stderr "$BUILD/load" --port "$LAB_PORT" --duration 0.2 --warmup 0
	assert_failure 3
	assert_line 'no answer came: there is no latency'
	assert_line --partial 'every connection broke: the run ended after 0.00 s'
	refute_output --partial ' us'
}

@test "the first wrong byte is shown with its place, what was expected and what was found" {
	start_bad flip
	run "$BUILD/load" --port "$LAB_PORT" --duration 0.2 --warmup 0
	assert_failure 3
	assert_line --regexp '^first wrong byte: connection 0, message 20, byte 63 of 64: expected 0x[0-9a-f]{2}, found 0x[0-9a-f]{2}$'
	stop_lab
	start_bad twice
	run "$BUILD/load" --port "$LAB_PORT" --duration 2 --warmup 0 --rate 20 --arrival fixed
	assert_failure 3
	assert_line --regexp '^first wrong byte: connection 0, message [0-9]+, byte 0 of 64: nothing was sent that far, found 0x[0-9a-f]{2}$'
}
