# System calls per request against k, the message size in read buffers: model and measurement.
load "plots/style.gp"
metric = "calls_per_request"
set title "System calls for a large message: model and measurement"
set xlabel "k = message size / read buffer (4,096 bytes)"
if (!text) { set ylabel "system calls per request" }
set xrange [0.5:far(metric, 8) + 0.5]
set yrange [0:1.05 * top(metric, 25)]
set xtics 1
set key top left reverse Left
set arrow 1 from 2, graph 0 to 2, 6 nohead lt 40
set label 1 "the models cross at k = 2: 6 calls each" at (text ? 2.3 : 2.15), 1.5
model(n) = n == 3 ? "level-triggered: 3k" : "edge-triggered: 2k + 2"
plot for [n=3:4] (n == 3 ? 3 * x : 2 * x + 2) lt n title model(n).", model", \
	for [n in drawn(metric, any)] points(n, metric, any) using 2:3 with points lt style(n) ps (style(n) == 3 ? 1.4 : 1.0) title n.", measured"
if (text) { print footer }
