# Latency by percentile at the claimed load: every trial a thin line, none of them the winner.
load "plots/style.gp"
noisy = series("us", empty)
quiet = series("us", firm)

set title "Latency at the claimed load, counted from when each request was due"
load "plots/curves.gp"
set yrange [10:2 * peak("us", 5000)]
set label 1 sprintf("a thin line a trial: %d of %d were quiet enough\nto judge by, the dashed ones were not", words(quiet), words(quiet) + words(noisy)) \
	at graph 0.98, 0.1 right textcolor rgb "#444444"
plot @nothing, \
	for [s in noisy] curve(s, "us") using 2:3 with lines lc rgb "#90999999" lw 1 dt 2 notitle, \
	for [s in quiet] curve(s, "us") using 2:3 with lines lc rgb tint(of(s)) + 0x50000000 lw 1.3 dt 1 notitle, \
	for [n in drawn("us", any)] 1/0 with lines lt style(n) lw 2 dt solid title n, \
	1/0 with lines lc rgb "#aaaaaa" dt 2 title "rejected as too noisy"
if (text) { print footer }
