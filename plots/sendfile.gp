# A file by sendfile, and by pread and send: CPU and system calls for a GB.
load "plots/style.gp"
cpu = "cpu_s_per_gb"
calls = "sendfile pread send epoll_wait"
names = drawn(cpu, any)
n = words(names)
called(i) = strstrt(word(names, i), "--copy") ? "pread + send" : "sendfile"
hue(i) = called(i) eq "sendfile" ? "#0072b2" : "#d55e00"
set boxwidth 0.5
set multiplot
set xrange [0.4:n + 0.6]
set xtics scale 0
unset key
set for [i = 1:n] label i called(i) at i, graph -0.07 center
set format x ""
set origin 0, 0
set size 0.5, 1
set title "CPU of the server"
if (!text) { set ylabel "seconds per GB; bar: median, circles: trials" }
set yrange [0:1.25 * top(cpu, 0)]
plot for [i = 1:n] points(word(names, i), cpu, any) using (i):3 with boxes lc rgb hue(i), \
	for [i = 1:n] dots(word(names, i), cpu, any) using (i + 0.1 * ($4 - 2)):3 with points pt 6 ps 1 lc rgb "#222222", \
	for [i = 1:n] points(word(names, i), cpu, any) using (i):(top(cpu, 0)):(sprintf("%.2f", $3)) with labels offset 0, 1
unset label 100
set origin 0.5, 0
set title "System calls"
if (!text) { set ylabel "calls per GB (log)" }
set logscale y
set yrange [10:10 * (top("sendfile", 0) + top("pread", 0) + top("send", 0) + top("epoll_wait", 0))]
set ytics ("10" 10, "100" 100, "1,000" 1e3, "10,000" 1e4, "100,000" 1e5)
plot for [i = 1:n] points(word(names, i), calls, any) using (i):($3 + $6 + $9 + $12) with boxes lc rgb hue(i), \
	for [i = 1:n] points(word(names, i), calls, any) using (i):($3 + $6 + $9 + $12):(human($3 + $6 + $9 + $12)) with labels offset 0, 0.8
unset multiplot
if (text) { print footer }
