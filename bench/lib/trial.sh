# What the scenarios are made of: trials, which survive an interruption, and the numbers that
# each finds. A number becomes a row when its trial is over:
#   scenario  server  case  trial  kept  metric  value
# A trial measures $LAB in $CASE (empty: there is only one case) for the $ROUND-th time.
# shellcheck shell=bash disable=SC2034,SC2153,SC2119,SC2120 # who sources this reads and sets more

NUMBERS=$TMP/numbers # of the trial: metric, value; before them the case and the scenario if others
NOTES=/dev/null      # lines of # and ! for the head of the file
JSON=$TMP/load.json  # what the load has said

# begin WHAT TRIALS CASE: says what the scenario measures; CASE is what its cases are, or -.
begin() {
	[ "$DRY" = 0 ] || return 0
	NOTES=$TMP/remarks
	[ ! -e "$STATE/$SCENARIO.head" ] || return 0 # begun before an interruption
	mkdir -p "$STATE/$SCENARIO"
	{
		manifest "$SCENARIO" "$1" "$2"
		echo "# case: $3"
		[ "$PROFILE" = quick ] || cat "$STATE/environment"
	} >"$STATE/.new"
	mv "$STATE/.new" "$STATE/$SCENARIO.head"
}

# remark LINE: one more line of # in the head.
remark() {
	echo "# $1" >>"$NOTES"
}

# failed WORDS: the line for a server without a number.
failed() {
	echo "! $LAB error $*" >>"$NOTES"
	KEPT=0
}

# reject WHY: what is measured stays in the file, and out of the number.
reject() {
	KEPT=0 WHY=$1
}

number() { # METRIC VALUE
	printf '%s\t%s\n' "$1" "$2" >>"$NUMBERS"
}

# calculate FORMAT EXPRESSION
calculate() {
	awk "BEGIN { printf \"$1\", $2 }"
}

# trial SECONDS FUNCTION [ARG...]: the rows of what FUNCTION finds, unless they are there from
# before an interruption. SECONDS: 2.3+0.8, what goes with SCALE and what does not.
trial() {
	local took file
	took=$(cost "$1")
	if [ "$DRY" = 1 ]; then
		TOTAL_MS=$((TOTAL_MS + took))
		return 0
	fi
	file=$(trial_file)
	if [ ! -e "$file" ]; then
		doing "$(trial_name)"
		measured "${@:2}" >"$STATE/.new"
		mv "$STATE/.new" "$file" # what was measured is there as a whole or not at all
	fi
	TRIALS+=("$file")
	DONE_MS=$((DONE_MS + took))
}

trial_name() {
	echo "${CASE:+$CASE }$LAB round $ROUND"
}

trial_file() {
	local name
	name=$(trial_name)
	echo "$STATE/$SCENARIO/${name//[^A-Za-z0-9.=-]/_}"
}

# measured FUNCTION [ARG...]: what is to be known of a trial: its notes and rows.
measured() {
	local KEPT=1 WHY='' NOTES=$TMP/notes SEED=$((SEED + ROUND))
	: >"$NOTES"
	: >"$NUMBERS"
	"$@" >&2
	[ -z "$WHY" ] || remark "rejected: $LAB ${CASE:--} $ROUND $WHY"
	cat "$NOTES"
	awk -F'\t' -v OFS='\t' -v scenario="$SCENARIO" -v lab="$LAB" -v case="${CASE:--}" -v trial="$ROUND" -v kept="$KEPT" '
		{ print (NF > 3 ? $(NF - 3) : scenario), lab, (NF > 2 ? $(NF - 2) : case), trial, kept, $(NF - 1), $NF }' "$NUMBERS"
}

# was_kept: has the trial that is done a number?
was_kept() {
	awk -F'\t' '$5 == 1 { found = 1 } END { exit !found }' "$(trial_file)"
}

# finish [SCENARIO CASE]: the file appears, whole. With arguments another one, of other rows
# that the same trials found.
finish() {
	[ "$DRY" = 0 ] && [ -e "$STATE/$SCENARIO.head" ] || return 0
	local name=${1:-$SCENARIO}
	cat "$TMP/remarks" "${TRIALS[@]}" >"$TMP/all"
	mkdir -p "$OUT"
	{
		sed "s|^# scenario: .*|# scenario: $name|${2:+; s|^# case: .*|# case: $2|}" "$STATE/$SCENARIO.head"
		[ "$PROFILE" = quick ] || kept_of "${TRIALS[@]}"
		awk '/^#/ && !seen[$0]++' "$TMP/all"
		awk '/^!/ && !seen[$0]++' "$TMP/all"
		printf 'scenario\tserver\tcase\ttrial\tkept\tmetric\tvalue\n'
		awk -F'\t' -v name="$name" '$1 == name' "$TMP/all"
	} >"$OUT/.$name.tmp"
	mv "$OUT/.$name.tmp" "$OUT/$name.tsv"
}

# kept_of FILE...: how many of these trials are in the numbers.
kept_of() {
	awk -F'\t' '
		NF == 7 && !seen[FILENAME]++ { all++; kept += $5 == 1 }
		END {
			if (all) print "# kept: " kept + 0 " of " all
			if (2 * kept < all) print "# noise: machine too noisy for tail claims"
		}' "$@" /dev/null
}

