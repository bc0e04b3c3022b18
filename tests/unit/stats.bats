#!/usr/bin/env bats
# shellcheck disable=SC2154 # Bats sets these elsewhere
# build/stats against numbers that are known: by hand, by the binomial table, by simulation.

setup() {
	load helper
	T=$BATS_TEST_TMPDIR/trials.tsv
}

stats() {
	"$BUILD/stats" "$@"
}

# trials VALUE...: a file with one kept trial of lab x for each.
trials() {
	local n=0 v
	printf 'server\tcase\ttrial\tkept\tmetric\tvalue\n'
	for v; do
		printf 'x\t-\t%d\t1\tus\t%s\n' $((++n)) "$v"
	done
}

# differences VALUE...: pairs in which b is more than a by VALUE; a is 100.
differences() {
	local n=0 v
	printf 'server\tcase\ttrial\tkept\tmetric\tvalue\n'
	for v; do
		printf 'a\t-\t%d\t1\tus\t100\n' $((++n))
		printf 'b\t-\t%d\t1\tus\t%s\n' "$n" "$(awk -v v="$v" 'BEGIN { print 100 + v }')"
	done
}

# plans N PAIRS EFFECT NOISE: N plans for --by case; b is (1 + EFFECT) of a. The noise is
# lognormal: a half of it common to a pair, as on a machine that is slow for a while.
plans() {
	awk -v plans="$1" -v pairs="$2" -v effect="$3" -v noise="$4" '
		function uniform() { state = state * 16807 % 2147483647; return state / 2147483647 }
		function normal() { return sqrt(-2 * log(uniform())) * cos(6.283185307 * uniform()) }
		BEGIN {
			state = 20241
			OFS = "\t"
			print "case", "server", "trial", "kept", "metric", "value"
			for (i = 1; i <= plans; i++) for (p = 1; p <= pairs; p++) {
				common = 20 * exp(noise * normal())
				print i, "a", p, 1, "us", common * exp(noise * normal())
				print i, "b", p, 1, "us", common * exp(noise * normal()) * (1 + effect)
			}
		}'
}

# table COMMAND...: the output below its comments, one `column=value` per line and row.
table() {
	stats "$@" | awk -F'\t' '/^#/ { next } !n++ { split($0, name); next }
		{ for (i = 1; i <= NF; i++) print name[i] "=" $i }'
}

pairs() {
	table pairs --metric us --a a --b b "$@"
}

@test "stats: the median of an odd and of an even number of trials" {
	trials 5 1 1000 >"$T"
	run table summary --metric us "$T"
	assert_output "$(printf '%s\n' server=x metric=us n=3 nan=0 kept=3 total=3 median=5 min=1 \
		max=1000 low95=- high95=-)"
	trials 10 2 4.5 -3 >"$T"
	run table summary --metric us "$T"
	assert_line median=3.25
	assert_line min=-3
	assert_line max=10
	trials 7 >"$T"
	run table summary --metric us "$T"
	assert_line median=7
}

@test "stats: the interval of a median is the binomial table's" {
	local n k
	while read -r n k; do
		mapfile -t values < <(seq "$n" -1 1)
		trials "${values[@]}" >"$T"
		run table summary --metric us "$T"
		assert_line "low95=$k"
		assert_line "high95=$((n + 1 - k))"
	done <<-END
		6 1
		7 1
		8 1
		9 2
		10 2
		11 2
		12 3
		15 4
		17 5
		20 6
		25 8
		30 10
		50 18
		100 40
	END
	mapfile -t values < <(seq 3000) # where 2^-n is no longer a number
	trials "${values[@]}" >"$T"
	run table summary --metric us "$T"
	assert_line low95=1446
	for n in 1 5; do
		mapfile -t values < <(seq "$n")
		trials "${values[@]}" >"$T"
		run table summary --metric us "$T"
		assert_line low95=-
		assert_line high95=-
	done
}

