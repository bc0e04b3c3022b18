#!/usr/bin/env bats
# shellcheck disable=SC2034,SC2154 # Bats sets and reads these elsewhere
# Charts and report out of small made-up numbers.

setup() {
	load helper
	requires gnuplot
	cd "$ROOT" || return 1
	export BUILD BENCH=$BATS_TEST_TMPDIR/bench PLOTS=$BATS_TEST_TMPDIR/plots OUT=$BATS_TEST_TMPDIR/report
	mkdir -p "$BENCH" "$PLOTS/points"
	. plots/charts.sh
	file syscalls 'lab requests epoll_wait recv_ok recv_eagain send_ok send_eagain epoll_ctl accept other' \
		'01-blocking 9 0 1 0 1 0 0 0 0' '02-nonblocking 9 0 1 200 1 0 0 200 0' '03-epoll-lt 9 1 1 0 1 0 0 0 0' \
		'04-epoll-et 9 1 1 1 1 0 0 0 0' '05-et-starving 9 1 1 0 1 0 0 0 0' '06-epollout-spin 9 3000 1 0 1 0 0 0 0'
	file ksweep 'lab k size trial calls_per_request' '03-epoll-lt 1 4096 1 3' '04-epoll-et 1 4096 1 4'
	file latency 'lab trial percentile inverse us' '01-blocking 1 0.5 2 40' '01-blocking 1 0.9 10 70' \
		'02-nonblocking 1 0.5 2 20' '02-nonblocking 1 0.9 10 30' '03-epoll-lt 1 0.5 2 40' \
		'03-epoll-lt 1 0.9 10 60' '04-epoll-et 1 0.5 2 41' '04-epoll-et 1 0.9 10 61'
	file connections 'lab connections trial p50_us p99_us syscalls_per_s server_cpu_percent requests' \
		'02-nonblocking 1 1 20 nan 500000 99 900' '02-nonblocking 100 1 40 nan 2000000 99 900' \
		'03-epoll-lt 1 1 50 nan 3000 2 900' '03-epoll-lt 100 1 50 nan 3000 2 900' \
		'04-epoll-et 1 1 50 nan 4000 2 900' '04-epoll-et 100 1 50 nan 4000 2 900'
	file starvation 'lab ms sent answered' '03-epoll-lt 0 10000 10000' '03-epoll-lt 900 10000 10000' \
		'04-epoll-et 0 10000 10000' '04-epoll-et 900 10000 10000' '05-et-starving 0 10000 100' '05-et-starving 900 10000 100'
	file spin 'lab returns_per_s cpu_percent' '03-epoll-lt 0 0.0' '06-epollout-spin 2900000 99.5' '06-epollout-spin--et 0 0.0'
	file fairness 'lab ms us flood' '03-epoll-lt 1 90 0' '03-epoll-lt 300 400 1' '04-epoll-et 1 90 0' \
		'04-epoll-et 300 900000 1' '07-et-fair 1 90 0' '07-et-fair 300 400 1'
}

file() {
	printf '# what: made up\n# trials: 1\n# date: never\n# cpu: a cpu\n# cpus: 2\n# hypervisor: no\n# kernel: a kernel\n# pinning: pinned\n# commit: c0ffee\n' >"$BENCH/$1.tsv"
	printf '%s\n' "${@:2}" | tr ' ' '\t' >>"$BENCH/$1.tsv"
}

draw() {
	local data=$BENCH/$1.tsv
	if is_points "$1"; then
		data=$PLOTS/points/$1.tsv
		plots/points.sh "$1" >"$data"
	fi
	gnuplot -e "data='$data'; out='$PLOTS/$1'; format='$2'" "plots/$1.gp"
}

draw_all() {
	for chart in $CHARTS; do draw "$chart" svg; done
}

# Every server of a scenario but those named is gone, and its row tells why.
fail_all_but() {
	local chart
	for chart in $CHARTS; do
		awk -v keep="$1" '/^#/ || $1 == "lab" || (keep != "" && $1 ~ keep) { print; next }
			{ print "! " $1 " error <b> & \"it fell\"" }' "$BENCH/$chart.tsv" >"$BENCH/x"
		mv "$BENCH/x" "$BENCH/$chart.tsv"
	done
}

