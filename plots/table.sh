#!/usr/bin/env bash
# The report's numbers in short, for a terminal of 80 columns.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=plots/charts.sh
. plots/charts.sh

# A full run has another table: the claims, which the report has judged.
[ "$PROFILE" = quick ] || exec bench/claims --show

tables "$BENCH"
files=()
for name in syscalls latency connections spin; do
	measured "$name" || { echo "table: $BENCH/$name.tsv is missing or empty: make bench" >&2; exit 1; }
	files+=("$BENCH/table/$name.tsv")
done
sed -n 's/^! */no number from: /p' "${files[@]}" | sort -u >"$BENCH/table/failed"
awk -f plots/columns.awk -f plots/table.awk "${files[@]}"
fold -s -w 80 "$BENCH/table/failed"
sed -n 's/^# \(cpu\|kernel\): //p' "${files[0]}" | sort -u | paste -sd, | sed 's/,/, /' | fold -s -w 80
rm -f "$BENCH/table/failed"
