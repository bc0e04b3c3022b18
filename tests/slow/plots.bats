#!/usr/bin/env bats
# shellcheck disable=SC2034,SC2154 # Bats sets and reads these elsewhere
# What the full profile draws and claims, out of small made-up numbers.

setup() {
	load ../unit/helper
	load ../unit/plots
	plots_setup
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
		sed -i '/^[a-z]*\t04-epoll-et\t/s/.*/! 04-epoll-et error down/' "$BENCH/$chart.tsv"
	done
	for chart in cpu spectrum idle; do
		run draw "$chart" svg
		assert_success
		assert_output ''
		sed -i '/^scenario/!s/^[a-z]*\t\([0-9l][^\t]*\)\t.*/! \1 error down/' "$BENCH/$(said "$chart" tables | cut -d' ' -f1).tsv"
		run draw "$chart" svg
		assert_success
		assert_output ''
	done
}

@test "plots: a point is the median of the trials kept, hollow where none was or the client was the limit" {
	full
	at() { # SERVER METRIC CASE: as a chart picks it
		tables "$BENCH"
		for hollow in 0 1; do
			awk -f plots/columns.awk -f plots/pick.awk -v metrics="$2" -v where="$3" -v server="$1" -v hollow=$hollow \
				"$BENCH/table/load.tsv" | awk -v h=$hollow '$2 != 1e9 { print $3, $4, $5, h }'
		done
	}
	# 101, 102, 104, 105 and 106 µs are kept, the third is not
	awk -F"\t" -v OFS="\t" '$2 ~ /^03/ && $6 == "p99_us" { $7 = ($4 == 3 ? 9000 : 100 + $4) } { print }' "$BENCH/load.tsv" >"$BENCH/x"
	mv "$BENCH/x" "$BENCH/load.tsv"
	[[ $(at 03-epoll-lt p99_us 5000) = '104 101 106 0' ]] || fail "$(at 03-epoll-lt p99_us 5000)"
	[[ $(at 04-epoll-et p50_us 100000) = *' 1' ]]
	awk -F'\t' -v OFS='\t' '$2 ~ /^03/ && $3 == 5000 { $5 = 0 } { print }' "$BENCH/load.tsv" >"$BENCH/x"
	mv "$BENCH/x" "$BENCH/load.tsv"
	[[ $(at 03-epoll-lt p99_us 5000) = '104.5 101 9000 1' ]] || fail "$(at 03-epoll-lt p99_us 5000)"
}

@test "plots: a lab whose number begins with 0 has its own colour and marker" {
	full
	for lab in 08-oneshot 09-exclusive; do
		row idle $lab 1 1 1 p50_us 33
		row idle $lab 1 1 1 cpu_us 17
	done
	run draw idle text
	assert_success
	draw idle svg
	tr -d ' ' <"$PLOTS/idle.svg" | grep -q 'rgb(177,89,40)'
	tr -d ' ' <"$PLOTS/idle.svg" | grep -q 'rgb(86,180,233)'
}

@test "claims: every planned claim has a verdict out of the vocabulary, and a reason" {
	full
	unset PLAN
	run bench/claims
	assert_success
	for line in "${lines[@]}"; do [[ ${#line} -le 80 ]] || fail "too wide: $line"; done
	planned=$(grep -vc '^#' bench/scenarios/claims.tsv)
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
	run awk -F'\t' '/^#/ { next } NF != 14 || seen[$1]++ || $13 == "" || $14 == "" || $3 == "" || $4 == ""' bench/scenarios/claims.tsv
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
	done
	for chart in syscalls ksweep starvation spin fairness; do cp "$PLOTS/cpu.svg" "$PLOTS/$chart.svg"; done
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
	awk -F'\t' -v OFS='\t' '$6 == "p50_us" { $7 *= 3 } { print }' "$GALLERY/claim.tsv" >"$BENCH/claim.tsv"
	sed -i 's/^\(syscalls\t02-nonblocking\t.*\tcalls\t\).*/\1999/' "$BENCH/syscalls.tsv"
	run bench/compare
	assert_success
	assert_output --regexp '03-epoll-lt p50_us +33 +99 +3\.000'
	sed -i 's/^\(ksweep\t04-epoll-et\t1\t.*\tcalls_per_request\t\)4/\14.2/' "$BENCH/ksweep.tsv"
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
