#!/usr/bin/env bats
# shellcheck disable=SC2034,SC2046,SC2154 # Bats sets and reads these elsewhere; a family is a list
# 09 and 10, servers of several processes: the labs' contract seen over the whole family, the
# herd, who gets the work, and what is left when one of them dies.
# shellcheck disable=SC2030,SC2031 # Bats runs every test in its own subshell

BOTH='09-exclusive 10-reuseport'
EACH=('09-exclusive' '09-exclusive --exclusive' '10-reuseport')

setup() {
	load helper
	CLIENT=$BUILD/tests/client
	export LAB_COUNTS=$BATS_TEST_TMPDIR/counts
}

teardown() {
	hang_up
	# shellcheck disable=SC2046 # a list
	[[ -z ${LAB_PID-} ]] || kill -CONT $(workers) 2>/dev/null || true
	stop_lab
}

workers() {
	children "$LAB_PID"
}

workers_are() { # N
	[[ $(workers | wc -w) -eq $1 ]]
}

all_asleep() {
	local pid state
	for pid in $(workers); do
		read -r _ _ state _ <"/proc/$pid/stat" || return 1
		[[ $state == S ]] || return 1
	done
}

# start_workers N LAB [ARG...]: they have registered what they watch, and wait.
start_workers() {
	start_lab "${@:2}" --workers "$1"
	local calls=$1
	[[ $2 != 09-* ]] || calls=$((2 * $1))
	wait_until 10 calls_made "$calls"
	wait_until 10 all_asleep
}

calls_made() {
	[[ $(count epoll_ctl.calls) -ge $1 ]]
}

# arrive N: one client after the other; each is accepted before the next comes.
arrive() {
	local already
	already=$(count accept4.ok)
	connect "$LAB_PORT" "$1" 0.005
	wait_until 10 accepted $((already + $1))
}

no_room_in() { # PID
	prlimit --pid "$1" --nofile="$(room_for "$1" 0):"
}

accepted() {
	[[ $(count accept4.ok) -ge $1 ]]
}

answers() { # within two seconds
	local fd line=
	exec {fd}<>"/dev/tcp/127.0.0.1/$LAB_PORT" || return 1
	echo hello >&"$fd"
	read -rt 2 -u "$fd" line || true
	exec {fd}>&-
	[[ $line == hello ]]
}

