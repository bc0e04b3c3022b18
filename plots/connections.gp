# Latency and system calls a second against the number of connections, at one request rate.
load "plots/style.gp"
series = system("awk -F'\t' '/^0/ && !seen[$1, $3]++ { printf \"%s:%s \", substr($1, 1, 2), $3 }' '".data."'")
one(s) = sprintf("<awk -F'\t' '/^%s/ && $3 == \"%s\"' '%s'", s[1:2], s[4:], data)
first(s) = strstrt(series, s[1:3]) == strstrt(series, s)

set multiplot
set logscale xy
set xlabel "connections (log)"
set xrange [0.7:1.5 * peak(2, 10000)]
set xtics @sizes
set key top left reverse Left
set origin 0, 0
set size 0.5, 1
set title (text ? "Median latency, µs (log)" : "Median latency")
if (!text) { set ylabel "p50, µs (log)" }
set yrange [3:2 * peak(4, 20000)]
set ytics @decades
plot for [s in series] one(s) using 2:4 with linespoints lt 0 + s[1:2] title (first(s) ? lab(0 + s[1:2]) : "")
unset label 100
set rmargin 3
unset key
set origin 0.5, 0
set title (text ? "System calls per second (log)" : "What the server does for it")
if (!text) { set ylabel "system calls per second (log)" }
set yrange [1000:2 * peak(6, 5e6)]
plot for [s in series] one(s) using 2:6 with linespoints lt 0 + s[1:2]
unset multiplot
if (text) { print footer }
