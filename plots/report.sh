#!/usr/bin/env bash
# Writes build/report/index.html, one file with everything in it, from the numbers and the
# charts of a profile.
#   PROFILE=full plots/report.sh [--open]
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=plots/charts.sh
. plots/charts.sh
OUT=${OUT:-$BUILD/report}
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
	"callsload|System calls per request against load|The more requests arrive at once, the more descriptors one epoll_wait reports, so that its share of the calls melts; recv and send stay. The EAGAIN that ET pays for each event stays as well.|Lines that cross, or an epoll_wait share that grows with load.|Lines against the offered load, medians of the trials kept"
	"spectrum|Latency at the claimed load|10,000 connections and 1,000 requests a second, as the chapter has it: every trial is a thin line, dashed where the machine was too noisy. Up to about p90 the lines lie together; beyond, trials of one server lie further apart than the servers do.|Kept lines of one colour that lie together, apart from those of the other.|Percentile curves, a thin line a trial; medians of the trials kept"
	"loadlatency|Latency against offered load|Flat until the server no longer keeps up, then a wall: the point where it stands up is the highest rate that can be served, whichever way it is asked. Bars reach from the least to the largest of the trials kept.|One server's wall clearly to the right of the other's.|Two panels of lines with bars, p50 and p99; medians"
	"idle|One active connection among N|All requests go over one connection, the others only exist: epoll costs the same with 10,000 of them as with one, polling by hand asks every one of them each time.|A line of 03 or 04 that rises with the number of idle connections.|Two panels of lines, p50 and CPU a request; medians"
	"omission|Coordinated omission|The same server stalls for half a second in five, and is measured twice. The closed loop waits for each reply, so it sends next to nothing while the server stalls and hardly sees the stall; the open loop counts from when each request was due.|Two curves that agree.|Two percentile curves"
	"cpu|What a request costs the CPU|On the left CPU time of the server for each request: it falls with load, as idle wakeups do. On the right its share of one CPU at the claimed load, a dot a trial, hollow where it was rejected, a bar at the median; the dotted lines are the chapter's.|Dots of LT and ET that do not overlap.|Lines against load, and dots with a median for each server"
	"observer|What watching costs|The same server counted in different ways: by nobody, by the probe in its own address space, by perf, by bpftrace and by strace. Calls are therefore counted by the probe, and never in a run that measures latency under strace.|A probe that slows the server by more than the trials differ.|Two panels of dots, a column for each way; medians"
	"backpressure|Replies that block|Replies too large for the send buffer, to a reader that is slow: level-triggered epoll arms EPOLLOUT and disarms it, two epoll_ctl each, edge-triggered epoll was told about it once, at the start. This is what ET saves.|An edge-triggered server with two epoll_ctl for each such reply.|A column of dots for each server; medians"
	"peers|Beside three libraries|The same echo on libev, libuv and libevent, all of them level-triggered here: what a request costs, how many there can be, what an idle connection takes, and how many calls are made.|A library that needs fewer calls than 03 for the same request.|Four panels of dots, medians"
	"fairness|A ping beside a flood|Three clients send as fast as the server echoes, a fourth sends a ping every 10 ms: a server that drains each client to EAGAIN is not done with the first before the flood is, so a ping waits for what is left of the flood; with a budget (07), or one read an event (03), it waits for a round.|Pings of 07 that wait for the end of the flood, or pings of 04 that do not, in several runs: one alone may be this machine pausing.|Lines of the answer time of each ping over the time it was sent; the slowest in the flood"
	"oneshot|Four threads on one epoll set|One connection, 200 numbered messages, every other one of which keeps a thread busy: without one-shot (zoo/threads-no-oneshot, LT and ET) the next message wakes another thread, which answers first; one-shot (08) hands the connection to one thread until it is armed again.|One overlap, or one answer out of place, with one-shot.|Bars for LT, ET and one-shot; threads that met, wakeups for nothing, answers out of place"
	"herd|The thundering herd|N processes wait for the same listening socket: each connection wakes all of them, or with EPOLLEXCLUSIVE one. Counted as voluntary context switches, since who is woken for nothing goes back to sleep inside epoll_wait and returns nothing.|A plain line that does not follow N, or an EXCLUSIVE one that does.|Lines over the number of processes; wakeups for each connection"
	"accepts|Who accepts|Four workers, a bar for each: EPOLLEXCLUSIVE ends the herd and does not share the work, for it asks the waiters in the order in which they registered; an epoll set that threads share wakes the one who went to sleep last; a socket for each worker shares it by a hash.|Equal bars under EPOLLEXCLUSIVE while all are idle.|Groups of four bars; connections accepted by each worker"
	"workers|More processes|The same placement for all: the client stays on one CPU, and a server may use every CPU, the client's too. So 09 and 10 differ by how they accept. 10 --pin is 10 with each worker kept on one CPU: what differs there is pinning by itself, and its first worker cannot leave the CPU that the client keeps busy.|With two CPUs, a line that keeps rising far beyond two workers without a rising cost.|Two panels of lines; medians of the trials"
	"sendfile|A file without copies|The same file to the same client: sendfile against pread and send through a buffer of 64 KB.|A copy that takes less CPU than sendfile.|Two panels of bars; CPU and system calls for a GB"
)