@test "stats: a rejected trial, a nan and a failed server are counted and left out" {
	{
		echo '# machine: any'
		echo '! z error the server gave up'
		trials 1 2 3
		printf 'x\t-\t4\t0\tus\t1e9\nx\t-\t5\t1\tus\tnan\nx\t-\t6\t0\tus\tnan\n\n'
		echo '! y error connection refused'
	} >"$T"
	run table summary --metric us "$T"
	assert_output "$(printf '%s\n' server=x metric=us n=3 nan=1 kept=4 total=6 median=2 min=1 \
		max=3 low95=- high95=-)"
	run -0 stats summary --metric us "$T"
	assert_line --index 0 '# failed: 2'
}

@test "stats: --by and --where choose, in the order of the file; stdin will do" {
	{
		printf 'value\tserver\tcase\tmetric\ttrial\tkept\n'
		printf '3\tb\t1000\tus\t1\t1\n5\ta\t1000\tus\t1\t1\n7\tb\t50\tus\t1\t1\n9\tb\t50\tus\t2\t1\n8\tb\t50\tms\t1\t1\n'
	} >"$T"
	run -0 bash -c "'$BUILD/stats' summary --metric us --by case,server - <'$T' | tail -n +2 | cut -f 1-4,8"
	assert_output "$(printf '%b\n' 'case\tserver\tmetric\tn\tmedian' '1000\tb\tus\t1\t3' \
		'1000\ta\tus\t1\t5' '50\tb\tus\t2\t8')"
	run table summary --metric us --where server=b,case=1000 <"$T"
	assert_line median=3
	assert_line total=1
	refute_line server=a
}

@test "stats: JSON says the same, with null for what is not known" {
	requires jq
	{
		trials 1 2 4
		printf '"\\\t-\t1\t1\tus\tnan\n! z error\n'
	} >"$T"
	run -0 bash -c "'$BUILD/stats' summary --metric us --json '$T' | jq -c '.failed, .rows[]'"
	assert_line --index 0 1
	assert_line --index 1 '{"server":"x","metric":"us","n":3,"nan":0,"kept":3,"total":3,"median":2,"min":1,"max":4,"low95":null,"high95":null}'
	assert_line --index 2 '{"server":"\"\\","metric":"us","n":0,"nan":1,"kept":1,"total":1,"median":null,"min":null,"max":null,"low95":null,"high95":null}'
	differences 1 1 1 1 1 1 >"$T"
	run -0 bash -c "'$BUILD/stats' pairs --metric us --a a --b b --seed 7 --json '$T' |
		jq -c '[.seed, .resamples, .rows[0].verdict]'"
	assert_output '[7,10000,"equivalent within 5 %"]'
	run -0 bash -c "printf 'server\tcase\ttrial\tkept\tmetric\tvalue\n! x error\n' |
		'$BUILD/stats' summary --metric us --json | jq -c .rows"
	assert_output '[]'
}

@test "stats: differences that are all equal have an interval without width" {
	differences 25 25 25 25 25 25 25 >"$T"
	run pairs "$T"
	assert_output "$(printf '%s\n' metric=us a=a b=b n=7 nan=0 total=7 unit=% difference=25 \
		low95=25 high95=25 low90=25 high90=25 verdict=higher)"
	run pairs --absolute "$T"
	assert_line unit=-
	assert_line low95=25
}

# Of 7 resampled values the 4th lies at or below the k-th original in P(Bin(7, k/7) >= 4):
# .0102 for k = 1, .108 for k = 2. 95 % leave out .0041 on each side, 90 % .0179. Of 9, the
# 5th: .0013, .0304; .0072 and .0243. Student's t: 2.447, 1.943; 2.306, 1.860.
@test "stats: the bootstrap interval is the one computed by hand for 7 and 9 pairs" {
	differences 70 20 30 10 50 60 40 >"$T"
	run pairs --absolute "$T"
	assert_line difference=40
	assert_line low95=10
	assert_line high95=70
	assert_line low90=20
	assert_line high90=60
	differences 70 20 30 10 50 60 40 90 80 >"$T"
	run pairs --absolute "$T"
	assert_line difference=50
	assert_line low95=20
	assert_line high95=80
	assert_line low90=20
	assert_line high90=80
}