one_line_about() {
	[[ -z $output && ${#stderr_lines[@]} -eq 1 && $stderr == *"$1"* ]] || fail "$1: $output$stderr"
}

@test "prefork: the address, --help, bad usage and a port in use are as every lab's" {
	for lab in $BOTH; do
		start_lab "$lab"
		run cat "$LAB_LOG"
		assert_output --regexp '^listening on 127\.0\.0\.1:[0-9]+$'
		for other in $BOTH 03-epoll-lt; do
			LAB_COUNTS="" run --separate-stderr "$BUILD/$other" --port "$LAB_PORT"
			assert_failure 1
			one_line_about 'bind: Address already in use'
		done
		stop_lab
		[[ ! -e /proc/net/if_inet6 ]] || {
			start_lab "$lab" --bind ::1
			run cat "$LAB_LOG"
			assert_output --regexp '^listening on \[::1\]:[0-9]+$'
			run "$CLIENT" --port "$LAB_PORT" --host ::1 --size 100000
			assert_output ok
			stop_lab
		}
		run --separate-stderr "$BUILD/$lab" --help
		assert_success
		assert_line --partial "usage: $lab"
		assert_line --partial '--workers N'
		for bad in '--nope' '--port 65536' '--bind localhost' '--workers 0' '--workers 65' '--workers x' operand; do
			# shellcheck disable=SC2086
			run --separate-stderr "$BUILD/$lab" $bad
			assert_failure 2
			one_line_about "$(sed 's/.* //; s/^--//' <<<"$bad")"
		done
	done
}

@test "prefork: every byte comes back, from each worker" {
	for lab in "${EACH[@]}"; do
		# shellcheck disable=SC2086
		start_workers 4 $lab
		for size in 0 1 4096 4097 3000000; do
			run "$CLIENT" --port "$LAB_PORT" --size $size
			assert_output ok
		done
		stop_lab
	done
}

@test "prefork: SIGTERM and SIGINT end all of them with status 0, idle, with clients, with one frozen" {
	for lab in "${EACH[@]}"; do
		for signal in TERM INT; do
			# shellcheck disable=SC2086
			start_workers 4 $lab
			all=$(workers)
			arrive 5
			kill -STOP "${all%% *}"
			kill -s $signal "$LAB_PID"
			sent=$(date +%s%N) rc=0
			wait "$LAB_PID" || rc=$?
			unset LAB_PID
			[[ $rc -eq 0 ]] || fail "$lab: status $rc after SIG$signal: $(<"$LAB_LOG.err")"
			[[ $BUILD == *san || $(($(date +%s%N) - sent)) -lt 1000000000 ]] || fail "$lab: slow to leave"
			# shellcheck disable=SC2086
			gone $all
			[[ ! -s $LAB_LOG.err ]] || fail "$(<"$LAB_LOG.err")"
			hang_up
		done
	done
}

@test "prefork: SIGKILL of the first process leaves no worker, not even a frozen one" {
	for lab in $BOTH; do
		start_workers 4 "$lab"
		all=$(workers)
		kill -STOP "${all%% *}"
		kill -KILL "$LAB_PID"
		wait "$LAB_PID" || true
		unset LAB_PID
		# shellcheck disable=SC2086
		wait_until 5 gone $all
	done
}

@test "prefork: a connection wakes all N of a plain 09, and one with --exclusive" {
	for how in '' --exclusive; do
		# shellcheck disable=SC2086
		start_workers 8 09-exclusive $how
		before=$(switches $(family "$LAB_PID"))
		arrive 60
		per=$(((100 * ($(switches $(family "$LAB_PID")) - before)) / 60))
		echo "# 09-exclusive ${how:-plain}, 8 processes: 0.01 x $per wakeups a connection" >&3
		if [[ $how ]]; then
			[[ $per -ge 50 && $per -le 150 ]] || fail "exclusive: $per"
		else
			[[ $per -ge 560 ]] || fail "plain: $per"
		fi
		hang_up
		stop_lab
	done
}

@test "prefork: EXCLUSIVE is in the mask (10000019), and in no other's" {
	for how in '10000019 09-exclusive --exclusive' '19 09-exclusive' '19 10-reuseport'; do
		read -r mask lab <<<"$how"
		# shellcheck disable=SC2086
		start_workers 2 $lab
		for pid in $(workers); do
			cat "/proc/$pid/fdinfo/"* >"$BATS_TEST_TMPDIR/fdinfo" 2>/dev/null || true
			grep -q "^tfd: .* events: *$mask " "$BATS_TEST_TMPDIR/fdinfo" || fail "$lab: $(grep tfd "$BATS_TEST_TMPDIR/fdinfo")"
		done
		stop_lab
	done
}

@test "prefork: with a socket each every worker gets some; with EXCLUSIVE idle ones stay idle" {
	start_workers 4 10-reuseport
	arrive 80
	for pid in $(workers); do
		[[ $(sockets "$pid") -ge 2 ]] || fail "worker $pid got none"
	done
	hang_up
	stop_lab
	start_workers 4 09-exclusive --exclusive
	for _ in {1..80}; do # the next comes when the last one's worker sleeps again
		arrive 1
		wait_until 10 all_asleep
	done
	most=0
	for pid in $(workers); do
		n=$(($(sockets "$pid") - 1))
		[[ $n -le $most ]] || most=$n
	done
	[[ $most -eq 80 ]] || fail "the busiest has $most of 80"
}

@test "prefork: EXCLUSIVE: who is woken and has no descriptor wakes the others, and nobody spins" {
	requires prlimit
	start_workers 2 09-exclusive --exclusive
	arrive 1
	for pid in $(workers); do
		[[ $(sockets "$pid") -eq 1 ]] || full=$pid
	done
	no_room_in "$full"
	wait_until 5 all_asleep
	answers || fail "stranded: the other worker sleeps"
	# Now nobody has room: no CPU, and those who wait are served once there is.
	for pid in $(workers); do no_room_in "$pid"; done
	errors=$(count accept4.errors)
	exec {late}<>"/dev/tcp/127.0.0.1/$LAB_PORT"
	echo late >&"$late"
	wait_until 5 refused $((errors + 4)) # twice each: they try again
	calls=$(count epoll_wait.calls) cpu=$(cpu_ns $(family "$LAB_PID"))
	began=${EPOCHREALTIME/./}
	pause 0.5
	calls=$(($(count epoll_wait.calls) - calls)) turns=$(((${EPOCHREALTIME/./} - began) / 100000 + 1))
	[[ $calls -le $((4 * turns)) ]] || fail "it spins: $calls epoll_wait in $turns tenths of a second"
	[[ $(($(cpu_ns $(family "$LAB_PID")) - cpu)) -lt 200000000 ]]
	hang_up # one descriptor is free
	line=
	read -rt 10 -u "$late" line || true
	exec {late}>&-
	[[ $line == late ]] || fail "stranded although there is room"
	[[ $(count epoll_ctl.errors) -eq 0 ]]
}

refused() {
	[[ $(count accept4.errors) -ge $1 ]]
}

@test "prefork: 09 goes on without a worker that died, and tells of it in the end" {
	start_workers 3 09-exclusive
	victim=$(workers)
	kill -KILL "${victim%% *}"
	wait_until 5 workers_are 2
	for _ in 1 2 3; do answers || fail "no answer"; done
	grep -q "worker ${victim%% *} has ended" "$LAB_LOG.err"
	rc=0
	kill "$LAB_PID"
	wait "$LAB_PID" || rc=$?
	unset LAB_PID
	[[ $rc -eq 1 ]]
}

@test "prefork: 10 starts a killed worker again, at once and for ever, but never without a rest" {
	start_workers 3 10-reuseport
	old=$(workers)
	kill -KILL "${old%% *}"
	wait_until 5 restarted "$old"
	for _ in {1..12}; do answers || fail "no answer"; done
	local -A died=()
	began=${EPOCHREALTIME/./}
	for _ in {1..60}; do
		for pid in $(workers); do
			! kill -KILL "$pid" 2>/dev/null || died[$pid]=1
		done
		pause 0.02
	done
	tenths=$(((${EPOCHREALTIME/./} - began) / 100000))
	[[ ${#died[@]} -le $((3 * (2 + tenths / 4))) ]] || fail "${#died[@]} deaths in $tenths tenths of a second"
	wait_until 5 answers
	stop_lab # and its status is 0: they were killed from outside
}

restarted() {
	workers_are 3 && [[ $(workers) != "$1" ]]
}

@test "prefork: with --pin 10's workers stay on one CPU each, in turn" {
	start_workers 4 10-reuseport --pin
	for pid in $(workers); do
		wait_until 5 pinned "$pid"
	done
	cpus=$(nproc)
	[[ $(for pid in $(workers); do sed -n 's/^Cpus_allowed_list://p' "/proc/$pid/status"; done | sort -u | wc -l) -eq $((cpus < 4 ? cpus : 4)) ]]
}

# As in 09: what the two are compared by must not differ in this as well.
@test "prefork: without --pin 10's workers may use every CPU that 10 may use" {
	for lab in $BOTH; do
		start_workers 2 "$lab"
		allowed=$(grep '^Cpus_allowed_list:' /proc/self/status)
		for _ in {1..8}; do answers || fail "$lab: no answer"; done
		for pid in $(workers); do
			grep -qxF "$allowed" "/proc/$pid/status" || fail "$lab: worker $pid is pinned"
		done
		stop_lab
	done
}

pinned() {
	grep -qx 'Cpus_allowed_list:.[0-9]*' "/proc/$1/status"
}

@test "prefork: a frozen worker of 10 keeps about its share of the clients waiting" {
	start_workers 4 10-reuseport
	kill -STOP "$(cut -d' ' -f1 <<<"$(workers)")"
	frozen
	[[ $unanswered -ge 5 && $unanswered -le 45 ]] || fail "$unanswered of 80"
	# In 09 whoever is awake accepts: at most the one that it was woken for hangs.
	hang_up
	stop_lab
	start_workers 4 09-exclusive
	kill -STOP "$(cut -d' ' -f1 <<<"$(workers)")"
	frozen
	[[ $unanswered -eq 0 ]] || fail "$unanswered of 80"
}

frozen() { # sets unanswered, of 80 clients
	local fd
	for _ in {1..80}; do
		exec {fd}<>"/dev/tcp/127.0.0.1/$LAB_PORT"
		CONNECTED+=("$fd")
		echo hello >&"$fd"
	done
	unanswered=80
	wait_until 5 few_more_answers
}

few_more_answers() { # until nothing has come for a while
	local fd before=$unanswered
	pause 0.3
	unanswered=0
	for fd in "${CONNECTED[@]}"; do
		read -rt 0 -u "$fd" || unanswered=$((unanswered + 1))
	done
	[[ $unanswered -eq $before ]]
}

@test "prefork: a killed worker's backlog is reset, or moves with tcp_migrate_req=1" {
	requires unshare
	unshare -n true 2>/dev/null || skip "needs the right to make a network namespace"
	[[ -e /proc/sys/net/ipv4/tcp_migrate_req ]] || skip "needs tcp_migrate_req (Linux 5.14)"
	for migrate in 0 1; do
		run unshare -n bash -c "
			ip link set lo up 2>/dev/null || exit 77
			echo $migrate >/proc/sys/net/ipv4/tcp_migrate_req || exit 77
			: >'$BATS_TEST_TMPDIR/log' # the one before had another port
			'$BUILD/10-reuseport' --port 0 >'$BATS_TEST_TMPDIR/log' 2>/dev/null 3>&- & lab=\$!
			until grep -q '^listening' '$BATS_TEST_TMPDIR/log'; do sleep 0.02; done
			port=\$(sed 's/.*://' '$BATS_TEST_TMPDIR/log')
			read -r one _ </proc/\$lab/task/\$lab/children
			kill -STOP \$one
			fds=()
			for i in {1..80}; do exec {fd}<>/dev/tcp/127.0.0.1/\$port; fds+=(\$fd); done
			kill -KILL \$one
			sleep 0.3
			lost=0
			for fd in \${fds[@]}; do
				line=; echo hello 2>/dev/null >&\$fd; read -rt 2 -u \$fd line 2>/dev/null
				[[ \$line == hello ]] || lost=\$((lost + 1))
			done
			kill \$lab; wait \$lab
			echo \$lost"
		[[ $status -ne 77 ]] || skip "needs the right to set tcp_migrate_req"
		echo "# tcp_migrate_req=$migrate: $output of 80 lost" >&3
		if [[ $migrate -eq 0 ]]; then
			[[ $output -ge 5 && $output -le 45 ]] || fail "$output of 80 lost"
		else
			[[ $output -le 3 ]] || fail "$output of 80 lost"
		fi
	done
}

@test "prefork: LAB_COUNTS adds up over the workers" {
	for lab in "${EACH[@]}"; do
		# shellcheck disable=SC2086
		start_workers 4 $lab
		for _ in 1 2 3 4 5 6 7 8; do
			run "$CLIENT" --port "$LAB_PORT" --size 1000
			assert_output ok
		done
		stop_lab
		[[ $(count connections.opened) -eq 8 && $(count connections.closed) -eq 8 ]]
		[[ $(count recv.bytes) -eq 8000 && $(count send.bytes) -eq 8000 ]]
	done
}

@test "prefork: every descriptor is close-on-exec and every socket non-blocking" {
	for lab in $BOTH; do
		start_workers 2 "$lab"
		arrive 8
		for pid in $(workers); do
			for fd in "/proc/$pid/fd/"*; do
				[[ $(readlink "$fd") == @(socket|anon_inode)* ]] || continue
				flags=$(awk '/^flags/ { print $2 }' "/proc/$pid/fdinfo/${fd##*/}")
				((8#$flags & 8#2000000)) || fail "$lab: fd ${fd##*/} is inherited: $flags"
				[[ $(readlink "$fd") != socket* ]] || ((8#$flags & 8#4000)) || fail "$lab: blocking: $flags"
			done
		done
		hang_up
		stop_lab
	done
}
