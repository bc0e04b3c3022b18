# Coordinated omission: one server that stalls, seen by a client that waits and one that does not.
load "plots/style.gp"
set title "The same stalled server, measured twice"
set xlabel "percentile (the axis is 1/(1-p), log)"
if (!text) { set ylabel "latency, µs (log)" }
set logscale xy
set xrange [1:1.3 * peak(3, 1000)]
set yrange [10:(text ? 200 : 20) * peak(4, 500000)]
set xtics @percentiles
set ytics @decades
set grid xtics
if (text) { unset grid }
set key top left reverse Left samplen 4
says(n) = n eq "open" ? "open loop: counted from when each request was due" : \
	n eq "closed" ? "closed loop: the client waits, and so does not ask" : n
plot @nothing, for [n in have] points(n, "curve", all) using 3:4 with lines lt style(n) lw 3 title says(n)
if (text) { print footer }
