#!/usr/bin/env bats
# shellcheck disable=SC2034,SC2154 # Bats sets and reads these elsewhere
# bench/cross-check: other load generators as witnesses, real ones and rehearsed ones.

setup() {
	load ../unit/helper
	requires jq taskset
	FAKES=$BATS_TEST_TMPDIR/fakes
	mkdir -p "$FAKES"
}

# witness TOOL RATE_03 RATE_04: a tool in $FAKES that tells this, whatever the server does.
# The order of the rounds is 03 04, 04 03, ...
witness() {
	cat >"$FAKES/$1" <<-EOF
		#!/bin/sh
		echo >>$FAKES/$1.calls
		case \$((\$(wc -l <$FAKES/$1.calls) % 4)) in 0 | 1) r=$2 ;; *) r=$3 ;; esac
		case $1 in
		wrk) echo "Requests/sec: \$r" ;;
		*) echo "\"PING_MBULK\",\"\$r\"" ;;
		esac
	EOF
	chmod +x "$FAKES/$1"
}

check_with_fakes() {
	run --separate-stderr env PATH="$FAKES:$PATH" ROUNDS="$1" DURATION=0.05 \
		"$ROOT/bench/cross-check"
}

@test "wrk and redis-benchmark really are answered by an echo server" {
	requires wrk redis-benchmark
	ROUNDS=1 DURATION=0.1 run --separate-stderr "$ROOT/bench/cross-check"
	assert_equal "$stderr" ''
	for tool in load wrk redis-benchmark; do
		assert_line --regexp "^$tool +[0-9]{3,} +[0-9]{3,}  -$"
	done
	# One round is no order; only the speed can be held against us.
	case $status in
	0) assert_line 'they agree' ;;
	1) assert_line --regexp '^load is slower than 0.75 of (wrk|redis-benchmark)$' ;;
	*) fail "status $status" ;;
	esac
}

@test "witnesses that contradict each other, or agree" {
	witness wrk 20 10
	witness redis-benchmark 10 20
	check_with_fakes 5
	assert_failure 1
	assert_line --regexp '^wrk +20 +10  03$'
	assert_line --regexp '^redis-benchmark +10 +20  04$'
	assert_line 'the tools contradict each other'

	rm "$FAKES"/*.calls
	witness wrk 10 10
	witness redis-benchmark 10 10
	check_with_fakes 1
	assert_success
	assert_line 'they agree'
}

@test "a witness that is much faster than we are" {
	witness wrk 900000000 900000000
	witness redis-benchmark 1 1
	check_with_fakes 1
	assert_failure 1
	assert_line 'load is slower than 0.75 of wrk'
	refute_line --partial 'of redis-benchmark'
}

@test "a witness that says nothing is an error; one that is missing is skipped" {
	witness wrk '' ''
	witness redis-benchmark 1 1
	check_with_fakes 1
	assert_failure 1
	assert_equal "$stderr" 'cross-check: wrk on 03-epoll-lt: no result'

	local bin=$BATS_TEST_TMPDIR/bin tool
	mkdir "$bin"
	for tool in bash dirname mktemp taskset jq awk seq sed grep cat rm git env; do
		ln -s "$(command -v $tool)" "$bin/"
	done
	PATH=$bin ROUNDS=1 DURATION=0.05 run --separate-stderr "$ROOT/bench/cross-check"
	assert_success
	assert_line 'wrk: not installed, skipped (make setup-peers)'
	assert_line 'redis-benchmark: not installed, skipped (make setup-peers)'
	assert_line 'nothing to compare with'
}