@test "stats: the sign is b against a, and relative to a" {
	differences -50 -50 -50 -50 -50 -50 >"$T"
	run pairs "$T"
	assert_line difference=-50
	assert_line verdict=lower
	run table pairs --metric us --a b --b a "$T"
	assert_line difference=100
	assert_line verdict=higher
}

@test "stats: differences as often up as down are none" {
	differences -40 -30 -20 -10 10 20 30 40 >"$T"
	run pairs "$T"
	assert_line difference=0
	assert_line --regexp '^low95=-[1-4]'
	assert_line --regexp '^high95=[1-4]'
	assert_line --regexp '^verdict=no difference detected \(could have seen >= [1-9][0-9] %\)$'
}

@test "stats: the same seed, the same interval; the seed is printed" {
	plans 1 10 0 .3 >"$T"
	run -0 stats pairs --metric us --a a --b b --seed 3 "$T"
	assert_line --index 1 '# seed: 3, resamples: 10000'
	local first=$output
	run -0 stats pairs --metric us --a a --b b --seed 3 "$T"
	assert_output "$first"
	local seeds
	seeds=$(for seed in 1 2 3 4 5 6; do pairs --seed $seed "$T" | grep low95; done | sort -u | wc -l)
	((seeds > 1)) || fail "six seeds give one and the same interval"
}

@test "stats: an outlier is kept, and does not decide" {
	differences 30 31 32 33 34 35 36 37 38 100000 >"$T"
	run pairs "$T"
	assert_line n=10
	assert_line difference=34.5
	assert_line verdict=higher
	run table summary --metric us --where server=b "$T"
	assert_line max=100100
}

@test "stats: a pair counts when both its trials were kept and have a number" {
	{
		differences 30 31 32 33 34 35 36
		printf 'a\t-\t8\t1\tus\t100\nb\t-\t8\t0\tus\t999\n' # rejected
		printf 'a\t-\t9\t1\tus\tnan\nb\t-\t9\t1\tus\t999\n' # too few samples
		printf 'a\t-\t10\t1\tus\t100\n'                # the other one failed
		printf 'c\t-\t11\t1\tus\t100\n'                # no part of it
		printf 'b\t-\t3\t0\tus\t999\n'                 # a rejected attempt before the kept one
	} >"$T"
	run pairs "$T"
	assert_line n=7
	assert_line nan=1
	assert_line total=10
	assert_line difference=33
}

@test "stats: five pairs are too few to say anything" {
	differences 50 50 50 50 50 >"$T"
	run pairs "$T"
	assert_line "verdict=too few pairs (5 of 6)"
	assert_line difference=50
	assert_line low95=-
	printf 'a\t-\t6\t1\tus\t100\nb\t-\t6\t1\tus\t150\n' >>"$T"
	run pairs "$T"
	assert_line verdict=higher
	{
		echo '! b error gave up'
		trials 1
		printf 'a\t-\t1\t1\tus\t1\n'
	} >"$T"
	run pairs "$T"
	assert_line "verdict=too few pairs (0 of 6)"
	assert_line difference=-
}

@test "stats: a small difference is equivalent, even where it is surely there" {
	differences 3.1 2.9 3 3.2 2.8 3 3.1 2.9 >"$T"
	run pairs "$T"
	assert_line --regexp '^low95=[23]'
	assert_line "verdict=equivalent within 5 %"
	run pairs --within 2 "$T"
	assert_line verdict=higher
	differences 0 0 0 0 0 0 >"$T"
	run pairs --absolute "$T"
	assert_line "verdict=equivalent within 0"
	differences 1 1 1 1 1 1 >"$T"
	run pairs --absolute "$T"
	assert_line verdict=higher
	run pairs --absolute --within 2 "$T"
	assert_line "verdict=equivalent within 2"
}

