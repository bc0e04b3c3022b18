#!/usr/bin/env bats
# shellcheck disable=SC2034,SC2154 # Bats sets and reads these elsewhere
# The contract of every lab server; the broken ones are tested for their breakage.
# shellcheck disable=SC2030,SC2031 # Bats runs every test in its own subshell

CORRECT='01-blocking 02-nonblocking 03-epoll-lt 04-epoll-et 07-et-fair 08-oneshot'
MANY='02-nonblocking 03-epoll-lt 04-epoll-et 07-et-fair 08-oneshot' # clients at a time
REFERENCE='03-epoll-lt 04-epoll-et 07-et-fair 08-oneshot'
ALL="$CORRECT 05-et-starving 06-epollout-spin"

setup() {
	load helper
	CLIENT=$BUILD/tests/client
	unset CLIENT_PID
	export LAB_COUNTS=$BATS_TEST_TMPDIR/counts
}

teardown() {
	[[ -n ${BATS_TEST_COMPLETED-} || -z ${LAB_PID-} ]] || { # for who reads a log of it
		echo "${LAB_LOG##*/}, descriptors: $(readlink "/proc/$LAB_PID/fd/"* | tr '\n' ' ')"
	}
	[[ -z ${CLIENT_PID-} ]] || kill "$CLIENT_PID" 2>/dev/null || true
	[[ -z ${LAB_PID-} ]] || kill -CONT "$LAB_PID" 2>/dev/null || true
	stop_lab
}

echo_works() {
	run "$CLIENT" --port "$LAB_PORT" "$@"
	assert_success
	assert_output ok
}

# client_in_background OPTION...: a line to descriptor 8 lets it go on; its output in $OUT.
client_in_background() {
	OUT=$BATS_TEST_TMPDIR/client.out
	rm -f "$BATS_TEST_TMPDIR/go"
	mkfifo "$BATS_TEST_TMPDIR/go"
	"$CLIENT" --port "$LAB_PORT" "$@" <"$BATS_TEST_TMPDIR/go" >"$OUT" 2>&1 3>&- &
	CLIENT_PID=$!
	exec 8>"$BATS_TEST_TMPDIR/go"
}

client_goes_on() {
	local rc=0
	echo >&8
	exec 8>&-
	wait "$CLIENT_PID" || rc=$?
	unset CLIENT_PID
	((rc == 0)) || fail "$(cat "$OUT")"
}

client_leaves() { # without reading what is queued for it: the kernel sends a RST
	kill "$CLIENT_PID" 2>/dev/null || true # it may have left by itself, as the server did
	wait "$CLIENT_PID" || true
	unset CLIENT_PID
	exec 8>&-
}

