#!/usr/bin/env bash
# Writes build/report/index.html, one file with everything in it, from the numbers and the
# charts that are in build/bench and build/plots.
set -euo pipefail
LC_ALL=C.UTF-8
cd "$(dirname "$0")/.."
BENCH=${BENCH:-build/bench} PLOTS=${PLOTS:-build/plots} OUT=${OUT:-build/report}
LONG=12 # a table of more rows starts folded

die() {
	printf 'report: %s\n' "$*" >&2
	exit 1
}

escape() {
	sed 's/&/\&amp;/g; s/</\&lt;/g; s/>/\&gt;/g; s/"/\&quot;/g'
}

# Chart, title, how to read it, what would prove it wrong, what the chart is in a word.
charts=(
	"syscalls|System calls per small request|One stack is one request of 64 bytes on one connection: what the server asked of the kernel, by outcome. Edge-triggered with a drain costs one call more than level-triggered, the recv that returns EAGAIN; on the right, on a log scale, the two servers that never wait.|An edge-triggered server that drains to EAGAIN and yet makes no more calls than a level-triggered one.|Stacked bars, calls per request"
	"ksweep|System calls against message size|The lines are the model, the points are measured: a message of k read buffers costs 3k calls under LT (epoll_wait, recv, send for each piece) and 2k + 2 under ET (one epoll_wait, one EAGAIN), which is equal at k = 2 and better for ET from k = 3.|A point that is more than 5 % off its line.|Two straight lines, 3k and 2k + 2, that cross at k = 2, and measured calls per request"
	"latency|Latency by percentile|Each line is one trial at the same open-loop rate, and latency counts from when a request was due: compare how far lines of one colour lie apart with how far colours lie apart, for the former is what this machine does by itself.|Colours that stay apart over many more trials than these.|Percentile curves, a line a trial; medians"
	"connections|The cost of idle connections|The same requests a second, spread over more and more connections: the server that polls by hand asks each of them every turn, epoll is told.|System calls of 03 or 04 that grow with the number of connections.|Two panels of lines; median latency and system calls a second"
	"starvation|One read per edge|All three servers get the same 10,000 bytes in one send: 05 reads 100 of them and is not told again, so the rest lies in the kernel until the next byte arrives, which brings 100 more, not one.|An answer from 05 during the silence after its first 100 bytes.|Steps of bytes answered over time"
	"spin|EPOLLOUT always armed|One idle connection and not a byte to send: level-triggered epoll reports a writable socket for as long as it is writable, edge-triggered says so once.|Thousands of returns a second from 03, or from 06 --et.|Bars, returns of epoll_wait a second and CPU"
	"fairness|A ping beside a flood|Three clients send as fast as the server echoes, a fourth sends a ping every 10 ms: a server that drains each client to EAGAIN is not done with the first before the flood is, so a ping waits for what is left of the flood; with a budget (07), or one read an event (03), it waits for a round.|Pings of 07 that wait for the end of the flood, or pings of 04 that do not, in several runs: one alone may be this machine pausing.|Lines of the answer time of each ping over the time it was sent; the slowest in the flood"
)

for entry in "${charts[@]}"; do
	name=${entry%%|*}
	awk '!/^#/ { n++ } END { exit n < 2 }' "$BENCH/$name.tsv" 2>/dev/null || die "$BENCH/$name.tsv is missing or empty: make bench"
	[ -s "$PLOTS/$name.svg" ] || die "$PLOTS/$name.svg is missing or empty: make charts"
	[ ! "$PLOTS/$name.svg" -ot "$BENCH/$name.tsv" ] || die "$PLOTS/$name.svg is older than its numbers: make charts"
done

# The rows of a file as a table.
table() {
	grep -v '^[#!]' "$1" | escape | awk -F'\t' '
		!n++ { printf "<table><thead><tr>"; for (i = 1; i <= NF; i++) printf "<th scope=col>%s", $i; print "<tbody>"; next }
		{ printf "<tr>"; for (i = 1; i <= NF; i++) printf "<td>%s", $i; print "" }
		END { print "</table>" }'
}

# The servers that failed, in words.
failures() {
	escape <"$1" | sed -n 's|^! *\(.*\)|<p class=failed>no number: \1</p>|p'
}

