# System calls per request against load: the more is ready at once, the less each waiting costs.
load "plots/style.gp"
metric = "calls_per_request"
wait = "epoll_wait_per_request"
set title "System calls per request against load"
set xlabel "offered load, requests per second (log)"
if (!text) { set ylabel "calls per request" }
set logscale x
set xrange [0.7 * near(metric, 5000):1.4 * far(metric, 100000)]
set xtics @rates
set yrange [0:1.5 * top(metric, 4)]
set ytics 1
set key top right reverse Left samplen 4
more = ", all calls"
plot @nothing, @medians, \
	for [n in drawn(wait, any)] points(n, wait, any) using 2:3 with lines lt style(n) lw 1.2 dt (4,4) notitle, \
	1/0 with lines lc rgb "#444444" lw 1.2 dt (4,4) title "epoll_wait alone", \
	1/0 with points pt 6 lc rgb "#444444" title (text ? "" : "hollow: the client was the limit, or all too noisy")
if (text) { print footer }
