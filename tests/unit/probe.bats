#!/usr/bin/env bats
# The probe: its counts are the kernel's, its trace is readable, its file is safe.
# shellcheck disable=SC2154 # run --separate-stderr sets stderr and stderr_lines

setup() {
	load helper
	CLIENT=$BUILD/tests/client
	export LAB_COUNTS=$BATS_TEST_TMPDIR/counts
	cd "$BATS_TEST_TMPDIR" || return 1
}

teardown() {
	[[ -z ${WATCH_PID-} ]] || kill "$WATCH_PID" 2>/dev/null || true
	stop_lab
}

clients() { # ten, with twenty requests each
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		"$CLIENT" --port "$LAB_PORT" --mode ping --size 100 --count 20
	done
}

# traced PROGRAM ARG... -- LAB: the lab as start_lab starts it, below another program.
traced() {
	local before=()
	while [[ $1 != -- ]]; do
		before+=("$1")
		shift
	done
	LAB_LOG=$BATS_TEST_TMPDIR/$2.log
	"${before[@]}" "$BUILD/$2" --port 0 >"$LAB_LOG" 2>"$LAB_LOG.err" 3>&- &
	LAB_PID=$!
	wait_until 10 listening
}

one_line_about() {
	[[ -z $output ]] || fail "unexpected output: $output"
	[[ ${#stderr_lines[@]} -eq 1 && $stderr == *"$1"* ]] || fail "not one line about $1: $stderr"
}

@test "probe: the counts are strace's, call by call and error by error" {
	requires strace
	strace -o /dev/null true || skip "strace may not trace here"
	for lab in 02-nonblocking 03-epoll-lt 04-epoll-et; do
		rm -f summary
		traced strace -D -f -c -o summary -e signal=none -e \
			trace=accept4,recvfrom,sendto,epoll_wait,epoll_pwait,epoll_ctl,epoll_create1,fcntl -- $lab
		run clients
		assert_success
		stop_lab
		wait_until 5 grep -q total summary
		for pair in accept4:accept4 recv:recvfrom send:sendto epoll_wait:'epoll_p?wait' \
			epoll_ctl:epoll_ctl epoll_create1:epoll_create1 fcntl:fcntl; do
			ours=$(count "${pair%%:*}.calls")
			failed=$(($(count "${pair%%:*}.eagain") + $(count "${pair%%:*}.eintr") +
				$(count "${pair%%:*}.errors")))
			theirs=$(awk -v name="^${pair#*:}\$" '$NF ~ name { c = $4; e = NF > 5 ? $5 : 0 }
				END { print c + 0, e + 0 }' summary)
			[[ "$ours $failed" == "$theirs" ]] ||
				fail "$lab ${pair%%:*}: $ours $failed, and strace saw $theirs"
		done
		[[ $(count recv.bytes) -eq 20000 && $(count send.bytes) -eq 20000 ]]
		[[ $(count recv.eof) -eq 10 && $(count connections.opened) -eq 10 ]]
		[[ $(count connections.closed) -eq 10 && $(count accept4.ok) -eq 10 ]]
	done
}


@test "probe: each symbol in calls.def has its wrapper, and ld is given each" {
	requires nm
	nm "$BUILD/obj/common/probe/wrap.o" | sed -n 's/.* T __wrap_//p' | sort >wrappers
	sed -n 's/^--wrap=//p' "$BUILD/probe.wrap" | sort >listed
	[[ -s listed ]]
	run diff listed wrappers
	assert_output ''
	run grep -c '^WRAP(' "$ROOT/common/probe/calls.def"
	assert_output "$(wc -l <listed)"
}

@test "probe: the counts are perf's" {
	requires perf
	events=$(printf 'syscalls:sys_enter_%s,' accept4 recvfrom sendto epoll_wait epoll_ctl)
	perf stat -e "${events%,}" true 2>/dev/null ||
		skip "perf cannot count system calls here (root and tracefs needed)"
	for lab in 03-epoll-lt 04-epoll-et; do
		rm -f perf.csv
		traced perf stat -x, -o perf.csv -e "${events%,}" -- $lab
		run clients
		assert_success
		server=$(awk -F'\t' '$1 == "pid" { print $2 }' < <("$BUILD/counts" "$LAB_COUNTS"))
		kill "$server"
		wait "$LAB_PID"
		unset LAB_PID
		for pair in accept4:accept4 recv:recvfrom send:sendto epoll_wait:epoll_wait \
			epoll_ctl:epoll_ctl; do
			theirs=$(awk -F, -v e="syscalls:sys_enter_${pair#*:}" '$3 == e { print $1 }' perf.csv)
			[[ $(count "${pair%%:*}.calls") -eq $theirs ]] ||
				fail "$lab ${pair%%:*}: $(count "${pair%%:*}.calls"), and perf saw $theirs"
		done
	done
}

@test "probe: LAB_TRACE=1 tells each call, decoded; without it there is silence" {
	unset LAB_COUNTS
	LAB_TRACE=1 start_lab 04-epoll-et
	run "$CLIENT" --port "$LAB_PORT" --mode burst --size 5 --count 0 # it stays until all is quiet
	assert_success
	stop_lab
	run cat "$LAB_LOG.err"
	assert_line --regexp '^ +[0-9]+\.[0-9]{6} epoll_wait\([0-9]+\) → 1: fd [0-9]+ IN(\|OUT)?$'
	assert_line --regexp ' recv\([0-9]+, 4096\) → 5$'
	assert_line --regexp ' recv\([0-9]+, 4096\) → EAGAIN$'
	assert_line --regexp ' send\([0-9]+, 5\) → 5$'
	assert_line --regexp ' epoll_ctl\([0-9]+, ADD, [0-9]+, IN\|OUT\|RDHUP\|ET\) → 0$'
	for quiet in '' 0; do
		LAB_TRACE=$quiet start_lab 04-epoll-et
		run "$CLIENT" --port "$LAB_PORT"
		assert_success
		stop_lab
		[[ ! -s $LAB_LOG.err ]]
	done
}

@test "probe: LAB_TRACE=1 says which thread made a call" {
	LAB_TRACE=1 start_lab 08-oneshot --threads 1
	run "$CLIENT" --port "$LAB_PORT" --size 10
	assert_success
	threads=("/proc/$LAB_PID/task/"*)
	stop_lab
	run cat "$LAB_LOG.err"
	assert_line --regexp "^ +[0-9.]+ \[${threads[1]##*/}\] recv\([0-9]+, 4096\) → 10\$"
	assert_line --regexp '^ +[0-9.]+ epoll_create1\(' # the first thread
}

@test "probe: the page outlives SIGKILL, and the next start begins it again" {
	start_lab 03-epoll-lt
	clients >/dev/null
	kill -9 "$LAB_PID"
	wait "$LAB_PID" || true
	unset LAB_PID
	[[ $(count connections.opened) -eq 10 && $(count recv.bytes) -eq 20000 ]]
	start_lab 03-epoll-lt
	[[ $(count connections.opened) -eq 0 && $(count recv.bytes) -eq 0 ]]
}

@test "probe: a file that is no page is refused, and left as it was" {
	echo 'my thesis' >thesis
	start_lab 03-epoll-lt
	stop_lab
	head -c "$(stat -c %s counts)" /dev/urandom >same-size
	mkdir folder
	md5sum thesis same-size >sums
	for bad in thesis same-size; do
		LAB_COUNTS=$bad run --separate-stderr "$BUILD/03-epoll-lt" --port 0
		assert_failure 2
		one_line_about "$bad"
		run --separate-stderr "$BUILD/counts" $bad
		assert_failure
		one_line_about "$bad"
	done
	md5sum --quiet -c sums
	for bad in folder nowhere/counts; do
		LAB_COUNTS=$bad run --separate-stderr "$BUILD/03-epoll-lt" --port 0
		assert_failure
		one_line_about "$bad"
	done
	for bad in folder missing; do
		run --separate-stderr "$BUILD/counts" $bad
		assert_failure
		one_line_about "$bad"
	done
	[[ ! -e missing ]]
}

@test "probe: counts --watch shows rates, and ends with status 0 on SIGTERM" {
	start_lab 03-epoll-lt
	"$BUILD/counts" --watch "$LAB_COUNTS" >live 3>&- &
	WATCH_PID=$!
	clients >/dev/null
	wait_until 5 grep -q 'connections: 10 in all, 0 active' live
	kill "$WATCH_PID"
	rc=0
	wait "$WATCH_PID" || rc=$?
	unset WATCH_PID
	[[ $rc -eq 0 ]]
	run cat live
	assert_line --partial 'connections: 10 in all, 0 active'
	assert_line --regexp '^ +total +per second$'
	assert_line --regexp '^recv.bytes +20000 +[0-9]+$'
}

# events FD: how the trace names what came for it.
told_as() {
	grep -Eo "epoll_wait\([0-9]+\) → [0-9]+:.*" "$LAB_LOG.err"
}

@test "probe: the trace names the right descriptor where two registrations share their data" {
	unset LAB_COUNTS
	LAB_TRACE=1 start_lab 09-exclusive --workers 2 --exclusive
	wait_until 5 armed 2
	worker=$(pgrep -P "$LAB_PID" | head -n 1)
	kill -9 "$worker" # the other is woken by the bell, an eventfd
	wait_until 5 grep -q 'epoll_wait' "$LAB_LOG.err"
	kill "$LAB_PID"
	wait "$LAB_PID" || true # a worker did not end well
	unset LAB_PID
	bell=$(sed -nE 's/.* epoll_ctl\([0-9]+, ADD, ([0-9]+), IN\|ET\) → 0$/\1/p' "$LAB_LOG.err" | head -n 1)
	run told_as
	assert_line --regexp "^epoll_wait\([0-9]+\) → 1: fd $bell IN\$"
	refute_line --regexp ' fd 3 ' # the listener: nobody has connected
}

# armed N: so many listeners stand in a set.
armed() {
	(($(grep -c 'ADD, 3, IN|EXCLUSIVE) → 0$' "$LAB_LOG.err") == $1))
}

@test "probe: any data comes back with its event, in threads and forks, and too much is refused" {
	run "$BUILD/tests/tag_check"
	assert_success
	assert_output ok
	run --separate-stderr "$BUILD/tests/tag_check" full
	assert_failure 2
	one_line_about 'LAB_TRACE: more than 65535 different registrations'
}

@test "probe: threads are traced without a race" { # under SAN=tsan, which says so
	LAB_TRACE=1 start_lab 08-oneshot
	talkers=()
	for _ in 1 2 3 4; do
		"$CLIENT" --port "$LAB_PORT" --mode ping --size 100 --count 200 >/dev/null 3>&- &
		talkers+=($!)
	done
	wait "${talkers[@]}"
	stop_lab # with status 0, which a report changes
	run ! grep -A 30 'WARNING: ThreadSanitizer' "$LAB_LOG.err"
	grep -q 'epoll_ctl(.*MOD' "$LAB_LOG.err"
}

@test "probe: a blocking call that waits is shown while it waits, and no other is" {
	LAB_TRACE=1 start_lab 01-blocking
	wait_until 5 last_line 'accept4\(3\) ...waits'
	exec 5<>"/dev/tcp/127.0.0.1/$LAB_PORT"
	wait_until 5 last_line 'recv\([0-9]+, 4096\) ...waits'
	echo hello >&5
	read -r -t 5 -u 5 reply
	[[ $reply == hello ]]
	wait_until 5 last_line 'recv\([0-9]+, 4096\) ...waits'
	# What is there already, and a send that has room, do not wait.
	run grep -Ec 'send.*waits|recv.*waits' "$LAB_LOG.err"
	assert_output 2
	timeout 1 head -c 20000000 /dev/zero >&5 2>/dev/null || true
	wait_until 5 last_line 'send\([0-9]+, 4096\) ...waits'
	cat <&5 | head -c 3000000 | wc -c >got # it goes on where it stood
	[[ $(<got) -eq 3000000 ]]
	exec 5>&-
	stop_lab
	LAB_TRACE=1 start_lab 03-epoll-lt
	run "$CLIENT" --port "$LAB_PORT" --size 10
	assert_success
	stop_lab
	run ! grep waits "$LAB_LOG.err"
}

last_line() {
	[[ $(tail -n 1 "$LAB_LOG.err") =~ $1$ ]]
}

@test "probe: a traced server that waits in send sends every byte, in order" {
	LAB_TRACE=1 start_lab 01-blocking
	run "$CLIENT" --port "$LAB_PORT" --mode ping --size 3000000 --count 2
	assert_success
	stop_lab
}

@test "probe: one page has one server; a second is refused while the first lives" {
	start_lab 10-reuseport --workers 2
	run "$CLIENT" --port "$LAB_PORT" --size 10
	assert_success
	run --separate-stderr "$BUILD/03-epoll-lt" --port 0
	assert_failure 2
	one_line_about "$LAB_COUNTS: process $LAB_PID counts there"
	# A restarted worker is no second server.
	kill -9 "$(pgrep -P "$LAB_PID" | head -n 1)"
	wait_until 5 grep -q ' has ended' "$LAB_LOG.err"
	wait_until 5 two_workers
	for _ in 1 2 3 4 5 6; do
		run "$CLIENT" --port "$LAB_PORT" --size 10
		assert_success
	done
	[[ $(count recv.bytes) -eq 70 ]]
	kill "$LAB_PID"
	wait "$LAB_PID" || true
	unset LAB_PID
	start_lab 03-epoll-lt # the page is free again
	[[ $(count recv.bytes) -eq 0 ]]
}

two_workers() {
	(($(pgrep -cP "$LAB_PID") == 2))
}

# stated NAME: what counts says of it, a word or a number.
stated() {
	"$BUILD/counts" "$LAB_COUNTS" | awk -F'\t' -v name="$1" '$1 == name { print $2 }'
}

@test "probe: the time of a server stops when it ends, and counts says that it ended" {
	start_lab 03-epoll-lt
	run "$CLIENT" --port "$LAB_PORT" --size 10
	assert_success
	[[ $(stated state) == running ]]
	first=$(stated uptime_s)
	wait_until 5 later_than "$first"
	kill -9 "$LAB_PID"
	wait "$LAB_PID" || true
	unset LAB_PID
	[[ $(stated state) == ended ]]
	first=$(stated uptime_s)
	pause 0.05
	[[ $(stated uptime_s) == "$first" ]] || fail "it went on from $first to $(stated uptime_s)"
	"$BUILD/counts" --watch "$LAB_COUNTS" >live 3>&- &
	WATCH_PID=$!
	wait_until 5 grep -q "^pid [0-9]* (ended), up $(printf %.0f "$first") s, " live
}

later_than() {
	[[ $(stated uptime_s) != "$1" ]]
}

@test "probe: counts --watch counts a splice once, in and out" {
	start_lab splice
	"$BUILD/counts" --watch "$LAB_COUNTS" >live 3>&- &
	WATCH_PID=$!
	wait_until 5 grep -q '^pid ' live
	run "$CLIENT" --port "$LAB_PORT" --mode ping --size 4000000 --count 5
	assert_success
	wait_until 5 all_spliced # the client has the last bytes before they are counted
	wait_until 5 both_ways
	# Over all seconds, the same in and out.
	run awk -F'[ ,]+' '/^in / { for (i = 1; i < NF; i++) { if ($i == "in" && $(i + 2) == "MB/s") a += $(i + 1); if ($i == "out") b += $(i + 1) } }
		END { if (a < 15 || a > 21 || b < 15 || b > 21) { print a, b; exit 1 } }' live
	assert_success
}

all_spliced() {
	# a byte that came between splice's EAGAIN and the recv behind it went through the program
	[[ $(($(count splice.bytes) + $(count recv.bytes))) -eq 40000000 && $(count splice.out_bytes) -eq 20000000 ]]
}

# both_ways: a line of the live table after all has passed.
both_ways() {
	grep -A 40 '^pid' live | grep -q '^splice.out_bytes  *20000000 '
}
