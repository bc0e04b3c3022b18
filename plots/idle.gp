# One active connection among N: what the idle ones cost it.
load "plots/style.gp"
set multiplot
set logscale xy
set xlabel "connections, all idle but one (log)"
set xrange [0.7:1.5 * far("p50", 10000)]
set xtics @sizes
set key top left reverse Left
do for [i=1:2] {
	panel = word("p50 cpu", i)
	set origin 0.5 * (i - 1), 0
	set size 0.5, 1
	name = i == 1 ? (text ? "Median latency, us (log)" : "Median latency of the active one") : (text ? "CPU us a request (log)" : "CPU per request")
	unit = i == 1 ? "p50, µs (log)" : "CPU of the server, µs per request (log)"
	set title name
	if (!text) { set ylabel unit }
	set yrange [1:5 * top(panel, 100)]
	set ytics @decades
	plot @nothing, for [n in drawn(panel, all)] points(n, panel, all) using 3:4 with lines lt style(n) title n, \
		for [n in drawn(panel, "0")] points(n, panel, "0") using 3:4:5:6 with yerrorbars lt style(n) dt solid notitle, \
		for [n in drawn(panel, "1")] points(n, panel, "1") using 3:4:5:6 with yerrorbars lt style(n) dt solid pt mark(n) - 1 notitle
	unset label 100
	unset key
	set rmargin 3
}
unset multiplot
if (text) { print footer }
