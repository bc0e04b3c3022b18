# What the two files that validate the load generator share: a server with a known fault or
# slowness, both sides pinned, and trials that a noisy machine may spoil but not decide.
# shellcheck shell=bash disable=SC2034,SC2154 # Bats sets and reads these elsewhere

JSON=$BATS_TEST_TMPDIR/load.json
HGRM=$BATS_TEST_TMPDIR/load.hgrm
ARRIVALS=$BATS_TEST_TMPDIR/arrivals
PINS=$(sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' /proc/self/status)
CLIENT_CPU=${PINS%%[,-]*} SERVER_CPU=${PINS##*[,-]}

# instrument NAME [ARG...]: one of tests/unit/*.c as the server, alone on its processor.
instrument() {
	mkdir -p "$BATS_TEST_TMPDIR/tests" # where start_lab puts its log
	stop_lab
	start_lab "tests/$1" "${@:2}"
	taskset -cp "$SERVER_CPU" "$LAB_PID" >/dev/null
}

# measure OPTION...: the result in $JSON and $HGRM, the exit status in $status. Nothing
# here may take longer than it says: the window, the drain, and a machine's bad seconds.
measure() {
	run --separate-stderr timeout 30 taskset -c "$CLIENT_CPU" "$BUILD/load" \
		--port "$LAB_PORT" --json --hgrm "$HGRM" "$@"
	((status != 124)) || fail "load hung: $*"
	printf '%s\n' "$output" >"$JSON"
}

# so EXPRESSION...: each one of jq, over the result. The first that is false is $WHY.
so() {
	local e
	for e; do
		WHY="not so: $e in $(cat "$JSON") ${stderr-}"
		[[ $(jq "$e" "$JSON") == true ]] || return 1
	done
}

# surely EXPRESSION...: what no noise can make false.
surely() {
	so "$@" || {
		SURE=1
		return 1
	}
}

holds() {
	so "$@" || fail "$WHY"
}

# close_to A B TOLERANCE WHAT: |A - B| <= TOLERANCE.
close_to() {
	WHY="$4: $1, wanted $2 +- $3"
	awk -v a="$1" -v b="$2" -v t="$3" 'BEGIN { exit !((a > b ? a - b : b - a) <= t) }'
}

value() {
	jq "$1" "$JSON"
}

# calm: nobody took the processors away in the run that ended, neither the client's from it
# nor the server's, if it is one that says so. $CALM: all but so much of the time.
calm() {
	local lost share=${CALM:-0.02}
	lost=$(sed -n "s/^lost_s //p" "$LAB_LOG")
	so ".lost_s <= $share * .duration_s" "${lost:-0} <= $share * .duration_s"
}

# drift INTERVAL_NS CONNECTIONS: how far, in ns, the second half of the logged arrivals lies
# off the schedule that the first half keeps. The machine can only make a request late, never
# early: so the least late of each half tells, whatever the noise.
drift() {
	tail -n +$(($2 + 1)) "$ARRIVALS" | awk -v step="$1" -v start="$(head -n 1 "$ARRIVALS")" '
		{ late[NR] = ($1 - start) - NR * step }
		END {
			for (i = 1; i <= NR; i++) {
				h = i > NR / 2
				if (!(h in least) || late[i] < least[h]) least[h] = late[i]
			}
			printf "%.0f\n", least[1] - least[0]
		}'
}

# stall_spectrum D_MS T RATE: the answers to what was due in a stall of D come at its end, so
# P(p) = D - (1 - p)T. What the machine adds at that end, it adds to all of them: the maximum
# takes D's place. And it only adds: nothing may lie below.
stall_spectrum() {
	instrument slow_echo --spin --stall-at 0.5 --stall-ms "$1"
	measure --connections 10 --rate "$3" --arrival fixed --duration "$2" --warmup 0
	surely ".latency_us.max >= 990 * $1" || return 1
	so ".requests == .received and .latency_us.max < 1250 * $1" \
		".service_us.p90 < .latency_us.max / 20" || return 1
	WHY="the spectrum: $(awk -v t="$2" -v least="$1" '
		$2 == 1 { d = $1 }
		NF == 4 && $2 > 0.85 && $2 < 1 { us[++n] = $1; p[n] = $2 }
		END {
			for (i = 1; i <= n; i++) {
				if (us[i] < 0.999 * (least * 1e3 - (1 - p[i]) * t * 1e6))
					print "P(" p[i] ") = " us[i] " is below what was surely waited;"
				want = d - (1 - p[i]) * t * 1e6
				if (want > d / 4 && (us[i] - want > 0.02 * d || want - us[i] > 0.02 * d))
					print "P(" p[i] ") = " us[i] ", wanted " want ";"
			}
			if (n < 10) print "too short"
		}' "$HGRM")"
	[[ $WHY != *below* ]] || SURE=1
	[[ $WHY == "the spectrum: " ]]
}

# trials N FUNCTION: up to N of them, and no new one after $TRIALS_S seconds (6). It measures
# (not in a subshell: the server would outlive it) and returns whether all was as it should
# be. Once is enough, and so is once that something was surely wrong. A machine that spoils
# every trial gets a skip, a generator that does gets red.
trials() {
	local n=$1 trial reason quiet=0 end=$((SECONDS + ${TRIALS_S:-6}))
	shift
	for ((trial = 0; trial < n && (trial == 0 || SECONDS < end); trial++)); do
		! "$@" || return 0
		[[ -z ${SURE-} ]] || fail "$WHY"
		echo "# trial $((trial + 1)): $WHY"
		stop_lab
		reason=$WHY
		! calm || quiet=$((quiet + 1))
	done
	((quiet > 0)) || skip "this machine is too noisy: in $trial trials of $trial it took the processor away; $reason"
	fail "no trial of $trial, $quiet of them calm: $reason"
}
