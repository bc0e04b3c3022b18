# Latency by percentile at the claimed load: every trial a thin line, none of them the winner.
load "plots/style.gp"
of(s) = s[:strstrt(s, "|") - 1]
trial(s) = s[strstrt(s, "|") + 1:strlen(s) - 2]
one(s) = points(of(s), trial(s), all)
noisy = system("awk -F'\t' '".body."$2 ~ /:/ && $9 && !seen[$1, $2]++ { printf \"%s|%s|1 \", $1, $2 }' '".data."'")
quiet = system("awk -F'\t' '".body."$2 ~ /:/ && !$9 && !seen[$1, $2]++ { printf \"%s|%s|0 \", $1, $2 }' '".data."'")

set title "Latency at the claimed load, counted from when each request was due"
set xlabel "percentile (the axis is 1/(1-p), log)"
if (!text) { set ylabel "latency, µs (log)" }
set logscale xy
set xrange [1:1.3 * peak(3, 1000)]
set yrange [10:2 * peak(4, 5000)]
set xtics @percentiles
set ytics @decades
set grid xtics
if (text) { unset grid }
set key top left reverse Left samplen 3
set label 1 sprintf("a thin line a trial: %d of %d were quiet enough\nto judge by, the dashed ones were not", words(quiet), words(quiet) + words(noisy)) \
	at graph 0.98, 0.1 right textcolor rgb "#444444"
plot @nothing, \
	for [s in noisy] one(s) using 3:4 with lines lc rgb "#90999999" lw 1 dt 2 notitle, \
	for [s in quiet] one(s) using 3:4 with lines lc rgb tint(of(s)) + 0x50000000 lw 1.3 dt 1 notitle, \
	for [s in have] 1/0 with lines lt style(s) lw 2 dt solid title s, \
	1/0 with lines lc rgb "#aaaaaa" dt 2 title "rejected as too noisy"
if (text) { print footer }
