#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # Bats sets and reads these elsewhere
# What tests/unit/validate.bats has no time for: seconds of schedule, queues at three loads.

setup() {
	load ../unit/helper
	load ../unit/validate
	requires jq taskset
	BATS_TEST_TIMEOUT=120
	TRIALS_S=30
}

teardown() {
	stop_lab
}

@test "pacing: ten seconds at fixed intervals, within 0.01 %" {
	instrument slow_echo --spin --log "$ARRIVALS"
	measure --connections 10 --depth 64 --rate 1000 --arrival fixed --duration 10 --warmup 0
	stop_lab
	holds '.requests >= 9999 and .requests <= 10000'
	off=$(drift 1000000 10) # in 5 s
	((off <= 500000 && off >= -500000)) || fail "$off ns off in 5 s"
}

@test "pacing: the Poisson counts of ten seeds, each within 3 sqrt(n)" {
	instrument slow_echo --spin
	for seed in {1..10}; do
		measure --connections 10 --depth 64 --rate 5000 --duration 0.5 --warmup 0 --seed "$seed"
		holds '(.requests - 2500 | fabs) <= 3 * (2500 | sqrt)'
	done
}

@test "a stall of 0.5 s in 5 s: p99 is 450 ms, p99.9 is 495 ms, and all between" {
	trials 3 stall_spectrum 500 5 2000 # few enough: what queued up is served in no time
}

# waits RHO_PERCENT SEED MEAN P50 P90: of the wait, in us, at 1 ms a request. A schedule of
# that seed is near the theory, which holds for endless ones.
waits() {
	local base
	instrument slow_echo --spin --delay-us 1000
	measure --connections 64 --depth 64 --rate 100 --arrival fixed --duration 1 --warmup 0
	base=$(value .latency_us.p50)
	measure --connections 64 --depth 64 --rate $(($1 * 10)) --duration 10 --warmup 0 --seed "$2"
	so '.requests == .received' || return 1
	surely ".latency_us.p90 >= 0.95 * (1000 + $5)" || return 1 # a pause only makes it longer
	close_to "$(value ".latency_us.mean - $base")" "$3" $(($3 / 20)) 'mean wait, us' || return 1
	close_to "$(value ".latency_us.p50 - $base")" "$4" $(($4 / 20 + 50)) 'p50 of the wait' || return 1
	close_to "$(value ".latency_us.p90 - $base")" "$5" $(($5 / 20)) 'p90 of the wait'
}

# The mean wait is rho S / 2(1 - rho). A pause of 5 ms four times a second would add a fifth
# to it: so what is called calm is stricter here.
@test "M/D/1: how long a queue waits at 0.3 of what the server can" {
	export CALM=0.002
	trials 3 waits 30 8 214 0 838
}

@test "M/D/1: at 0.5" {
	export CALM=0.002
	trials 3 waits 50 31 500 0 1516
}

@test "M/D/1: at 0.7" {
	export CALM=0.002
	trials 3 waits 70 37 1167 730 3077
}

@test "a server that never says a word: given up after the first echoes' time, no hang" {
	instrument bad_echo --mode silent --after 0
	measure --duration 1
	assert_equal "$status" 3
	holds '.received == 0 and .errors.timeout == 1'
}

# The count and the gaps belong to the seed, so that every trial is the same but for the
# machine. Few a second: a pause of it is short beside a gap.
poisson_arrivals() {
	instrument slow_echo --spin --log "$ARRIVALS"
	measure --connections 64 --depth 64 --rate 500 --duration 2 --warmup 0 --seed 8
	stop_lab
	surely '(.requests - 1000 | fabs) <= 3 * (1000 | sqrt)' || return 1
	close_to "$(tail -n +65 "$ARRIVALS" | awk '
		NR > 1 { d = $1 - last; n++; sum += d; squares += d * d }
		{ last = $1 }
		END { m = sum / n; print sqrt(squares / n - m * m) / m }')" 1 0.05 'CV of the gaps'
}

@test "pacing: Poisson arrivals, their count and the variation of the gaps" {
	trials 3 poisson_arrivals
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

# One clerk, 1 ms each, half the time busy: half of those who come do not wait, nine of ten
# less than 1.516 ms. The schedule of seed 8 says 1.468.
queue() {
	local base
	instrument slow_echo --spin --delay-us 1000
	measure --connections 64 --depth 64 --rate 100 --arrival fixed --duration 0.4 --warmup 0
	base=$(value .latency_us.p50)
	measure --connections 64 --depth 64 --rate 500 --duration 2 --warmup 0 --seed 8
	so '.requests == .received' || return 1
	surely ".latency_us.p90 >= 2350" || return 1 # a pause only makes it longer
	close_to "$(value ".latency_us.p90 - $base")" 1516 150 'p90 of the wait, us' || return 1
	close_to "$(value ".latency_us.p50 - $base")" 0 150 'p50 of the wait, us'
}

@test "a queue at half load waits as M/D/1 says" {
	trials 4 queue
}
