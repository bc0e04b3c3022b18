#!/usr/bin/env bats
# make trace: one request call by call, and a bar of time a connection; make doctor.
# shellcheck disable=SC2154 # run --separate-stderr sets stderr and stderr_lines

setup() {
	load helper
	load trace
	trace_setup
}

@test "trace: two columns in one order of time, and all that was sent is received" {
	traced 04-epoll-et
	assert_output --regexp 'µs +client +server: 04-epoll-et'
	assert_line --regexp '^ +[0-9]+  connect\([0-9]+\) → 0 ─+ SYN ─+▶$'
	assert_line --regexp '^ +[0-9]+ {10,}recv\([0-9]+, 4096\) → EAGAIN$'
	assert_line --regexp '^ +[0-9]+  ◀─+ 6 bytes ─+ send\([0-9]+, 6\) → 6$'
	assert_line --regexp '^ +[0-9]+  recv\([0-9]+, [0-9]+\) → 6$'
	assert_line --regexp '^ +[0-9]+  ◀─+ FIN ─+ close\([0-9]+\) → 0$'
	run awk '/^ *[0-9]/ { if ($1 + 0 < last) exit 1; last = $1 + 0 }' trace
	assert_success
	[[ $(carried client) -eq 6 && $(carried server) -eq 6 ]]
	[[ -z $(too_wide 80 trace) ]] || fail "too wide: $(too_wide 80 trace)"
}

# below SIZE: what a side has received stands below what the other has sent.
below() {
	awk -v size="$1" '/ send\(/ && /▶/ { to += $5 } / recv\(.*4096\) → [1-9]/ { in_ += $NF; if (in_ > to) exit 1 }
		/◀.* bytes / { back += $NF } / recv\(.*65536\) → [1-9]/ { out += $NF; if (out > back) exit 2 }
		END { if (to != size || in_ != size || back != size || out != size) exit 3 }' trace ||
		fail "bytes: $(cat trace)"
}

@test "trace: the calls are the model's: 3k level-triggered, 2k + 2 edge-triggered" {
	traced 03-epoll-lt
	[[ $calls -eq 3 ]] || fail "$calls, not 3"
	below 6
	traced 04-epoll-et
	[[ $calls -eq 4 ]] || fail "$calls, not 4"
	below 6
	assert_line 'server: 4 calls for the request: 1 epoll_wait, 2 recv (1 EAGAIN), 1 send'
	traced 03-epoll-lt 10000
	[[ $calls -eq 9 ]] || fail "$calls, not 9"
	below 10000
	traced 04-epoll-et 10000
	[[ $calls -eq 8 ]] || fail "$calls, not 8"
	below 10000
}

@test "trace: the starving server keeps what it has not read, and the trace says so" {
	traced 05-et-starving 300
	assert_output --partial 'only 100 of 300 bytes came back'
}

