# One active connection among N: what the idle ones cost it.
load "plots/style.gp"
set multiplot
set logscale xy
set xlabel "connections, all idle but one (log)"
set xrange [0.7:1.5 * far("p50_us", 10000)]
set xtics @sizes
set key top left reverse Left
do for [i=1:2] {
	metric = word("p50_us cpu_us", i)
	set origin 0.5 * (i - 1), 0
	set size 0.5, 1
	name = i == 1 ? (text ? "Median latency, us (log)" : "Median latency of the active one") : (text ? "CPU us a request (log)" : "CPU per request")
	unit = i == 1 ? "p50, µs (log)" : "CPU of the server, µs per request (log)"
	set title name
	if (!text) { set ylabel unit }
	set yrange [1:5 * top(metric, 100)]
	set ytics @decades
	plot @nothing, @medians
	unset label 100
	unset key
	set rmargin 3
}
unset multiplot
if (text) { print footer }
