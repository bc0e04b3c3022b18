#!/usr/bin/env bash
# The latencies of a file of trials, as build/stats sees them, on stdout:
#   lab case metric n total median low high verdict limited
# n trials of total are behind the number. The verdict compares a server with 03-epoll-lt in the
# same case. limited is 1 where the client was the limit in a trial: that trial is not in the
# number, and where no other is left the verdict is "client-limited".
# Fewer than six pairs show no difference, however far the medians lie apart.
#   BENCH=build/bench plots/times.sh latency
set -euo pipefail
LC_ALL=C.UTF-8
cd "$(dirname "$0")/.."
# shellcheck source=plots/charts.sh
. plots/charts.sh
TMP=$(mktemp -d)
trap 'rm -rf "$TMP"' EXIT

file=$1 case='' base=03-epoll-lt
case $file in
latency | claim) ;;
load) case=rate ;;
connections | idle) case=connections ;;
slow) case=slow ;;
bursts) case=depth ;;
observer) base=none ;;
*)
	echo "times: no latency is measured in '$file'" >&2
	exit 2
	;;
esac

# A trial that the client limited is no trial of the server.
plots/points.sh --rows "$file" | awk -F'\t' -v OFS='\t' '
	/^!/ { print; next }
	!n++ { for (i = 1; i <= NF; i++) at[$i] = i; print $0, "limited"; next }
	{ limited = "verdict" in at && $at["verdict"] == "client-limited"; if (limited) $at["kept"] = 0; print $0, limited + 0 }' >"$TMP/rows"

printf 'lab\tcase\tmetric\tn\ttotal\tmedian\tlow\thigh\tverdict\tlimited\n'
grep -qv '^!' <(grep -v '^lab	' "$TMP/rows") || : >"$TMP/none"
for metric in p50_us p99_us; do
	grep -qE "^lab	(.*	)?$metric(	|\$)" "$TMP/rows" || continue
	: >"$TMP/summary"
	if [ ! -e "$TMP/none" ]; then
		against=()
		! grep -q "^$base	" "$TMP/rows" || against=(--against "$base")
		"$BUILD/stats" summary --metric "$metric" --by "lab${case:+,$case}" "${against[@]}" "$TMP/rows" >"$TMP/summary"
	fi
	# What the trials say of themselves, then the numbers.
	awk -F'\t' -v OFS='\t' -v metric="$metric" -v by="$case" -v trials="$(sed -n 's/^# trials: //p' "$BENCH/$file.tsv")" '
		FNR == NR && /^! .* error client-limited/ { split($0, word, " "); gone[word[2]] = 1; next }
		/^[#!]/ { next }
		FNR == 1 || $1 == "lab" { delete at; for (i = 1; i <= NF; i++) at[$i] = i; next }
		FNR == NR { if ($NF) limited[$1, by == "" ? "-" : $at[by]] = 1; next }
		{
			of = by == "" ? "-" : $at[by]
			lost = ($1, of) in limited || $1 in gone
			total = $at["total"] < trials + 0 ? trials : $at["total"]
			verdict = "verdict" in at ? $at["verdict"] : "-"
			if (split(verdict, word, /[( ]+/) && verdict ~ /^too few pairs/)
				verdict = "no difference shown by " word[4] (word[4] == 1 ? " trial" : " trials")
			if ($at["n"] == 0) verdict = lost ? "client-limited" : $at["kept"] == 0 ? "no trial kept: too noisy" : "trials too short"
			print $1, of, metric, $at["n"], total, $at["median"], $at["min"], $at["max"], verdict, lost + 0
			shown[$1] = 1
		}
		END { for (lab in gone) if (!(lab in shown)) print lab, "-", metric, 0, trials, "-", "-", "-", "client-limited", 1 }' \
		"$TMP/rows" "$TMP/summary"
done
