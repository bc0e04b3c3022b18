# Throughput, and the CPU of a request, against the number of processes: medians with the least
# and the largest of the trials.
load "plots/style.gp"
set linetype 22 lc rgb "#332288" lw 2 pt 9 ps 1.1 dt (9,4)
set linetype 23 lc rgb "#882255" lw 2 pt 7 ps 1.0 dt solid
set linetype 24 lc rgb "#44aa99" lw 2 pt 5 ps 1.0 dt (3,3)
names = "09-exclusive--exclusive 10-reuseport 10-reuseport--pin"
rate = "rate"
cpu = "cpu_us_per_request"
there(n) = strstrt(" ".drawn(rate, any), " ".word(names, n)." ") > 0
title(n) = !there(n) ? "" : n == 1 ? "09 --exclusive" : n == 2 ? "10" : "10 --pin"
aside(n) = 2 ** (0.06 * (n - 2)) # beside one another: bars at the same number would hide each other

set multiplot
set logscale x 2
set xlabel "processes (log)"
set xrange [0.8:1.3 * far(rate, 2)]
set xtics (1, 2, 4, 8, 16)
set origin 0, 0
set size 0.5, 1
set key top left reverse Left
set title (text ? "1000 requests/s" : "Throughput, closed loop")
if (!text) { set ylabel "thousand requests per second" }
set yrange [0:1.4 * top(rate, 1) / 1000]
plot for [n=1:3] points(word(names, n), rate, any) using ($2 * aside(n)):($3 / 1000) with linespoints lt 21 + n title title(n), \
	for [n=1:3] points(word(names, n), rate, any) using ($2 * aside(n)):($3 / 1000):($4 / 1000):($5 / 1000) with yerrorbars lt 21 + n dt solid notitle
unset label 100
unset key
set origin 0.5, 0
set title (text ? "CPU, µs a request" : "CPU per request")
if (!text) { set ylabel "CPU of the server, µs per request" }
set yrange [0:1.4 * top(cpu, 1)]
plot for [n=1:3] points(word(names, n), cpu, any) using ($2 * aside(n)):3 with lines lt 21 + n, \
	for [n=1:3] points(word(names, n), cpu, any) using ($2 * aside(n)):3:4:5 with yerrorbars lt 21 + n dt solid
unset multiplot
if (text) { print footer }