# A quick run has all its charts; of a full one some may be missing, and that is told.
shown=() absent=()
for name in $CHARTS; do
	missing=
	for file in $(sources "$name"); do
		measured "$BENCH/$file.tsv" || missing=$file
	done
	if [ -n "$missing" ]; then
		[ "$PROFILE" = full ] || die "$BENCH/$missing.tsv is missing or empty: make bench"
		absent+=("$name")
		continue
	fi
	[ -s "$PLOTS/$name.svg" ] || die "$PLOTS/$name.svg is missing or empty: make charts"
	for file in $(sources "$name"); do
		[ ! "$PLOTS/$name.svg" -ot "$BENCH/$file.tsv" ] || die "$PLOTS/$name.svg is older than its numbers: make charts"
	done
	shown+=("$name")
done
[ ${#shown[@]} -gt 0 ] || die "nothing is measured in $BENCH: make bench PROFILE=$PROFILE"

# numbers CHART: the file that its numbers are in; of points, only what is not a single trial.
numbers() {
	if is_points "$1"; then
		awk -F'\t' -v OFS='\t' '/^[#!]/ { print; next } !n++ { $9 = "mark"; print; next }
			$2 !~ /\.trial$/ && $2 !~ /:/ { $9 = $9 ? "client-limited or too noisy" : "-"; print }' "$PLOTS/points/$1.tsv"
	else
		cat "$BENCH/$1.tsv"
	fi
}

# Rows as a table.
table() {
	grep -v '^[#!]' | escape | awk -F'\t' '
		!n++ { printf "<table><thead><tr>"; for (i = 1; i <= NF; i++) printf "<th scope=col>%s", $i; print "<tbody>"; next }
		{ printf "<tr>"; for (i = 1; i <= NF; i++) printf "<td>%s", ($i == "nan" ? "-" : $i); print "" }
		END { print "</table>" }'
}

# latencies CHART: the file of trials that its latencies are in, if it shows any.
latencies() {
	case $1 in
	spectrum) echo claim ;;
	loadlatency) echo load ;;
	latency | connections | idle | observer) echo "$1" ;;
	esac
}

# times FILE: its latencies, each with its range over the trials and what that says.
times() {
	echo '<div class=wide tabindex=0>'
	plots/times.sh "$1" | awk -F'\t' -v OFS='\t' '
		$1 == "lab" { print "server", "case", "percentile", "median (range), µs", "trials", "against 03-epoll-lt"; next }
		function us(x) { return sprintf(x < 1000 ? "%.3g" : "%.0f", x) }
		{
			number = $4 == 0 ? "-" : $4 == 1 ? us($6) " (1 trial)" : us($6) " (" us($7) "-" us($8) ")"
			print $1, $2, substr($3, 1, 3), number, $4 " of " $5 ($10 && $4 ? ", the others client-limited" : ""), $9
		}' | sed "1s/03-epoll-lt/$([ "$1" = observer ] && echo none || echo 03-epoll-lt)/" | table
	echo '</div>'
}

# The servers that failed, in words.
failures() {
	escape <"$1" | sed -n 's|^! *\(.*\)|<p class=failed>no number: \1</p>|p'
}

# The chart's numbers in a sentence, for who does not see it.
describe() {
	if [ "$1" = latency ]; then
		describe_latency
	elif is_points "$1"; then
		describe_points "$1"
	else
		describe_rows "$1"
	fi
}