# Each of 400 data sets; the bounds are what is promised or 4 deviations, whichever is wider.
@test "stats: the second table: a row for each server, case and metric, with its verdict and its trials" {
	{
		printf '# what: a test\n! z error gone\nscenario\tserver\tcase\ttrial\tkept\tmetric\tvalue\n'
		for t in 1 2 3 4 5 6; do
			printf 's\tlib\tone\t%d\t1\tus\t200\ns\t03-epoll-lt\tone\t%d\t1\tus\t100\n' $t $t
			printf 's\t03-epoll-lt\ttwo\t%d\t1\tus\t%d\ns\t04-epoll-et\ttwo\t%d\t%d\tus\t101\n' $t $((99 + t)) $t $((t > 1))
		done
		printf 's\t04-epoll-et\tall\t1\t0\tus\t7\ns\t04-epoll-et\tall\t2\tlimited\tus\t9\ns\t04-epoll-et\tgate\t1\t0\tus\t7\n'
	} >"$T"
	run -0 stats table "$T"
	assert_line --index 0 '# what: a test'
	assert_line --index 1 '! z error gone'
	assert_line --index 2 $'scenario\tserver\tcase\tmetric\tn\ttotal\tmedian\tlow\thigh\tverdict\ttrials'
	assert_line --index 3 $'s\t03-epoll-lt\tone\tus\t6\t6\t100\t100\t100\t-\t1=100 2=100 3=100 4=100 5=100 6=100'
	assert_line --index 4 $'s\t03-epoll-lt\ttwo\tus\t6\t6\t102.5\t100\t105\t-\t1=100 2=101 3=102 4=103 5=104 6=105'
	assert_line --index 5 $'s\t04-epoll-et\ttwo\tus\t5\t6\t101\t101\t101\tno difference shown by 5 trials\t1!101 2=101 3=101 4=101 5=101 6=101'
	assert_line --index 6 $'s\t04-epoll-et\tall\tus\t0\t2\t8\t7\t9\tclient-limited\t1!7 2~9'
	assert_line --index 7 $'s\t04-epoll-et\tgate\tus\t0\t1\t7\t7\t7\tno trial kept: too noisy\t1!7'
	assert_line --index 8 $'s\tlib\tone\tus\t6\t6\t200\t200\t200\thigher\t1=200 2=200 3=200 4=200 5=200 6=200'
	run -0 stats table --against lib "$T"
	assert_line --index 3 --regexp $'^s\t03-epoll-lt\tone\t.*\tlower\t'
}

@test "stats: the second table has its column names where every server failed, and nothing relative to 0" {
	printf '! z error gone\nscenario\tserver\tcase\ttrial\tkept\tmetric\tvalue\n' >"$T"
	run -0 stats table "$T"
	assert_line --index 1 $'scenario\tserver\tcase\tmetric\tn\ttotal\tmedian\tlow\thigh\tverdict\ttrials'
	printf 'scenario\tserver\tcase\ttrial\tkept\tmetric\tvalue\ns\t03-epoll-lt\t-\t1\t1\tctl\t0\ns\t04-epoll-et\t-\t1\t1\tctl\t2\n' >"$T"
	run -0 stats table "$T"
	assert_line --index 2 $'s\t04-epoll-et\t-\tctl\t1\t1\t2\t2\t2\t-\t1=2'
}

@test "stats: counts are compared without statistics; a claim that only the client limited" {
	differences 33 >"$T"
	run pairs --counts "$T"
	assert_line difference=33
	assert_line verdict=higher
	differences 4 >"$T"
	run pairs --counts "$T"
	assert_line 'verdict=equivalent within 5 %'
	differences -38 >"$T"
	for pair in '-40 reproduced within 20 %' '-90 direction only' '40 not reproduced'; do
		run claim --a a --b b --counts --claim "${pair%% *}" "$T"
		assert_output "${pair#* }"
	done
	printf 'server\tcase\ttrial\tkept\tmetric\tvalue\nx\t-\t1\tlimited\tus\t100\n' >"$T"
	run claim --server x --claim 100 "$T"
	assert_output "not testable here"
	run claim --server x --claim 80 "$T"
	assert_output "not reproduced"
}

