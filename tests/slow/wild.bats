#!/usr/bin/env bats
# shellcheck disable=SC2034,SC2154 # Bats sets and reads these elsewhere
# bench/survey/wild: what it sees of the servers that are installed here, and that it leaves nothing.
# shellcheck disable=SC2030,SC2031 # Bats runs every test in its own subshell

setup_file() {
	load ../unit/helper
	PATH=$PATH:/usr/sbin:/sbin
	# Not below Bats' own directory, which is closed to the user that the servers run as.
	WILD_TMP=$(mktemp -d /tmp/wild-test.XXXXXX)
	chmod 711 "$WILD_TMP"
	mkdir -m 711 "$WILD_TMP/tmp" "$WILD_TMP/bin"
	export PATH WILD_TMP TMPDIR=$WILD_TMP/tmp
	if command -v jq >/dev/null; then
		servers >"$BATS_FILE_TMPDIR/before"
		JSON=1 "$ROOT/bench/survey/wild" >"$BATS_FILE_TMPDIR/json" 2>"$BATS_FILE_TMPDIR/err" 3>&- || true
		servers >"$BATS_FILE_TMPDIR/after"
		ls -A "$TMPDIR" >"$BATS_FILE_TMPDIR/files"
	fi
}

teardown_file() {
	rm -rf "$WILD_TMP"
}

setup() {
	load ../unit/helper
	WILD=$ROOT/bench/survey/wild
	[[ -s $BATS_FILE_TMPDIR/json ]] || requires jq
}

# Those that run, and our strace; one that has ended and that nobody waits for does not.
servers() {
	ps -eo stat=,comm=,pid=,args= | awk -v tmp="$TMPDIR" '$1 !~ /^Z/ && ($2 ~ /^(nginx|redis-server|memcached|haproxy)$/ ||
		$2 == "strace" && index($0, tmp)) { print $2, $3 }' | sort
}

said() { # NAME EXPRESSION: of one server of the object
	requires "${3:-$1}"
	jq -e --arg name "$1" ".servers[] | select(.name == \$name) | $2" "$BATS_FILE_TMPDIR/json" ||
		fail "$(cat "$BATS_FILE_TMPDIR/json" "$BATS_FILE_TMPDIR/err")"
}

# nothing_left BEFORE: neither a process nor a file.
nothing_left() {
	assert_equal "$(comm -13 "$1" <(servers))" ""
	assert_equal "$(ls -A "$TMPDIR")" ""
}

@test "nginx's connections are edge-triggered, its listener is level-triggered" {
	said nginx '.connection.mode == "ET" and .listener.mode == "LT" and .seen == "ET"'
	said nginx '(.connection.events | index("OUT") | not) and (.write_blocked.events | index("OUT"))'
}

@test "redis is level-triggered and arms OUT while a write is blocked" {
	said redis '.connection.mode == "LT" and .listener.mode == "LT" and .seen == "LT"' redis-server
	said redis '.write_blocked.events == ["IN", "OUT"] and .afterwards.events == ["IN"]' redis-server
}

@test "memcached is level-triggered and arms OUT while a write is blocked" {
	said memcached '.connection.mode == "LT" and .listener.mode == "LT"'
	said memcached '(.write_blocked.events | index("OUT")) and .afterwards.events == ["IN"]'
}

@test "haproxy is level-triggered, unless its experimental directive says otherwise" {
	requires nginx
	said haproxy '.connection.mode == "LT" and .listener.mode == "LT"'
	said haproxy-et '.connection.mode == "ET" and .listener.mode == "LT"' haproxy
}

@test "the calls are counted where strace may" {
	requires strace
	strace -qq -D -o /dev/null true || skip "strace may not trace here"
	said redis '.calls_per_request >= 2.8 and .calls_per_request < 4' redis-server
	said redis '.epoll_ctl_of_blocked_reply == 2' redis-server
}

@test "one object, and after it no process and no file" {
	jq -es 'length == 1 and (.[0] | (.servers | length) + (.missed | length) == 5)' "$BATS_FILE_TMPDIR/json"
	assert_equal "$(comm -13 "$BATS_FILE_TMPDIR/before" "$BATS_FILE_TMPDIR/after")" ""
	assert_equal "$(cat "$BATS_FILE_TMPDIR/files")" ""
}

@test "a server that does not start is one line, and the others go on" {
	requires redis-server
	printf '#!/bin/sh\necho no such thing >&2\nexit 1\n' >"$WILD_TMP/bin/nginx"
	chmod 755 "$WILD_TMP/bin/nginx"
	cp "$WILD_TMP/bin/nginx" "$WILD_TMP/bin/memcached"
	cp "$WILD_TMP/bin/nginx" "$WILD_TMP/bin/strace" # fdinfo only
	servers >"$BATS_TEST_TMPDIR/before"
	PATH=$WILD_TMP/bin:$PATH run --separate-stderr "$WILD"
	assert_failure 1
	assert_regex "$stderr" 'wild: nginx: does not start: '
	assert_regex "$stderr" 'wild: memcached: does not start: '
	assert_line --regexp '^redis [0-9.]+ +LT IN +LT IN +LT IN OUT +- +ET LT$'
	for line in "${lines[@]}"; do ((${#line} <= 80)) || fail "wider than a terminal: $line"; done
	nothing_left "$BATS_TEST_TMPDIR/before"
}

started() { # BEFORE
	[[ -n $(comm -13 "$1" <(servers | grep -v strace)) ]]
}

@test "Ctrl-C leaves no process and no file" {
	requires redis-server
	servers >"$BATS_TEST_TMPDIR/before"
	# A child of this shell would ignore SIGINT, as every one in the background does.
	setsid env --default-signal=INT "$WILD" >/dev/null 2>&1 3>&- &
	local pid=$! rc=0
	wait_until 10 started "$BATS_TEST_TMPDIR/before"
	kill -INT "$pid"
	wait "$pid" || rc=$?
	assert_equal $rc 130
	nothing_left "$BATS_TEST_TMPDIR/before"
}

@test "a bad environment is one line and status 2" {
	JSON=yes run --separate-stderr "$WILD"
	assert_failure 2
	assert_equal "$stderr" "wild: JSON: 'yes' is neither 0 nor 1"
	assert_output ''
	run --separate-stderr "$WILD" nginx
	assert_failure 2
	assert_equal "$stderr" "wild: takes no arguments, not 'nginx'"
}
