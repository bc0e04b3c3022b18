#!/usr/bin/env bash
# The points of a chart, on stdout: the manifest of its numbers, then a row for each point.
#   lab panel x value low high kept total hollow
# A median, with the least and the largest of its trials; or, in a panel NAME.trial, one trial.
# hollow: not to be trusted. The medians are build/stats' own; gnuplot computes none.
#   BENCH=build/full/bench plots/points.sh loadlatency
# plots/points.sh --rows FILE: the trials in FILE as build/stats wants them.
set -euo pipefail
cd "$(dirname "$0")/.."
PROFILE=${PROFILE:-full}
# shellcheck source=plots/charts.sh
. plots/charts.sh
TMP=$(mktemp -d)
trap 'rm -rf "$TMP"' EXIT

# rows FILE: its trials, with the columns that build/stats asks for, where nobody gated any; if
# only is set to COLUMN=VALUE, only those.
only=
rows() {
	if [ "$1" = latency ]; then
		of_curves "$1"
		return
	fi
	awk -F'\t' -v OFS='\t' -v only="$only" '
		function missing(name) { return name in has ? "" : OFS name }
		/^#/ { next }
		/^!/ { print; next }
		!n++ {
			for (i = 1; i <= NF; i++) if ($i == substr(only, 1, index(only, "=") - 1)) of = i
			for (i = 1; i <= NF; i++) { if ($i == "how" || $i == "server") $i = "lab"; has[$i] = i }
			print $0 missing("trial") missing("pair") missing("kept")
			next
		}
		of && $of != substr(only, index(only, "=") + 1) { next }
		{ print $0 ("trial" in has ? "" : OFS n++) ("pair" in has ? "" : OFS ("trial" in has ? $has["trial"] : n++)) ("kept" in has ? "" : OFS 1) }' \
		"$BENCH/$1.tsv"
}

# of_curves FILE: its trials, two percentiles of each: the first points that are not below them.
# A trial too short to have one has no number.
of_curves() {
	awk -F'\t' -v OFS='\t' '
		/^!/ { print; next }
		/^#/ { next }
		!head++ { print "lab", "trial", "pair", "kept", "p50_us", "p99_us"; next }
		!(($1, $2) in p50) { lab[++n] = $1; trial[n] = $2; p50[$1, $2] = p99[$1, $2] = "nan" }
		$3 >= .5 && p50[$1, $2] == "nan" { p50[$1, $2] = $5 }
		$3 >= .99 && p99[$1, $2] == "nan" { p99[$1, $2] = $5 }
		END { for (i = 1; i <= n; i++) print lab[i], trial[i], trial[i], 1, p50[lab[i], trial[i]], p99[lab[i], trial[i]] }' \
		"$BENCH/$1.tsv"
}

# head FILE: what the numbers are and whose, and who has none.
head_of() {
	grep '^[#!]' "$BENCH/$1.tsv" || true
}

columns() {
	printf 'lab\tpanel\tx\tvalue\tlow\thigh\tkept\ttotal\thollow\n'
}

# What awk needs to find a column by its name: of(NAME) in the row of names.
# shellcheck disable=SC2016
find='function of(name, i) { for (i = 1; i <= NF; i++) if ($i == name) return i; return 0 }'