@test "stats: the intervals hold the true median as often as they say" {
	local n held in95 in90
	plans 400 12 0 .5 >"$T"
	held=$(stats summary --metric us --by case --where server=a "$T" |
		awk -F'\t' '$10 <= 20 && $11 >= 20 { n++ } END { print n + 0 }')
	((held >= 368 && held <= 397)) || fail "95 % of a median: $held of 400"
	for n in 7 10; do
		plans 400 $n .25 .3 >"$T"
		read -r in95 in90 < <(stats pairs --metric us --by case --a a --b b "$T" | awk -F'\t' '
			$10 <= 25 && $11 >= 25 { in95++ } $12 <= 25 && $13 >= 25 { in90++ }
			END { print in95 + 0, in90 + 0 }')
		((in95 >= 368 && in95 <= 399)) || fail "95 % of a difference, $n pairs: $in95 of 400"
		((in90 >= 336 && in90 <= 388)) || fail "90 % of a difference, $n pairs: $in90 of 400"
	done
}

verdicts() {
	pairs --by case "$@" | sed -n 's/^verdict=//p' | sed 's/ (.*//' | sort | uniq -c |
		awk '{ n = $1; $1 = ""; sub(/^ /, ""); print n " " $0 }'
}

@test "stats: the same server twice: no difference, in 19 plans of 20" {
	local noise found
	for noise in .01 .3 1; do # 5 % of 400 and 4 deviations
		plans 400 10 0 $noise >"$T"
		run verdicts "$T"
		found=$(awk '/higher|lower/ { n += $1 } END { print n + 0 }' <<<"$output")
		((found <= 37)) || fail "noise $noise: $found of 400"
	done
}

@test "stats: a planted third is found, in every plan" {
	plans 40 10 .333 .05 >"$T"
	run verdicts "$T"
	assert_output "40 higher"
	plans 40 10 -.25 .05 >"$T"
	run verdicts "$T"
	assert_output "40 lower"
}

# .014 in both servers is 2 % in their ratio.
@test "stats: noise of 2 % is equivalent, in every plan" {
	plans 40 10 0 .014 >"$T"
	run verdicts "$T"
	assert_output "40 equivalent within 5 %"
}

# Half the width of the interval would be seen by only 100 of these.
@test "stats: what it could have seen, four plans of five do see" {
	local seen found
	plans 200 10 0 .1 >"$T"
	seen=$(pairs --by case "$T" | sed -n 's/^verdict=no.*>= \(.*\) %)/\1/p' | sort -n |
		awk '{ v[NR] = $1 } END { print v[int(NR / 2)] / 100 }')
	plans 200 10 "$seen" .1 >"$T"
	run verdicts "$T"
	found=$(awk '/higher/ { print $1 }' <<<"$output")
	((found >= 140 && found <= 185)) || fail "a difference of $seen: $found of 200"
}

claim() {
	table claim --metric us "$@" | sed -n 's/^verdict=//p'
}

@test "stats: a claim about a server: reproduced within the tolerance, or not" {
	trials 90 100 110 >"$T"
	for value in 100 84 125; do
		run claim --server x --claim $value "$T"
		assert_output "reproduced within 20 %"
	done
	for value in 83 126 -100 0; do
		run claim --server x --claim $value "$T"
		assert_output "not reproduced"
	done
	run claim --server x --claim 99 --tolerance .5 "$T"
	assert_output "not reproduced"
	run claim --server x --claim 99.9 --tolerance .5 "$T"
	assert_output "reproduced within 0.5 %"
	trials 0 0 0 >"$T"
	run claim --server x --claim 0 "$T"
	assert_output "reproduced within 20 %"
	run table claim --metric us --server x --claim 0 "$T"
	assert_output "$(printf '%s\n' metric=us server=x claim=0 tolerance_percent=20 n=3 nan=0 kept=3 \
		total=3 median=0 min=0 max=0 low95=- high95=- bound=- 'verdict=reproduced within 20 %')"
}

@test "stats: a claim without a kept trial is not testable here" {
	{
		trials 1
		printf 'rejected\t-\t1\t0\tus\t100\nshort\t-\t1\t1\tus\tnan\n! 01-blocking error 1 client at a time\n'
	} >"$T"
	for lab in rejected short 01-blocking; do
		run claim --server $lab --claim 100 "$T"
		assert_output "not testable here"
		run claim --a x --b $lab --claim 100 "$T"
		assert_output "not testable here"
	done
	run claim --server x --claim 100 --where server=short "$T"
	assert_output "not testable here"
}

@test "stats: a claim about a difference: reproduced, direction only, or not" {
	differences -48 -47 -53 -50 -51 -52 -49 >"$T"
	while read -r value verdict; do
		run claim --a a --b b --claim "$value" "$T"
		assert_output "$verdict"
	done <<-END
		-50 reproduced within 20 %
		-60 reproduced within 20 %
		-42 reproduced within 20 %
		-75 direction only
		-10 direction only
		50 not reproduced
		0 not reproduced
	END
	differences -90 -48 -47 -53 -50 -51 10 >"$T" # right by luck: it may as well be +10
	run claim --a a --b b --claim -50 "$T"
	assert_output "not reproduced"
	differences -2 -1 0 1 2 3 -3 >"$T"
	run claim --a a --b b --claim 0 "$T"
	assert_output "reproduced within 20 %"
	run claim --a a --b b --claim 0 --tolerance 1 "$T"
	assert_output "not reproduced"
	run claim --a a --b b --claim 0 --absolute "$T"
	assert_output "not reproduced"
	differences -50 -50 -50 >"$T"
	run claim --a a --b b --claim -50 "$T"
	assert_output "too few pairs (3 of 6)"
}

# wrong STATUS LINE ARG...: fails with this one line, and prints nothing else.
wrong() {
	run -"$1" --separate-stderr stats "${@:3}"
	# shellcheck disable=SC2154
	[[ $stderr == "$2" ]] || fail "said: $stderr
instead of: $2"
	refute_output
}

@test "stats: bad usage is one line and status 2" {
	trials 1 >"$T"
	wrong 2 "stats: '' is not table, summary, pairs or claim, see --help"
	wrong 2 "stats: 'mean' is not table, summary, pairs or claim, see --help" mean
	wrong 2 "stats summary: --metric is missing, see --help" summary "$T"
	wrong 2 "stats summary: 'b': takes one FILE, see --help" summary -m us "$T" b
	wrong 2 "stats summary: unrecognized option '--seed'" summary -m us --seed 1 "$T"
	wrong 2 "stats pairs: --a is missing, see --help" pairs -m us --b x "$T"
	wrong 2 "stats pairs: --b is missing, see --help" pairs -m us --a x "$T"
	wrong 2 "stats pairs: --a and --b are both 'x'" pairs -m us --a x --b x "$T"
	wrong 2 "stats pairs: --within: '-1' is not a number from 0 to 1e+18" pairs --within -1 "$T"
	wrong 2 "stats pairs: --seed: 'x' is not a whole number from 0 to 2147483647" pairs --seed x
	wrong 2 "stats claim: --claim is missing, see --help" claim -m us --server x "$T"
	wrong 2 "stats claim: a claim is about --server, or about --a and --b" claim -m us --claim 1 "$T"
	wrong 2 "stats claim: a claim is about --server, or about --a and --b" \
		claim -m us --claim 1 --server x --a x "$T"
	wrong 2 "stats claim: --b is missing, see --help" claim -m us --claim 1 --a x "$T"
	wrong 2 "stats claim: --absolute and --counts: go with --a and --b" \
		claim -m us --claim 1 --server x --absolute "$T"
	wrong 2 "stats summary: --where: 'us' is not COLUMN=VALUE" summary -m us --where us "$T"
	wrong 2 "stats summary: an empty word in a list with commas" summary -m us --by server,, "$T"
	wrong 2 "stats summary: --by: more than 8 columns" \
		summary -m us --by server,server,server,server,server,server,server,server,server "$T"
	wrong 2 "stats summary: --by: 'kept' is also the name of a result" summary -m us --by kept "$T"
	differences 1 >"$T"
	wrong 2 "stats pairs: --by: server is what --a and --b compare" \
		pairs -m us --a a --b b --by server "$T"
	run -0 stats --help
	assert_line --regexp '^ +pairs +The difference'
	run -0 stats claim --help
	assert_line --index 0 'usage: stats claim [options] [FILE]'
}

# bad LINE TEXT ARG...: the file TEXT is wrong in this way.
bad() {
	printf '%b' "$2" >"$T"
	wrong 1 "stats ${3-summary}: $1" "${3-summary}" --metric us "${@:4}" "$T"
}

@test "stats: a bad file is one line with file, line and culprit, and status 1" {
	local head='server\tcase\ttrial\tkept\tmetric\tvalue\n' ab=(pairs --a a --b b)
	bad "$T: no row of column names" ''
	bad "$T: no row of column names" '# only a comment\n! x error\n'
	bad "$T: no trials" "$head"
	bad "$T: no column 'case'" 'server\ttrial\tkept\tmetric\tvalue\nx\t1\t1\tus\t5\n'
	bad "$T: no trial where metric is 'us'" "${head}x\t-\t1\t1\tms\t5\n"
	bad "$T:1: two columns 'value'" 'value\tserver\tcase\ttrial\tkept\tmetric\tvalue\n'
	bad "$T:3: 4 columns, the header has 6" "# a\n${head}x\t1\t1\t1\n"
	bad "$T:2: 7 columns, the header has 6" "${head}x\t-\t1\t1\tus\t5\t6\n"
	bad "$T:3: kept: 'yes' is none of 1, 0, limited" "${head}x\t-\t1\t1\tus\t5\nx\t-\t1\tyes\tus\t5\n"
	for value in '' 5us - inf 1e999 ' '; do
		bad "$T:2: value: '$value' is not a number" "${head}x\t-\t1\t1\tus\t$value\n"
		bad "$T:2: value: '$value' is not a number" "${head}a\t-\t1\t0\tus\t$value\nb\t-\t1\t1\tus\t1" "${ab[@]}"
	done
	bad "$T:2: a NUL byte: not a text file" "${head}x\t-\t1\t1\tus\t5\0\n"
	bad "$T: no column 'rate'" "${head}x\t-\t1\t1\tus\t5\n" summary --by rate
	bad "$T: no column 'rate'" "${head}x\t-\t1\t1\tus\t5\n" summary --where rate=1
	bad "$T: no trial where trial is '2'" "${head}x\t-\t1\t1\tus\t5\n" summary --where trial=2
	bad "$T: no trial of server 'a'" "${head}b\t-\t1\t1\tus\t5\n" "${ab[@]}"
	bad "$T: no trial of server 'b'" "${head}a\t-\t1\t1\tus\t5\n! bb error\n" "${ab[@]}"
	bad "$T: no trial of server 'y'" "${head}x\t-\t1\t1\tus\t5\n" claim --server y --claim 1
	bad "$T:4: a second trial of a in pair '7', see line 2" \
		"${head}a\t-\t7\t1\tus\t5\nb\t-\t7\t1\tus\t5\na\t-\t7\t1\tus\t5\n" "${ab[@]}"
	bad "$T:3: us is 0: nothing is relative to that, see --absolute" \
		"${head}b\t-\t1\t1\tus\t5\na\t-\t1\t1\tus\t0\n" "${ab[@]}"
	wrong 1 "stats summary: $T.none: No such file or directory" summary -m us "$T.none"
	wrong 1 "stats summary: $BATS_TEST_TMPDIR: Is a directory" summary -m us "$BATS_TEST_TMPDIR"
	run -1 bash -c "'$BUILD/stats' summary -m us </dev/null"
	assert_output "stats summary: stdin: no row of column names"
	trials 1 >"$T"
	run -1 bash -c "'$BUILD/stats' summary -m us '$T' >/dev/full"
	assert_output "stats summary: stdout: No space left on device"
}