# Each chart in each format, with nothing on stderr.
draws_silently() {
	local chart format
	for chart in $CHARTS; do
		for format in svg png; do
			run draw "$chart" $format
			assert_success
			assert_output ''
			[[ -s $PLOTS/$chart.$format ]]
		done
		run --separate-stderr draw "$chart" text
		assert_success
		[[ -z $stderr && ${#lines[@]} -ge 20 ]] || fail "$chart: $stderr"
		while IFS= read -r line; do [[ ${#line} -le 79 ]] || fail "$chart: too wide: $line"; done < <(tr -d '\f' <<<"$output")
	done
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

@test "plots: servers that failed, some, most or all, break no chart" {
	fail_all_but '^(03|05|06-epollout-spin--et)'
	draws_silently
	fail_all_but '^03'
	draws_silently
	fail_all_but ''
	draws_silently
	draw spin text | grep -q 'no numbers: every server failed'
	run plots/report.sh
	assert_success
}

@test "plots: no axis hides the point that refutes the model" {
	printf '04-epoll-et\t8\t32768\t1\t70\n' >>"$BENCH/ksweep.tsv"
	draw ksweep text | grep -qE '^ *70 '
}

@test "plots: a lab keeps its colour when the one before it failed" {
	blue=0,114,178 orange=230,159,0 # of 03 and 06
	fills() { tr -d ' ' <"$PLOTS/spin.svg" | grep -oE "fill=.?rgb\((${blue}|${orange})\)" | sort -u | wc -l; }
	sed -i 's/^03-epoll-lt\t0/03-epoll-lt\t50/' "$BENCH/spin.tsv"
	draw spin svg
	[[ $(fills) -eq 2 ]]
	sed -i 's/^03-epoll-lt.*/! 03-epoll-lt error down/' "$BENCH/spin.tsv"
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
	[[ $(grep -c 'What would refute it' "$page") -eq 7 ]]
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
	grep -q 'aria-label="[^"]*03-epoll-lt: 3\.00; 04-epoll-et: 4\.00' "$OUT/index.html"
	grep -q 'aria-label="[^"]*05-et-starving: 100 in the silence' "$OUT/index.html"
}

@test "plots: a server that failed is told in words, escaped, outside of what is folded" {
	printf '! 05-et-starving error wrong, missing or failed replies: {"timeout":3} <b>\n' >>"$BENCH/syscalls.tsv"
	draw_all
	run plots/report.sh
	assert_success
	grep -q '^<p class=failed>no number: 05-et-starving error wrong.*{&quot;timeout&quot;:3} &lt;b&gt;</p>' "$OUT/index.html"
	run plots/table.sh
	assert_success
	assert_line --partial 'syscalls: 05-et-starving error'
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
	assert_line --regexp '^03-epoll-lt +3\.00 +40 +- '
	printf '03-epoll-lt\t1\t0.99\t100\t77\n' >>"$BENCH/latency.tsv"
	run plots/table.sh
	assert_line --regexp '^03-epoll-lt +3\.00 +40 +77 '
}

# --- the full profile

# made FILE TRIALS 'COLUMNS' 'LAB VALUES' ...: each row is TRIALS trials, the third rejected;
# # stands for the trial, the columns after the first are lab trial pair kept why.
made() {
	local name=$1 trials=$2 row t
	local rows=()
	for row in "${@:4}"; do
		for ((t = 1; t <= trials; t++)); do
			rows+=("${row%% *} $t $t $((t != 3)) $([ $t = 3 ] && echo noisy || echo -) ${row#* }")
		done
	done
	file "$name" "lab trial pair kept why $3" "${rows[@]}"
}

full() {
	export PROFILE=full
	# shellcheck source=plots/charts.sh
	. plots/charts.sh
	CHARTS='callsload spectrum loadlatency connections idle omission cpu observer backpressure peers'
	made claim 8 'cpu_percent cpu_us p50_us p99_us syscalls_per_s calls_per_request recv_eagain' \
		'01-blocking 1.2 12 30 400 2000 2 0' '03-epoll-lt 2 20 33 700 3000 3 0' '04-epoll-et 2 20 33 5000 4000 4 1' 'lt-ctl 3 30 33 700 6000 6 0'
	made load 6 'rate p50_us p99_us cpu_us calls_per_request epoll_wait_per_request verdict' \
		'03-epoll-lt 5000 33 400 17 2.9 .9 ok' '04-epoll-et 5000 33 400 17 3.9 .9 ok' \
		'03-epoll-lt 100000 40 900 7 2.4 .4 ok' '04-epoll-et 100000 40 900 7 3.4 .4 client-limited'
	file spectrum 'lab trial pair kept percentile inverse us' '03-epoll-lt 1 1 1 0.5 2 30' '03-epoll-lt 1 1 1 0.9 10 60' \
		'04-epoll-et 1 1 0 0.5 2 30' '04-epoll-et 1 1 0 0.9 10 9000'
	made saturation 3 'rate verdict' '03-epoll-lt 20000 ok'
	printf '# maximum 03-epoll-lt: 128000\n# maximum 04-epoll-et: >= 135000 (client-limited)\n' >>"$BENCH/saturation.tsv"
	made connections 3 'connections p50_us syscalls_per_s' '03-epoll-lt 1 33 3000' '03-epoll-lt 100 33 3000'
	made idle 3 'connections p50_us cpu_us' '03-epoll-lt 1 33 17' '03-epoll-lt 10000 33 17'
	file omission 'how percentile inverse us' 'open 0.5 2 30' 'open 0.99 100 450000' 'closed 0.5 2 30' 'closed 0.99 100 60'
	file observer 'how trial rate p50_us' 'none 1 200000 33' 'strace 1 17000 63'
	made backpressure 4 'epoll_ctl_per_blocked' '03-epoll-lt 2' '04-epoll-et 0.002'
	made peers 3 'cpu_us max_per_s bytes_per_idle' '03-epoll-lt 11 nan 80' 'libev 12 nan 400' '03-epoll-lt nan 190000 nan'
	file peercalls 'server calls_per_request' '03-epoll-lt 3' 'libev 3'
	made hundred 1 'servers connections limit' '04-epoll-et 1 30000 descriptors'
	# The chapter's table of numbers is plan enough but where all of it is asked for.
	export PLAN=$BATS_TEST_TMPDIR/plan
	grep -E "^(#|id|perf-)" bench/claims.tsv >"$PLAN"
}

@test "plots: the charts of a full run are drawn without a warning, also where servers failed" {
	full
	for chart in $CHARTS; do
		run draw "$chart" svg
		assert_success
		assert_output ''
		run --separate-stderr draw "$chart" text
		[[ $status -eq 0 && -z $stderr && ${#lines[@]} -ge 20 ]] || fail "$chart: $stderr"
		while IFS= read -r line; do [[ ${#line} -le 79 ]] || fail "$chart: too wide: $line"; done < <(tr -d "\f" <<<"$output")
	done
	for chart in claim load spectrum idle; do
		sed -i '/^04-epoll-et\t/s/.*/! 04-epoll-et error down/' "$BENCH/$chart.tsv"
	done
	for chart in cpu spectrum idle; do
		run draw "$chart" svg
		assert_success
		assert_output ''
		sed -i 's/^\([0-9l][^\t]*\)\t[0-9].*/! \1 error down/' "$BENCH/$(sources "$chart" | cut -d' ' -f1).tsv"
		run draw "$chart" svg
		assert_success
		assert_output ''
	done
}

@test "plots: a point is the median of the trials kept, hollow where none was or the client was the limit" {
	full
	at() { plots/points.sh "$1" | awk -F'\t' -v lab="$2" -v panel="$3" -v x="$4" '$1 == lab && $2 == panel && $3 == x { print $4, $5, $6, $7 "/" $8, $9 }'; }
	# 101, 102, 104, 105 and 106 µs are kept, the third is not
	awk -F"\t" -v OFS="\t" '/^03/ { $8 = ($2 == 3 ? 9000 : 100 + $2) } { print }' "$BENCH/load.tsv" >"$BENCH/x"
	mv "$BENCH/x" "$BENCH/load.tsv"
	[[ $(at loadlatency 03-epoll-lt p99 5000) = '104 101 106 5/6 0' ]] || fail "$(at loadlatency 03-epoll-lt p99 5000)"
	[[ $(at loadlatency 04-epoll-et p50 100000) = *' 1' ]]
	awk -F'\t' -v OFS='\t' '$1 ~ /^03/ && $6 == 5000 { $4 = 0 } { print }' "$BENCH/load.tsv" >"$BENCH/x"
	mv "$BENCH/x" "$BENCH/load.tsv"
	[[ $(at loadlatency 03-epoll-lt p99 5000) = '104.5 101 9000 0/6 1' ]] || fail "$(at loadlatency 03-epoll-lt p99 5000)"
}

@test "plots: a lab whose number begins with 0 has its own colour and marker" {
	full
	printf '%s\n' 08-oneshot 09-exclusive | sed 's/$/\t1\t1\t1\t-\t1\t33\t17/' >>"$BENCH/idle.tsv"
	run draw idle text
	assert_success
	draw idle svg
	tr -d ' ' <"$PLOTS/idle.svg" | grep -q 'rgb(177,89,40)'
	tr -d ' ' <"$PLOTS/idle.svg" | grep -q 'rgb(86,180,233)'
}

verdict() {
	awk -F'\t' -v id="$1" '$1 == id { print $14 }' "$BENCH/claims.tsv"
}

@test "claims: every planned claim has a verdict out of the vocabulary, and a reason" {
	full
	unset PLAN
	run bench/claims
	assert_success
	for line in "${lines[@]}"; do [[ ${#line} -le 80 ]] || fail "too wide: $line"; done
	planned=$(grep -vc '^#' bench/claims.tsv)
	[[ $(grep -vc '^#' "$BENCH/claims.tsv") -eq $planned ]]
	run awk -F'\t' '/^#/ || $1 == "id" { next } NF != 16 || $15 == "" || $15 == "-" ||
		$14 !~ /^(reproduced within 20 %|direction only|not reproduced|not testable here|higher|lower|no difference detected \(could have seen >= .*\)|equivalent within 5 %)$/' "$BENCH/claims.tsv"
	assert_output ''
	[[ $(verdict perf-cpu-lt) = 'not reproduced' ]]
	[[ $(verdict perf-p99-lt) = 'not reproduced' ]]
	[[ $(verdict et-drain) = 'reproduced within 20 %' ]]
	[[ $(verdict fewer-calls) = higher ]]
	[[ $(verdict perf-max-lt) = 'not reproduced' ]]
	[[ $(verdict perf-max-gain) = 'not testable here' ]]
	[[ $(verdict latency-word) = 'equivalent within 5 %' ]]
	[[ $(verdict et-strands) = 'reproduced within 20 %' ]]
	[[ $(verdict final-scale) = 'not testable here' ]]
}

@test "claims: the plan has a row for each, no id twice, and reasons that are not empty" {
	run awk -F'\t' '/^#/ { next } NF != 14 || seen[$1]++ || $13 == "" || $14 == "" || $3 == "" || $4 == ""' bench/claims.tsv
	assert_output ''
}

@test "claims: numbers as claimed are reproduced, and a difference in the right direction is told" {
	full
	made claim 8 'cpu_percent cpu_us p50_us p99_us syscalls_per_s calls_per_request recv_eagain' \
		'03-epoll-lt 35 350 33 5000 20000 20 0' '04-epoll-et 30 220 33 3000 12000 12 0'
	bench/claims >/dev/null
	[[ $(verdict perf-cpu-lt) = 'reproduced within 20 %' ]]
	[[ $(verdict perf-cpu-gain) = 'direction only' ]]
	[[ $(verdict perf-calls-gain) = 'reproduced within 20 %' ]]
	run bench/claims --markdown
	assert_line "| CPU of the level-triggered server | 35 % | 35 % | 7 of 8 | reproduced within 20 % |"
}

@test "claims: what is missing is not testable here, and says why" {
	full
	rm "$BENCH"/{claim,load,saturation,backpressure}.tsv
	run bench/claims
	assert_success
	[[ $(verdict perf-cpu-lt) = 'not testable here' ]]
	awk -F'\t' '$1 == "perf-cpu-lt"' "$BENCH/claims.tsv" | grep -q 'not measured: no claim.tsv'
	made claim 4 'cpu_percent p50_us' '03-epoll-lt 2 20' '04-epoll-et 2 20'
	bench/claims >/dev/null
	[[ $(verdict perf-cpu-gain) = 'not testable here' ]] # 3 pairs of 6
}

@test "plots: the report of a full run has the claims first, and tells what is not measured" {
	full
	rm "$BENCH/omission.tsv"
	plots/draw.sh cpu backpressure 2>/dev/null
	for chart in $CHARTS; do # pictures are no matter here
		[ -e "$PLOTS/$chart.svg" ] || cp "$PLOTS/cpu.svg" "$PLOTS/$chart.svg"
		[ -e "$PLOTS/points/$chart.tsv" ] || plots/points.sh "$chart" >"$PLOTS/points/$chart.tsv" 2>/dev/null || true
	done
	for chart in syscalls ksweep latency starvation spin; do cp "$PLOTS/cpu.svg" "$PLOTS/$chart.svg"; done
	run env -u DISPLAY -u WAYLAND_DISPLAY plots/report.sh --open
	assert_success
	page=$OUT/index.html
	[[ $(grep -n '<h2>' "$page" | head -n 1) = *claims* ]]
	grep -q '<tr class=why>' "$page"
	grep -q 'not measured in this run: omission' "$page"
	grep -q 'aria-label="[^"]*epoll_ctl a blocked reply: 03-epoll-lt 2; 04-epoll-et 0.002' "$page"
	run grep -nE "(src|href)=['\"]?[^#'\"]|url\([^#]|<script|<link|@import" "$page"
	assert_failure
}

@test "compare: the same numbers agree; a count that is 5 % off is named, times fail nothing" {
	full
	export GALLERY=$BATS_TEST_TMPDIR/gallery
	rm "$BENCH"/{load,idle,connections,observer,peers,peercalls,backpressure,spin}.tsv
	cp -r "$BENCH" "$GALLERY"
	run bench/compare
	assert_success
	assert_output --partial 'counts, all within 3 %'
	awk -F'\t' -v OFS='\t' '/^0/ { $8 *= 3 } { print }' "$GALLERY/claim.tsv" >"$BENCH/claim.tsv"
	sed -i 's/^02-nonblocking.*/02-nonblocking\t9\t0\t1\t999\t1\t0\t0\t999\t0/' "$BENCH/syscalls.tsv"
	run bench/compare
	assert_success
	assert_output --regexp '03-epoll-lt p50_us +33 +99 +3\.000'
	sed -i 's/^04-epoll-et\t1\t4096\t1\t4/04-epoll-et\t1\t4096\t1\t4.2/' "$BENCH/ksweep.tsv"
	run bench/compare
	assert_failure 1
	assert_line 'compare: ksweep: 04-epoll-et 1 calls_per_request: 4.2, the gallery has 4'
	[[ $(grep -c '^compare: ' <<<"$output") -eq 1 ]]
}

@test "gallery: charts, numbers, verdicts and the manifest; nothing large, nothing without a full run" {
	full
	export OUT=$BATS_TEST_TMPDIR/gallery
	draw cpu svg
	run plots/gallery.sh
	assert_success
	[[ -s $OUT/cpu.svg && -s $OUT/claim.tsv && -s $OUT/claims.tsv ]]
	grep -q '^cpu: a cpu' "$OUT/manifest.txt"
	head -c 300001 /dev/zero >"$PLOTS/cpu.svg"
	run plots/gallery.sh
	assert_failure 1
	assert_output --partial 'more than 300000 bytes'
	rm "$BENCH/claim.tsv"
	run plots/gallery.sh
	assert_failure 1
	assert_output --partial 'make bench PROFILE=full'
}
