# System calls per request, stacked by outcome; the two servers that poll or spin have a log scale.
load "plots/style.gp"
set style data histograms
set style fill solid 0.9 border lc rgb "#ffffff"
set boxwidth 0.65
outcomes = "epoll_wait recv_ok recv_eagain send_ok send_eagain epoll_ctl accept other"
outcome(k) = word('epoll_wait "recv, bytes" "recv, EAGAIN" "send, bytes" "send, EAGAIN" epoll_ctl', k)
calm = points("", outcomes." calls", any)." | grep -v '^0[26]'"
busy = points("", "calls", any)." | grep '^0[26]'"
many(rows) = int(system(rows[2:]." | grep -c '^[^-]'; :"))
most = 0.0 + system(calm[2:]." | awk -F'\t' '$27 > m { m = $27 } END { print m + 0 }'")

set multiplot
set origin 0, 0
set size 0.62, 1
set style histogram rowstacked
set title (text ? "Calls per small request" : "System calls per small request")
if (!text) { set ylabel "calls per request" }
step = most > 8 ? 2 : 1
set ytics step
set xrange [-0.6:many(calm) - 0.4]
set yrange [0:(most > 0 ? 1.5 * most : 5)]
set key top left reverse Left maxrows 4 width 1 samplen 1.5
set xtics font small scale 0
if (many(calm)) {
	plot for [k=1:6] calm using (column(3 * k)):xtic(short(strcol(1))) lt 40 + k title outcome(k), \
		calm using ($21 + $24) lt 47 title "accept, other", \
		calm using 0:27:(sprintf("%.2f", $27)) with labels offset 0, 0.8 notitle
}
unset label 100
unset key
set origin 0.62, 0
set size 0.38, 1
set title (text ? "Servers that poll (log)" : "Servers that poll or spin")
if (!text) { set ylabel "calls per request (log)" }
set logscale y
set xrange [-0.6:many(busy) - 0.4]
set yrange [1:10 * top("calls", 1e4)]
set ytics @decades
if (many(busy)) {
	plot busy using 0:3:(tint(strcol(1))):xtic(short(strcol(1))) with boxes lc rgb variable, \
		busy using 0:3:(human($3)) with labels offset 0, 0.8
}
unset multiplot
if (text) { print footer }
