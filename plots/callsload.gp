# System calls per request against load: the more is ready at once, the less each waiting costs.
load "plots/style.gp"
set title "System calls per request against load"
set xlabel "offered load, requests per second (log)"
if (!text) { set ylabel "calls per request" }
set logscale x
set xrange [0.7 * near("calls", 5000):1.4 * far("calls", 100000)]
set xtics @rates
set yrange [0:1.5 * top("calls", 4)]
set ytics 1
set key top right reverse Left samplen 4
plot @nothing, \
	for [n in drawn("calls", all)] points(n, "calls", all) using 3:4 with lines lt style(n) dt solid title n.", all calls", \
	for [n in drawn("calls", "0")] points(n, "calls", "0") using 3:4:5:6 with yerrorbars lt style(n) dt solid notitle, \
	for [n in drawn("calls", "1")] points(n, "calls", "1") using 3:4:5:6 with yerrorbars lt style(n) dt solid pt mark(n) - 1 notitle, \
	for [n in drawn("wait", all)] points(n, "wait", all) using 3:4 with lines lt style(n) lw 1.2 dt (4,4) notitle, \
	1/0 with lines lc rgb "#444444" lw 1.2 dt (4,4) title "epoll_wait alone", \
	1/0 with points pt 6 lc rgb "#444444" title (text ? "" : "hollow: the client was the limit, or all too noisy")
if (text) { print footer }
