#!/usr/bin/env bash
# Writes build/report/index.html, one file with everything in it, from the tables and the
# charts of a profile. What it says of a chart is in plots/text/CHART.txt.
#   PROFILE=full plots/report.sh [--open]
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=plots/charts.sh
. plots/charts.sh
OUT=${OUT:-$BUILD/report}
LONG=12 # more rows than these start folded

die() {
	printf 'report: %s\n' "$*" >&2
	exit 1
}

escape() {
	sed 's/&/\&amp;/g; s/</\&lt;/g; s/>/\&gt;/g; s/"/\&quot;/g'
}

# A quick run has all its charts. Of a full one some may be missing: the page names them.
tables "$BENCH"
shown=() absent=()
for name in $CHARTS; do
	missing=$(lacks "$name")
	if [ -n "$missing" ]; then
		[ "$PROFILE" = full ] || die "$BENCH/$missing.tsv is missing or empty: make bench"
		absent+=("$name")
		continue
	fi
	[ -s "$PLOTS/$name.svg" ] || die "$PLOTS/$name.svg is missing or empty: make charts"
	for table in $(said "$name" tables); do
		[ ! "$PLOTS/$name.svg" -ot "$BENCH/$table.tsv" ] || die "$PLOTS/$name.svg is older than its numbers: make charts"
	done
	shown+=("$name")
done
[ ${#shown[@]} -gt 0 ] || die "nothing is measured in $BENCH: make bench PROFILE=$PROFILE"

# numbers NAME html|words: what it shows, out of its tables.
numbers() {
	local files=() table
	for table in $(said "$1" tables); do files+=("$BENCH/table/$table.tsv"); done
	awk -f plots/columns.awk -f plots/numbers.awk -v as="$2" -v metrics="$(said "$1" metrics)" \
		-v against="$([ "$1" != observer ] || echo none)" plots/text/units.tsv "${files[@]}"
}

# first NAME: the table that says whose numbers these are.
first() {
	local tables
	tables=$(said "$1" tables)
	echo "$BENCH/table/${tables%% *}.tsv"
}

# about NAME KEY: what the head of its numbers says.
about() {
	sed -n "s/^# $2: //p" "$(first "$1")" | head -n 1 | escape
}

# The servers that failed, in words.
failures() {
	escape <"$(first "$1")" | sed -n 's|^! *\(.*\)|<p class=failed>no number: \1</p>|p'
}

# gnuplot gives the same ids in every chart; here they are in one page.
picture() {
	local words
	words=$(escape <<<"$2" | sed 's/[&\/]/\\&/g')
	sed -e '/^<?xml/d; /^<!DOCTYPE/,/>$/d; s|<title>Gnuplot</title>||; s|<desc>Produced by.*</desc>||' \
		-e "s/\(id=[\"']\)/\1$1-/g; s/url(#/url(#$1-/g; s/\(href=[\"']#\)/\1$1-/g" \
		-e 's/font-family="DejaVu Sans"/font-family="DejaVu Sans,Verdana,sans-serif"/g' \
		-e "0,/<svg/s//<svg role=\"img\" aria-label=\"$words\"/" "$PLOTS/$1.svg" |
		sed '/<svg/,/>/s/ width="[0-9]*" height="[0-9]*"//'
}

machine() {
	echo '<table>'
	grep -hE '^# (cpu|cpus|hypervisor|kernel|pinning|compiler|clocksource|somaxconn|open files|commit|date|profile|seed):' \
		"$(first "${shown[0]}")" | escape | sed -E 's|^# ([^:]*): (.*)|<tr><th scope=row>\1<td>\2|' || true
	echo '</table>'
}

# The claims as a table, a card each where the screen is narrow.
claims() {
	local rows
	rows=$(bench/claims --rows) || return 0
	cat plots/text/claims.html
	escape <<<"$rows" | awk -F'\t' '
		$2 != place { place = $2; printf "<tr class=place><th scope=rowgroup colspan=5 lang=fr>%s\n", place }
		{
			kind = $8 ~ /^reproduced|^equivalent/ ? "yes" : $8 == "not reproduced" ? "no" : "other"
			printf "<tr><td><i lang=fr>%s</i><br>%s<td data-name=claimed>%s<td data-name=measured>%s<td data-name=kept>%s<td data-name=verdict class=%s><b>%s</b>\n", \
				$3, $4, $5, $6, $7, kind, $8
			if ($9 != "-") printf "<tr class=why><td colspan=5>%s\n", $9
		}
		END { print "</table></section>" }'
}

chart() {
	local title rows open=open
	title=$(said "$1" title)
	printf '<section><h2>%s</h2>\n<p>%s</p>\n<figure><div class=card tabindex=0>\n' "$title" "$(said "$1" read | escape)"
	picture "$1" "$title. $(said "$1" kind): $(numbers "$1" words). Trials: $(about "$1" trials)."
	echo '</div><figcaption></figcaption></figure>' # what was measured is in the picture
	failures "$1"
	rows=$(numbers "$1" html)
	[ "$(grep -c '^<tr>' <<<"$rows")" -le $LONG ] || open=
	printf '<p><b>This would prove it wrong:</b> %s</p>\n<details %s><summary>The numbers</summary><div class=wide tabindex=0>\n%s\n</div></details></section>\n' \
		"$(said "$1" wrong | escape)" "$open" "$rows"
}

# Numbers of a full run that have no picture.
bare() {
	measured "$1" || return 0
	printf '<section><h2>%s</h2><p>%s.</p><div class=wide tabindex=0>\n%s\n</div>\n' \
		"$(said "$1" title)" "$(about "$1" what)" "$(numbers "$1" html)"
	failures "$1"
	echo '</section>'
}

page() {
	local name
	sed "/^STYLE$/{r plots/report.css
		d}" plots/text/head.html
	[ "$PROFILE" != full ] || claims
	for name in "${shown[@]}"; do chart "$name"; done
	for name in $BARE; do bare "$name"; done
	if [ ${#absent[@]} -gt 0 ]; then printf '<p class=failed>not measured in this run: %s</p>\n' "${absent[*]}"; fi
	echo '<section><h2>The machine</h2><div class=wide tabindex=0>'
	machine
	cat plots/text/foot.html
}

mkdir -p "$OUT"
trap 'rm -f "$OUT/index.html.tmp"' EXIT
page >"$OUT/index.html.tmp"
mv "$OUT/index.html.tmp" "$OUT/index.html"
echo "report: $OUT/index.html"
if [ "${1-}" = --open ]; then # a display and a browser are welcome, and not needed
	for open in xdg-open sensible-browser; do
		[ -n "${DISPLAY-}${WAYLAND_DISPLAY-}" ] && command -v "$open" >/dev/null || continue
		"$open" "$OUT/index.html" >/dev/null 2>&1 && break
	done || true
fi
