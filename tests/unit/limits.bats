#!/usr/bin/env bats
# shellcheck disable=SC2034,SC2154 # Bats sets and reads these elsewhere
# Out of descriptors, out of memory, with slow readers and with 10,000 connections.
# shellcheck disable=SC2030,SC2031 # Bats runs every test in its own subshell

load helper
load labs

calm() { # on a busy machine a server may not be done when the client has stopped
	local calls
	calls=$(count epoll_wait.calls)
	pause 0.1
	[[ $(count epoll_wait.calls) -eq $calls ]]
}

@test "labs: slow readers cost bounded memory, no system call and no CPU, and others are served" {
	for lab in 02-nonblocking $REFERENCE; do
		start_lab "$lab"
		echo_works
		before=$(anonymous "$LAB_PID")
		client_in_background --mode slow --size 16000000 --count 3
		wait_until 30 grep -q 'stuck after' "$OUT"
		grown=$((($(anonymous "$LAB_PID") - before) / 1024))
		[[ $BUILD != *san ]] || grown=0 # a sanitizer keeps what is freed
		[[ $grown -lt 1024 ]] || fail "$lab grew by $grown kB"
		stuck=$(awk '{ print $3 }' "$OUT")
		[[ $stuck -lt 16000000 ]] || fail "$lab took everything: no back-pressure"
		[[ $lab == 02-* ]] || { # which never rests
			wait_until 5 calm
			calls=$(count epoll_wait.calls) cpu=$(cpu_ns "$LAB_PID")
			wait_until 5 window_has_passed
			[[ $(count epoll_wait.calls) -le $((calls + 3)) ]]
			[[ $(($(cpu_ns "$LAB_PID") - cpu)) -lt 50000000 ]]
		}
		echo_works --size 100000
		client_goes_on
		stop_lab
	done
}

refused_some() {
	[[ $(count accept4.errors) -gt 0 ]]
}

@test "labs: out of descriptors it neither dies, nor spins, nor strands anyone" {
	requires prlimit
	for lab in $MANY 06-epollout-spin; do
		# TSan has no descriptor left to look up names by, and so knows no suppression.
		[[ $BUILD != *tsan || $lab != 08-* ]] || continue
		start_lab "$lab"
		prlimit --pid "$LAB_PID" --nofile="$(room_for "$LAB_PID" 4):"
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
		before=$(anonymous "$LAB_PID")
		client_in_background --mode hold --count 10000
		wait_until 30 grep -q 'holding 10000' "$OUT"
		each=$((($(anonymous "$LAB_PID") - before) / 10000))
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
