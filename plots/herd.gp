# Wakeups per connection against the number of processes on one listening socket.
load "plots/style.gp"
set linetype 21 lc rgb "#56b4e9" lw 2 pt 7 ps 1.2 dt solid
set linetype 22 lc rgb "#332288" lw 2 pt 9 ps 1.3 dt (9,4)
switches = "switches_per_connection"
most = far(switches, 0)

set title "The thundering herd: processes woken for one connection"
set xlabel "processes (log)"
if (!text) { set ylabel "voluntary context switches per connection (log)" }
set logscale xy 2
set xrange [0.8:1.3 * most]
set yrange [0.5:2 * top(switches, most)]
set xtics (1, 2, 4, 8, 16, 32, 64)
set ytics (0.5, 1, 2, 4, 8, 16, 32, 64)
set key top left reverse Left
plot x with lines lt 40 title "all of them: N", 1 with lines lt 40 title "one: 1", \
	points("09-exclusive", switches, any) using 2:3 with linespoints lt 21 title "09-exclusive", \
	points("09-exclusive--exclusive", switches, any) using 2:3 with linespoints lt 22 title "09-exclusive --exclusive", \
	points("09-exclusive", "returns_per_connection", any) using 2:3 with points lt 21 pt 6 title "09-exclusive, returns of epoll_wait: the herd hides"
if (text) { print footer }
