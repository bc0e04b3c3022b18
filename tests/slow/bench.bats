#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # Bats sets and reads these elsewhere
# The full profile of the bench, with windows of a few hundredths of a second.

setup() {
	load ../unit/helper
	requires jq
	cd "$ROOT" || return 1
	export OUT=$BATS_TEST_TMPDIR/out PROFILE=full SCALE=0.05 PAIRS=1 MANY=50 HUNDRED=200 LIMIT_MS=1 LABS=''
}

teardown() {
	stop_lab
	[[ -z ${RUNNER-} ]] || kill "$RUNNER" 2>/dev/null || true
}

# metrics SCENARIO: their names, in the order of the file.
metrics() {
	awk -F'\t' '/^[#!]/ || $1 == "scenario" { next } !seen[$6]++ { printf "%s%s", (n++ ? " " : ""), $6 } END { print "" }' "$OUT/$1.tsv"
}

# cells SCENARIO SERVER METRIC: its values.
cells() {
	awk -F'\t' -v server="$2" -v want="$3" '$2 == server && $6 == want { print $7 }' "$OUT/$1.tsv"
}

requires_variants() {
	[[ -x $BUILD/variants/lt-ctl ]] || skip "needs patch"
}

@test "bench: what each server and each variant of 03 costs: 3, 4, 6, 12 calls" {
	requires_variants
	LABS='03 04 lt-ctl lt-small' SCENARIOS=syscalls SCALE=0.2 run bench/run
	assert_success
	run awk -F'\t' '$6 == "calls" { printf "%s %d\n", $2, $7 + 0.1 }' "$OUT/syscalls.tsv"
	assert_output $'03-epoll-lt 3\n04-epoll-et 4\nlt-ctl 6\nlt-small 12'
	run cells syscalls lt-ctl epoll_ctl
	assert_output 2
}

@test "bench: the variants are 03 but for what they are named after" {
	requires_variants
	for v in lt-ctl lt-small; do
		patch --quiet --fuzz=0 -o "$BATS_TEST_TMPDIR/$v.c" labs/03-epoll-lt/server.c "bench/peers/$v.diff"
		run bash -c "diff labs/03-epoll-lt/server.c '$BATS_TEST_TMPDIR/$v.c' | grep -c '^[<>]'"
		assert_output 2
	done
}

@test "bench: claim and spectrum have the contract's columns, a row for each trial, machine and gate in the head" {
	SCENARIOS=claim run bench/run
	assert_success
	[[ $(metrics claim) =~ ^p50_us\ p90_us\ (p99_us\ )?syscalls_per_s\ calls_per_request\ epoll_wait\ epoll_ctl\ recv_ok\ recv_eagain\ send\ cpu_percent\ cpu_us\ lost_percent\ lag_p99_us ]] || fail "$(metrics claim)"
	[[ $(metrics spectrum) = us ]]
	grep -q '^# case: inverse' "$OUT/spectrum.tsv"
	run grep -cE '^claim	03-epoll-lt	-	1	([01]|limited)	p50_us	' "$OUT/claim.tsv"
	assert_output 1
	for key in 'lost at rest' governor mitigations memory 'port range' tcp_wmem tcp_rmem 'sha256 load' kept profile; do
		grep -q "^# $key: ." "$OUT/claim.tsv" || fail "no $key"
	done
	[[ ! -e $OUT/.state ]]
	run grep -c . <(find "$OUT" -type f)
	assert_output 2
}

@test "bench: a reply that gets stuck costs 03 two epoll_ctl and 04 none" {
	unshare --user --map-root-user --net true 2>/dev/null || skip "needs user namespaces"
	SCENARIOS=backpressure SCALE=0.2 run bench/run
	assert_success
	run cells backpressure 04-epoll-et epoll_ctl_per_blocked
	assert_output 0
	# Where the machine keeps 03 from running for as long as the client pauses, a reply is not
	# seen to be stuck; it is, and costs the same.
	run awk "BEGIN { printf \"%.1f\", $(cells backpressure 03-epoll-lt epoll_ctl_per_blocked) * $(cells backpressure 03-epoll-lt blocked) / $(cells backpressure 03-epoll-lt replies) }"
	assert_output 2.0
}

# verdict_on FILE: runs aa against the server FILE through the whole pipeline of pairs.
verdict_on() {
	local build=$BATS_TEST_TMPDIR/build
	mkdir "$build"
	cp "$BUILD"/{load,counts,03-epoll-lt} "$build/"
	cp "$BUILD/03-epoll-lt" "$build/aa"
	cp "$1" "$build/other"
	BUILD=$build PAIRS=6 ARMS="aa other" SCENARIOS=exact bench/run 2>"$BATS_TEST_TMPDIR/err" >/dev/null
	"$BUILD/stats" pairs --metric calls_per_request --a aa --b other --absolute "$OUT/exact.tsv" |
		awk -F'\t' '/^#/ { next } !d { for (i = 1; i <= NF; i++) if ($i == "difference") d = i; next } { print $d, $NF }'
}

