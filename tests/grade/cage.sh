# A student's program runs in a cage: bounded in time, output, memory and processes, and
# everything it started is gone at the end, whatever it did to stay.
# shellcheck shell=bash

# shellcheck source=bench/lib/proc.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../bench/lib/proc.sh"

MARK=grade-$$-$RANDOM # in the environment of all that runs in the cage
PID='' CLIENT='' CLIENT_SAID=''
AS=()

cage() {
	CAGE=$(mktemp -d)
	trap away EXIT
	trap 'away; exit 130' INT
	trap 'away; exit 143' TERM HUP
	chmod 755 "$CAGE"
	# RLIMIT_NPROC does not bind root: where the grader is root, the cage belongs to nobody.
	if ((EUID == 0)) && command -v setpriv >/dev/null; then
		AS=(setpriv --reuid=65534 --regid=65534 --clear-groups)
		chown 65534:65534 "$CAGE"
	fi
	local owner=$EUID
	((!${#AS[@]})) || owner=65534
	TASKS=$({ ps -L -u "$owner" -o pid= || true; } | wc -l)
	pause 0 # opens its pipe, which what runs in the cage must not have
}

# limited PROCESSES COMMAND...: becomes it, within the bounds. Call it in a subshell.
limited() {
	ulimit -c 0
	ulimit -f 65536 # kB: a flood of output ends in SIGXFSZ
	ulimit -u $((TASKS + $1))
	shift
	[[ ${ROOMY-} ]] || ulimit -v 1000000 # kB
	exec env -u LAB_COUNTS -u LAB_TRACE "GRADE_MARK=$MARK" TMPDIR="$CAGE" "${AS[@]}" "$@"
}

# caged SECONDS COMMAND...: runs it and returns its status; 124 or 137 if time was up.
caged() {
	local rc=0
	(limited 400 timeout -k 2 "$@" {NOTHING}>&- </dev/null) & # torture itself stops at 256
	wait $! || rc=$?
	return $rc
}

marked() {
	{ grep -lszx "GRADE_MARK=$MARK" /proc/[0-9]*/environ || true; } | cut -d/ -f3
}

# Freezes all first, until nobody new is found: what is frozen does not fork. Then ends all.
sweep() {
	local frozen='' now
	while now=$(marked); [[ $now != "$frozen" ]]; do
		# shellcheck disable=SC2086 # a list
		kill -STOP $now 2>/dev/null || true
		frozen=$now
	done
	[[ $frozen ]] || return 0
	# shellcheck disable=SC2086
	kill -KILL $frozen 2>/dev/null || true
	while [[ $(marked) ]]; do pause 0.01; done
}

# shellcheck disable=SC2317 # called by the traps
away() {
	trap - EXIT INT TERM HUP
	client_away
	sweep
	wait 2>/dev/null || true
	rm -rf "$CAGE"
}

# --- for the lessons: one server, one client

# server [ARG...]: a fresh one; sets PID, PORT and PAGE. Returns 1 if it does not say that it listens.
server() {
	local tries log=$CAGE/server.log
	server_away
	PAGE=$CAGE/page CLIENT_SAID=''
	rm -f "$PAGE" "$log"
	(limited 50 env LAB_COUNTS="$PAGE" "${STARTED:-$CAGE/server}" --port 0 "$@" {NOTHING}>&- </dev/null >"$log" 2>/dev/null) &
	PID=$!
	disown "$PID" # or bash would tell how it died
	for ((tries = 0; tries < 250; tries++)); do
		PORT=$(sed -n '1s/^listening on .*://p' "$log" 2>/dev/null | head -c 20) || true
		[[ ! $PORT ]] || return 0
		kill -0 "$PID" 2>/dev/null || break
		pause 0.02
	done
	return 1
}

server_away() {
	[[ $PID ]] || return 0
	client_away
	kill -KILL "$PID" 2>/dev/null || true
	while kill -0 "$PID" 2>/dev/null; do pause 0.01; done
	PID=''
	sweep
}

# counter NAME: one value from the page, 0 where the call was never made.
counter() {
	timeout 5 "$BUILD/counts" "$PAGE" 2>/dev/null | awk -F'\t' -v n="$1" '$1 == n { v = $2 } END { print v + 0 }'
}

# client OPTION...: runs to its end; what it said is in CLIENT_SAID.
client() {
	GRADE_MARK=$MARK timeout -k 1 20 "$BUILD/tests/client" --port "$PORT" "$@" </dev/null >"$CAGE/client.out" 2>&1 &
	CLIENT=$!
	wait "$CLIENT" || true
	CLIENT='' CLIENT_SAID=$(head -c 300 "$CAGE/client.out")
	[[ $CLIENT_SAID == ok ]]
}

connected() { # N: so many were accepted, soon
	local tries
	for ((tries = 0; tries < 150; tries++)); do
		(($(counter connections.opened) < $1)) || return 0
		kill -0 "$PID" 2>/dev/null || return 1
		pause 0.02
	done
	return 1
}

idle_client() {
	exec {IDLE}<>"/dev/tcp/127.0.0.1/$PORT"
	connected 1 || true
}

# slow_client: sends and does not read, until it is stuck.
slow_client() {
	local tries out=$CAGE/slow.out
	rm -f "$CAGE/go" "$out"
	mkfifo "$CAGE/go"
	exec {GO}<>"$CAGE/go"
	GRADE_MARK=$MARK timeout -k 1 30 "$BUILD/tests/client" --port "$PORT" --mode slow --size 20000000 \
		--patience 5000 <"$CAGE/go" >"$out" 2>&1 {GO}>&- &
	CLIENT=$!
	for ((tries = 0; tries < 500; tries++)); do
		! grep -qs '^stuck after' "$out" || return 0
		kill -0 "$CLIENT" 2>/dev/null || break
		pause 0.02
	done
	CLIENT_SAID=$(head -c 300 "$out")
	return 1
}

go_on() { # the slow client reads after all
	local rc=0
	echo >&"$GO"
	wait "$CLIENT" || rc=$?
	CLIENT='' CLIENT_SAID=$(tail -n 1 "$CAGE/slow.out" | head -c 300)
	return $rc
}

client_away() {
	if [[ $CLIENT ]]; then
		kill "$CLIENT" 2>/dev/null || true # not KILL: timeout could not pass that on
		wait "$CLIENT" 2>/dev/null || true
		CLIENT=''
	fi
	[[ -z ${IDLE-} ]] || exec {IDLE}>&-
	[[ -z ${GO-} ]] || exec {GO}>&-
	unset IDLE GO
}
