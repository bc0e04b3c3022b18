# Latency and system calls a second against the number of connections, at one request rate:
# the median of the trials, and each trial a dot (hollow: rejected as too noisy).
load "plots/style.gp"
set multiplot
set logscale xy
set xlabel "connections (log)"
reach = far("p50", 10000)
set xrange [0.7:1.5 * reach]
set xtics @sizes
set key top left reverse Left
set origin 0, 0
set size 0.5, 1
set title (text ? "Median latency, µs (log)" : "Median latency")
if (!text) { set ylabel "p50, µs (log)" }
set yrange [3:3 * top("p50", 20000)]
set ytics @decades
panel = "p50"
dots = trials > 1 && !text
plot @nothing, for [n in drawn(panel, all)] points(n, panel, all) using 3:4 with linespoints lt style(n) title n, \
	for [n in (dots ? drawn(panel.".trial", "0") : "")] points(n, panel.".trial", "0") using 3:4 with points lt style(n) ps 0.5 notitle, \
	for [n in (dots ? drawn(panel.".trial", "1") : "")] points(n, panel.".trial", "1") using 3:4 with points lt style(n) pt mark(n) - 1 ps 0.7 lw 1 notitle
unset label 100
set rmargin 3
unset key
set origin 0.5, 0
set title (text ? "System calls per second (log)" : "What the server does for it")
if (!text) { set ylabel "system calls per second (log)" }
set yrange [1000:3 * top("calls", 5e6)]
panel = "calls"
replot
unset multiplot
if (text) { print footer }
