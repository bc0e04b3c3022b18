# Throughput, and the CPU of a request, against the number of processes.
load "plots/style.gp"
set linetype 22 lc rgb "#332288" lw 2 pt 9 ps 1.1 dt (9,4)
set linetype 23 lc rgb "#882255" lw 2 pt 7 ps 1.0 dt solid
names = "09-exclusive--exclusive 10-reuseport"
one(n) = sprintf("<awk -F'\t' '$1 == \"%s\"' '%s'", word(names, n), data)
# The middle trial of each number of workers; with an even number of them the lower one.
median(n, column) = sprintf("<awk -F'\t' -v c=%d '$1 == \"%s\" { print $2, $c }' '%s' | sort -k1,1n -k2,2n | awk '{ v[$1, ++k[$1]] = $2 } END { for (w = 1; w <= 64; w++) if (k[w]) printf \"%%d\\t%%s\\n\", w, v[w, int((k[w] + 1) / 2)] }'", column, word(names, n), data)
title(n) = n == 1 ? "09-exclusive --exclusive" : "10-reuseport"
top(column) = 0.0 + system(sprintf("awk -F'\t' '/^[01]/ && $%d > m { m = $%d } END { print m + 0 }' '%s'", column, column, data))

set multiplot
set logscale x 2
set xlabel "processes (log)"
set xrange [0.8:1.3 * top(2)]
set xtics (1, 2, 4, 8, 16)
set origin 0, 0
set size 0.5, 1
set key top left reverse Left
set title "Throughput, closed loop"
if (!text) { set ylabel "thousand requests per second" }
set yrange [0:1.4 * (top(4) > 0 ? top(4) / 1000 : 1)]
plot for [n=1:2] one(n) using 2:($4 / 1000) with points lt 21 + n notitle, \
	for [n=1:2] median(n, 4) using 1:($2 / 1000) with lines lt 21 + n title title(n)
unset label 100
unset key
set origin 0.5, 0
set title "... and what a request costs"
if (!text) { set ylabel "CPU of the server, µs per request" }
set yrange [0:1.4 * (top(5) > 0 ? top(5) : 1)]
plot for [n=1:2] one(n) using 2:5 with points lt 21 + n, \
	for [n=1:2] median(n, 5) using 1:2 with lines lt 21 + n
unset multiplot
if (text) { print footer }
