#!/usr/bin/env bash
# Draws the charts of a profile from its numbers: svg and png, and with TERM_PLOTS=1 text.
#   PROFILE=full plots/draw.sh [CHART...]
# What was not measured is said in a line and left out.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=plots/charts.sh
. plots/charts.sh

mkdir -p "$PLOTS/points"
trap 'rm -f "$PLOTS"/points/*.{tmp,svg,png}' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
read -ra charts <<<"${*:-$CHARTS}"
for chart in "${charts[@]}"; do
	data=$BENCH/$chart.tsv
	if is_points "$chart"; then
		data=$PLOTS/points/$chart.tsv
		plots/points.sh "$chart" >"$data.tmp" || { rm -f "$data" "$data.tmp"; continue; }
		mv "$data.tmp" "$data"
	elif ! measured "$data"; then
		echo "draw: $data is missing or empty: no chart" >&2
		continue
	fi
	for format in svg png; do
		gnuplot -e "data='$data'; out='$PLOTS/points/$chart'; format='$format'" "plots/$chart.gp"
		mv "$PLOTS/points/$chart.$format" "$PLOTS"
	done
	[ -z "${TERM_PLOTS-}" ] || gnuplot -e "data='$data'; out='$PLOTS/$chart'; format='text'" "plots/$chart.gp"
done
