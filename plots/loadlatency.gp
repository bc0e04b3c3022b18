# Latency against offered load, p50 and p99: the median of the kept trials, least and largest.
load "plots/style.gp"
set multiplot
set logscale xy
set xlabel (text ? "requests per second (log)" : "offered load, requests per second (log)")
set xrange [0.7 * near("p50_us", 5000):1.5 * far("p50_us", 100000)]
set xtics @rates
set ytics @decades
set key top left reverse Left samplen 3
# The highest rates that were found, each in a line of its own, left of all: they may lie close.
data = beside("saturation")
found = drawn("maximum", any)
limit(n) = median(n, "-", "maximum")
open(n) = strstrt(" ".drawn("maximum", empty), " ".n." ") > 0
least = 1e9
do for [n in found] { least = limit(n) < least ? limit(n) : least }
do for [i=1:words(found)] {
	n = word(found, i)
	set arrow i from limit(n), graph 0 to limit(n), graph 0.62 nohead lc rgb tint(n) lw 1.2 dt (2,4)
	if (!text) {
		says = n.": ".(open(n) ? ">= " : "max ").human(limit(n))
		set label i says at least, graph 0.66 - 0.07 * i right offset character -0.7, 0 font small textcolor rgb tint(n)
	}
}
data = beside("load")
do for [i=1:2] {
	metric = word("p50_us p99_us", i)
	panel = word("p50 p99", i)
	set origin 0.5 * (i - 1), 0
	set size 0.5, 1
	set title (text ? panel.", µs (log)" : panel eq "p50" ? "Median latency (p50)" : "The tail (p99)")
	if (!text) { set ylabel panel.", µs (log)" }
	set yrange [10:40 * top(metric, 1000)]
	plot @nothing, @medians, \
		1/0 with points pt 6 lc rgb "#444444" title (text ? "" : "hollow: client-limited or too noisy")
	unset label
	unset key
	set rmargin 3
}
unset multiplot
if (text) { print footer }
