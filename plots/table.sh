#!/usr/bin/env bash
# The report's numbers in short, for a terminal of 80 columns.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=plots/charts.sh
. plots/charts.sh

# A full run has another table: the claims, which the report has judged.
[ "$PROFILE" = quick ] || exec bench/claims --show

for name in syscalls latency connections spin; do
	awk '!/^#/ { n++ } END { exit n < 2 }' "$BENCH/$name.tsv" 2>/dev/null || {
		echo "table: $BENCH/$name.tsv is missing or empty: make bench" >&2
		exit 1
	}
done

# Counts: the same on every run, so they stay bare numbers.
awk -F'\t' '
	function known(lab) { if (!(lab in calls)) { labs[++n] = lab; calls[lab] = "-" } }
	FNR == 1 { file = FILENAME; sub(/.*\//, "", file); sub(/\.tsv$/, "", file) }
	/^#/ || $1 == "lab" { next }
	/^!/ { failed = failed "\n  " file ": " substr($0, 3); next }
	file == "syscalls" { known($1); s = 0; for (i = 3; i <= NF; i++) s += $i; calls[$1] = sprintf("%.2f", s) }
	file == "spin" { known($1); spin[$1] = $2; cpu[$1] = $3 }
	END {
		printf "\n%-20s %17s %17s %12s\n", "counts", "calls per request", "wakeups/s, idle", "CPU %, idle"
		for (i = 1; i <= n; i++) {
			l = labs[i]
			printf "%-20s %17s %17s %12s\n", l, calls[l], (l in spin) ? spin[l] : "-", (l in cpu) ? cpu[l] : "-"
		}
		if (failed) print "no number from:" failed
	}' "$BENCH"/{syscalls,latency,connections,spin}.tsv | fold -s -w 80

# Times: the median of the trials and their range, then what can be said of a difference.
{
	plots/times.sh latency | awk -F'\t' -v OFS='\t' '{ $3 = substr($3, 1, 3); print }'
	plots/times.sh connections | awk -F'\t' -v OFS='\t' '$3 == "p50_us" && ($2 == 10000 || $2 == "-") { $3 = "many"; print }'
} | awk -F'\t' '
	function us(x) { return sprintf("%.0f", x) }
	function show(lab, what) { return (lab, what) in text ? text[lab, what] : "-" }
	$1 == "lab" { next }
	!($1 in known) { known[$1] = 1; labs[++n] = $1 }
	{
		star = $10 && $4 ? "*" : ""
		noted = noted star
		text[$1, $3] = $4 == 0 ? $9 : $4 == 1 ? us($6) " (1 trial)" star : us($6) " (" us($7) "-" us($8) ")" star
		if ($10 && $4) lost[++losses] = $1 ": " $4 " of " $5 " trials"
		if ($1 == "04-epoll-et") verdict[$3] = $9
		if ($3 != "many" && $5 > trials) trials = $5
	}
	END {
		printf "\n%-18s %20s %20s %18s\n", "times, us", "p50", "p99", "p50, 10,000 conns"
		for (i = 1; i <= n; i++)
			printf "%-18s %20s %20s %18s\n", labs[i], show(labs[i], "p50"), show(labs[i], "p99"), show(labs[i], "many")
		printf "The median of %d trials, in brackets the least and the largest of them.\n", trials
		if (losses) print "* In the other trials the client was the limit; they are not in the number."
		print "04-epoll-et against 03-epoll-lt, trials in pairs:"
		split("p50 p99 many", what, " "); split("p50|p99|p50, 10,000 conns", name, "|")
		for (i = 1; i <= 3; i++)
			printf "  %-18s %s\n", name[i], (what[i] in verdict) ? verdict[what[i]] : "not measured"
	}'
{
	sed -n 's/^# cpu: //p' "$BENCH/syscalls.tsv"
	sed -n 's/^# kernel: //p' "$BENCH/syscalls.tsv"
} | paste -sd, | sed 's/,/, /' | fold -s -w 80
