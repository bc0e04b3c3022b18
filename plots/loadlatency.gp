# Latency against offered load, p50 and p99: the median of the kept trials, least and largest.
load "plots/style.gp"
set multiplot
set logscale xy
set xlabel (text ? "requests per second (log)" : "offered load, requests per second (log)")
set xrange [0.7 * near("p50", 5000):1.5 * far("p50", 100000)]
set xtics @rates
set ytics @decades
set key top left reverse Left samplen 3
limit(n) = 0.0 + system(sprintf("awk -F'\t' '%s$1 == \"%s\" && $2 == \"maximum\" { print $4; exit }' '%s'", body, n, data))
open(n) = 0 + system(sprintf("awk -F'\t' '%s$1 == \"%s\" && $2 == \"maximum\" { print $9; exit }' '%s'", body, n, data))
found = drawn("maximum", all)
# Each maximum in a line of its own, left of both: they may lie close to each other.
least = 1e9
do for [i=1:words(found)] { least = limit(word(found, i)) < least ? limit(word(found, i)) : least }
do for [i=1:words(found)] {
	n = word(found, i)
	set arrow i from limit(n), graph 0 to limit(n), graph 0.62 nohead lc rgb tint(n) lw 1.2 dt (2,4)
	if (!text) {
		says = n.": ".(open(n) ? ">= " : "max ").human(limit(n))
		set label i says at least, graph 0.66 - 0.07 * i right offset character -0.7, 0 font small textcolor rgb tint(n)
	}
}
do for [i=1:2] {
	panel = word("p50 p99", i)
	set origin 0.5 * (i - 1), 0
	set size 0.5, 1
	set title (text ? panel.", µs (log)" : panel eq "p50" ? "Median latency (p50)" : "The tail (p99)")
	if (!text) { set ylabel panel.", µs (log)" }
	set yrange [10:40 * top(panel, 1000)]
	plot @nothing, for [n in drawn(panel, all)] points(n, panel, all) using 3:4 with lines lt style(n) dt solid title n, \
		for [n in drawn(panel, "0")] points(n, panel, "0") using 3:4:5:6 with yerrorbars lt style(n) dt solid notitle, \
		for [n in drawn(panel, "1")] points(n, panel, "1") using 3:4:5:6 with yerrorbars lt style(n) dt solid pt mark(n) - 1 notitle, \
		1/0 with points pt 6 lc rgb "#444444" title (text ? "" : "hollow: client-limited or too noisy")
	unset label
	unset key
	set rmargin 3
}
unset multiplot
if (text) { print footer }
