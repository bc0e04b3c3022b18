#!/usr/bin/env bash
# Draws the charts of a profile from its tables: svg and png, and with TERM_PLOTS=1 text.
#   PROFILE=full plots/draw.sh [CHART...]
# What was not measured is said in a line and left out.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=plots/charts.sh
. plots/charts.sh

mkdir -p "$PLOTS"
trap 'rm -f "$PLOTS"/new.*' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
tables "$BENCH"
read -ra charts <<<"${*:-$CHARTS}"
for chart in "${charts[@]}"; do
	missing=$(lacks "$chart")
	if [ -n "$missing" ]; then
		echo "draw: $BENCH/$missing.tsv is missing or empty: no chart $chart" >&2
		continue
	fi
	tables=$(said "$chart" tables)
	draw() { # FORMAT NAME
		gnuplot -e "tables='$BENCH/table'; data='$BENCH/table/${tables%% *}.tsv'; out='$PLOTS/$2'; format='$1'" "plots/$chart.gp"
	}
	for format in svg png; do
		draw $format new
		mv "$PLOTS/new.$format" "$PLOTS/$chart.$format"
	done
	[ -z "${TERM_PLOTS-}" ] || draw text new
done
