# What a ping waits, by when it was sent, while three others flood.
load "plots/style.gp"
# The first and the last ping that was sent during the flood.
flood = system(pick("points", only("flood", any))." | awk -F'\t' '$3 == 1 { if (!n++ || $2 < a) a = $2; if ($2 > b) b = $2 } END { print a + 0, b + 0 }'")
ms(x) = x < 10 ? sprintf("%.1f ms", x) : commas(int(x + 0.5))." ms"

set title "A ping beside a flood: when it is answered" offset 0, (text ? 0 : 0.8)
set xlabel "seconds, when the ping was sent"
if (!text) { set ylabel "answered after, ms (log scale)" }
set xrange [0:far("us", 1800) / 1000]
set logscale y
set yrange [0.01:20 * top("us", 1000) / 1000]
set ytics ("0.01" 0.01, "0.1" 0.1, "1" 1, "10" 10, "100" 100, "1,000" 1e3, "10,000" 1e4)
set key at graph 0.99, 0.99 right top width -2
begins = word(flood, 1) / 1000.0
ends = word(flood, 2) / 1000.0
if (!text) {
	set object 1 rectangle from begins, graph 0 to ends, graph 1 behind fc rgb "#eeeeee" fs solid noborder
}
set label 1 "three clients flood" at (begins + ends) / 2, graph (text ? 0.5 : 1.025) center
plot for [n in drawn("us", any)] points(n, "us", any) using ($2 / 1000):($3 / 1000) with linespoints lt style(n) ps 0.5 \
	title sprintf("%s: slowest %s, %s reads per epoll_wait", text ? n[1:2] : n, ms(median(n, "-", "slowest_us") / 1000), commas(median(n, "-", "reads_per_wait")))
if (text) { print footer }
