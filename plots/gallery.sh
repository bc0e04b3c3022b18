#!/usr/bin/env bash
# Keeps a full run in plots/gallery/: its charts, its numbers, the verdicts, whose they are.
# `make compare` holds later runs against it.
set -euo pipefail
cd "$(dirname "$0")/.."
PROFILE=full
# shellcheck source=plots/charts.sh
. plots/charts.sh
OUT=${OUT:-plots/gallery}
LARGE=300000 # bytes of a picture that a repository should not carry

die() {
	printf 'gallery: %s\n' "$*" >&2
	exit 1
}

tables "$BENCH"
measured claim || die "$BENCH/claim.tsv is missing or empty: make bench PROFILE=full"
bench/claims --rows >/dev/null

TMP=$(mktemp -d)
trap 'rm -rf "$TMP"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
for chart in $CHARTS; do
	[ -s "$PLOTS/$chart.svg" ] || continue
	[ "$(wc -c <"$PLOTS/$chart.svg")" -le $LARGE ] || die "$PLOTS/$chart.svg has more than $LARGE bytes"
	cp "$PLOTS/$chart.svg" "$TMP"
done
[ ! -s "$BUILD/plots/killmatrix.png" ] || cp "$BUILD/plots/killmatrix.png" "$TMP"
for file in "$BENCH"/*.tsv; do
	name=${file##*/}
	if [ "$name" = spectrum.tsv ]; then # a line in 4 % of the way is enough to draw it again
		awk -F'\t' '/^[#!]/ || !n++ { print; next } $3 < 1.04 * last[$2, $4] { next } { last[$2, $4] = $3; print }' "$file" >"$TMP/$name"
	else
		cp "$file" "$TMP"
	fi
done
grep '^# ' "$BENCH/claim.tsv" | sed 's/^# //' >"$TMP/manifest.txt"
mkdir -p "$OUT"
cp "$TMP"/* "$OUT"
echo "gallery: $OUT, from $(sed -n 's/^date: //p' "$OUT/manifest.txt")"