# --- servers

asked_for() { # LAB: its number, its name or all of it is in LABS
	local word
	[ -n "$LABS" ] || return 0
	for word in $LABS; do
		case ${1%%--*} in "$word"-* | "$word" | ??-"$word") return 0 ;; esac
	done
	return 1
}

# program LAB: where it is in build/.
program() {
	local place
	for place in '' variants/ peers/ zoo/; do
		[ ! -x "$BUILD/$place${1%%--*}" ] || { echo "$place${1%%--*}" && return; }
	done
	return 1
}

# serve [ARG...]: a fresh server $LAB, which may have one option in its name: 06-epollout-spin--et.
serve() {
	local option=()
	[[ $LAB != *--* ]] || option=("--${LAB#*--}")
	start "$(program "$LAB")" "${option[@]}" "$@"
}

# enough_descriptors N: or a line that says so.
enough_descriptors() {
	local limit
	limit=$(ulimit -Hn)
	[ "$limit" = unlimited ] || [ $(($1 + 64)) -le "$limit" ] ||
		{ failed "$1 connections need more descriptors than ulimit -Hn = $limit" && return 1; }
}

# --- the load

# measure WINDOW WARMUP OPTION...: the load over a fresh server, which is gone afterwards.
measure() {
	local status=0
	serve
	load "$@" || status=$?
	stop "$PID"
	return $status
}

# load WINDOW WARMUP OPTION...: over the server that runs; what it finds is in $JSON. A server
# that fails a reply gets a line with the error and no number.
load() {
	local whose=(--pid "$PID") status=0
	[ ! -e "$PAGE" ] || whose=(--counts "$PAGE")
	"${WITHIN[@]}" taskset -c "$CLIENT_CPU" "$BUILD/load" --host "$HOST" --port "$PORT" "${whose[@]}" --json \
		--seed "$SEED" --size "$SIZE" --duration "$(scaled "$1")" --warmup "$(scaled "$2")" "${@:3}" \
		>"$JSON" 2>"$TMP/load.err" || status=$?
	case $status in
	0) ;;
	5) KEPT=limited ;; # what the client found of itself
	3)
		! late_is_fine || return 0
		failed "wrong, missing or failed replies: $(jq -c .errors "$JSON")"
		return 1
		;;
	130) exit 130 ;;
	*)
		failed "$(tail -n 1 "$TMP/load.err")"
		return 1
		;;
	esac
}

# Late replies are the finding where a server is overloaded; wrong ones never.
late_is_fine() {
	[ "${LATE_IS_FINE-}" = yes ] && jq -e '.errors | keys - ["timeout"] == []' "$JSON" >/dev/null
}

# gate all|lag: is this trial fit to judge the server by? Only what the client saw of itself
# decides. Where the load is heavy a gap of 0.1 ms holds real work, and sends wait for one
# another: there, lag alone, and only one that no work explains; with half of all sends late the
# client was the limit. The quick profile has no time to try again, and takes what comes.
gate() {
	local why
	[ "$PROFILE" != quick ] || return 0
	why=$(jq -r --arg how "$1" '
		if $how == "lag" and .lag_us.p50 > 50 then "limited" else
		[ if .errors != {} then "errors " + (.errors | tojson | gsub("[\"{}]"; "")) else empty end,
		  if .lag_p99_us > (if $how == "lag" then 1000 else 50 end)
		  then "lag p99 \(.lag_p99_us | round) us" else empty end,
		  if $how == "all" and .lost_s > 0.002 * .duration_s
		  then "lost \(.lost_s / .duration_s * 1000 | round / 10) %" else empty end
		] | join(", ") end' "$JSON")
	case $why in
	'') ;;
	limited) KEPT=limited ;;
	*) reject "$why" ;;
	esac
}

# numbers FILTER [JQ_OPTION...]: {metric: value, ...} out of what the load has said; null is no
# number. FILTER may use these:
numbers() {
	jq -r "${@:2}" '
		def digits(d): if . == null then null else . * d | round / d end;
		def n(k): .counts[k] // 0;
		def calls: [.counts // {} | to_entries[] | select(.key | endswith(".calls")) | .value] | add // 0;
		def per(x): if .counts == null or .received == 0 then null else x / .received | digits(10000) end;
		def cpu_us: if .received == 0 or .server_cpu_s == null then null
			else .server_cpu_s * 1e6 / .received | digits(1000) end;
		'"$1"' | to_entries[] | select(.value != null) | [.key, .value] | @tsv' "$JSON" >>"$NUMBERS"
}

# spectrum FILE.hgrm [SCENARIO]: a number for each 1/(1-p), as far as ten samples or more lie
# beyond; of another scenario than this one if it is named.
spectrum() {
	awk -v OFS='\t' -v scenario="${2:-$SCENARIO}" '
		/^#\[Max/ { sub(/.*Total count *= */, ""); total = $0 + 0 }
		NF == 4 && $1 + 0 > 0 && $4 + 0 > 0 { us[++n] = $1; seen[n] = $3; inverse[n] = $4 }
		END { for (i = 1; i <= n; i++) if (total - seen[i] >= 10) print scenario, inverse[i], "us", us[i] }' \
		"$1" >>"$NUMBERS"
}
