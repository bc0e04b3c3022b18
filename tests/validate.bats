#!/usr/bin/env bats
# shellcheck disable=SC2034,SC2154 # Bats sets and reads these elsewhere
# The load generator against servers whose slowness and faults are known. What takes longer
# is in tests/slow.

setup() {
	load helper
	load validate
	requires jq taskset
}

teardown() {
	stop_lab
}

# drift INTERVAL_NS CONNECTIONS: how far, in ns, the second half of the logged arrivals lies
# off the schedule that the first half keeps. The machine can only make a request late, never
# early: so the least late of each half tells, whatever the noise.
drift() {
	tail -n +$(($2 + 1)) "$ARRIVALS" | awk -v step="$1" -v start="$(head -n 1 "$ARRIVALS")" '
		{ late[NR] = ($1 - start) - NR * step }
		END {
			for (i = 1; i <= NR; i++) {
				h = i > NR / 2
				if (!(h in least) || late[i] < least[h]) least[h] = late[i]
			}
			printf "%.0f\n", least[1] - least[0]
		}'
}

@test "pacing: fixed arrivals keep within 0.1 % of the rate, as the server sees them" {
	for pace in spin hybrid timerfd; do
		instrument slow_echo --spin --log "$ARRIVALS"
		measure --connections 10 --depth 64 --rate 1000 --arrival fixed --duration 1.5 \
			--warmup 0 --pace $pace
		stop_lab # now the log is whole
		assert_equal "$(wc -l <"$ARRIVALS")" $((10 + $(value .requests)))
		holds '.requests >= 1499 and .requests <= 1500'
		# The two halves are 0.75 s apart.
		off=$(drift 1000000 10)
		((off <= 750000 && off >= -750000)) || fail "$pace: $off ns off in 0.75 s"
	done
}

# The count belongs to the seed; the gaps are what the server saw.
poisson_arrivals() {
	instrument slow_echo --spin --log "$ARRIVALS"
	measure --connections 10 --depth 64 --rate 4000 --duration 2 --warmup 0 --seed 8
	stop_lab
	so '.requests - 8000 | fabs <= 3 * sqrt(8000)' || return 1
	close_to "$(tail -n +11 "$ARRIVALS" | awk '
		NR > 1 { d = $1 - last; n++; sum += d; squares += d * d }
		{ last = $1 }
		END { m = sum / n; print sqrt(squares / n - m * m) / m }')" 1 0.05 'CV of the gaps'
}

@test "pacing: Poisson arrivals, their count and the variation of the gaps" {
	trials 3 poisson_arrivals
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
	measure --rate 200 --depth 64 --arrival fixed --duration 0.7 --warmup 0.1
	p50=$(value .latency_us.p50)
}

rises_by_the_delay() {
	local p50 before
	delayed 0
	before=$p50
	delayed 1000
	close_to "$p50" "$(awk -v b="$before" 'BEGIN { print b + 1000 }')" 50 "p50, $before without the delay"
}

@test "a delay of 1 ms in the server is 1 ms more in p50" {
	trials 4 rises_by_the_delay
}

# The answers to what was due in a stall of D come at its end: P(p) = D - (1 - p)T. What the
# machine adds at that end, it adds to all of them: so the maximum takes D's place.
stall_spectrum() {
	instrument slow_echo --spin --stall-at 0.5 --stall-ms 400
	measure --connections 10 --rate 1000 --arrival fixed --duration 2 --warmup 0
	so '.requests == .received and .latency_us.max >= 395e3 and .latency_us.max < 500e3' \
		'.service_us.p90 < 10e3' || return 1
	WHY="the spectrum: $(awk -v t=2e6 '
		$2 == 1 { d = $1 }
		NF == 4 && $2 > 0.85 && $2 < 1 { us[++n] = $1; p[n] = $2 }
		END {
			for (i = 1; i <= n; i++) {
				off = us[i] - (d - (1 - p[i]) * t)
				if (off > 0.02 * d || off < -0.02 * d)
					print "P(" p[i] ") = " us[i] " is off by " off " us;"
			}
			if (n < 10) print "too short"
		}' "$HGRM")"
	[[ $WHY == "the spectrum: " ]]
}

@test "a stall of D in T: every percentile is D - (1 - p)T" {
	trials 3 stall_spectrum
}

# Five requests of tens of thousands met the stall.
stall_hidden() {
	instrument slow_echo --spin --stall-at 0.3 --stall-ms 400
	measure --connections 5 --duration 1.5 --warmup 0
	so '.requests == .received and .latency_us.max >= 395e3' '.latency_us.p99 < 4000'
}

@test "the same stall in a closed loop: only the maximum tells" {
	trials 3 stall_hidden
}

# The window ends on time or late: what the end cuts off is in proportion to a pause there.
little() {
	instrument slow_echo --spin
	measure --connections 5 --depth 8 --duration 0.7 --warmup 0.1
	so ".errors == {}" "(.rate * .service_us.mean / 1e6 / 40 - 1 | fabs) <= 0.02"
}

@test "Little's law with several requests on each connection" {
	trials 4 little
}

# One clerk, 200 us each, half the time busy: the mean wait is rho S / 2(1 - rho), half of S,
# and nine of ten wait for less than 1.507 S. The schedule of seed 10 is within 2 % of both.
queue() {
	local base
	instrument slow_echo --spin --delay-us 200
	measure --connections 64 --depth 64 --rate 500 --arrival fixed --duration 0.5 --warmup 0
	base=$(value .latency_us.p50)
	measure --connections 64 --depth 64 --rate 2500 --duration 1.5 --warmup 0 --seed 10
	so '.requests == .received' || return 1
	close_to "$(value ".latency_us.p90 - $base")" 301 45 'p90 of the wait, us' || return 1
	close_to "$(value ".latency_us.p50 - $base")" 0 20 'p50 of the wait, us'
}

@test "a queue at half load waits as M/D/1 says" {
	trials 4 queue
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
	read -rt 0.3 <> <(:) || true # somewhere inside the window
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
	WHY="status $status $stderr"
	((status == 0)) || return 1
	so '.requests == .received' '.rate < 0.6 * .offered_rate' \
		'.lag_us.p50 < 1000' '.latency_us.p90 > 300e3'
}

@test "an overloaded server is not taken for an overloaded generator" {
	trials 3 overload
}

@test "a rate that cannot be is exit 5 in every pace, in words too" {
	instrument slow_echo
	for pace in spin hybrid; do
		run --separate-stderr timeout 20 "$BUILD/load" --port "$LAB_PORT" --connections 50 \
			--rate 3000000 --duration 0.2 --warmup 0 --pace $pace
		assert_equal "$status" 5
		assert_line --regexp '^client-limited: '
		refute_output --partial maximum
	done
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
