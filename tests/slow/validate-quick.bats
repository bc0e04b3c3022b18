#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # Bats sets and reads these elsewhere
# The load generator against servers whose slowness and faults are known. What takes longer
# is in tests/slow.

setup() {
	load ../unit/helper
	load ../unit/validate
	requires jq taskset
}

teardown() {
	stop_lab
}

@test "pacing: fixed arrivals keep within 0.1 % of the rate, as the server sees them" {
	for pace in spin hybrid timerfd; do
		instrument slow_echo --spin --log "$ARRIVALS"
		measure --connections 10 --depth 64 --rate 1000 --arrival fixed --duration 1 \
			--warmup 0 --pace $pace
		stop_lab # now the log is whole
		assert_equal "$(wc -l <"$ARRIVALS")" $((10 + $(value .requests)))
		holds '.requests >= 999 and .requests <= 1000'
		off=$(drift 1000000 10) # in half a second
		((off <= 500000 && off >= -500000)) || fail "$pace: $off ns off in 0.5 s"
	done
}

prompt() {
	instrument slow_echo --spin
	measure --connections 10 --depth 64 --rate 1000 --duration 0.5 --warmup 0.1
	so '.lag_us.p50 < .service_us.p50 / 4'
}

@test "lag: sent when due, in less than a quarter of what an answer takes" {
	trials 4 prompt
}

# delayed D_US: sets $p50, with that delay.
delayed() {
	instrument slow_echo --spin --delay-us "$1"
	measure --rate 200 --depth 64 --arrival fixed --duration 0.6 --warmup 0.1
	p50=$(value .latency_us.p50)
}

rises_by_the_delay() {
	local p50 before
	delayed 0
	before=$p50
	delayed 1000
	surely ".latency_us.p50 >= 1000" || return 1
	close_to "$p50" "$(awk -v b="$before" 'BEGIN { print b + 1000 }')" 50 "p50, $before without the delay"
}

@test "a delay of 1 ms in the server is 1 ms more in p50" {
	trials 4 rises_by_the_delay
}

@test "a stall of D in T: every percentile is D - (1 - p)T" {
	trials 3 stall_spectrum 400 2 1000
}

# The end of the window cuts some off: the more, the longer a pause there.
little() {
	instrument slow_echo --spin
	measure --connections 5 --depth 8 --duration 0.7 --warmup 0.1
	so '.errors == {}' '(.rate * .service_us.mean / 1e6 / 40 - 1 | fabs) <= 0.02'
}

@test "Little's law with several requests on each connection" {
	trials 4 little
}

# What the server answers after, it counts too: so the kernel, not the generator, says what
# was sent. The stall outlasts the window and the two seconds after it.
@test "conservation: scheduled = sent + never sent; sent = received + given up" {
	instrument slow_echo --stall-at 0.2 --stall-ms 3000
	measure --connections 3 --depth 2 --rate 1000 --arrival fixed --duration 0.5 \
		--warmup 0 --graceful
	((status == 3 || status == 5)) || fail "status $status" # 5: on a busy machine
	holds '.requests >= 499 and .requests <= 500' # scheduled, whatever became of them
	holds '.unanswered > 250 and .errors == {timeout: .unanswered}'
	holds '.response_us.samples == .requests' # nobody is left out
	holds '.lag_us.samples == .received + 6 and .service_us.samples == .lag_us.samples'
	holds '.deferred >= .requests - .lag_us.samples'
	holds '.response_us.max >= 2.2e6'
	all_read() { [[ -z $(ss -Htn state close-wait "sport = :$LAB_PORT") ]]; }
	wait_until 5 all_read
	stop_lab
	run grep ^served "$LAB_LOG"
	assert_output "served $(($(value .lag_us.samples) + 3))" # and the first echoes
}

@test "each fault is named, what came before it is counted to the last reply" {
	local -A kind=([flip]=corrupt [twice]=corrupt [drop]=corrupt [stale]=corrupt
		[close]=eof [cut]=eof [reset]=reset)
	for mode in flip twice drop stale close cut reset; do
		instrument bad_echo --mode $mode
		measure --duration 5 --warmup 0
		assert_equal "$mode $status" "$mode 3"
		# Twenty were answered well, the first of them before the clock started; a second
		# copy is wrong only after its first one was right.
		[[ $mode == twice ]] && good=20 || good=19
		holds ".errors == {${kind[$mode]}: 1}" ".received == $good" \
			'.unanswered == 1 and .requests == .received + 1' \
			'.response_us.samples == .requests and .service_us.samples == .requests'
		holds '.duration_s < 4' # nobody is left, so nobody waits
	done
}

