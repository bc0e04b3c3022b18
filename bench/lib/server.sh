# What the runner and the demos share: fresh servers, pinned, gone at the end.
# shellcheck shell=bash

# One locale, whatever the machine has or lacks: bytes sort and numbers have a point.
export LC_ALL=C.UTF-8

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BUILD=${BUILD:-$ROOT/build}

# NETNS=1: all of it again, with the servers at the other end of a veth pair.
if [ "${NETNS-}" = 1 ]; then
	exec "$ROOT/bench/setup/netns" "$0" "$@"
fi
# shellcheck source=bench/lib/proc.sh
. "$ROOT/bench/lib/proc.sh" # sets HOST
pause 0                     # opens its pipe once, before any subshell

# Where the servers listen, and what starts them there.
NETWORK=loopback SERVER_PREFIX=()
if [ -n "${SERVER_NET-}" ]; then
	HOST=$SERVER_ADDR NETWORK="veth between two namespaces"
	SERVER_PREFIX=(nsenter "--net=/proc/self/fd/$SERVER_NET" --)
fi

TMP=$(mktemp -d)
PIDS=()
WITHIN=() # a command to run servers with

die() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# Whatever ends the script, no process and no temporary file stays.
# shellcheck disable=SC2317
clean_up() {
	trap - EXIT INT TERM
	kill -CONT "${PIDS[@]}" 2>/dev/null || true # some may have gone, or there are none
	kill "${PIDS[@]}" 2>/dev/null || true
	wait
	rm -rf "$TMP"
}
trap clean_up EXIT
trap 'clean_up; exit 130' INT
trap 'clean_up; exit 143' TERM

needs() {
	local tool package
	for tool; do
		package=${tool#*:}
		command -v "${tool%%:*}" >/dev/null || die "needs ${tool%%:*}: package $package (make setup)"
	done
}

# shellcheck disable=SC2034 # used by who sources this
# The first processor we may use is the client's, the last one the server's.
allowed_cpus() {
	local list=() part
	IFS=, read -ra parts <<<"$(taskset -cp $$ | sed 's/.*: //')"
	for part in "${parts[@]}"; do
		mapfile -O ${#list[@]} -t list < <(seq "${part%-*}" "${part#*-}")
	done
	CLIENT_CPU=${list[0]}
	SERVER_CPU=${list[-1]}
}
needs taskset:util-linux
allowed_cpus

# manifest SCENARIO WHAT TRIALS: the head of a file of numbers: what they are and whose.
manifest() {
	local cpu commit
	cpu=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
	commit=$(git -C "$ROOT" rev-parse --short HEAD 2>/dev/null || echo none)
	git -C "$ROOT" diff --quiet HEAD 2>/dev/null || commit=$commit+changes
	cat <<-EOF
		# scenario: $1
		# what: $2
		# trials: $3
		# date: $(date -u +%Y-%m-%dT%H:%MZ)
		# commit: $commit
		# kernel: $(uname -sr) $(uname -m)
		# cpu: ${cpu:-unknown}
		# cpus: $(nproc)
		# hypervisor: $(grep -qw hypervisor /proc/cpuinfo && echo yes || echo no)
		# pinning: client cpu $CLIENT_CPU, server cpu $SERVER_CPU
		# network: $NETWORK
		# compiler: $(${CC:-cc} --version | head -n 1)
		# clocksource: $(cat /sys/devices/system/clocksource/clocksource0/current_clocksource 2>/dev/null || echo unknown)
		# somaxconn: $(cat /proc/sys/net/core/somaxconn)
		# open files: $(ulimit -Hn)
		# profile: ${PROFILE:-none}
		# seed: ${SEED:-1}
	EOF
}

# start LAB [ARG...]: a fresh server (LAB with a leading /: that file); sets PID, PORT and PAGE
# (its page of counts; COUNTS_IN empty: none).
start() {
	local log program=$BUILD/$1
	[[ $1 != /* ]] || program=$1
	PAGE=$TMP/page.${#PIDS[@]}
	log=$TMP/log.${#PIDS[@]}
	rm -f "$log" "$PAGE" # an earlier server's port is not this one's
	LAB_COUNTS=${COUNTS_IN-$PAGE} "${WITHIN[@]}" "${SERVER_PREFIX[@]}" taskset -c "$SERVER_CPU" \
		"$program" --bind "$HOST" --port 0 "${@:2}" >"$log" &
	PID=$!
	PIDS+=("$PID")
	await_port "$log" "$PID" || die "$1 did not start, or did not say that it listens"
}

# stop [PID]: the end of a server; without an argument, of the last one started.
stop() {
	local pid=${1-$PID} p kept=()
	kill "$pid" 2>/dev/null
	wait "$pid" || die "a server ended with status $?"
	for p in "${PIDS[@]}"; do
		[ "$p" = "$pid" ] || kept+=("$p")
	done
	PIDS=("${kept[@]}")
	rm -f "$PAGE"
}

# 1234567 → 1,234,567
commas() {
	printf "%'d" "$1" 2>/dev/null | grep , || sed ':a;s/\B[0-9]\{3\}\>/,&/;ta' <<<"$1"
}