# medians FILE METRIC PANEL [X]: one for each server, or for each of its X. Where the gate kept
# no trial, or the generator was the limit, all trials have to do, and the point is hollow.
# Labs come in their order, the others in that of the file.
medians() {
	local by=lab${4:+,$4}
	rows "$1" >"$TMP/rows"
	grep -qv '^!' <(tail -n +2 "$TMP/rows") || return 0
	awk -F'\t' -v OFS='\t' "$find"' /^!/ { print; next } !n++ { k = of("kept"); print; next } { $k = 1; print }' \
		"$TMP/rows" >"$TMP/every"
	"$BUILD/stats" summary --metric "$2" --by "$by" "$TMP/rows" >"$TMP/kept"
	"$BUILD/stats" summary --metric "$2" --by "$by" "$TMP/every" >"$TMP/all"
	awk -F'\t' -v OFS='\t' -v panel="$3" -v x="${4-}" "$find"'
		function key() { return x == "" ? $1 : $1 FS $2 }
		/^[#!]/ { next }
		!head[FILENAME]++ {
			if (FILENAME == ARGV[1]) { l = of("lab"); v = of("verdict"); at = x == "" ? 0 : of(x) }
			else { m = of("median"); n = of("n") }
			next
		}
		FILENAME == ARGV[1] { limited[$l (at ? FS $at : "")] += v ? ($v == "client-limited" ? 1 : -1) : -1; next }
		FILENAME == ARGV[2] { row[key()] = $m; low[key()] = $(m + 1); high[key()] = $(m + 2); kept[key()] = $n; next }
		$m == "-" { next }
		{
			hollow = limited[key()] > 0 || row[key()] == "-"
			value = hollow ? $m : row[key()]
			print $1, panel, x == "" ? "nan" : $2, value, hollow ? $(m + 1) : low[key()], \
				hollow ? $(m + 2) : high[key()], kept[key()], $n, hollow + 0
		}' "$TMP/rows" "$TMP/kept" "$TMP/all" |
		awk -v OFS='\t' '{ print /^[0-9]/ ? substr($0, 1, 2) : "~", $0 }' | LC_ALL=C sort -s -k1,1 | cut -f 2-
}

# trials FILE METRIC PANEL [X]: every one; x is its number where there is no X.
trials() {
	rows "$1" | awk -F'\t' -v OFS='\t' -v metric="$2" -v panel="$3" -v x="${4:-trial}" "$find"'
		/^!/ { next }
		!n++ { l = of("lab"); m = of(metric); k = of("kept"); at = of(x); next }
		m && $m != "nan" { print $l, panel ".trial", $at, $m, "nan", "nan", $k, 1, !$k }'
}

both() {
	medians "$@"
	trials "$@"
}

# lines FILE [NAME]: curves over 1/(1-p), a panel for each trial or one NAME, thinned to what
# a chart can show.
lines() {
	rows "$1" | awk -F'\t' -v OFS='\t' -v name="${2-}" "$find"'
		/^!/ { next }
		!n++ { l = of("lab"); t = of("trial"); p = of("pair"); k = of("kept"); x = of("inverse"); us = of("us"); next }
		{ id = name == "" ? $t ":" $p : name }
		$x + 0 < 1.04 * last[$l, id] { next }
		{ last[$l, id] = $x; print $l, id, $x, sprintf("%.4g", $us), "nan", "nan", $k, 1, !$k }'
}

# maxima: the conclusions of the search for saturation.
maxima() {
	[ -s "$BENCH/saturation.tsv" ] || return 0
	awk -F': ' -v OFS='\t' '/^# maximum / {
		lab = substr($1, 11); limited = sub(/^>= */, "", $2)
		print lab, "maximum", "nan", $2 + 0, "nan", "nan", 1, 1, limited }' "$BENCH/saturation.tsv"
}

# For others: the rows of a file as build/stats wants them.
if [ "${1-}" = --rows ]; then
	rows "$2"
	exit
fi

is_points "${1-}" || {
	echo "points: no chart '${1-}' is made of points" >&2
	exit 2
}
read -ra files <<<"$(sources "$1")"
for file in "${files[@]}"; do
	measured "$BENCH/$file.tsv" || {
		echo "points: $BENCH/$file.tsv is missing or empty" >&2
		exit 1
	}
done

head_of "${files[0]}"
columns
case $1 in
connections)
	both connections p50_us p50 connections
	both connections syscalls_per_s calls connections
	;;
callsload)
	both load calls_per_request calls rate
	medians load epoll_wait_per_request wait rate
	;;
loadlatency)
	medians load p50_us p50 rate
	medians load p99_us p99 rate
	maxima
	;;
cpu)
	both load cpu_us load rate
	both claim cpu_percent claim
	;;
spectrum)
	lines spectrum
	if measured "$BENCH/claim.tsv"; then # in words
		medians claim p50_us p50 | grep '^0[34]' || true
		medians claim p99_us p99 | grep '^0[34]' || true
	fi
	;;
omission) lines omission curve ;;
observer)
	both observer rate rate
	both observer p50_us p50
	;;
backpressure) both backpressure epoll_ctl_per_blocked ctl ;;
idle)
	both idle p50_us p50 connections
	both idle cpu_us cpu connections
	;;
workers)
	both workers rate requests workers
	both workers cpu_us_per_request request workers
	;;
peers)
	only=max_per_s=nan # the others are of a closed loop
	both peers cpu_us cpu
	only=
	both peers max_per_s max
	both peers bytes_per_idle bytes
	[ ! -s "$BENCH/peercalls.tsv" ] || both peercalls calls_per_request calls
	;;
esac
