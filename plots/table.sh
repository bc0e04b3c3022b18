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

# A percentile of a trial is its first point that is not below it; a trial too short to have
# one has no number. Over the trials: the median.
awk -F'\t' '
	function median(list,   v, n, i, j, t) {
		n = split(list, v, " ")
		for (i = 2; i <= n; i++) for (j = i; j > 1 && v[j - 1] + 0 > v[j] + 0; j--) { t = v[j]; v[j] = v[j - 1]; v[j - 1] = t }
		return n == 0 ? "-" : sprintf("%.0f", n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2)
	}
	function known(lab) { if (!(lab in calls)) { labs[++n] = lab; calls[lab] = "-" } }
	FNR == 1 { file = FILENAME; sub(/.*\//, "", file); sub(/\.tsv$/, "", file) }
	/^# trials:/ { trials[file] = substr($0, 11) }
	/^#/ || $1 == "lab" { next }
	/^!/ { failed = failed "\n  " file ": " substr($0, 3); next }
	{ known($1) }
	file == "syscalls" { s = 0; for (i = 3; i <= NF; i++) s += $i; calls[$1] = sprintf("%.2f", s) }
	file == "latency" && $3 >= .5 && !(($1, $2) in half) { half[$1, $2] = 1; p50[$1] = p50[$1] " " $5 }
	file == "latency" && $3 >= .99 && !(($1, $2) in tail) { tail[$1, $2] = 1; p99[$1] = p99[$1] " " $5 }
	file == "connections" && $2 == 10000 { many[$1] = many[$1] " " $4 }
	file == "spin" { spin[$1] = $2; cpu[$1] = $3 }
	END {
		printf "\n%-20s %9s %8s %8s %9s %10s %6s\n", "", "calls per", "p50", "p99", "p50 of 10k", "wakeups/s", "CPU %"
		printf "%-20s %9s %8s %8s %10s %10s %6s\n", "lab", "request", "us", "us", "conns, us", "idle", "idle"
		for (i = 1; i <= n; i++) {
			l = labs[i]
			printf "%-20s %9s %8s %8s %10s %10s %6s\n", l, calls[l], median(p50[l]), median(p99[l]), \
				median(many[l]), (l in spin) ? spin[l] : "-", (l in cpu) ? cpu[l] : "-"
		}
		printf "calls: 1 connection, 64 bytes; p50, p99: open loop, median of trials: %s\n", trials["latency"]
		printf "trials behind calls: %s, 10k conns: %s, idle: %s\n", trials["syscalls"], trials["connections"], trials["spin"]
		if (failed) print "no number from:" failed
	}' "$BENCH"/{syscalls,latency,connections,spin}.tsv | fold -s -w 80
{
	sed -n 's/^# cpu: //p' "$BENCH/syscalls.tsv"
	sed -n 's/^# kernel: //p' "$BENCH/syscalls.tsv"
} | paste -sd, | sed 's/,/, /' | fold -s -w 80