fds() {
	local all=("/proc/$LAB_PID/fd/"*)
	echo ${#all[@]}
}

fds_are() {
	[[ $(fds) -eq $1 ]]
}

memory_kb() {
	awk '/^RssAnon/ { print $2 }' "/proc/$LAB_PID/status"
}

cpu_ns() {
	local ns rest
	read -r ns rest <"/proc/$LAB_PID/schedstat"
	echo "$ns"
}

one_line_about() {
	[[ -z $output ]] || fail "unexpected output: $output"
	[[ ${#stderr_lines[@]} -eq 1 ]] || fail "not one line: $stderr"
	[[ $stderr == *"$1"* ]] || fail "does not name $1: $stderr"
}

@test "labs: the first line on stdout is the address, IPv4 and IPv6" {
	for lab in $ALL; do
		start_lab "$lab"
		run cat "$LAB_LOG"
		assert_output --regexp '^listening on 127\.0\.0\.1:[0-9]+$'
		stop_lab
		[[ -e /proc/net/if_inet6 ]] || continue
		start_lab "$lab" --bind ::1
		run cat "$LAB_LOG"
		assert_output --regexp '^listening on \[::1\]:[0-9]+$'
		echo_works --mode ping --host ::1
		stop_lab
	done
}

@test "labs: --help is on stdout with status 0" {
	for lab in $ALL; do
		run --separate-stderr "$BUILD/$lab" --help
		assert_success
		assert_line --partial "usage: $lab"
		assert_line --partial '--bind ADDR'
		[[ -z $stderr ]]
	done
}

@test "labs: bad usage and a bad environment are one line that names the culprit, status 2" {
	for lab in $ALL; do
		for bad in '--nope' '--port 65536' '--port x' '--port -1' '--bind localhost' \
			'--bind 1.2.3' 'operand'; do
			# shellcheck disable=SC2086
			run --separate-stderr "$BUILD/$lab" $bad
			assert_failure 2
			one_line_about "$(sed 's/.* //; s/^--//' <<<"$bad")"
		done
		LAB_TRACE=loud run --separate-stderr "$BUILD/$lab" --port 0
		assert_failure 2
		one_line_about LAB_TRACE
	done
	run --separate-stderr "$BUILD/05-et-starving" --chunk 0
	assert_failure 2
	one_line_about chunk
	run --separate-stderr "$BUILD/08-oneshot" --mode et # now in the zoo
	assert_failure 2
	one_line_about et
	run --separate-stderr "$BUILD/ways" operand
	assert_failure 2
	one_line_about operand
}

@test "labs: a port in use is one line with the call and the reason, status 1" {
	for lab in $ALL; do
		start_lab "$lab"
		LAB_COUNTS="" run --separate-stderr "$BUILD/$lab" --port "$LAB_PORT"
		assert_failure 1
		one_line_about 'bind: Address already in use'
		stop_lab
	done
}

@test "labs: SIGTERM and SIGINT end it with status 0, idle, with clients, with output stuck" {
	for lab in $ALL; do
		for signal in TERM INT; do
			start_lab "$lab"
			client_in_background --mode slow --size 20000000
			wait_until 20 grep -q 'stuck after' "$OUT"
			kill -s $signal "$LAB_PID"
			sent=$(date +%s%N) rc=0
			wait "$LAB_PID" || rc=$?
			unset LAB_PID
			[[ $rc -eq 0 ]] || fail "$lab: status $rc after SIG$signal"
			[[ $(($(date +%s%N) - sent)) -lt 1000000000 ]] || fail "$lab: slow to leave"
			client_leaves
		done
	done
}

@test "labs: every byte comes back, whatever the sizes" {
	for lab in $CORRECT 06-epollout-spin '06-epollout-spin --et'; do
		# shellcheck disable=SC2086
		start_lab $lab
		for size in 0 1 4095 4096 4097 100000 3000000; do
			echo_works --size $size
		done
		echo_works --size 2000 --piece 1
		stop_lab
	done
}

@test "labs: data that arrives together with its FIN is echoed" {
	for lab in $CORRECT 06-epollout-spin; do
		start_lab "$lab"
		for size in 5 4096 10000; do
			kill -STOP "$LAB_PID"
			(head -c $size /dev/zero | nc -N 127.0.0.1 "$LAB_PORT" >"$BATS_TEST_TMPDIR/back") 3>&- &
			nc_pid=$!
			wait_until 5 fin_arrived
			kill -CONT "$LAB_PID"
			wait $nc_pid
			[[ $(stat -c %s "$BATS_TEST_TMPDIR/back") -eq $size ]]
		done
		stop_lab
	done
}

nobody_connected() {
	[[ $(count connections.active) -eq 0 ]]
}

fin_arrived() { # our side of the connection is in CLOSE-WAIT: the FIN is there
	[[ -n $(ss -Htn state close-wait "sport = :$LAB_PORT") ]]
}

@test "labs: resets, idle or with replies queued, close that one connection only" {
	for lab in $CORRECT 06-epollout-spin; do
		start_lab "$lab"
		echo_works
		wait_until 5 nobody_connected # the client had its FIN before the descriptor was closed
		before=$(fds)
		for rude in '--size 0' '--size 0 --fin' '--size 60000' '--size 60000 --fin'; do
			# shellcheck disable=SC2086
			run "$CLIENT" --port "$LAB_PORT" --mode rst --count 50 --quiet 1 $rude
			assert_success
		done
		echo_works
		[[ $lab == 01-* ]] || {
			client_in_background --mode slow --size 20000000 --count 3
			wait_until 20 grep -q 'stuck after' "$OUT"
			client_leaves
			echo_works
		}
		wait_until 5 fds_are "$before"
		stop_lab
	done
}

@test "labs: slow readers cost bounded memory, no system call and no CPU, and others are served" {
	for lab in 02-nonblocking $REFERENCE; do
		start_lab "$lab"
		echo_works
		before=$(memory_kb)
		client_in_background --mode slow --size 16000000 --count 3
		wait_until 30 grep -q 'stuck after' "$OUT"
		grown=$(($(memory_kb) - before))
		[[ $BUILD != *san ]] || grown=0 # a sanitizer keeps what is freed
		[[ $grown -lt 1024 ]] || fail "$lab grew by $grown kB"
		stuck=$(awk '{ print $3 }' "$OUT")
		[[ $stuck -lt 16000000 ]] || fail "$lab took everything: no back-pressure"
		[[ $lab == 02-* ]] || { # which never rests
			wait_until 5 calm
			calls=$(count epoll_wait.calls) cpu=$(cpu_ns)
			wait_until 5 window_has_passed
			[[ $(count epoll_wait.calls) -le $((calls + 3)) ]]
			[[ $(($(cpu_ns) - cpu)) -lt 50000000 ]]
		}
		echo_works --size 100000
		client_goes_on
		stop_lab
	done
}

calm() { # on a busy machine a server may not be done when the client has stopped
	local calls
	calls=$(count epoll_wait.calls)
	pause 0.1
	[[ $(count epoll_wait.calls) -eq $calls ]]
}

window_has_passed() { # half a second since it was first asked
	: "${SINCE:=$(date +%s%N)}"
	[[ $(($(date +%s%N) - SINCE)) -gt 500000000 ]] && unset SINCE
}

no_room_for_more_than() { # N: connections, from now on
	local limit=0 free=0
	for (( ; free < $1; limit++)); do
		[[ -L /proc/$LAB_PID/fd/$limit ]] || free=$((free + 1))
	done
	prlimit --pid "$LAB_PID" --nofile=$limit:
}

@test "labs: out of descriptors it neither dies, nor spins, nor strands anyone" {
	requires prlimit
	for lab in $MANY 06-epollout-spin; do
		# TSan has no descriptor left to look up names by, and so knows no suppression.
		[[ $BUILD != *tsan || $lab != 08-* ]] || continue
		start_lab "$lab"
		no_room_for_more_than 4
		client_in_background --mode hold --count 4
		wait_until 5 grep -q '^holding 4' "$OUT"
		late=()
		for _ in 1 2 3 4 5 6; do
			"$CLIENT" --port "$LAB_PORT" --size 5000 >/dev/null 3>&- 8>&- &
			late+=($!)
		done
		wait_until 5 refused_some
		if [[ $lab == 0[3478]-* ]]; then
			errors=$(count accept4.errors) calls=$(count epoll_wait.calls)
			wait_until 5 window_has_passed
			[[ $(($(count accept4.errors) - errors)) -lt 50 ]]
			[[ $(($(count epoll_wait.calls) - calls)) -lt 50 ]]
		fi
		[[ $(count connections.active) -eq 4 ]]
		client_goes_on
		for pid in "${late[@]}"; do
			wait "$pid" || fail "$lab stranded a client"
		done
		stop_lab
	done
}

refused_some() {
	[[ $(count accept4.errors) -gt 0 ]]
}

@test "labs: freezing and going on (EINTR) changes nothing" {
	for lab in $CORRECT; do
		start_lab "$lab"
		for _ in 1 2 3 4 5; do
			kill -STOP "$LAB_PID"
			wait_until 5 grep -q '^State:.T' "/proc/$LAB_PID/status"
			kill -CONT "$LAB_PID"
			wait_until 5 grep -q '^State:.[SR]' "/proc/$LAB_PID/status"
		done
		echo_works
		[[ $lab != 0[3478]-* || $(count epoll_wait.eintr) -gt 0 ]]
		stop_lab
	done
}

two_are_pending() { # connected, and the frozen server has not accepted them
	[[ $(ss -Htn state established state fin-wait-1 state fin-wait-2 "dport = :$LAB_PORT" | wc -l) -eq 2 ]]
}

@test "labs: an aborted accept, or one without memory, strands nobody" {
	requires strace ss
	export ASAN_OPTIONS=detect_leaks=0 # it cannot look for leaks below strace
	for lab in $CORRECT; do
		for error in ECONNABORTED ENOMEM EINTR; do
			LAB_LOG=$BATS_TEST_TMPDIR/strace.log
			rm -f "$LAB_LOG" # an earlier server's port is not this one's
			strace -f -qq -D -o "$BATS_TEST_TMPDIR/strace.out" -e trace=accept4 -e signal=none \
				-e inject=accept4:error=$error:when=1..2 \
				"$BUILD/$lab" --port 0 >"$LAB_LOG" 2>"$LAB_LOG.err" 3>&- &
			LAB_PID=$!
			wait_until 5 grep -qs '^listening' "$LAB_LOG"
			LAB_PORT=$(sed 's/.*://' "$LAB_LOG")
			kill -STOP "$LAB_PID"
			"$CLIENT" --port "$LAB_PORT" --size 10000 >/dev/null 3>&- &
			one=$!
			"$CLIENT" --port "$LAB_PORT" --size 10000 >/dev/null 3>&- &
			two=$!
			wait_until 5 two_are_pending
			kill -CONT "$LAB_PID"
			wait $one || fail "$lab: $error stranded a client"
			wait $two || fail "$lab: $error stranded a client"
			stop_lab
		done
		injected=$(grep -c INJECTED "$BATS_TEST_TMPDIR/strace.out") # two in each thread
		[[ $lab == 02-* || $injected -eq 2 || $lab == 08-* && $injected -ge 2 ]]
	done
}

# reset_before_reply LAB: the reply waits 200 ms for the reset; what came of it in strace.out.
reset_before_reply() {
	LAB_LOG=$BATS_TEST_TMPDIR/strace.log
	rm -f "$LAB_LOG"
	strace -f -qq -D -o "$BATS_TEST_TMPDIR/strace.out" -e trace=sendto -e signal=none \
		-e inject=sendto:delay_enter=200000:when=1 \
		"$BUILD/$1" --port 0 >"$LAB_LOG" 2>"$LAB_LOG.err" 3>&- &
	LAB_PID=$!
	wait_until 5 grep -qs '^listening' "$LAB_LOG"
	LAB_PORT=$(sed 's/.*://' "$LAB_LOG")
	run "$CLIENT" --port "$LAB_PORT" --mode rst --size 50 --fin --quiet 50
	assert_success
	echo_works --mode ping
	stop_lab
}

@test "labs: a reset between the read and the reply is EPIPE, not SIGPIPE" {
	requires strace
	export ASAN_OPTIONS=detect_leaks=0
	for lab in $ALL; do
		for _ in {1..5}; do # on a busy machine the reset may be late
			reset_before_reply "$lab"
			! grep -q EPIPE "$BATS_TEST_TMPDIR/strace.out" || continue 2
		done
		fail "$lab: never tried"
	done
}

@test "labs: without memory for a reply that connection goes, the others stay" {
	requires prlimit
	[[ $BUILD != *san ]] || skip "a sanitizer has its own memory"
	for lab in $MANY 06-epollout-spin; do
		start_lab "$lab"
		client_in_background --mode hold --count 3
		wait_until 5 grep -q '^holding' "$OUT"
		prlimit --pid "$LAB_PID" --data=1: # no more heap than there is now
		run "$CLIENT" --port "$LAB_PORT" --mode slow --count 10 --size 20000000 </dev/null
		assert_failure
		assert_output --regexp 'reset by peer|Broken pipe' # some were dropped, not all served
		prlimit --pid "$LAB_PID" --data=unlimited:
		echo_works --size 100000
		client_goes_on
		stop_lab
	done
}

@test "labs: 10,000 connections, under 100 bytes each, and no call while all are idle" {
	[[ $(ulimit -Hn) == unlimited || $(ulimit -Hn) -ge 10100 ]] ||
		skip "needs 10,100 descriptors, ulimit -Hn is $(ulimit -Hn)"
	[[ $BUILD != *san ]] || skip "a sanitizer's memory is not the server's"
	for lab in $REFERENCE; do
		start_lab "$lab"
		echo_works
		before=$(memory_kb)
		client_in_background --mode hold --count 10000
		wait_until 30 grep -q 'holding 10000' "$OUT"
		each=$((($(memory_kb) - before) * 1024 / 10000))
		echo "# $lab: $each bytes for an idle connection" >&3
		[[ $each -lt 100 ]] || fail "$lab: $each bytes for a connection"
		wait_until 5 calm
		calls=$(count epoll_wait.calls)
		wait_until 5 window_has_passed
		[[ $(count epoll_wait.calls) -eq $calls ]]
		[[ $(count connections.active) -eq 10000 ]]
		client_goes_on
		stop_lab
	done
}

@test "labs: every descriptor is close-on-exec, every connection of 02 to 08 non-blocking" {
	for lab in $ALL; do
		start_lab "$lab"
		client_in_background --mode hold
		wait_until 5 grep -q '^holding' "$OUT"
		for fd in "/proc/$LAB_PID/fd/"*; do
			[[ $(readlink "$fd") == @(socket|anon_inode)* ]] || continue # not ours
			flags=$(awk '/^flags/ { print $2 }' "/proc/$LAB_PID/fdinfo/${fd##*/}")
			((8#$flags & 8#2000000)) || fail "$lab: fd ${fd##*/} is inherited: $flags"
			[[ $lab == 01-* || $(readlink "$fd") != socket* ]] || ((8#$flags & 8#4000)) ||
				fail "$lab: fd ${fd##*/} is blocking: $flags"
		done
		client_goes_on
		stop_lab
	done
}

@test "labs: the three ways to a non-blocking socket cost 4, 1 and 3 calls, as the probe counts them" {
	run "$BUILD/ways"
	assert_success
	assert_line --regexp '^fcntl +4 +at first +at first$'
	assert_line --regexp '^accept4 +1 +never +never$'
	assert_line --regexp '^ioctl +3 +at first +at first$'
	[[ ${#lines[@]} -eq 4 ]]
	# Besides: one client each, 2 fcntl for the listener, and 4 looks at each socket's flags.
	[[ $(count accept4.ok) -eq 3 && $(count ioctl.ok) -eq 2 && $(count fcntl.ok) -eq $((3 + 2 + 3 * 4)) ]]
}

@test "labs: 01 makes the second client wait for the first" {
	start_lab 01-blocking
	client_in_background --mode hold
	wait_until 5 grep -q '^holding' "$OUT"
	echo second | timeout 1 nc -N 127.0.0.1 "$LAB_PORT" >"$BATS_TEST_TMPDIR/back" || true
	[[ ! -s $BATS_TEST_TMPDIR/back && $(count accept4.ok) -eq 1 ]]
	client_goes_on
	echo_works
}

@test "labs: 02 asks without end, 03, 04, 07 and 08 not once, with one idle client" {
	for lab in $MANY; do
		start_lab "$lab"
		client_in_background --mode hold
		wait_until 5 grep -q '^holding' "$OUT"
		calls=$(count recv.calls)
		wait_until 5 window_has_passed
		calls=$(($(count recv.calls) - calls))
		[[ $lab == 02-* && $calls -gt 1000 || $lab != 02-* && $calls -eq 0 ]] ||
			fail "$lab: $calls"
		client_goes_on
		stop_lab
	done
}

@test "labs: 05 answers one chunk of a burst, and one more for each nudge" {
	for chunk in 100 500; do
		start_lab 05-et-starving --chunk $chunk
		run "$BUILD/nudge" --port "$LAB_PORT" --silence 300 --nudges 5
		assert_line "sent 10000, silent for 300 ms: answered $chunk"
		assert_line "and 5 single bytes: sent 10005, answered $((6 * chunk))"
		stop_lab
	done
	for lab in 03-epoll-lt 04-epoll-et; do
		start_lab $lab
		run "$BUILD/nudge" --port "$LAB_PORT" --silence 300 --nudges 5
		assert_line 'sent 10000, silent for 300 ms: answered 10000'
		stop_lab
	done
}

@test "labs: 05 is right for small messages, and for resets" {
	start_lab 05-et-starving
	echo_works --mode ping --size 99 --count 20
	run "$CLIENT" --port "$LAB_PORT" --mode rst --size 50 --count 20
	assert_success
	echo_works --mode ping --size 99
}

@test "labs: 06 spins with one idle client, 06 --et and 03 do not" {
	for lab in 03-epoll-lt 06-epollout-spin '06-epollout-spin --et'; do
		# shellcheck disable=SC2086
		start_lab $lab
		client_in_background --mode hold
		wait_until 5 grep -q '^holding' "$OUT"
		calls=$(count epoll_wait.calls)
		wait_until 5 window_has_passed
		calls=$(($(count epoll_wait.calls) - calls))
		if [[ $lab == 06-epollout-spin ]]; then
			[[ $calls -gt 10000 ]] || fail "$lab: $calls"
		else
			[[ $calls -le 1 ]] || fail "$lab: $calls"
		fi
		client_goes_on
		stop_lab
	done
}

# The most reads of one descriptor in one turn, by the trace.
longest_turn() {
	awk '/ epoll_wait\(/ { split("", n) } match($0, /recv\([0-9]+/) { if (++n[substr($0, RSTART, RLENGTH)] > most) most = n[substr($0, RSTART, RLENGTH)] } END { print most + 0 }' "$LAB_LOG.err"
}

@test "labs: a turn is one read in 03, 8 in 07, and without end in 04" {
	for lab in 03-epoll-lt 04-epoll-et 07-et-fair; do
		LAB_TRACE=1 start_lab $lab
		echo_works --size 20000000
		stop_lab
		most=$(longest_turn)
		case $lab in
		03-*) [[ $most -eq 1 ]] ;;
		04-*) [[ $most -gt 8 ]] ;; # as many as come while it drains: 16 fill a socket
		07-*) [[ $most -eq 8 ]] ;;
		esac || fail "$lab read one client $most times in a turn"
	done
}

# order_of MODE: 200 numbered bytes, every other one is work; what came back, in $MODE.
order_of() {
	"$BUILD/nudge" --port "$LAB_PORT" --burst 1 --silence 5 --nudges 199 --gap-ms 5 --order \
		>"$BATS_TEST_TMPDIR/$1" 3>&-
}

out_of_place() {
	sed -n 's/.*: \([0-9]*\) of 200 answers out of place$/\1/p' "$BATS_TEST_TMPDIR/$1"
}

overlaps() {
	sed -n 's/^threads-no-oneshot: \([0-9]*\) overlaps$/\1/p' "$LAB_LOG.err"
}

# meet MODE: a run of it leaves $MODE and $LAB_LOG.err.
meet() {
	local server=zoo/threads-no-oneshot
	[[ $1 != oneshot ]] || server=08-oneshot
	mkdir -p "$BATS_TEST_TMPDIR/zoo" # where start_lab puts its log
	start_lab $server --mode "$1" --work 20
	order_of "$1"
	stop_lab
}

few_met() { # $mode
	[[ $(out_of_place "$mode") -lt 150 || $(overlaps) -lt 150 ]]
}

@test "labs: 08: no two threads meet in a connection; without one-shot, et and lt, they do" {
	meet oneshot
	[[ $(out_of_place oneshot) -eq 0 ]] || fail "oneshot: $(<"$BATS_TEST_TMPDIR/oneshot")"
	[[ ! -s $LAB_LOG.err ]] || fail "oneshot: $(<"$LAB_LOG.err")"
	for mode in et lt; do
		undisturbed --if few_met meet $mode # where one side is held up
		! few_met || fail "$mode: $(cat "$BATS_TEST_TMPDIR/$mode" "$LAB_LOG.err")"
	done
}

@test "labs: 08's FIN does not wait for who still holds the socket" {
	start_lab 08-oneshot
	client_in_background --mode hold
	wait_until 5 grep -q '^holding' "$OUT"
	newest=$(find "/proc/$LAB_PID/fd" -lname 'socket:*' -printf '%f\n' | sort -n | tail -n 1)
	mkfifo "$BATS_TEST_TMPDIR/keep"
	"$BUILD/tests/keep" --pid "$LAB_PID" --fd "$newest" <"$BATS_TEST_TMPDIR/keep" >"$BATS_TEST_TMPDIR/kept" 3>&- 8>&- &
	keeper=$!
	exec 9>"$BATS_TEST_TMPDIR/keep"
	wait_until 5 kept_or_gone
	[[ -s $BATS_TEST_TMPDIR/kept ]] || {
		client_goes_on
		skip "needs pidfd_getfd (Linux 5.6), and to be allowed it"
	}
	client_goes_on # it wants its last byte and the FIN
	exec 9>&-
	wait "$keeper"
}

kept_or_gone() {
	[[ -s $BATS_TEST_TMPDIR/kept ]] || ! kill -0 "$keeper" 2>/dev/null
}

@test "labs: 08 leaves in time while every thread is at work" {
	local clients=()
	start_lab 08-oneshot --work 500
	for _ in 1 2 3 4 5 6 7 8; do
		(printf '%2000s' '' | nc 127.0.0.1 "$LAB_PORT" >/dev/null) 3>&- & # a blank is even
		clients+=($!)
	done
	wait_until 5 four_at_work
	sent=$(date +%s%N)
	stop_lab
	[[ $(($(date +%s%N) - sent)) -lt 1000000000 ]] || fail "slow to leave"
	wait "${clients[@]}" || true # not all children: one is Bats' clock
}

four_at_work() {
	[[ $(count recv.ok) -ge 4 ]]
}

@test "labs: 08 under load from all sides, and the same without one-shot, ends clean" {
	mkdir -p "$BATS_TEST_TMPDIR/zoo"
	for how in '08-oneshot --threads 16' 'zoo/threads-no-oneshot --mode et --work 20' 'zoo/threads-no-oneshot --mode lt --work 20'; do
		# shellcheck disable=SC2086
		start_lab $how
		# The FIN comes while a thread is at work on the data before it.
		"$CLIENT" --port "$LAB_PORT" --mode rst --fin --quiet 5 --count 50 --size 6000 >/dev/null 3>&- &
		rude=$!
		run "$BUILD/load" --port "$LAB_PORT" --connections 50 --size 100 --duration 0.5 --warmup 0.1
		[[ $how == zoo/* ]] || assert_success # a race may lose bytes, never more
		wait $rude || true
		stop_lab # a sanitizer's report would be its status
	done
}

changed() {
	diff "$ROOT/labs/$1/server.c" "$ROOT/labs/$2/server.c" | grep -c '^[<>]'
}

@test "labs: the diff is the lesson, and it is small" {
	[[ $(changed 01-blocking 02-nonblocking) -le 190 ]]
	[[ $(changed 02-nonblocking 03-epoll-lt) -le 100 ]]
	[[ $(changed 03-epoll-lt 04-epoll-et) -le 55 ]]
	[[ $(changed 04-epoll-et 05-et-starving) -lt 20 ]]
	[[ $(changed 04-epoll-et 07-et-fair) -le 45 ]]
	[[ $(changed 03-epoll-lt 06-epollout-spin) -lt 25 ]]
	[[ $(changed 03-epoll-lt 08-oneshot) -le 150 ]]
	[[ $(changed 04-epoll-et 11-sendfile) -le 115 ]]
}

@test "labs: common/ never does the I/O that a lab is about" {
	run grep -nE '\b(epoll_[a-z0-9]+|accept4?|read|write|recv|send|sendfile)\(' \
		"$ROOT"/common/{args,buf,err,net,stop}.c
	assert_failure
}

@test "labs: buf keeps order and bound, and owns nothing when empty" {
	run "$BUILD/tests/unit_buf"
	assert_success
	assert_output ok
}
