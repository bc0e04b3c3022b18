# Latency and system calls a second against the number of connections, at one request rate:
# the median of the trials, and each trial a dot (hollow: rejected as too noisy).
load "plots/style.gp"
set multiplot
set logscale xy
set xlabel "connections (log)"
set xrange [0.7:1.5 * far("p50_us", 10000)]
set xtics @sizes
set key top left reverse Left
set origin 0, 0
set size 0.5, 1
set title (text ? "Median latency, µs (log)" : "Median latency")
if (!text) { set ylabel "p50, µs (log)" }
set yrange [3:3 * top("p50_us", 20000)]
set ytics @decades
metric = "p50_us"
several = trials > 1 && !text
plot @nothing, for [n in drawn(metric, any)] points(n, metric, any) using 2:3 with linespoints lt style(n) title n, \
	for [n in (several ? drawn(metric, any) : "")] dots(n, metric, firm) using 2:3 with points lt style(n) ps 0.5 notitle, \
	for [n in (several ? drawn(metric, any) : "")] dots(n, metric, empty) using 2:3 with points lt style(n) pt mark(n) - 1 ps 0.7 lw 1 notitle
unset label 100
set rmargin 3
unset key
set origin 0.5, 0
set title (text ? "System calls per second (log)" : "System calls of the server")
if (!text) { set ylabel "system calls per second (log)" }
set yrange [1000:3 * top("syscalls_per_s", 5e6)]
metric = "syscalls_per_s"
replot
unset multiplot
if (text) { print footer }
