# EPOLLOUT always armed: returns of epoll_wait and CPU, with nothing to do.
load "plots/style.gp"
returns = "returns_per_s"
cpu = "cpu_percent"
n = words(drawn(returns, any))
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
set yrange [1:10 * top(returns, 1e7)]
set ytics ("0" 1, "100" 100, "10,000" 1e4, "1 M" 1e6, "100 M" 1e8)
plot points("", returns, any) using 0:($3 < 1 ? 1 : $3):(tint(strcol(1))):xtic(short(strcol(1))) with boxes lc rgb variable, \
	points("", returns, any) using 0:($3 < 1 ? 1 : $3):(human($3)) with labels offset 0, 0.8
unset label 100
unset logscale y
set origin 0.52, 0
set size 0.48, 1
set title (text ? "CPU of the server, %" : "CPU of the server")
if (!text) { set ylabel "CPU of the server, % of one" }
set yrange [0:1.15 * top(cpu, 100)]
set ytics 20
plot points("", cpu, any) using 0:3:(tint(strcol(1))):xtic(short(strcol(1))) with boxes lc rgb variable, \
	points("", cpu, any) using 0:3:($3 == 0 ? "0" : sprintf("%.1f", $3)) with labels offset 0, 0.8
unset multiplot
if (text) { print footer }
