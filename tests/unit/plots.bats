#!/usr/bin/env bats
# shellcheck disable=SC2034,SC2154 # Bats sets and reads these elsewhere
# Charts and report out of small made-up numbers.

setup() {
	load helper
	load plots
	plots_setup
}

@test "plots: every chart is drawn as svg, png and text, without a warning" {
	draws_silently
}

@test "plots: every chart has its machine in a footer" {
	for chart in $CHARTS; do
		draw "$chart" svg
		as_text=$(draw "$chart" text)
		for part in 'made up' 'trials: 1' 'never' 'commit c0ffee' 'a cpu' 'a kernel' 'pinned'; do
			grep -q "$part" "$PLOTS/$chart.svg" || fail "$chart: no '$part'"
			grep -q "$part" <<<"$as_text" || fail "$chart as text: no '$part'"
		done
	done
}

@test "plots: no axis hides the point that refutes the model" {
	row ksweep 04-epoll-et 8 1 1 calls_per_request 70
	draw ksweep text | grep -qE '^ *70 '
}

@test "plots: the reads in the fairness chart are the data's, whatever their digits" {
	row fairness 03-epoll-lt - 1 1 reads_per_wait 3
	row fairness 04-epoll-et - 1 1 reads_per_wait 7026
	row fairness 07-et-fair - 1 1 reads_per_wait 8
	run draw fairness text
	assert_output --regexp '04: slowest 900 ms, 7,026 reads'
	assert_output --regexp '07: slowest 0.4 ms, 8 reads'
}

@test "plots: a lab keeps its colour when the one before it failed" {
	blue=0,114,178 orange=230,159,0 # of 03 and 06
	fills() { tr -d ' ' <"$PLOTS/spin.svg" | grep -oE "fill=.?rgb\((${blue}|${orange})\)" | sort -u | wc -l; }
	sed -i 's/\(03-epoll-lt\t-\t1\t1\treturns_per_s\t\)0/\150/' "$BENCH/spin.tsv"
	draw spin svg
	[[ $(fills) -eq 2 ]]
	sed -i 's/^spin\t03-epoll-lt.*/! 03-epoll-lt error down/' "$BENCH/spin.tsv"
	draw spin svg
	[[ $(fills) -eq 1 ]]
	tr -d ' ' <"$PLOTS/spin.svg" | grep -q "rgb($orange)"
}

@test "plots: the report is one file: seven charts, unique ids, nothing from elsewhere, no scripts" {
	draw_all
	run plots/report.sh
	assert_success
	page=$OUT/index.html
	[[ $(grep -c '<svg role="img" aria-label=' "$page") -eq 7 ]]
	[[ $(grep -c 'This would prove it wrong' "$page") -eq 7 ]]
	[[ $(grep -oE "\bid=['\"][^'\"]*" "$page" | sort | uniq -d | wc -l) -eq 0 ]]
	# Whatever an id is used for is in the page.
	while IFS= read -r id; do
		grep -qE "\bid=['\"]${id}['\"]" "$page" || fail "#$id leads nowhere"
	done < <(grep -oE "(href=['\"]#|url\(#)[^'\")]*" "$page" | sed 's/.*#//' | sort -u)
	run grep -nE "(src|href)=['\"]?[^#'\"]|url\([^#]|<script|<link|@import" "$page"
	assert_failure
	# What xmlns names is no address.
	run bash -c "grep -oE 'https?://[^\"]*' '$page' | grep -vE '^http://www.w3.org/(2000/svg|1999/xlink)$'"
	assert_failure
}

@test "plots: the text in place of a chart holds the chart's numbers" {
	draw_all
	plots/report.sh
	grep -q 'aria-label="[^"]*calls a request: [^"]*03-epoll-lt 3; 04-epoll-et 4;' "$OUT/index.html"
	grep -q 'aria-label="[^"]*in the silence: [^"]*05-et-starving 100\.' "$OUT/index.html"
	# Three calls and four are not "no difference", however few the trials.
	grep -q '<tr><td>04-epoll-et<td><td>4 (1 trial)<td>1 of 1<td>-$' "$OUT/index.html"
}

@test "plots: a server that failed is shown in words, escaped, outside of what is folded" {
	printf '! 05-et-starving error wrong, missing or failed replies: {"timeout":3} <b>\n' >>"$BENCH/syscalls.tsv"
	draw_all
	run plots/report.sh
	assert_success
	grep -q '^<p class=failed>no number: 05-et-starving error wrong.*{&quot;timeout&quot;:3} &lt;b&gt;</p>' "$OUT/index.html"
	run plots/table.sh
	assert_success
	assert_line --partial 'no number from: 05-et-starving error'
}

