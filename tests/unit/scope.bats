#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # Bats sets and reads these elsewhere
# build/scope: it finds what is wrong with a wrong server, and nothing wrong with a right one.

setup() {
	load helper
	requires jq
	CHILDREN=()
}

teardown() {
	exec 5>&- 6>&-
	[[ ${#CHILDREN[@]} -eq 0 ]] || kill "${CHILDREN[@]}" 2>/dev/null || true
	[[ -z ${LAB_PID-} ]] || kill "$LAB_PID" 2>/dev/null || true
}

# look PID: what scope says of it, as JSON, into $seen.
look() {
	seen=$("$BUILD/scope" --json "$1" 3>&-)
}

# says LEVEL FD KIND: a finding of the last look.
says() {
	jq -e --arg level "$1" --argjson fd "$2" --arg kind "$3" \
		'[.findings[] | select(.level == $level and .fd == $fd and .kind == $kind)] | length == 1' \
		<<<"$seen" >/dev/null || fail "no $1 $3 of fd $2 in $seen"
}

# nothing_wrong: notes at most.
nothing_wrong() {
	jq -e '[.findings[] | select(.level != "note")] == []' <<<"$seen" >/dev/null ||
		fail "a right server is accused: $(jq -c .findings <<<"$seen")"
}

# watches PID N: its sets watch N descriptors.
watches() {
	(($(cat /proc/"$1"/fdinfo/* 2>/dev/null | grep -c ^tfd:) == $2))
}

# start NAME [ARG...]: start_lab, with the descriptors that a reader sees: 3 listens, 4 is the set.
start() {
	mkdir -p "$BATS_TEST_TMPDIR/zoo"
	start_lab "$@" 4>&- 5>&- 6>&-
}

unread() { # BYTES, on the one connection
	[[ $(ss -Htn state established "sport = :$LAB_PORT" | awk '{ print $1 }') -eq $1 ]]
}

connect_5() {
	exec 5<>"/dev/tcp/127.0.0.1/$LAB_PORT"
}

@test "scope: 05 leaves bytes on an edge-triggered fd" {
	start 05-et-starving
	connect_5
	wait_until 5 watches "$LAB_PID" 2
	dd if=/dev/zero bs=8000 count=1 status=none >&5
	wait_until 5 unread 7900
	run "$BUILD/scope" --once "$LAB_PID"
	assert_success
	assert_line --regexp '^\? fd 5: 7900 bytes unread on an edge-triggered fd for [0-9.]+ s$'
	assert_line --regexp '^ +5 tcp +yes +7900 +0 ESTAB +127\.0\.0\.1:[0-9]+ +IN\|OUT\|RDHUP\|ET$'
	[[ $(wc -L <<<"$output") -le 80 ]]
}

@test "scope: 06 has EPOLLOUT armed for nothing, which spins; under ET it is a note" {
	start 06-epollout-spin
	connect_5
	wait_until 5 watches "$LAB_PID" 2
	look "$LAB_PID"
	says sure 5 epollout
	stop_lab
	start 06-epollout-spin --et
	connect_5
	wait_until 5 watches "$LAB_PID" 2
	look "$LAB_PID"
	says note 5 epollout
	nothing_wrong
}

@test "scope: a blocking socket in an edge-triggered set, and who waits behind it" {
	start zoo/et-blocking-socket
	connect_5
	wait_until 5 watches "$LAB_PID" 2
	echo one >&5
	read -r -t 5 -u 5 reply # now it drains: asleep, and deaf to all others
	exec 6<>"/dev/tcp/127.0.0.1/$LAB_PORT"
	look "$LAB_PID"
	jq -e '[.findings[] | select(.fd == 5 and .kind == "blocking" and .level != "note")] | length == 1' <<<"$seen"
	jq -e '.sets[0].fds[] | select(.fd == 5) | .blocking' <<<"$seen"
	says hint 3 backlog
	exec 5>&- 6>&- # else it would not see SIGTERM
	stop_lab
}

@test "scope: a one-shot that fired and was not re-armed; with bytes behind it, they are named" {
	start zoo/oneshot-no-rearm
	connect_5
	echo one >&5
	read -r -t 5 -u 5 reply
	look "$LAB_PID"
	says hint 5 oneshot
	jq -e '.sets[0].fds[] | select(.fd == 5) | .fired' <<<"$seen"
	echo two >&5
	look "$LAB_PID"
	says hint 5 oneshot
}

@test "scope: EPOLLIN left armed while output is stuck" {
	start zoo/lt-paused-spin
	connect_5
	head -c 30000000 /dev/zero >&5 2>/dev/null 3>&- &
	CHILDREN+=($!)
	wait_until 10 accused "$LAB_PID" 'spins under LT'
	says hint 5 unread
}

accused() { # PID WORDS
	look "$1"
	jq -e --arg words "$2" 'any(.findings[]; .text | contains($words))' <<<"$seen" >/dev/null
}

# quiet LAB: idle, with a reader that does not read, and under load.
quiet() {
	start "$1"
	look "$LAB_PID"
	nothing_wrong
	connect_5
	exec 6<>"/dev/tcp/127.0.0.1/$LAB_PORT"
	wait_until 5 watches "$LAB_PID" 3
	head -c 30000000 /dev/zero >&6 2>/dev/null 3>&- &
	CHILDREN+=($!)
	wait_until 5 stuck "$LAB_PID"
	nothing_wrong
	says note 6 paused
	kill "${CHILDREN[0]}"
	"$BUILD/load" --port "$LAB_PORT" --connections 50 --rate 0 --duration 0.6 >/dev/null 2>&1 3>&- &
	CHILDREN=($!)
	wait_until 5 watches "$LAB_PID" 53
	look "$LAB_PID"
	nothing_wrong
	wait "${CHILDREN[0]}" || true
	CHILDREN=()
}

# stuck PID: a connection has input and output that does not move.
stuck() {
	look "$1"
	jq -e 'any(.findings[]; .kind == "paused")' <<<"$seen" >/dev/null
}

@test "scope: 03 is right, idle, with a slow reader and under load" {
	quiet 03-epoll-lt
}

@test "scope: 04 is right, idle, with a slow reader and under load" {
	quiet 04-epoll-et
}

@test "scope: a page of counts gives epoll_wait/s" {
	LAB_COUNTS=$BATS_TEST_TMPDIR/page start 06-epollout-spin
	connect_5
	wait_until 5 watches "$LAB_PID" 2
	look "$LAB_PID"
	jq -e '.process.epoll_wait_s > 1000' <<<"$seen"
	stop_lab
	start 03-epoll-lt
	look "$LAB_PID"
	jq -e '.process.epoll_wait_s == null' <<<"$seen"
}

@test "scope: workers by their own process id" {
	for lab in 09-exclusive 10-reuseport; do
		start "$lab" --workers 2
		wait_until 5 two_workers "$LAB_PID"
		for w in $(pgrep -P "$LAB_PID"); do
			wait_until 5 has_set "$w"
			look "$w"
			nothing_wrong
			jq -e '.sets | length == 1' <<<"$seen"
			jq -e 'any(.sets[0].fds[]; .state == "LISTEN")' <<<"$seen"
		done
		stop_lab
	done
}

has_set() {
	grep -qs ^tfd: /proc/"$1"/fdinfo/*
}

two_workers() {
	(($(pgrep -cP "$1") == 2))
}

@test "scope: every kind of descriptor and of interest is named" {
	local words end
	coproc KNOWN { exec "$BUILD/tests/known_sets" 3>&-; }
	end=${KNOWN[1]}
	CHILDREN+=("$KNOWN_PID")
	read -r -t 5 -u "${KNOWN[0]}" words
	look "$KNOWN_PID"
	# shellcheck disable=SC2086 # one word each
	local ${words?}
	is() { # SET FD TYPE EVENTS UNREAD
		jq -e --argjson set "$1" --argjson fd "$2" --arg want "$3 $4 $5" \
			'.sets[] | select(.fd == $set) | .fds[] | select(.fd == $fd) |
			"\(.type) \(.events | join("|")) \(.unread)" == $want' <<<"$seen" >/dev/null ||
			fail "fd $2 is not $3 $4 $5 in $seen"
	}
	is "$set" "$inner" epoll IN null
	is "$set" "$event" eventfd 'IN|EXCLUSIVE' null
	is "$set" "$timer" timerfd 'IN|RDHUP|ET|ONESHOT' null
	is "$set" "$six" tcp IN 0
	is "$set" "$unix" unix 'IN|ET' 7
	is "$set" "$pipe" pipe 'IN|ONESHOT' null
	is "$inner" "$half" tcp IN 0
	jq -e --argjson fd "$six" '.sets[0].fds[] | select(.fd == $fd) | .local | startswith("[::1]:")' <<<"$seen"
	says note "$unix" unread
	says note "$half" unread # its FIN
	says hint "$alone" unwatched
	says sure "$copy" stale
	exec {end}>&-
}

@test "scope: a stopped process is not accused, only described" {
	start 04-epoll-et
	connect_5
	wait_until 5 watches "$LAB_PID" 2
	kill -STOP "$LAB_PID"
	echo one >&5
	run "$BUILD/scope" --once "$LAB_PID"
	kill -CONT "$LAB_PID"
	assert_line '. the process is stopped: nothing moves'
	assert_line --regexp '^\? fd 5: 4 bytes unread'
	refute_line --regexp '^!'
}

@test "scope: no permission, no process, bad usage: one line each" {
	start 03-epoll-lt
	if ((EUID == 0)) && command -v setpriv >/dev/null; then
		run --separate-stderr setpriv --reuid=65534 --clear-groups "$BUILD/scope" --once "$LAB_PID"
		[[ $status -eq 1 && -z $output && ${#stderr_lines[@]} -eq 1 ]]
		[[ $stderr == *'not ours to see: Permission denied' ]]
	fi
	local pid=$LAB_PID bad
	stop_lab
	run --separate-stderr "$BUILD/scope" --once "$pid"
	[[ $status -eq 1 && -z $output && $stderr == "scope: there is no process $pid" ]]
	for bad in '' x 0 -1 '1 2' '--interval 0 1' '1x' 99999999999; do
		# shellcheck disable=SC2086 # several words
		run --separate-stderr "$BUILD/scope" $bad
		[[ $status -eq 2 && -z $output && ${#stderr_lines[@]} -ge 1 ]] || fail "'$bad': $status"
	done
	run "$BUILD/scope" --help
	assert_success
	assert_line --partial 'usage: scope [options] PID'
}

# on_a_terminal: scope on a terminal of 80x20; what it wrote is in $T, its status in $T.rc.
on_a_terminal() {
	requires tmux
	T=$BATS_TEST_TMPDIR/term
	tmux -S "$T.sock" -f /dev/null new-session -d -x 80 -y 20 \
		"echo before; stty -g >$T.was; sh -c 'echo \$\$ >$T.pid; exec $BUILD/scope $LAB_PID'; echo \$? >$T.rc; stty -g >$T.is; exec sleep 30" 3>&-
	CHILDREN+=("$(tmux -S "$T.sock" display-message -p '#{pid}')")
	wait_until 5 shows 'epoll set fd 4'
}

shows() {
	tmux -S "$T.sock" capture-pane -p | grep -q "$1"
}

# restored: the old screen is back and the terminal as it was.
restored() {
	wait_until 5 test -s "$T.is"
	cmp "$T.was" "$T.is"
	wait_until 5 shows before
	[[ $(tmux -S "$T.sock" display-message -p '#{alternate_on} #{cursor_flag}') == '0 1' ]]
}

@test "scope: live, it redraws, fits the terminal, and q gives the terminal back" {
	start 04-epoll-et
	on_a_terminal
	connect_5
	wait_until 5 shows ESTAB
	tmux -S "$T.sock" resize-window -x 40 -y 6
	wait_until 5 shows '^  FD TYPE'
	run ! shows EVENTS
	tmux -S "$T.sock" send-keys q
	restored
	[[ $(<"$T.rc") == 0 ]]
}

@test "scope: Ctrl-C, SIGTERM and the end of the process give the terminal back" {
	for how in ctrl-c term gone; do
		start 04-epoll-et
		on_a_terminal
		case $how in
		ctrl-c) tmux -S "$T.sock" send-keys C-c ;;
		term) kill "$(<"$T.pid")" ;;
		gone) stop_lab ;;
		esac
		restored
		[[ $(<"$T.rc") == $([[ $how == gone ]] && echo 1 || echo 0) ]]
		[[ $how != gone ]] || shows "process .* is gone"
		[[ $how == gone ]] || stop_lab
		kill "${CHILDREN[-1]}"
		rm -f "$T".*
	done
}

@test "scope: without an epoll set, the call each thread sleeps in, the sockets and the backlog" {
	start 01-blocking
	connect_5
	wait_until 5 sleeps_in recv
	exec 6<>"/dev/tcp/127.0.0.1/$LAB_PORT"
	echo two >&6
	run "$BUILD/scope" --once "$LAB_PID"
	assert_success
	assert_line ". thread $LAB_PID sleeps in recv(4)"
	assert_line --regexp '^ +3 tcp +no +1 +- LISTEN '
	assert_line --regexp '^ +its backlog: 1 of [0-9]+ wait for accept$'
	assert_line --regexp '^ +4 tcp +no +0 +0 ESTAB '
	[[ $(wc -L <<<"$output") -le 80 ]]
	timeout 1 head -c 20000000 /dev/zero >&5 2>/dev/null || true
	wait_until 5 sleeps_in send
	exec 5>&- 6>&-
	wait_until 5 sleeps_in accept4
	stop_lab
	start 08-oneshot --threads 2
	wait_until 5 sleeping 2 epoll_wait
	wait_until 5 sleeping 1 sigtimedwait
	run "$BUILD/scope" --once "$LAB_PID"
	refute_output --partial 'sleeps in' # the sets say more
}

sleeps_in() { # CALL: the one thread
	look "$LAB_PID"
	jq -e --arg call "$1" '.threads | map(.call) == [$call]' <<<"$seen" >/dev/null
}

sleeping() { # N CALL: so many threads
	look "$LAB_PID"
	jq -e --argjson n "$1" --arg call "$2" '[.threads[] | select(.call | startswith($call))] | length == $n' <<<"$seen" >/dev/null
}

# state NAME: a process in that state, on whose findings the test decides.
state() {
	requires python3
	python3 "$BATS_TEST_DIRNAME/states.py" "$1" >"$BATS_TEST_TMPDIR/state" 3>&- &
	LAB_PID=$!
	CHILDREN+=("$LAB_PID")
	wait_until 10 grep -q ready "$BATS_TEST_TMPDIR/state"
	pause 0.3
	run -0 "$BUILD/scope" --once "$LAB_PID"
}

@test "scope: any spin has a finding that names its reason, whatever the file" {
	state eventfd
	assert_line --regexp '^! fd [0-9]+: the eventfd was written and is not read .*it spins'
	state timerfd
	assert_line --regexp '^! fd [0-9]+: the timer has expired and is not read .*it spins'
	state computes
	assert_line --regexp '^\. fd [0-9]+: it never sleeps'
	refute_line --regexp '^[!?]'
	for name in pipe_hup unix_hup error_queue; do
		state $name
		if [[ $output == *'not by a TCP socket'* ]]; then skip "may not look: pidfd_getfd"; fi
		case $name in
		error_queue) assert_line --regexp '^\? fd [0-9]+: the error queue is not read \(ERR\): it spins' ;;
		*) assert_line --regexp '^\? fd [0-9]+: stays ready \(HUP\): it spins' ;;
		esac
	done
}

@test "scope: a registration belongs to a file: the number that was given out again is named" {
	state reused
	copy=$(sed -n 's/^copy //p' "$BATS_TEST_TMPDIR/state")
	assert_line --regexp "^! fd [0-9]+: the number is another file by now; the old one, open as fd $copy, is watched"
	refute_line --regexp "fd $copy: in no epoll set"
}

@test "scope: datagrams, Unix backlogs, pipes and inner sets behind an edge that is over" {
	state udp
	assert_line --regexp '^\? fd [0-9]+: [0-9]+ bytes of datagrams unread .*edge-triggered'
	state unix_backlog
	assert_line --regexp '^\? fd [0-9]+: listener with a backlog of 1'
	for name in pipe_edge inner_edge; do
		state $name
		assert_line --regexp '^\? fd [0-9]+: ready \(IN\) for [0-9.]+ s on an edge-triggered fd'
	done
}

@test "scope: who is right, or only asleep, is not accused of a spin" {
	state idle
	refute_line --regexp '^[!?.]'
	state idle_out
	assert_line --regexp '^\? fd [0-9]+: EPOLLOUT armed with nothing to send: each epoll_wait returns at once'
	refute_line --partial 'it spins'
	state sleeper
	assert_line --regexp '^\? thread [0-9]+ sleeps in nanosleep .*no event wakes it'
}

@test "scope: descriptors of how many, and the children by number and name" {
	state parent
	assert_line --index 0 --regexp ', fds [0-9]+/[0-9]+$'
	assert_line --regexp '^\. it has 1 child, .*: [0-9]+ python3$'
	run -0 "$BUILD/scope" --json "$LAB_PID"
	[[ $(jq -r '.children[0].name, (.process.limit > .process.descriptors)' <<<"$output" | paste -sd' ') == 'python3 true' ]]
}
