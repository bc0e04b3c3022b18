# The contract of every lab server; the broken ones are tested for their breakage. This is what
# its tests share: start bytes ends limits readiness oneshot. Load after helper.
# shellcheck shell=bash disable=SC2034,SC2154 # Bats sets and reads these elsewhere

CORRECT='01-blocking 02-nonblocking 03-epoll-lt 04-epoll-et 07-et-fair 08-oneshot'
MANY='02-nonblocking 03-epoll-lt 04-epoll-et 07-et-fair 08-oneshot' # clients at a time
REFERENCE='03-epoll-lt 04-epoll-et 07-et-fair 08-oneshot'
ALL="$CORRECT 05-et-starving 06-epollout-spin"

setup() {
	CLIENT=$BUILD/tests/client
	unset CLIENT_PID
	export LAB_COUNTS=$BATS_TEST_TMPDIR/counts
}

teardown() {
	[[ -n ${BATS_TEST_COMPLETED-} || -z ${LAB_PID-} ]] || { # for the reader of a log
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

window_has_passed() { # half a second since it was first asked
	: "${SINCE:=$(date +%s%N)}"
	[[ $(($(date +%s%N) - SINCE)) -gt 500000000 ]] && unset SINCE
}