@test "plots: missing or empty numbers are one line, status 1, and the page before stays whole" {
	draw_all
	plots/report.sh
	before=$(cksum <"$OUT/index.html")
	grep '^#' "$BENCH/spin.tsv" >"$BENCH/x"
	for state in manifest-only empty missing; do
		case $state in
		manifest-only) mv "$BENCH/x" "$BENCH/spin.tsv" ;;
		empty) : >"$BENCH/spin.tsv" ;;
		missing) rm "$BENCH/spin.tsv" ;;
		esac
		for script in report table; do
			run plots/$script.sh
			assert_failure 1
			assert_output --partial 'spin.tsv is missing or empty'
			[[ ${#lines[@]} -eq 1 ]]
		done
	done
	[[ $(ls "$OUT") = index.html && $(cksum <"$OUT/index.html") = "$before" ]]
}

@test "plots: a chart that is older than its numbers is not reported" {
	draw_all
	touch -d '1 hour ago' "$PLOTS/ksweep.svg"
	run plots/report.sh
	assert_failure 1
	assert_output --partial 'ksweep.svg is older than its numbers'
	[[ ${#lines[@]} -eq 1 ]]
}

@test "plots: the table shows calls per request, in 80 columns" {
	run plots/table.sh
	assert_success
	assert_line --regexp '^03-epoll-lt +3\.00 '
	assert_line --regexp '^04-epoll-et +4\.00 '
	for line in "${lines[@]}"; do [[ ${#line} -le 80 ]]; done
}

@test "plots: the table has no p99 of a trial that is too short to have one" {
	run plots/table.sh
	assert_line --regexp '^03-epoll-lt +40 \(1 trial\) +- +-$'
	row latency 03-epoll-lt - 1 1 p99_us 77
	run plots/table.sh
	assert_line --regexp '^03-epoll-lt +40 \(1 trial\) +77 \(1 trial\) +-$'
}

@test "plots: the table has times with their range and a verdict: quiet, noisy, and too few trials" {
	trials_of 6 quiet
	run plots/table.sh
	assert_success
	assert_line --regexp '^03-epoll-lt +40 \(40-41\) +102 \(100-105\) +-$'
	assert_line --regexp '^04-epoll-et +80 \(80-81\) +102 \(100-105\) +-$'
	assert_line --regexp '^  p50 +higher$'
	assert_line --regexp '^  p99 +equivalent within 5 %$'
	trials_of 6 noisy
	run plots/table.sh
	assert_line --regexp '^03-epoll-lt +40 \(40-41\) +5000 \(100-9000\) +-$'
	assert_line --regexp '^  p99 +no difference detected \(could have seen >= [0-9]+ %\)$'
	trials_of 3 noisy
	run plots/table.sh
	assert_line --regexp '^03-epoll-lt +41 \(40-41\) +7000 \(100-8000\) +-$'
	assert_line --regexp '^  p50 +no difference shown by 3 trials$'
	assert_line 'The median of 3 trials, in brackets the least and the largest of them.'
}

@test "plots: a trial that the client limited is marked in the table and in the report, and is no result" {
	trials_of 6 quiet
	sed -i 's/^\(latency\t04-epoll-et\t[^\t]*\t6\t\)1/\1limited/' "$BENCH/latency.tsv"
	run plots/table.sh
	assert_line --regexp '^04-epoll-et +81 \(80-81\)\* +102 \(100-104\)\* +-$'
	assert_line '* In the other trials the client was the limit; they are not in the number.'
	draw_all
	plots/report.sh
	grep -q '<tr><td>04-epoll-et<td><td>81 (80-81)<td>5 of 6, the others client-limited<td>no difference shown by 5 trials$' "$OUT/index.html"
	sed -i 's/^\(latency\t04-epoll-et\t[^\t]*\t.\t\)1/\1limited/' "$BENCH/latency.tsv"
	run plots/table.sh
	assert_line --regexp '^04-epoll-et +client-limited +client-limited +-$'
	draw_all
	plots/report.sh
	grep -q '<tr><td>04-epoll-et<td><td>client-limited<td>0 of 6<td>-$' "$OUT/index.html"
}

@test "plots: the table is plain ASCII without a UTF-8 locale, in 80 columns whatever the numbers are" {
	trials_of 6 noisy
	awk -F'\t' -v OFS='\t' '$6 == "p99_us" { $7 *= 100 } { print }' "$BENCH/latency.tsv" >"$BENCH/x"
	mv "$BENCH/x" "$BENCH/latency.tsv"
	LC_ALL=C run plots/table.sh
	assert_success
	for line in "${lines[@]}"; do [[ ${#line} -le 80 ]] || fail "too wide: $line"; done
	run env LC_ALL=C grep -n '[^ -~]' <<<"$output"
	assert_failure
}

@test "plots: the report gives each latency its range and its verdict" {
	trials_of 6 noisy
	draw_all
	run plots/report.sh
	assert_success
	grep -q '<tr><td>04-epoll-et<td><td>80.5 (80-81)<td>6 of 6<td>higher$' "$OUT/index.html"
	grep -qE '<tr><td>04-epoll-et<td><td>102 \(100-105\)<td>6 of 6<td>no difference detected \(could have seen &gt;= [0-9]+ %\)$' "$OUT/index.html"
	grep -q 'aria-label="[^"]*p50, µs: 03-epoll-lt 40.5 (40-41)' "$OUT/index.html"
}

@test "plots: no caption stands twice in the report" {
	sed -i 's/^# what: .*/# what: a caption to count/' "$BENCH"/*.tsv
	draw_all
	plots/report.sh
	seen=$(sed 's/aria-label="[^"]*"//' "$OUT/index.html" | grep -o 'a caption to count' | wc -l)
	[[ $seen -eq 7 ]] || fail "$seen times under 7 charts"
}