describe_latency() {
	plots/times.sh latency | awk -F'\t' '
		$3 == "p50_us" { printf "%s%s: %s", (n++ ? "; " : ""), $1, $4 == 0 ? $9 : sprintf("%.0f µs (%.0f-%.0f)", $6, $7, $8) }
		END { print "" }'
}

describe_rows() {
	awk -F'\t' -v chart="$1" '
		/^[#!]/ || $1 == "lab" { next }
		!($1 in text) { labs[++n] = $1; text[$1] = "" }
		function add(s) { text[$1] = text[$1] (text[$1] == "" ? "" : ", ") s }
		chart == "syscalls" { s = 0; for (i = 3; i <= NF; i++) s += $i; add(sprintf("%.2f", s)) }
		chart == "ksweep" { add($5 " at k = " $2) }
		chart == "connections" { add(sprintf("%.0f µs and %s calls a second at %s", $4, $6, $2)) }
		chart == "starvation" { if ($2 < 1000) quiet[$1] = $4; text[$1] = quiet[$1] " in the silence, " $4 " in the end" }
		chart == "spin" { add($2 " returns a second, " $3 " % CPU") }
		chart == "oneshot" { add($2 ": " $3 " overlaps, " $4 " empty wakeups, " $5 " out of place") }
		chart == "herd" { add($5 " wakeups a connection at N = " $2) }
		chart == "accepts" { add((NR && last[$1] != $2 ? $2 " " : "") $5); last[$1] = $2 }
		chart == "sendfile" { add($4 " s of CPU and " $6 + $7 + $8 + $9 " calls a GB") }
		chart == "fairness" { if ($4 && $3 > slow[$1]) slow[$1] = $3; text[$1] = sprintf("%.0f ms", slow[$1] / 1000) }
		END {
			for (i = 1; i <= n; i++) printf "%s%s: %s", (i > 1 ? "; " : ""), labs[i], text[labs[i]]
			print ""
		}' "$BENCH/$1.tsv"
}

# Medians: every panel, server by server; of a curve, where it passes a percentile.
describe_points() {
	numbers "$1" | awk -F'\t' -v chart="$1" '
		BEGIN { split("p50 p99 cpu load claim calls wait rate ctl max bytes maximum curve requests request", name, " ")
			split("p50 in µs|p99 in µs|CPU in µs a request|CPU in µs a request|CPU in % of one|calls|epoll_wait calls a request|requests a second|epoll_ctl a blocked reply|requests a second at most|bytes an idle connection|highest rate found|µs|requests a second|CPU in µs a request", means, "|")
			for (i in name) unit[name[i]] = means[i] }
		/^[#!]/ || $1 == "lab" { next }
		$2 == "curve" { p = $3 >= 1000 ? "p99.9" : $3 >= 100 ? "p99" : $3 >= 10 ? "p90" : $3 >= 2 ? "p50" : ""; if (p == "" || seen[$1, p]++) next; $3 = p }
		{
			k = $2; if (!(k in text)) panel[++n] = k
			at = $3 == "nan" ? "" : " at " $3
			text[k] = text[k] ($1 != last[k] ? (text[k] == "" ? "" : "; ") $1 " " : ", ") sprintf($4 >= 1000 ? "%.0f" : "%.4g", $4) at ($9 != "-" ? " (not to be trusted)" : "")
			last[k] = $1
		}
		END { for (i = 1; i <= n; i++) printf "%s%s: %s", (i > 1 ? ". " : ""), (panel[i] in unit ? unit[panel[i]] : panel[i]), text[panel[i]]; print "" }'
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
		"$BENCH/$(sources "${shown[0]}" | cut -d' ' -f1).tsv" | escape | sed -E 's|^# ([^:]*): (.*)|<tr><th scope=row>\1<td>\2|' || true
	echo '</table>'
}

# The claims as a table, a card each where the screen is narrow.
claims() {
	local rows
	rows=$(bench/claims --rows) || return 0
	echo '<section><h2>The chapter&rsquo;s claims</h2><p>Each number and each sentence of the chapter&rsquo;s performance'
	echo 'section and comparison tables, as planned in bench/scenarios/claims.tsv before the run. In brackets the range of the trials,'
	echo 'or for a difference its 95 % interval. Reproduced means within 20 %.</p><table class=claims>'
	echo '<thead><tr><th scope=col>the chapter<th scope=col>claimed<th scope=col>measured here<th scope=col>kept<th scope=col>verdict<tbody>'
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

# Those files of a full run that have no chart: their medians.
further() {
	local file metrics by m
	while read -r file by metrics; do
		measured "$BENCH/$file.tsv" || continue
		printf '<section><h2>%s</h2><p>%s. Medians of the trials kept.</p><div class=wide tabindex=0>' "${file^}" "$(about "$BENCH/$file.tsv" what)"
		for m in $metrics; do
			plots/points.sh --rows "$file" | "$BUILD/stats" summary --metric "$m" --by "$by" 2>/dev/null | table
		done
		printf '</div>'
		[ "$file" = streams ] || times "$file"
		failures "$BENCH/$file.tsv"
		printf '</section>\n'
	done <<-'END'
		bursts lab,depth calls_per_request cpu_us
		streams lab,direction,size calls_per_mb epoll_ctl_per_mb mb_per_s cpu_ms_per_mb
		slow lab,slow cpu_us memory_kb
	END
	[ "$PROFILE" = full ] && measured "$BENCH/hundred.tsv" || return 0
	printf '<section><h2>A hundred thousand connections</h2><p>%s.</p><div class=wide tabindex=0>' "$(about "$BENCH/hundred.tsv" what)"
	table <"$BENCH/hundred.tsv"
	printf '</div>'
	failures "$BENCH/hundred.tsv"
	printf '</section>\n'
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
		@media screen and (max-width: 42rem) { figcaption::before { content: "Swipe the chart sideways." } }
		section { margin: 2.5rem 0 }
		.claims { width: 100%; font-size: .9rem }
		.claims td, .claims th { white-space: normal; vertical-align: top }
		.claims td:first-child { width: 42% }
		.claims i { opacity: .85 }
		.claims [data-name=kept], .claims [data-name=claimed] { white-space: nowrap }
		.place th { padding-top: 1.2rem }
		.why td { padding-bottom: .8rem; opacity: .85 }
		.claims tr:not(.why):not(.place) td { border-bottom: 0 }
		.yes { color: #00694c }
		.no { color: #b34700 }
		@media (prefers-color-scheme: dark) { .yes { color: #4fd0a5 } .no { color: #ff9550 } }
		@media screen and (max-width: 42rem) {
			.claims thead { display: none }
			.claims, .claims tbody, .claims tr, .claims td, .claims th { display: block; width: auto !important; border: 0 }
			.claims td[data-name]::before { content: attr(data-name) ": "; opacity: .8 }
			.why td { border-bottom: 1px solid #8884 !important }
		}
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
	local name title read refute kind file open words timed
	[ "$PROFILE" != full ] || claims
	for name in "${shown[@]}"; do
		IFS='|' read -r _ title read refute kind <<<"$(printf '%s\n' "${charts[@]}" | grep "^$name|")"
		file=$BENCH/$(sources "$name" | cut -d' ' -f1).tsv
		printf '<section><h2>%s</h2>\n<p>%s</p>\n<figure><div class=card tabindex=0>\n' "$title" "$read"
		words=$(describe "$name")
		picture "$name" "$title. $kind: $words. Trials: $(about "$file" trials)."
		echo '</div><figcaption></figcaption></figure>' # what was measured is in the picture
		timed=$(latencies "$name")
		[ -z "$timed" ] || ! measured "$BENCH/$timed.tsv" || times "$timed"
		failures "$file"
		open=open
		[ "$(numbers "$name" | grep -vc '^[#!]')" -le $((LONG + 1)) ] || open=
		printf '<p><b>What would refute it:</b> %s</p>\n<details %s><summary>The numbers</summary><div class=wide tabindex=0>\n' \
			"$refute" "$open"
		numbers "$name" | table
		printf '</div></details></section>\n'
	done
	[ "$PROFILE" != full ] || further
	if [ ${#absent[@]} -gt 0 ]; then printf '<p class=failed>not measured in this run: %s</p>\n' "${absent[*]}"; fi
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
if [ "${1-}" = --open ]; then # a display and a browser are welcome, and not needed
	for open in xdg-open sensible-browser; do
		[ -n "${DISPLAY-}${WAYLAND_DISPLAY-}" ] && command -v "$open" >/dev/null || continue
		"$open" "$OUT/index.html" >/dev/null 2>&1 && break
	done || true
fi