# The chart's numbers in a sentence, for who does not see it.
describe() {
	awk -F'\t' -v chart="$1" '
		/^[#!]/ || $1 == "lab" { next }
		!($1 in text) { labs[++n] = $1; text[$1] = "" }
		function add(s) { text[$1] = text[$1] (text[$1] == "" ? "" : ", ") s }
		chart == "syscalls" { s = 0; for (i = 3; i <= NF; i++) s += $i; add(sprintf("%.2f", s)) }
		chart == "ksweep" { add($5 " at k = " $2) }
		chart == "latency" && !(($1, $2) in done) && $3 >= .5 { done[$1, $2] = 1; add(sprintf("%.0f", $5)) }
		chart == "connections" { add(sprintf("%.0f µs and %s calls a second at %s", $4, $6, $2)) }
		chart == "starvation" { if ($2 < 1000) quiet[$1] = $4; text[$1] = quiet[$1] " in the silence, " $4 " in the end" }
		chart == "spin" { add($2 " returns a second, " $3 " % CPU") }
		chart == "fairness" { if ($4 && $3 > slow[$1]) slow[$1] = $3; text[$1] = sprintf("%.0f ms", slow[$1] / 1000) }
		END {
			for (i = 1; i <= n; i++) printf "%s%s: %s%s", (i > 1 ? "; " : ""), labs[i], text[labs[i]], (chart == "latency" ? " µs" : "")
			print ""
		}' "$BENCH/$1.tsv"
}

# gnuplot gives the same ids in every chart; here they stand in one page.
picture() {
	local words
	words=$(escape <<<"$2" | sed 's/[&\/]/\\&/g')
	sed -e '/^<?xml/d; /^<!DOCTYPE/,/>$/d; s|<title>Gnuplot</title>||; s|<desc>Produced by.*</desc>||' \
		-e "s/\(id=[\"']\)/\1$1-/g; s/url(#/url(#$1-/g; s/\(href=[\"']#\)/\1$1-/g" \
		-e 's/font-family="DejaVu Sans"/font-family="DejaVu Sans,Verdana,sans-serif"/g' \
		-e "0,/<svg/s//<svg role=\"img\" aria-label=\"$words\"/" "$PLOTS/$1.svg" |
		sed '/<svg/,/>/s/ width="[0-9]*" height="[0-9]*"//'
}

# about FILE KEY: what a file says of itself.
about() {
	sed -n "s/^# $2: //p" "$1" | head -n 1 | escape
}

machine() {
	echo '<table>'
	grep -hE '^# (cpu|cpus|hypervisor|kernel|pinning|compiler|clocksource|somaxconn|open files|commit|date|profile|seed):' \
		"$BENCH/syscalls.tsv" | escape | sed -E 's|^# ([^:]*): (.*)|<tr><th scope=row>\1<td>\2|' || true
	echo '</table>'
}

page() {
	cat <<-'EOF'
		<!DOCTYPE html>
		<html lang="en"><head><meta charset="utf-8">
		<meta name="viewport" content="width=device-width, initial-scale=1">
		<title>epoll, by hand: what this machine measured</title>
		<style>
		:root { color-scheme: light dark }
		body { font: 17px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem }
		figure { margin: 1rem 0 }
		.card { background: #fff; border-radius: 6px; padding: .5rem; overflow-x: auto }
		svg { width: 100%; min-width: 40rem; height: auto; display: block }
		figcaption { font-size: .85rem; opacity: .8; margin-top: .3rem }
		table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums }
		th, td { text-align: left; white-space: nowrap; padding: .15rem .7rem .15rem 0; border-bottom: 1px solid #8884 }
		.wide { overflow: auto; max-height: 30rem }
		.failed { color: #b34700; font-weight: bold; overflow-wrap: anywhere }
		@media (prefers-color-scheme: dark) { .failed { color: #ff9550 } }
		@media screen and (max-width: 42rem) { figcaption::before { content: "Swipe the chart sideways. " } }
		section { margin: 2.5rem 0 }
		@media print {
			body { font-size: 11pt; max-width: none }
			svg { min-width: 0 }
			section:not(:first-of-type), figure, tr { break-inside: avoid }
			h2 { break-after: avoid }
			.wide { overflow: visible; max-height: none }
			details:not([open]) { display: none }
		}
		</style></head><body>
		<h1>epoll, by hand</h1>
		<p>What this machine measured. The counts of servers that wait (01, 03, 04, 05) are the same on
		every run; those of 02 and 06, which never do, and all times are this machine's, and
		each chart says how many trials stand behind it. A server that drops or changes a byte gets no number.</p>
	EOF
	local entry name title read refute kind file open words
	for entry in "${charts[@]}"; do
		IFS='|' read -r name title read refute kind <<<"$entry"
		file=$BENCH/$name.tsv
		printf '<section><h2>%s</h2>\n<p>%s</p>\n<figure><div class=card tabindex=0>\n' "$title" "$read"
		words=$(describe "$name")
		picture "$name" "$title. $kind: $words."
		printf '</div><figcaption>%s. Trials: %s. %s, commit %s.</figcaption></figure>\n' \
			"$(about "$file" what)" "$(about "$file" trials)" "$(about "$file" date)" "$(about "$file" commit)"
		failures "$file"
		open=open
		[ "$(grep -vc '^[#!]' "$file")" -le $((LONG + 1)) ] || open=
		printf '<p><b>What would refute it:</b> %s</p>\n<details %s><summary>The numbers</summary><div class=wide tabindex=0>\n' \
			"$refute" "$open"
		table "$file"
		printf '</div></details></section>\n'
	done
	echo '<section><h2>The machine</h2><div class=wide tabindex=0>'
	machine
	echo '</div><p>Client and server run on different CPUs where there are two. On loopback the CPU of'
	echo 'the sender pays for the delivery: a server&rsquo;s CPU includes the arrival of its replies,'
	echo 'not of its requests.</p></section></body></html>'
}

mkdir -p "$OUT"
trap 'rm -f "$OUT/index.html.tmp"' EXIT
page >"$OUT/index.html.tmp"
mv "$OUT/index.html.tmp" "$OUT/index.html"
echo "report: $OUT/index.html"