@test "trace: bad input is one line" {
	for bad in '' ../README.md; do
		run --separate-stderr "$ROOT/bench/trace/trace" "$bad"
		assert_failure
		[[ -z $output && ${#stderr_lines[@]} -eq 1 ]]
	done
	for bad in 0 99999999; do
		SIZE=$bad run --separate-stderr "$ROOT/bench/trace/trace" 04-epoll-et
		assert_failure
		[[ -z $output && ${#stderr_lines[@]} -eq 1 && $stderr == *SIZE* ]]
	done
}

@test "trace: a bar of time for each connection, drawn in both formats" {
	requires gnuplot
	for lab in 03-epoll-lt 04-epoll-et; do
		PLOT=1 run "$ROOT/bench/trace/trace" $lab
		assert_success
		data=bench/timeline-$lab.tsv
		for key in what trials date commit cpu kernel zoom; do grep -q "^# $key: " $data; done
		grep -v '^#' $data >rows
		assert_equal "$(head -n 1 rows)" $'server\tconnection\tclient\tstate\tfrom_us\tto_us'
		# No stretch of a connection overlaps another; each state occurs.
		run awk -F'\t' 'NR > 1 { if (NF != 6 || $6 < $5 || $5 < end[$2] - 0.01) exit 1; end[$2] = $6; seen[$2 $4] }
			END { for (c = 1; c <= 3; c++) if (!(c "recv" in seen) || !(c "send" in seen)) exit 2
				if (!("3blocked" in seen) || "1blocked" in seen) exit 3 }' rows
		assert_success
		head -c 4 plots/timeline-$lab.png | grep -q PNG
		grep -q '</svg>' plots/timeline-$lab.svg
	done
}

@test "trace: PLOT=1 TERM_PLOTS=1 draws in the terminal, within 80 columns" {
	requires gnuplot
	PLOT=1 TERM_PLOTS=1 run "$ROOT/bench/trace/trace" 05-et-starving
	assert_success
	printf '%s\n' "$output" >trace
	assert_line --regexp '^ +05-et-starving: what each connection is doing *$|05-et-starving: what each connection'
	assert_line --regexp '^ *3 slow .*[@#%*$]{10}'
	head -n -2 trace >drawn # below it, the names of the files
	[[ -z $(too_wide 80 drawn) ]] || fail "too wide: $(too_wide 80 drawn)"
	PLOT=1 run "$ROOT/bench/trace/trace" 05-et-starving
	assert_success
	refute_output --partial 'what each connection is doing'
}

# A lab's own build, which tells where it was started from.
own_build() {
	# shellcheck disable=SC2016 # what sh expands
	printf '#!/bin/sh\necho "$0" >>"%s/started"\nexec "%s" "$@"\n' "$PWD" "$2" >"$1"
	chmod +x "$1"
}

@test "trace: SERVER=FILE runs that file, and BUILD another build" {
	own_build mine "$BUILD/04-epoll-et"
	SERVER=mine run "$ROOT/bench/trace/trace" 04-epoll-et
	assert_success
	assert_output --regexp 'server: 04-epoll-et'
	assert_line --partial 'server: 4 calls for the request'
	assert_equal "$(<started)" "$PWD/mine"
	rm started
	mkdir other
	ln -s "$BUILD/ask" "$BUILD/counts" other/
	own_build other/04-epoll-et "$BUILD/04-epoll-et"
	BUILD=$PWD/other run "$ROOT/bench/trace/trace" 04-epoll-et
	assert_success
	assert_equal "$(<started)" "$PWD/other/04-epoll-et"
	run make -n -C "$ROOT" SAN=asan trace LAB=04
	assert_output --regexp 'BUILD=[^ ]*/build-asan +bench/trace/trace 04-epoll-et'
	for bad in missing "$ROOT/README.md"; do
		SERVER=$bad run --separate-stderr "$ROOT/bench/trace/trace" 04-epoll-et
		assert_failure
		[[ -z $output && ${#stderr_lines[@]} -eq 1 && $stderr == *"SERVER: "*"$bad"* ]]
	done
}

@test "trace: LAB_TRACE=clock tells when a call returned, on everybody's clock, and how long it took" {
	requires nc
	read -r before _ </proc/uptime
	LAB_TRACE=clock start_lab 01-blocking
	run nc -N 127.0.0.1 "$LAB_PORT" <<<hello
	assert_output hello
	stop_lab
	run cat "$LAB_LOG.err"
	assert_line --regexp '^[0-9]+\.[0-9]{9} [0-9]+\.[0-9]{9} recv\([0-9]+, 4096\) → 6$'
	# It waited in accept4: from the start on, not longer than since then.
	run awk -v before="$before" '$2 > $1 - before + 0.1 || $1 < before - 0.1 { exit 1 }' "$LAB_LOG.err"
	assert_success
}

@test "doctor: one screen, status 0, nothing built" {
	BUILD=$BATS_TEST_TMPDIR/empty run "$ROOT/bench/setup/doctor"
	assert_success
	printf '%s\n' "$output" >screen
	[[ ${#lines[@]} -le 24 && -z $(too_wide 80 screen) ]] || fail "$output"
	assert_line --regexp '^-- noise +not measured: after make'
	assert_line --regexp '^(ok|--) kernel '
	assert_line --regexp '^(ok|--) netns '
}

@test "doctor: names what is missing, and what that costs" {
	mkdir bin proc
	for tool in bash uname getconf id nproc env cc make git bats jq nc timeout; do
		ln -s "$(command -v $tool)" bin/$tool
	done
	mkdir -p proc/sys/kernel/yama proc/sys/net/core
	echo 4.4.0-1-generic >proc/sys/kernel/osrelease
	echo 2 >proc/sys/kernel/io_uring_disabled
	echo 3 >proc/sys/kernel/yama/ptrace_scope
	echo 128 >proc/sys/net/core/somaxconn
	ulimit -n 512
	PATH=$PWD/bin PROC=$PWD/proc BUILD=$PWD/empty run bash "$ROOT/bench/setup/doctor"
	assert_success
	assert_line --regexp '^-- measure +no gnuplot taskset: no make plots'
	assert_line --regexp '^-- inspect +no strace ss prlimit: '
	assert_line --regexp '^ok test +bats jq nc timeout$'
	assert_line --regexp '^-- kernel +4\.4\.0-1-generic is older than 4\.5'
	assert_line --regexp '^-- files +hard limit 512 '
	assert_line --regexp '^-- backlog +somaxconn 128 '
	assert_line --regexp '^-- io_uring '
	assert_line --regexp '^-- ptrace '
	[[ ${#lines[@]} -le 24 ]]
}
