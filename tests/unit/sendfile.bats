#!/usr/bin/env bats
# shellcheck disable=SC2034,SC2154 # Bats sets and reads these elsewhere
# 11-sendfile: every byte of the file, once, however the client behaves; and an end that
# tells a whole file from half of one. Both ways of sending.
# shellcheck disable=SC2030,SC2031 # Bats runs every test in its own subshell

setup_file() {
	head -c 8000000 /dev/urandom >"$BATS_FILE_TMPDIR/file"
}

setup() {
	load helper
	requires cmp nc
	SINK=$BUILD/sink
	export LAB_COUNTS=$BATS_TEST_TMPDIR/counts
	cd "$BATS_TEST_TMPDIR" || return 1
	unset SINK_PID
	cp "$BATS_FILE_TMPDIR/file" file
}

teardown() {
	[[ -z ${SINK_PID-} ]] || kill "$SINK_PID" 2>/dev/null || true
	[[ -z ${LAB_PID-} ]] || kill -CONT "$LAB_PID" 2>/dev/null || true
	stop_lab
}

# serve [OPTION...]: the file, with fresh counts.
serve() {
	rm -f counts
	start_lab 11-sendfile --file file "$@"
}

# takes [OPTION...]: a client gets all of the file, and a FIN.
takes() {
	run --separate-stderr timeout 20 bash -c '"$@" | sha256sum' - "$SINK" --port "$LAB_PORT" "$@"
	assert_success
	assert_output "$(sha256sum <"${WANT-file}")"
	[[ $stderr == "$(stat -c %s "${WANT-file}") bytes, then FIN" ]] || fail "$stderr"
}

# holds [OPTION...]: a client that reads nothing until it is let go; the server is stuck.
holds() {
	rm -f go
	mkfifo go
	"$SINK" --port "$LAB_PORT" --hold --rcvbuf 65536 "$@" <go >held 2>held.err 3>&- &
	SINK_PID=$!
	exec 8>go
	wait_until 10 stuck
}

stuck() {
	[[ $(($(count sendfile.eagain) + $(count send.eagain))) -gt 0 ]]
}

# goes_on STATUS END: the held client reads on, and that is how it ends.
goes_on() {
	local rc=0
	echo >&8
	exec 8>&-
	wait "$SINK_PID" || rc=$?
	unset SINK_PID
	[[ $rc -eq $1 && $(tail -n 1 held.err) == *"then $2" ]] || fail "status $rc: $(<held.err)"
}

calls() {
	"$BUILD/counts" counts | awk '/\.calls/ { n += $2 } END { print n }'
}

at_rest() { # no call in 0.2 s
	local before
	before=$(calls)
	pause 0.2
	[[ $(calls) -eq $before ]]
}

@test "sendfile: every byte, whatever the client's buffer and whenever it reads" {
	: >empty
	printf x >one
	for how in '' --copy; do
		# shellcheck disable=SC2086
		serve $how
		takes
		takes --rcvbuf 16384
		holds --rcvbuf 16384
		goes_on 0 FIN
		cmp file held
		takes --fin # its FIN comes first, and cuts nothing
		run bash -c "nc -N 127.0.0.1 $LAB_PORT <file | cmp - file" # it talks all the while
		assert_success
		stop_lab
		for small in empty one; do
			# shellcheck disable=SC2086
			start_lab 11-sendfile --file $small $how
			WANT=$small takes
			stop_lab
		done
	done
}

@test "sendfile: EAGAIN, then an edge: as many waits as blocks, no more" {
	serve
	takes --rcvbuf 16384
	stop_lab
	blocks=$(count sendfile.eagain) waits=$(count epoll_wait.calls)
	[[ $blocks -gt 0 && $(count sendfile.bytes) -eq 8000000 && $(count epoll_ctl.calls) -eq 2 ]]
	[[ $waits -le $((2 * blocks + 10)) ]] || fail "$blocks EAGAIN and $waits epoll_wait"
}

@test "sendfile: two clients at once have a place each in the file" {
	for how in '' --copy; do
		# shellcheck disable=SC2086
		serve $how
		holds
		takes
		goes_on 0 FIN
		cmp file held
		[[ $(find /proc/"$LAB_PID"/fd -lname "*/file" | wc -l) -eq 1 ]]
		grep -qx 'pos:	0' /proc/"$LAB_PID"/fdinfo/3
		stop_lab
	done
}

@test "sendfile: a file cut short is a RST for the client, and no spin" {
	for how in '' --copy; do
		head -c 8000000 /dev/zero >file
		# shellcheck disable=SC2086
		serve $how
		holds
		: >file
		goes_on 3 RST
		[[ $(stat -c %s held) -lt 8000000 ]]
		wait_until 5 at_rest
		[[ $(count sendfile.eof)$(count pread.eof) =~ 1 && $(count connections.active) -eq 0 ]]
		echo whole >file # the next client gets what is there now
		takes
		stop_lab
	done
}

@test "sendfile: a file that grows is sent as long as it was at the connect; one replaced, as it was" {
	serve
	cp file before
	holds
	head -c 1000 /dev/zero >>file
	goes_on 0 FIN
	cmp before held
	cp file grown
	echo new >new
	mv new file
	WANT=grown takes
}

