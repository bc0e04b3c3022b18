# What the scenarios are made of: files of rows, trials that survive an interruption, rounds
# of servers to compare, and the gate that says which trials the machine has spoiled.
# shellcheck shell=bash disable=SC2034,SC2153,SC2015 # who sources this reads and sets more

# --- the plan: run once dry to know how long it takes, then for real

DRY=1 TOTAL_MS=0 DONE_MS=0

# doing SCENARIO WHAT: what is about to be measured, and the time left.
doing() {
	local left=$(((TOTAL_MS - DONE_MS) / 1000)) line
	[ "$left" -ge 0 ] || left=0
	line=$(printf '%3d %%  %-12s %-34s %d:%02d left' $((100 * DONE_MS / (TOTAL_MS + 1))) \
		"$1" "$2" $((left / 60)) $((left % 60)))
	if [ -t 2 ]; then printf '\r\033[K%s' "$line" >&2; else printf '%s\n' "$line" >&2; fi
}

# Thousandths, and back; without a process, for a plan asks often.
ms() {
	local whole=${1%.*} part=000
	[[ $1 != *.* ]] || part=${1#*.}000
	echo $((10#0$whole * 1000 + 10#${part:0:3}))
}

seconds() {
	local s
	printf -v s '%d.%03d' $(($1 / 1000)) $(($1 % 1000))
	while [[ $s == *.*0 ]]; do s=${s%0}; done
	echo "${s%.}"
}

# scaled SECONDS: times SCALE (a plan in a hundredth of its time, to try it out).
scaled() {
	local s=$(($(ms "$1") * $(ms "$SCALE") / 1000))
	seconds $((s < 50 ? 50 : s))
}

# sum SECONDS MORE
sum() {
	seconds $(($(ms "$1") + $(ms "$2")))
}

# --- files: a head, what failed, the rows

# begin SCENARIO WHAT TRIALS COLUMN...
begin() {
	SCENARIO=$1 PARTS=()
	[ "$DRY" = 0 ] || return 0
	mkdir -p "$STATE/$1"
	[ ! -e "$STATE/$1/columns" ] || return 0 # begun before an interruption
	manifest "$1" "$2" "$3" >"$TMP/head"
	[ "$PROFILE" = quick ] || cat "$TMP/environment" >>"$TMP/head"
	mv "$TMP/head" "$STATE/$1/head"
	(shift 3 && IFS=$'\t' && echo "$*") >"$TMP/columns"
	mv "$TMP/columns" "$STATE/$1/columns"
}

# remark LINE: one more line of # in the head.
remark() {
	[ "$DRY" = 1 ] || echo "# $1" >>"$TMP/remarks"
}

# finish [FILE PART WHAT COLUMN...]: the file appears, whole. With arguments another one, of
# other rows that the same trials wrote.
finish() {
	[ "$DRY" = 0 ] || return 0
	local file=${1:-$SCENARIO} part=${2:-rows} all=$TMP/all p
	: >"$all"
	for p in "${PARTS[@]}"; do
		[ ! -e "$p/$part" ] || cat "$p/$part" >>"$all"
	done
	{
		if [ $# -gt 0 ]; then
			sed "s|^# scenario: .*|# scenario: $1|; s|^# what: .*|# what: $3|" "$STATE/$SCENARIO/head"
		else
			cat "$STATE/$SCENARIO/head"
		fi
		kept_of "$STATE/$SCENARIO"
		cat "$TMP/remarks" 2>/dev/null || true
		awk '/^!/ && !seen[$0]++' "$all"
		if [ $# -gt 0 ]; then (shift 3 && IFS=$'\t' && echo "$*"); else cat "$STATE/$SCENARIO/columns"; fi
		grep -v '^!' "$all" || true
	} >"$TMP/whole"
	[ $# -gt 0 ] || rm -f "$TMP/remarks"
	mkdir -p "$OUT"
	mv "$TMP/whole" "$OUT/.$file.tmp" # another file system perhaps: then by rename
	mv "$OUT/.$file.tmp" "$OUT/$file.tsv"
}

# How many trials passed the gate, of those that went through one.
kept_of() {
	local kept all
	all=$(find "$1" -name kept | wc -l)
	[ "$all" -gt 0 ] || return 0
	kept=$({ find "$1" -name kept -exec grep -lx 1 {} + || true; } | wc -l)
	echo "# kept: $kept of $all"
	[ $((2 * kept)) -ge "$all" ] || echo "# noise: machine too noisy for tail claims"
}

# --- a trial

# trial WHAT SECONDS FUNCTION ARG...: the rows that FUNCTION puts into $PART/rows, unless they
# are there from before an interruption. WHAT names it among the scenario's trials.
trial() {
	local name=${1//[^A-Za-z0-9.=-]/_}
	local dir=$STATE/$SCENARIO/$name cost
	cost=$(ms "$2")
	if [ "$DRY" = 1 ]; then
		TOTAL_MS=$((TOTAL_MS + cost))
		return 0
	fi
	if [ ! -d "$dir" ]; then
		doing "$SCENARIO" "$1"
		PART=$TMP/part
		rm -rf "$PART"
		mkdir "$PART"
		: >"$PART/rows"
		"${@:3}"
		rm -rf "$dir.new" # what was measured is there as a whole or not at all
		cp -r "$PART" "$dir.new"
		mv "$dir.new" "$dir"
	fi
	PARTS+=("$dir")
	DONE_MS=$((DONE_MS + cost))
}

# was_kept WHAT: of a trial that is done.
was_kept() {
	local name=${1//[^A-Za-z0-9.=-]/_}
	[ "$(cat "$STATE/$SCENARIO/$name/kept" 2>/dev/null)" = 1 ]
}

# failed LAB WORDS: the line for a server without a number.
failed() {
	printf '! %s error %s\n' "$1" "${*:2}" >>"$PART/rows"
}

# measure LAB OPTION...: the load over the server that runs. Its JSON is in $JSON, how it
# ended in $STATUS; a server that fails a reply gets a line with the error and no number.
measure() {
	local lab=$1 whose=(--pid "$PID")
	JSON=$TMP/load.json STATUS=0
	[ ! -e "$PAGE" ] || whose=(--counts "$PAGE")
	"${WITHIN[@]}" taskset -c "$CLIENT_CPU" "$BUILD/load" --host "$HOST" --port "$PORT" "${whose[@]}" --json \
		--seed "$SEED" "${@:2}" >"$JSON" 2>"$TMP/load.err" || STATUS=$?
	[ $STATUS -ne 130 ] || exit 130
	[ $STATUS -ne 3 ] || jq -r '"wrong, missing or failed replies: " + (.errors | tojson)' \
		"$JSON" >"$TMP/load.err"
	case $STATUS in
	0) return 0 ;;
	5) [ "$PROFILE" = quick ] || return 0 ;;
	3) # late replies are the finding where a server is overloaded; wrong ones never
		[ "${LATE_IS_FINE-}" != yes ] ||
			! jq -e '.errors | keys - ["timeout"] == []' "$JSON" >/dev/null || return 0
		;;
	esac
	[ $STATUS -ne 5 ] || echo "client-limited" >"$TMP/load.err"
	failed "$lab" "$(tail -n 1 "$TMP/load.err")"
	return 1
}

# gate all|lag|none: may this trial be kept? Only what the client saw of itself decides. Where
# the load is heavy a gap of 0.1 ms holds real work, and sends wait for one another: there, lag
# alone, and only one that no work explains.
# Writes $PART/kept, sets KEPT and WHY.
gate() {
	local verdict
	verdict=$(jq -r --arg how "$1" '
		[ if .errors != {} then "errors " + (.errors | tojson | gsub("[\"{}]"; "")) else empty end,
		  if $how == "none" then empty
		  elif .lag_p99_us > (if $how == "lag" then 1000 else 50 end)
		  then "lag p99 \(.lag_p99_us | round) us" else empty end,
		  if $how == "all" and .lost_s > 0.002 * .duration_s
		  then "lost \(.lost_s / .duration_s * 1000 | round / 10) %" else empty end
		] | if . == [] then "1 -" else "0 " + join(", ") end' "$JSON")
	KEPT=${verdict%% *} WHY=${verdict#* }
	echo "$KEPT" >"$PART/kept"
}

# row FILTER: a row out of $JSON; $lab $trial $pair $kept $why are there, and these:
row() {
	jq -r --arg lab "$LAB" --arg trial "$ROUND" --arg pair "$ROUND" --arg kept "${KEPT-}" \
		--arg why "${WHY-}" --arg case "${CASE-}" '
		def digits(d): if . == null then "nan" else . * d | round / d end;
		def n(k): .counts[k] // 0;
		def calls: [.counts // {} | to_entries[] | select(.key | endswith(".calls")) | .value] | add // 0;
		def per(x): if .counts == null or .received == 0 then "nan" else x / .received | digits(10000) end;
		def cpu_us: if .received == 0 or .server_cpu_s == null then "nan"
			else .server_cpu_s * 1e6 / .received | digits(1000) end;
		def base: [$lab, $trial, $pair, $kept, $why];
		'"$1"' | @tsv' "$JSON" >>"$PART/rows"
}

# spectrum PREFIX FILE.hgrm: rows as far as ten samples or more lie beyond.
spectrum() {
	awk -v prefix="$1" -v OFS='\t' '
		/^#\[Max/ { sub(/.*Total count *= */, ""); total = $0 + 0 }
		NF == 4 && $1 + 0 > 0 && $4 + 0 > 0 { us[++n] = $1; p[n] = $2; seen[n] = $3; inverse[n] = $4 }
		END { for (i = 1; i <= n; i++) if (total - seen[i] >= 10) print prefix, p[i], inverse[i], us[i] }' "$2"
}

# --- servers

# wanted 01 02 …: the labs among them that LABS asks for, by number or part of the name.
wanted() {
	local n path
	for n; do
		path=$(cd "$ROOT/labs" && echo "$n"-*)
		[ -x "$BUILD/$path" ] || continue
		! asked_for "$path" || echo "$path"
	done
}

asked_for() {
	local word
	[ -n "$LABS" ] || return 0
	for word in $LABS; do
		case $1 in "$word"-* | "$word" | ??-"$word") return 0 ;; esac
	done
	return 1
}

# serve LAB [ARG...]: start, by the name that the rows have.
serve() {
	local place
	for place in "" variants/ peers/; do
		[ -x "$BUILD/$place$1" ] || continue
		start "$place$1" "${@:2}"
		return
	done
	return 1
}

built() {
	[ -x "$BUILD/$1" ] || [ -x "$BUILD/variants/$1" ] || [ -x "$BUILD/peers/$1" ]
}

# rounds TRIALS SECONDS FUNCTION GROUP...: what is to be compared, interleaved. A group is one
# server, or some that are compared with one another, a+b (b:6 wants 6 trials only): all of a
# group are kept in the same round or the round does not count for it. The order turns
# round as in ABBA BAAB; who meets in a round gets the same seed. Whoever was rejected is tried
# again, up to twice the rounds, as long as the plan stays within its time.
# FUNCTION ARM: a trial; $ROUND and $CASE are set.
rounds() {
	local planned=$1 seconds=$2 function=$3 group arm groups=() arms order want round good what cost
	local -A have=()
	cost=$(ms "$seconds")
	for group in "${@:4}"; do
		arms=""
		for arm in ${group//+/ }; do
			asked_for "${arm%:*}" || continue
			if built "${arm%:*}"; then
				arms+=${arms:++}$arm
			else
				trial "${CASE:+$CASE }${arm%:*} not built" 0 failed "${arm%:*}" "not built"
			fi
		done
		[ -z "$arms" ] || groups+=("$arms")
	done
	for ((round = 1; round <= 2 * planned; round++)); do
		order=()
		for group in "${groups[@]}"; do
			want=$planned
			case $group in *:*) want=${group##*:} ;; esac
			[ "$want" -le "$planned" ] || want=$planned
			[ "${have[$group]-0}" -lt "$want" ] && [ $round -le $((2 * want)) ] || continue
			if [ $round -gt "$want" ]; then # again
				arms=${group//[^+]/}
				[ "$DRY" = 0 ] && time_for $((cost * (${#arms} + 1))) \
					"${CASE:+$CASE }${group%%[+:]*} round $round" || continue
				TOTAL_MS=$((TOTAL_MS + cost * (${#arms} + 1)))
			fi
			for arm in ${group//+/ }; do order+=("${arm%:*}"); done
		done
		[ ${#order[@]} -gt 0 ] || continue
		ROUND=$round
		case $((round % 4)) in 2 | 3) mapfile -t order < <(printf '%s\n' "${order[@]}" | tac) ;; esac
		for arm in "${order[@]}"; do
			LAB=$arm SEED=$((SEED0 + round)) trial "${CASE:+$CASE }$arm round $round" "$seconds" "$function" "$arm"
		done
		[ "$DRY" = 0 ] || continue
		for group in "${groups[@]}"; do
			good=1
			for arm in ${group//+/ }; do
				was_kept "${CASE:+$CASE }${arm%:*} round $round" || good=0
			done
			have[$group]=$((${have[$group]-0} + good))
		done
	done
}

# time_for MS WHAT: was it done before, or is there time for it within the plan's limit?
time_for() {
	[ ! -d "$STATE/$SCENARIO/${2//[^A-Za-z0-9.=-]/_}" ] || return 0
	[ $((1000 * (SECONDS - STARTED) + TOTAL_MS - DONE_MS + $1)) -lt "$LIMIT_MS" ]
}

# --- what else runs beside a server

# beside CPU COMMAND...: in the background; sets BESIDE.
beside() {
	taskset -c "$1" "${@:2}" >"$TMP/beside.out" 2>"$TMP/beside.err" &
	BESIDE=$!
	PIDS+=("$BESIDE")
}

# leave PID: the end of one of them.
leave() {
	local p kept=()
	kill "$1" 2>/dev/null || true
	wait "$1" 2>/dev/null || true
	for p in "${PIDS[@]}"; do
		[ "$p" = "$1" ] || kept+=("$p")
	done
	PIDS=("${kept[@]}")
}

# settle SERVER_PID LOAD_PID N: until the N connections are there, answered, and all is quiet.
settle() {
	local tries before after quiet=0
	for ((tries = 0; tries < 600 && quiet < 3; tries++)); do
		before=$(cpu_ns "$1")
		pause 0.1
		kill -0 "$2" 2>/dev/null || return 1
		after=$(cpu_ns "$1")
		if [ "$(find "/proc/$2/fd" -mindepth 1 | wc -l)" -ge "$3" ] && [ $((after - before)) -lt 1000000 ]; then
			quiet=$((quiet + 1))
		else
			quiet=0
		fi
	done
	[ "$quiet" -ge 3 ]
}

# Bytes of memory that a process has written to: the heap and the stack.
anonymous() {
	awk '/^RssAnon/ { print 1024 * $2 }' "/proc/$1/status"
}