@test "replies in the wrong order are corrupt, not merely late" {
	instrument bad_echo --mode order
	measure --rate 500 --arrival fixed --depth 64 --duration 5 --warmup 0
	assert_equal "$status" 3
	# Late ones may share a recv(2): then more than nineteen came before, and one was due
	# that nobody could send any more.
	holds ".errors | del(.timeout) == {corrupt: 1}" ".received >= 19" ".duration_s < 4" \
		".requests == .received + .unanswered"
}

@test "a server that dies takes each connection with it, and the run ends" {
	instrument slow_echo
	"$BUILD/load" --port "$LAB_PORT" --connections 20 --rate 1000 --duration 20 --warmup 0 \
		--json >"$JSON" 2>"$JSON.err" 3>&- &
	loader=$!
	served() { [[ $(ss -Htn state established "sport = :$LAB_PORT" | wc -l) -eq 20 ]]; }
	wait_until 5 served
	pause 0.3 # somewhere inside the window
	kill -KILL "$LAB_PID"
	unset LAB_PID
	rc=0
	wait "$loader" || rc=$?
	assert_equal "$rc" 3
	holds '.errors | del(.eof, .reset, .timeout) == {}' '.errors.eof + .errors.reset == 20' '.duration_s < 15' \
		'.requests == .received + .unanswered and .response_us.samples == .requests'
}

# 1 ms each, and twice as many as that: it is the server that cannot.
overload() {
	instrument slow_echo --spin --delay-us 1000
	measure --connections 10 --rate 2000 --arrival fixed --duration 0.5 --warmup 0
	surely ".lag_us.p50 < .response_us.p50 / 4" || return 1 # the clerk holds things up
	WHY="status $status $stderr"
	((status == 0)) || return 1
	so '.requests == .received' '.rate < 0.6 * .offered_rate' \
		'.lag_us.p50 < 1000' '.latency_us.p90 > 300e3'
}

@test "an overloaded server is not taken for an overloaded generator" {
	trials 3 overload
}

@test "a rate that cannot be is exit 5 when it may sleep too, and in words" {
	instrument slow_echo
	run --separate-stderr timeout 20 "$BUILD/load" --port "$LAB_PORT" --connections 50 \
		--rate 3000000 --duration 0.1 --warmup 0 --pace hybrid
	assert_equal "$status" 5
	assert_line --regexp "^client-limited: "
	refute_output --partial maximum
}

# calls FILE: name<TAB>count, without what a request has to cost.
beside_requests() {
	awk '$1 ~ /^[a-z]/ && $1 !~ /^(sendto|recvfrom|epoll_wait|total|syscall)$/ { print $1, $2 }' "$1" |
		sort
}

@test "its own calls: a send, a recv and a wait are all that a request costs" {
	requires strace
	instrument slow_echo
	for seconds in 0.1 0.6; do
		run --separate-stderr strace -f -c -U name,calls -o "$BATS_TEST_TMPDIR/calls.$seconds" \
			"$BUILD/load" --port "$LAB_PORT" --connections 7 --rate 300 --arrival fixed \
			--duration $seconds --warmup 0 --json
		[[ -n $output ]] || skip "ptrace is not allowed here"
		printf '%s\n' "$output" >"$JSON"
		calls() { awk -v n="$1" '$1 == n { print $2 }' "$BATS_TEST_TMPDIR/calls.$seconds"; }
		assert_equal "$(calls epoll_ctl)" 14 # ADD, then MOD once it is connected
		assert_equal "$(calls socket) $(calls connect)" '7 7'
		[[ $(calls epoll_wait) -ge $(value .requests) ]]
	done
	assert_equal "$(beside_requests "$BATS_TEST_TMPDIR/calls.0.1")" \
		"$(beside_requests "$BATS_TEST_TMPDIR/calls.0.6")"
}