@test "sendfile: clients that leave amid a transfer kill nobody, and leave nothing behind" {
	for how in '' --copy; do
		# shellcheck disable=SC2086
		serve $how
		for _ in {1..20}; do
			"$SINK" --port "$LAB_PORT" --leave 100000 --discard
		done
		kill -STOP "$LAB_PID" # FIN and RST are there before the first byte: EPIPE
		for _ in {1..10}; do "$SINK" --port "$LAB_PORT" --fin --leave 0; done
		kill -CONT "$LAB_PID"
		takes
		wait_until 5 all_left 31
		stop_lab
	done
}

all_left() {
	[[ $(count connections.opened) -eq $1 && $(count connections.active) -eq 0 ]]
}

@test "sendfile: what a client says late, and its FIN behind it, destroy nothing on the way" {
	head -c 1000000 file >small
	start_lab 11-sendfile --file small
	mkfifo in out
	nc -N 127.0.0.1 "$LAB_PORT" <in >out 3>&- &
	exec 8>in 9<out
	wait_until 5 all_sent # and most of it is on its way: nobody reads out yet
	wait_until 5 at_rest
	kill -STOP "$LAB_PID" # so that the words and the FIN are there together
	echo hello >&8
	exec 8>&-
	pause 0.5
	kill -CONT "$LAB_PID"
	cmp - small <&9
}

all_sent() {
	[[ $(count sendfile.bytes) -eq 1000000 ]]
}

@test "sendfile: a client that never reads costs no CPU, no memory, and delays nobody" {
	serve --copy
	takes
	before=$(anonymous "$LAB_PID")
	holds
	wait_until 5 at_rest
	takes
	[[ $(anonymous "$LAB_PID") -le $((before + 65536)) ]]
	wait_until 5 at_rest
	goes_on 0 FIN
	stop_lab
}

@test "sendfile: a tenth of the calls of --copy for the same file" {
	for how in '' --copy; do
		# shellcheck disable=SC2086
		serve $how
		run "$SINK" --port "$LAB_PORT" --discard
		assert_output '8000000 bytes, then FIN'
		stop_lab
		n=$(($(count sendfile.calls) + $(count pread.calls) + $(count send.calls) + $(count epoll_wait.calls)))
		[[ -z $how ]] || break
		few=$n
		[[ $(count pread.calls) -eq 0 && $(count send.calls) -eq 0 ]]
	done
	[[ $(count pread.calls) -ge 122 && $(count sendfile.calls) -eq 0 && $((5 * few)) -lt $n ]] ||
		fail "$few calls against $n"
}

@test "sendfile: SIGTERM amid a transfer ends it at once, and the client knows" {
	serve
	holds
	stop_lab
	goes_on 3 RST
	[[ $(stat -c %s held) -lt 8000000 ]]
}

@test "sendfile: out of descriptors it neither spins nor forgets anyone" {
	serve
	prlimit --pid "$LAB_PID" --nofile="$(room_for "$LAB_PID" 1)"
	holds
	"$SINK" --port "$LAB_PORT" 2>second 8>&- 3>&- | cmp - file &
	other=$!
	wait_until 5 refused
	before=$(calls)
	pause 0.3
	[[ $(($(calls) - before)) -le 20 ]]
	goes_on 0 FIN
	wait "$other"
}

refused() {
	[[ $(count accept4.errors) -gt 0 ]]
}

@test "sendfile: bad usage, and what is no file to send, are one line" {
	mkdir folder
	mkfifo fifo
	while IFS=: read -r status word options; do
		# shellcheck disable=SC2086
		run --separate-stderr timeout 5 "$BUILD/11-sendfile" --port 0 $options
		assert_failure "$status"
		[[ -z $output && ${#stderr_lines[@]} -eq 1 && $stderr == *"$word"* ]] || fail "$options: $output$stderr"
	done <<-'EOT'
		2:--file:
		2:--file:--copy
		2:--splice:--splice
		2:folder:--file folder
		2:fifo:--file fifo
		1:No such file:--file missing
	EOT
}

# One byte goes through the program where it came between splice's EAGAIN and the recv that
# asks whether the socket is really empty.
@test "sendfile: build/splice echoes without copies, and without a pipe for an idle client" {
	start_lab splice
	pipes() { find "/proc/$LAB_PID/fd" -lname 'pipe:*' | wc -l; }
	before=$(pipes)
	run bash -c "nc -N 127.0.0.1 $LAB_PORT <file | cmp - file"
	assert_success
	wait_until 5 all_left 1
	single=$(count recv.bytes)
	assert_equal "$single" "$(count recv.ok)"
	assert_equal "$(count write.bytes)" "$single"
	assert_equal "$(($(count splice.bytes) + single))" 16000000
	[[ $single -lt 800 && $(count send.calls) -eq 0 ]] || fail "$single bytes of 8,000,000 one at a time"
	for _ in 1 2 3 4; do exec {conn}<>"/dev/tcp/127.0.0.1/$LAB_PORT"; done
	echo hello >&"$conn"
	read -r line <&"$conn"
	[[ $line == hello ]]
	assert_equal "$(pipes)" "$before"
	stop_lab
	for probe in burst large-stream oob-data fd-limit-strands; do
		run "$BUILD/torture" --probe $probe --spawn "$BUILD/splice"
		assert_success
	done
}

@test "sendfile: zoo/splice-eagain strands what it took for an empty socket" {
	run "$BUILD/torture" --probe large-stream --spawn "$BUILD/zoo/splice-eagain"
	assert_failure 1
	assert_output --partial 'then silence'
}
