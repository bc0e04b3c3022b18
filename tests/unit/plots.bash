# Charts and report out of small made-up numbers: what the tests of both profiles share. Load
# after helper.
# shellcheck shell=bash disable=SC2034,SC2154 # Bats sets and reads these elsewhere

plots_setup() {
	requires gnuplot
	cd "$ROOT" || return 1
	export BUILD BENCH=$BATS_TEST_TMPDIR/bench PLOTS=$BATS_TEST_TMPDIR/plots OUT=$BATS_TEST_TMPDIR/report
	mkdir -p "$BENCH" "$PLOTS"
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

# trials_of N quiet|noisy: as many latency trials. 04 has twice the p50 of 03; the p99 of both is
# about 102 us, but noisy lets that of 03 range from 100 to 9,000 us.
trials_of() {
	local t rows=()
	local noise=(100 7000 8000 9000 3000 103)
	for ((t = 1; t <= $1; t++)); do
		local p99=$((99 + t - (t > 5)))
		[ $t -lt 6 ] || p99=105
		rows+=("03-epoll-lt $t 0.5 2 $((40 + t % 2))" "03-epoll-lt $t 0.99 100 $([ "$2" = quiet ] && echo $p99 || echo "${noise[t - 1]}")"
			"04-epoll-et $t 0.5 2 $((80 + t % 2))" "04-epoll-et $t 0.99 100 $p99")
	done
	file latency 'lab trial percentile inverse us' "${rows[@]}"
	sed -i "s/^# trials: .*/# trials: $1/" "$BENCH/latency.tsv"
}

# file SCENARIO COLUMNS ROW...: trials in columns, for eyes; written as bench writes them.
file() {
	{
		printf '# what: made up\n# trials: 1\n# date: never\n# cpu: a cpu\n# cpus: 2\n# hypervisor: no\n# kernel: a kernel\n# pinning: pinned\n# commit: c0ffee\n'
		printf 'scenario\tserver\tcase\ttrial\tkept\tmetric\tvalue\n'
		printf '%s\n' "${@:2}" | awk -v name="$1" -v OFS='\t' -f tests/unit/long.awk
	} >"$BENCH/$1.tsv"
}

# row SCENARIO SERVER CASE TRIAL KEPT METRIC VALUE: one more.
row() {
	(IFS=$'\t' && echo "$*") >>"$BENCH/$1.tsv"
}

draw() {
	local tables
	tables "$BENCH"
	tables=$(said "$1" tables)
	gnuplot -e "tables='$BENCH/table'; data='$BENCH/table/${tables%% *}.tsv'; out='$PLOTS/$1'; format='$2'" "plots/$1.gp"
}

draw_all() {
	for chart in $CHARTS; do draw "$chart" svg; done
}

# Every server of a scenario but those named is gone, and its row tells why.
fail_all_but() {
	local chart
	for chart in $CHARTS; do
		awk -v keep="$1" '/^#/ || $1 == "scenario" || (keep != "" && $2 ~ keep) { print; next }
			{ print "! " $2 " error <b> & \"it fell\"" }' "$BENCH/$chart.tsv" >"$BENCH/x"
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
	row saturation 03-epoll-lt - 1 1 maximum 128000
	row saturation 04-epoll-et - 1 limited maximum 135000
	made connections 3 'connections p50_us syscalls_per_s' '03-epoll-lt 1 33 3000' '03-epoll-lt 100 33 3000'
	made idle 3 'connections p50_us cpu_us' '03-epoll-lt 1 33 17' '03-epoll-lt 10000 33 17'
	file omission 'lab percentile inverse us' 'open 0.5 2 30' 'open 0.99 100 450000' 'closed 0.5 2 30' 'closed 0.99 100 60'
	file observer 'lab trial rate p50_us' 'none 1 200000 33' 'strace 1 17000 63'
	made backpressure 4 'epoll_ctl_per_blocked' '03-epoll-lt 2' '04-epoll-et 0.002'
	made peers 3 'cpu_us max_per_s bytes_per_idle' '03-epoll-lt 11 nan 80' 'libev 12 nan 400' '03-epoll-lt nan 190000 nan'
	file peercalls 'lab calls_per_request' '03-epoll-lt 3' 'libev 3'
	made hundred 1 'servers connections connections_each' '04-epoll-et 1 30000 30000'
	sed -i '1i # limit: descriptors' "$BENCH/hundred.tsv"
	# The chapter's table of numbers is plan enough but where all of it is asked for.
	export PLAN=$BATS_TEST_TMPDIR/plan
	grep -E "^(#|id|perf-)" bench/scenarios/claims.tsv >"$PLAN"
}

verdict() {
	awk -F'\t' -v id="$1" '$1 == id { print $14 }' "$BENCH/claims.tsv"
}
