#!/usr/bin/env bats
# shellcheck disable=SC2034,SC2154 # Bats sets and reads these elsewhere
# Client and server in two network namespaces, as on two machines.

setup() {
	load ../unit/helper
	requires ip unshare nsenter jq
	"$ROOT/bench/setup/netns" true 2>/dev/null || skip "$("$ROOT/bench/setup/netns" true 2>&1)"
}

teardown() {
	[[ -z ${JOB-} ]] || kill -KILL "$JOB" 2>/dev/null || true
}

@test "NETNS=1: the requests and the replies cross the veth pair, none the loopback" {
	export NETNS=1 SCENARIOS="syscalls spin" LABS=03 OUT=$BATS_TEST_TMPDIR/out
	run "$ROOT/bench/setup/netns" bash -c "'$ROOT/bench/run' 2>/dev/null && cat /proc/net/dev"
	assert_success
	# Received and sent packets, in columns 2 and 10 behind the name.
	awk -v requests=990 '
		$1 == "lo:" { lo = $3 + $11 }
		$1 == "client:" { in_ = $3; out = $11 }
		END { exit !(lo == 0 && in_ >= requests && out >= requests) }' <<<"$output" || fail "$output"
	run cat "$OUT/syscalls.tsv"
	assert_line '# network: veth between two namespaces'
	assert_line --regexp '^03-epoll-lt	[0-9]{3,4}	'
	run grep -c '^03-epoll-lt	0	' "$OUT/spin.tsv" # an idle connection across, no returns
	assert_output 1
}

@test "without NETNS the manifest says loopback" {
	SCENARIOS=spin LABS=03 OUT=$BATS_TEST_TMPDIR/out run "$ROOT/bench/run"
	assert_success
	run grep '^# network:' "$BATS_TEST_TMPDIR/out/spin.tsv"
	assert_output '# network: loopback'
}

@test "the command's status is its own; make says the same" {
	run "$ROOT/bench/setup/netns" sh -c 'exit 7'
	assert_failure 7
	run make -s -C "$ROOT" bench NETNS=1 SCENARIOS=nope
	assert_failure
	assert_line "run: SCENARIOS: no scenario 'nope'"
}

# in_use INODE: some process is in that network namespace.
in_use() {
	[[ -n $(find /proc/[0-9]*/ns/net -lname "net:\\[$1\\]" 2>/dev/null) ]]
}

@test "killed outright: both namespaces and the pair go with it" {
	local places=$BATS_TEST_TMPDIR/places
	# shellcheck disable=SC2016 # the inner shell is to expand it
	"$ROOT/bench/setup/netns" bash -c 'for n in net /proc/self/fd/$SERVER_NET; do
			stat -L -c %i "/proc/self/ns/$n" 2>/dev/null || stat -L -c %i "$n"
		done >"$1.tmp" && mv "$1.tmp" "$1"; exec sleep 60' - "$places" 3>&- &
	JOB=$!
	wait_until 10 test -s "$places"
	mapfile -t inode <"$places"
	[[ ${#inode[@]} -eq 2 && ${inode[0]} != "${inode[1]}" ]]
	in_use "${inode[0]}" || fail "nobody there before the end"
	kill -KILL "$JOB"
	wait "$JOB" || true
	unset JOB
	gone() { ! in_use "${inode[0]}" && ! in_use "${inode[1]}"; }
	wait_until 5 gone
	run ip -br link show
	refute_output --regexp '^(client|server)@'
}

@test "not allowed: one line and status 1" {
	requires setpriv
	[[ $(id -u) -eq 0 ]] || skip "only root can give up being allowed to"
	run --separate-stderr setpriv --bounding-set=-sys_admin "$ROOT/bench/setup/netns" true
	assert_failure 1
	assert_output ''
	assert_equal "$stderr" "netns: two network namespaces need root (or user namespaces and veth), not allowed here"
	run --separate-stderr "$ROOT/bench/setup/netns" # bad usage, as everywhere
	assert_failure 2
	assert_equal "$stderr" 'netns: needs a command'
}