@test "bench: a server against itself, in pairs: nothing is found" {
	run verdict_on "$BUILD/03-epoll-lt"
	assert_output --regexp '^0 (equivalent|no difference)'
	# ABBA BAAB, and the same seed for both
	run grep -oE '(aa|other) round [0-9]' "$BATS_TEST_TMPDIR/err"
	assert_output "$(printf '%s\n' 'aa round 1' 'other round 1' 'other round 2' 'aa round 2' 'other round 3' \
		'aa round 3' 'aa round 4' 'other round 4' 'aa round 5' 'other round 5' 'other round 6' 'aa round 6')"
}

@test "bench: a server that makes one call more a request, in pairs: exactly that is found" {
	sed 's/^\tssize_t n = recv(c->fd, data/\trecv(c->fd, data, 0, 0);\n&/' labs/03-epoll-lt/server.c >"$BATS_TEST_TMPDIR/more.c"
	objects=$(printf '%s\n' "$BUILD"/obj/common/*.o "$BUILD"/obj/common/probe/{wrap,tally,trace,tag}.o)
	# shellcheck disable=SC2086
	${CC:-cc} -std=c11 -D_GNU_SOURCE -Icommon -pthread -o "$BATS_TEST_TMPDIR/more" "$BATS_TEST_TMPDIR/more.c" \
		$objects -Wl,@"$BUILD/probe.wrap"
	run verdict_on "$BATS_TEST_TMPDIR/more"
	assert_output '1 higher'
}

@test "bench: an interrupted run goes on: no trial again, no file before it is whole, no process left" {
	export SCENARIOS="syscalls bursts" PAIRS=4 SCALE=0.1
	env --default-signal=INT setsid bench/run >/dev/null 2>"$BATS_TEST_TMPDIR/err" 3>&- &
	RUNNER=$!
	wait_until 40 grep -q 'bursts .*round 2' "$BATS_TEST_TMPDIR/err"
	kill -INT -- "-$RUNNER"
	rc=0
	wait "$RUNNER" || rc=$?
	[[ $rc -eq 130 ]]
	run ! grep -qv Z <(ps -o stat= -s "$RUNNER") # who has ended may wait for init
	unset RUNNER
	[[ -s $OUT/syscalls.tsv && ! -e $OUT/bursts.tsv ]]
	before=$(find "$OUT/.state" -name '*round_1' -exec cksum {} + | sort)
	there=$(find "$OUT/.state" -mindepth 3 -type f | wc -l)
	run bench/run
	assert_success
	assert_line "going on with an interrupted run: $there trials are there"
	refute_line --partial 'round 1 '
	assert_line --partial 'round 4 '
	[[ $(awk -F'\t' '$2 == "03-epoll-lt" && $6 == "p50_us" { print $4 }' "$OUT/bursts.tsv" | xargs) = '1 2 3 4' ]]
	while read -r _ _ file; do
		[[ ! -e $file ]]
	done <<<"$before"
	[[ ! -e $OUT/.state ]]
}

@test "bench: the state of another plan is not used" {
	mkdir -p "$OUT/.state/c0ffee/syscalls"
	echo nonsense >"$OUT/.state/c0ffee/syscalls/03-epoll-lt_round_1"
	LABS=03 SCENARIOS=syscalls run bench/run
	assert_success
	assert_line --partial 'belongs to another build or plan'
	run grep -c nonsense "$OUT/syscalls.tsv"
	assert_output 0
}

@test "bench: a client that is too slow is never called the server's maximum" {
	# A load that says of itself that it was late from 60,000 a second on.
	mkdir "$BATS_TEST_TMPDIR/build"
	cp "$BUILD"/{03-epoll-lt,counts} "$BATS_TEST_TMPDIR/build/"
	cat >"$BATS_TEST_TMPDIR/build/load" <<-'EOF'
		#!/bin/bash
		while [[ $1 != --rate ]]; do shift; done
		if (($2 >= 60000)); then lag=900 rc=5; else lag=1 rc=0; fi
		echo '{"requests":100,"received":100,"duration_s":1,"lost_s":0,"rate":'$2',"offered_rate":'$2',"errors":{},
			"lag_p99_us":1,"lag_us":{"p50":'$lag'},"latency_us":{"p50":9,"p90":'${P90:-9}'},"counts":{},"server_cpu_s":0}'
		exit $rc
	EOF
	chmod +x "$BATS_TEST_TMPDIR/build/load"
	export BUILD=$BATS_TEST_TMPDIR/build ARMS=03-epoll-lt SCENARIOS=saturation
	run bench/run
	assert_success
	run grep -P '\tmaximum\t' "$OUT/saturation.tsv"
	assert_output --regexp $'^saturation\t03-epoll-lt\t-\t1\tlimited\tmaximum\t5[0-9]{4}$'
	# And one that finds the server late instead.
	sed -i 's/lag=900 rc=5/lag=1 rc=0 P90=5000/' "$BUILD/load"
	run bench/run
	run grep -P '\tmaximum\t' "$OUT/saturation.tsv"
	assert_output --regexp $'^saturation\t03-epoll-lt\t-\t1\t1\tmaximum\t5[0-9]{4}$'
}

@test "bench: a trial that the machine has spoiled stays, says why, and is tried again" {
	mkdir "$BATS_TEST_TMPDIR/build"
	cp "$BUILD"/{03-epoll-lt,04-epoll-et,counts} "$BATS_TEST_TMPDIR/build/"
	cat >"$BATS_TEST_TMPDIR/build/load" <<-'EOF'
		#!/bin/bash
		echo '{"requests":100,"received":100,"duration_s":1,"lost_s":0.5,"rate":9,"offered_rate":9,"errors":{},
			"lag_p99_us":70,"lag_us":{"p50":1},"latency_us":{"p50":9,"p90":9},"counts":{},"server_cpu_s":0}'
	EOF
	chmod +x "$BATS_TEST_TMPDIR/build/load"
	BUILD=$BATS_TEST_TMPDIR/build LIMIT_MS=900000 PAIRS=2 MANY=1 LABS="03 04" SCENARIOS=idle run bench/run
	assert_success
	run awk -F'\t' '$2 == "03-epoll-lt" && $6 == "p50_us" { print $4 }' "$OUT/idle.tsv"
	assert_output $'1\n2\n3\n4'
	grep -qx '# rejected: 04-epoll-et 1 1 lag p99 70 us, lost 50 %' "$OUT/idle.tsv"
	grep -qx '# kept: 0 of 8' "$OUT/idle.tsv"
	grep -qx '# noise: machine too noisy for tail claims' "$OUT/idle.tsv"
}

@test "bench: a peer that is not built is a line, not a failure" {
	mkdir "$BATS_TEST_TMPDIR/build"
	cp "$BUILD"/{load,counts,03-epoll-lt,04-epoll-et} "$BATS_TEST_TMPDIR/build/"
	BUILD=$BATS_TEST_TMPDIR/build LABS="03 libev" SCENARIOS=peers run bench/run
	assert_success
	grep -qx '! libev error not built' "$OUT/peers.tsv"
	[[ $(metrics peers) = 'cpu_us p50_us max_per_s bytes_per_idle' ]] || fail "$(metrics peers)"
	[[ $(cells peers 03-epoll-lt bytes_per_idle | tail -n 1) =~ ^[0-9]+$ ]] # of so few: a page, or none
}

@test "bench: the other files have the contract's columns and rows" {
	SCENARIOS="bursts slow hundred omission" run bench/run
	assert_success
	[[ $(metrics bursts) = 'calls_per_request cpu_us p50_us' ]] || fail "$(metrics bursts)"
	[[ $(metrics slow) =~ ^p50_us\ (p99_us\ )?cpu_us\ memory_kb ]] || fail "$(metrics slow)"
	[[ $(cells slow 04-epoll-et memory_kb | tail -n 1) -gt 1000 ]] # 100 replies stuck at the high-water mark
	[[ $(metrics hundred) =~ ^user_bytes_per_idle\ kernel_bytes_per_idle\ idle_cpu_percent\ servers\ connections\ connections_each\ achieved\ p50_us ]] || fail "$(metrics hundred)"
	grep -q '^# limit: ' "$OUT/hundred.tsv"
	run cells hundred 03-epoll-lt connections
	assert_output 200
	[[ $(metrics omission) = us ]]
}

@test "bench: refusals are one line that names the culprit" {
	while IFS='|' read -r setting said; do
		run env "$setting" bench/run
		assert_failure 1
		assert_output "run: $said"
	done <<-'EOF'
		PROFILE=huge|PROFILE: 'huge' is neither quick nor full
		SCENARIOS=nope|SCENARIOS: no scenario 'nope'
		LABS=nope|LABS: no lab 'nope'
		SCALE=fast|SCALE: 'fast' is no number above 0
		PAIRS=0|PAIRS: '0' is no number above 0
	EOF
	[[ ! -e $OUT ]]
}

@test "bench: workers: 09 and 10 have the same placement, and 10 --pin differs from 10 by pinning alone" {
	requires taskset
	[[ $(nproc) -ge 2 ]] || skip "needs two CPUs: with one there is nothing to pin apart"
	LABS='09 10' SCENARIOS=workers run bench/run
	assert_success
	placed() { sed -n "s/^# cpus: $1 \([0-9]*\) 1: /\1 /p" "$OUT/workers.tsv"; } # workers, CPUs
	all=$(sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' /proc/self/status)
	for lab in 09-exclusive--exclusive 10-reuseport; do
		[[ $(placed $lab | cut -d' ' -f2 | sort -u) = "$all" ]] || fail "$lab: $(placed $lab | xargs)"
		[[ $(placed $lab | cut -d' ' -f1 | xargs) = '1 2 4 8' ]]
	done
	[[ $(placed 10-reuseport--pin | sed -n 1p) =~ ^1\ [0-9]+$ ]]
	[[ $(placed 10-reuseport--pin | sed -n 2p) =~ ^2\ [0-9]+\+[0-9]+$ ]]
	grep -q '^# what: .*client on CPU [0-9]*, every server free to use all CPUs; --pin: worker i' "$OUT/workers.tsv"
	grep -q "^# pinning: client cpu [0-9]*, server cpu .*[,-]" "$OUT/workers.tsv"
}
