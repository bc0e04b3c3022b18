# What the torture cannot see from outside: the lesson itself, by counting calls. Each
# function is one probe; server (check) starts a fresh one, verdict reports.
# shellcheck shell=bash disable=SC2046,SC2154 # check sets PID, PORT, PAGE, OPTIONS

REQUESTS=500

# One client, one small request after the other.
small_requests() {
	client --mode ping --count $REQUESTS --size 64 --patience 3000
}

calls() { # NAME...: their sum
	local name sum=0
	for name; do
		sum=$((sum + $(counter "$name.calls")))
	done
	echo $sum
}

# What one descriptor of the server is watched for, in hexadecimal: proc(5), fdinfo.
mask_of() { # FD
	local link
	for link in "/proc/$PID/fd/"*; do
		[[ $(readlink "$link") == 'anon_inode:[eventpoll]' ]] || continue
		sed -nE "s/^tfd: *$1 events: *([0-9a-f]+).*/\1/p" "/proc/$PID/fdinfo/${link##*/}"
	done
}

# The one descriptor that is a connection: the listener is the lower one.
connection_fd() {
	local link last=
	for link in $(printf '%s\n' "/proc/$PID/fd/"* | sort -t/ -k5n); do
		[[ $(readlink "$link") != socket:* ]] || last=${link##*/}
	done
	echo "$last"
}

lesson_survives_the_rude() {
	server || return
	local said
	kill -STOP "$PID" # so that FIN and RST are there before the first answer is sent
	client --mode rst --count 10 --size 60000 --fin --quiet 20 || true
	kill -CONT "$PID" 2>/dev/null || true
	client --mode rst --count 10 --size 0 || true
	client --size 100 --patience 3000 && said=ok || said=$CLIENT_SAID
	verdict "$([[ $said == ok ]] && echo pass || echo fail)" \
		"20 clients that leave by RST, half of them with answers on the way" \
		"the next client is served" "$said"
}

# calls_at_most MOST EACH NAME...: so many of these calls in all, EACH of them for a request.
calls_at_most() {
	server || return
	small_requests || { verdict fail "$REQUESTS small requests" "an answer to each" "$CLIENT_SAID" && return; }
	local n
	n=$(calls "${@:3}")
	verdict "$([[ $n -le $1 ]] && echo pass || echo fail)" \
		"$REQUESTS requests of 64 bytes, one after the other" \
		"$2 each: at most $1 calls" "$n calls"
}

lesson_asks_kernel_to_wait() {
	calls_at_most $((2 * REQUESTS + 10)) "one recv and one send" recv send read write poll epoll_wait
}

lesson_eagain_means_later() {
	server || return
	idle_client
	small_requests || { verdict fail "$REQUESTS requests beside an idle client" "an answer to each" "$CLIENT_SAID" && return; }
	local again waits
	again=$(counter recv.eagain) waits=$(calls poll epoll_wait)
	verdict "$([[ $again -gt 0 && $waits -eq 0 ]] && echo pass || echo fail)" \
		"$REQUESTS requests beside an idle client" \
		"recv that found nothing (EAGAIN), and no call that waits" \
		"$again times EAGAIN, $waits calls of poll or epoll_wait"
}

lesson_no_ctl_per_request() {
	server || return
	small_requests || { verdict fail "$REQUESTS small requests" "an answer to each" "$CLIENT_SAID" && return; }
	local n
	n=$(calls epoll_ctl)
	verdict "$([[ $n -le 4 ]] && echo pass || echo fail)" \
		"$REQUESTS requests of 64 bytes, none of which blocks" \
		"2 epoll_ctl, to add the listener and the client" "$n epoll_ctl"
}

lesson_out_only_while_stuck() {
	server || return
	idle_client
	local fd before stuck
	fd=$(connection_fd) before=$(mask_of "$fd")
	client_away
	slow_client || { verdict fail "a client that sends 20 MB and does not read" "it gets stuck" "$CLIENT_SAID" && return; }
	fd=$(connection_fd) stuck=$(mask_of "$fd")
	client_away
	local ok=fail
	[[ $before && $stuck ]] && ((!(0x$before & 4) && 0x$before & 1 && 0x$stuck & 4 && !(0x$stuck & 1))) && ok=pass
	verdict $ok "looked at what epoll watches an idle client for, and one that does not read" \
		"idle: IN without OUT (19 in fdinfo); stuck: OUT without IN (1c)" \
		"idle: ${before:-nothing}; stuck: ${stuck:-nothing}"
}

lesson_four_calls() {
	calls_at_most $((4 * REQUESTS + 20)) "epoll_wait, recv, send, recv (EAGAIN)" \
		epoll_wait epoll_ctl recv send read write
}

lesson_goes_on_after_stuck() {
	server || return
	slow_client || { verdict fail "a client that sends 20 MB and does not read" "it gets stuck" "$CLIENT_SAID" && return; }
	local ok=pass
	go_on || ok=fail
	verdict $ok "a client that sends 20 MB, does not read until nothing moves, and then reads" \
		"all 20 MB in order" "${CLIENT_SAID#client: }"
}

lesson_one_registration() {
	server || return
	slow_client || { verdict fail "a client that sends 20 MB and does not read" "it gets stuck" "$CLIENT_SAID" && return; }
	go_on || { verdict fail "the same client reads after all" "all 20 MB" "$CLIENT_SAID" && return; }
	local n
	n=$(calls epoll_ctl)
	verdict "$([[ $n -eq 2 ]] && echo pass || echo fail)" \
		"a client that sends 20 MB, does not read, and later does" \
		"2 epoll_ctl in all, to add the listener and the client" "$n epoll_ctl"
}

# Nothing at all, freshly started, beside idle clients, and after many came and went.
lesson_at_rest() {
	local with
	read -ra with <<<"$OPTIONS"
	server "${with[@]}" || return
	at_rest "without a client" || return 0
	idle_client
	{ echo hello >&"$IDLE" && read -rt 3 -u "$IDLE" _; } 2>/dev/null || true # whether it is answered is judged below
	# What they are answered is judged by other probes: here they only come and go.
	client --size 1000 --count 20 --patience 3000 || kill -0 "$PID" 2>/dev/null ||
		{ verdict fail "20 clients, beside an idle one" "a server that goes on" "$CLIENT_SAID" && return; }
	client --mode rst --count 5 --size 60000 || true
	at_rest "with one idle client, after 25 came and went" || return 0
	verdict pass "left the server alone for half a second" "no call" "no call"
}

at_rest() { # WHEN: makes no call; 1 and a verdict if it does
	local before n
	pause 0.1
	before=$(calls epoll_wait epoll_ctl poll recv accept4 read)
	pause 0.5
	n=$(($(calls epoll_wait epoll_ctl poll recv accept4 read) - before))
	((n > 2)) || return 0 # one may have been under way
	verdict fail "left the server alone for half a second, $1" "it sleeps: no call returns" "$n calls"
	return 1
}

lesson_idle_wakeups() {
	server || return
	idle_client
	local before n
	before=$(calls epoll_wait)
	pause 0.5
	n=$(($(calls epoll_wait) - before))
	verdict "$([[ $n -le 5 ]] && echo pass || echo fail)" \
		"left one idle client alone for half a second" "no epoll_wait returns" "$n epoll_wait"
}

# One client streams, so that each epoll_wait stands for one turn.
lesson_bounded_turns() {
	server || return
	local reads turns
	client --size 20000000 --patience 5000 || { verdict fail "a client that streams 20 MB" "all 20 MB back" "$CLIENT_SAID" && return; }
	reads=$(calls recv) turns=$(calls epoll_wait)
	verdict "$([[ $reads -le $((8 * (turns + 4))) ]] && echo pass || echo fail)" \
		"a client that streams 20 MB" \
		"at most 8 recv (BUDGET) to one epoll_wait" "$reads recv, $turns epoll_wait"
}

lesson_one_owner() {
	server --work 20 || return
	local said
	said=$(timeout 20 "$BUILD/nudge" --port "$PORT" --burst 1 --silence 5 --nudges 99 --gap-ms 5 --order </dev/null 2>&1 | tail -n 1)
	verdict "$([[ $said == *': 0 of 100 answers out of place' ]] && echo pass || echo fail)" \
		"--work 20, and 100 numbered bytes 5 ms apart: half of them keep a thread for 20 ms" \
		"0 of 100 answers out of place" "$said"
}

# --- several processes

workers() {
	children "$PID"
}

workers_up() { # N: so many are there, soon, and have gone to sleep
	local tries
	for ((tries = 0; tries < 100; tries++)); do
		[[ $(workers | wc -w) -ne $1 || $(calls epoll_ctl) -lt $1 ]] || break
		kill -0 "$PID" 2>/dev/null || return 0
		pause 0.02
	done
	pause 0.1
}

# several_clients N: connect one after the other, and stay until hang_up.
several_clients() {
	connect "$PORT" "$1" 0.005 2>/dev/null || true
}

lesson_one_wakeup() {
	server --exclusive --workers 8 || return
	workers_up 8
	local before n many=60
	before=$(switches $(family "$PID"))
	several_clients $many
	connected $many || true
	n=$(($(switches $(family "$PID")) - before))
	hang_up
	verdict "$([[ $n -gt 0 && $n -le $((many * 3 / 2)) ]] && echo pass || echo fail)" \
		"--exclusive, 8 workers, $many connections one after the other" \
		"a wakeup each: about $many voluntary context switches" "$n"
}

# no_room_in PID: not one descriptor more.
no_room_in() {
	"${AS[@]}" prlimit --pid "$1" --nofile="$(room_for "$1" 0):" 2>/dev/null # as who runs it
}

answered() { # within two seconds, by whoever takes the next connection
	local fd reply=nothing
	CLIENT_SAID='connection refused'
	{ exec {fd}<>"/dev/tcp/127.0.0.1/$PORT"; } 2>/dev/null || return 1
	echo hello >&"$fd"
	read -rt 2 -u "$fd" reply || true
	exec {fd}>&-
	CLIENT_SAID=$reply
	[[ $reply == hello ]]
}

lesson_passes_it_on() {
	server --exclusive --workers 2 || return
	workers_up 2
	local pid full='' ok=fail
	several_clients 1
	connected 1 || true
	for pid in $(workers); do
		[[ $(sockets "$pid") -lt 2 ]] || full=$pid
	done
	CLIENT_SAID='nobody took the first'
	if [[ $full ]] && ! no_room_in "$full"; then
		hang_up
		verdict skip "prlimit on a worker" "a limit of its descriptors" "no right to"
		return
	fi
	pause 0.1
	[[ ! $full ]] || ! answered || ok=pass
	verdict $ok \
		"--exclusive, 2 workers: the one that is woken first has no descriptor left, the other has" \
		"the other one answers the next client" "${CLIENT_SAID:-nothing}"
	hang_up
}

lesson_a_socket_each() {
	server --workers 4 || return
	workers_up 4
	local pid least=999 n
	several_clients 80
	connected 80 || true
	for pid in $(workers); do
		n=$(($(sockets "$pid") - 1))
		[[ $n -ge $least ]] || least=$n
	done
	hang_up
	[[ $least -lt 999 ]] || least=0 # no workers at all
	verdict "$([[ $least -ge 1 ]] && echo pass || echo fail)" \
		"80 connections to 4 workers, one after the other" \
		"about 20 each, none without" "the one with the fewest has $least"
}

lesson_restarts_the_dead() {
	server --workers 3 || return
	workers_up 3
	local pid tries before saw=dead began most
	local -A died=()
	before=$(workers)
	for pid in $before; do kill -KILL "$pid"; done
	for ((tries = 0; tries < 200; tries++)); do
		pause 0.02
		kill -0 "$PID" 2>/dev/null || break
		[[ $(workers | xargs -n1 | grep -cvxFf <(xargs -n1 <<<"$before") || true) -eq 3 ]] || continue
		! answered || saw=alive
		break
	done
	# And those that die again and again must not be started again and again.
	began=${EPOCHREALTIME/./}
	for ((tries = 0; tries < 100; tries++)); do
		for pid in $(workers); do ! kill -KILL "$pid" 2>/dev/null || died[$pid]=1; done
		pause 0.01
	done
	most=$((3 * (2 + (${EPOCHREALTIME/./} - began) / 200000)))
	verdict "$([[ $saw == alive && ${#died[@]} -le $most ]] && echo pass || echo fail)" \
		"killed all 3 workers; then again, each as soon as it was there" \
		"3 new ones that answer; then rests between restarts: here at most $most deaths" \
		"$saw; ${#died[@]} deaths"
}

# --- 11: a file to whoever connects

# a_file MB: what the server is to send.
a_file() {
	head -c $(($1 * 1000000)) /dev/urandom >"$CAGE/file"
	chmod 644 "$CAGE/file"
}

# taken [OPTION...]: one client takes all; what it got is in $CAGE/got, how it ended in TAKEN.
taken() {
	local later=$CLIENT
	GRADE_MARK=$MARK timeout -k 1 5 "$BUILD/sink" --port "$PORT" "$@" </dev/null >"$CAGE/got" 2>"$CAGE/sink.err" &
	CLIENT=$!
	wait "$CLIENT" || true
	CLIENT=$later TAKEN=$(tail -n 1 "$CAGE/sink.err" | head -c 200)
}

# A client that connects and does not read until go_on_taking.
taken_later() {
	local tries before=-1 now=0
	rm -f "$CAGE/go"
	mkfifo "$CAGE/go"
	exec {GO}<>"$CAGE/go"
	GRADE_MARK=$MARK timeout -k 1 5 "$BUILD/sink" --port "$PORT" --hold \
		<"$CAGE/go" >"$CAGE/later" 2>"$CAGE/later.err" {GO}>&- &
	CLIENT=$!
	for ((tries = 0; tries < 20; tries++)); do # until it is stuck
		now=$(timeout 5 "$BUILD/counts" "$PAGE" | awk '/^(sendfile|pread|send|write|splice).calls/ { n += $2 } END { print n + 0 }')
		((now != before || now == 0)) || break
		before=$now
		pause 0.05
	done
}

go_on_taking() {
	echo >&"$GO"
	wait "$CLIENT" || true
	CLIENT='' TAKEN=$(tail -n 1 "$CAGE/later.err" | head -c 200)
}

same() { # FILE: is it what the server had to send?
	cmp -s "$CAGE/file" "$1"
}

lesson_whole_file() {
	a_file 5
	server --file "$CAGE/file" || return
	taken --rcvbuf 4096
	verdict "$(same "$CAGE/got" && echo pass || echo fail)" \
		"a file of 5 MB, to a client with a receive buffer of 4 KB" \
		"all of it in order, then a FIN" "${TAKEN:-nothing after 5 seconds}"
}

lesson_own_place() {
	a_file 20
	server --file "$CAGE/file" || return
	taken_later
	taken
	local first=$TAKEN
	go_on_taking
	verdict "$(same "$CAGE/got" && same "$CAGE/later" && echo pass || echo fail)" \
		"one client takes the file while another, that came first, does not read yet" \
		"20000000 bytes for each, the same as the file" "${first:-nothing}; ${TAKEN:-nothing}"
}

lesson_early_fin() {
	a_file 20
	server --file "$CAGE/file" || return
	taken --fin
	verdict "$(same "$CAGE/got" && echo pass || echo fail)" \
		"a client that sends its FIN first, and then reads" \
		"20000000 bytes, then FIN" "${TAKEN:-nothing after 5 seconds}"
}

lesson_clients_leave() {
	a_file 20
	server --file "$CAGE/file" || return
	local i active=0
	kill -STOP "$PID" # so that FIN and RST are there before the first byte is sent
	for i in {1..5}; do taken --fin --leave 0; done
	kill -CONT "$PID" 2>/dev/null || true
	for i in {1..5}; do taken --discard --leave 100000; done
	taken
	for ((i = 0; i < 50; i++)); do
		active=$(counter connections.active)
		[[ $active -ne 0 ]] || break
		pause 0.02
	done
	verdict "$(same "$CAGE/got" && [[ $active -eq 0 ]] && echo pass || echo fail)" \
		"5 clients that leave by RST before the first byte, 5 that leave after 100,000" \
		"the next client gets the whole file, and no connection stays open" \
		"${TAKEN:-nothing after 5 seconds}; $active still open"
}

lesson_cut_short() {
	a_file 20
	server --file "$CAGE/file" || return
	taken_later
	: >"$CAGE/file"
	go_on_taking
	local before n
	before=$(calls sendfile pread send epoll_wait)
	pause 0.3
	n=$(($(calls sendfile pread send epoll_wait) - before))
	verdict "$([[ $TAKEN == *RST && $n -le 5 ]] && echo pass || echo fail)" \
		"emptied the file while a client had a part of it" \
		"a RST for the client, and a server at rest" "${TAKEN:-no end}; $n calls in the next 0.3 s"
}

lesson_few_calls() {
	a_file 20
	server --file "$CAGE/file" || return
	taken --discard
	local n
	n=$(calls sendfile pread read send write splice epoll_wait)
	verdict "$([[ $TAKEN == "20000000 bytes, then FIN" && $n -le 200 ]] && echo pass || echo fail)" \
		"a file of 20 MB, to a client that reads as fast as it can" \
		"10 calls for each MB at most: copying 64 KB at a time takes 31" "$n calls; ${TAKEN:-no end}"
}
