# EPOLLOUT always armed: returns of epoll_wait and CPU, with nothing to do.
load "plots/style.gp"
bars = "<awk -F'\t' '".body."1' '".data."'"
n = int(system(bars[2:]." | wc -l"))
if (text) { set style fill empty border } else { set style fill solid 0.9 noborder }
set boxwidth 0.6
set multiplot
set xrange [-0.6:n - 0.4]
set xtics font small scale 0
unset key
set origin 0, 0
set size 0.52, 1
set title (text ? "epoll_wait returns/s (log)" : "epoll_wait, one idle client")
if (!text) { set ylabel "returns per second (log; 0 at the base)" }
set logscale y
set yrange [1:10 * peak(2, 1e7)]
set ytics ("0" 1, "100" 100, "10,000" 1e4, "1 M" 1e6, "100 M" 1e8)
plot bars using 0:($2 < 1 ? 1 : $2):(tint(strcol(1))):xtic(short(strcol(1))) with boxes lc rgb variable, \
	bars using 0:($2 < 1 ? 1 : $2):(human($2)) with labels offset 0, 0.8
unset label 100
unset logscale y
set origin 0.52, 0
set size 0.48, 1
set title (text ? "CPU of the server, %" : "... and what it costs")
if (!text) { set ylabel "CPU of the server, % of one" }
set yrange [0:1.15 * peak(3, 100)]
set ytics 20
plot bars using 0:3:(tint(strcol(1))):xtic(short(strcol(1))) with boxes lc rgb variable, \
	bars using 0:3:($3 == 0 ? "0" : sprintf("%.1f", $3)) with labels offset 0, 0.8
unset multiplot
if (text) { print footer }
