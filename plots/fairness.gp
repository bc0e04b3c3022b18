# What a ping waits, by when it was sent, while three others flood.
load "plots/style.gp"
flood(f) = 0.0 + system("awk -F'\t' '/^0/ && $4 == 1 { if (!n++ || $2 < a) a = $2; if ($2 > b) b = $2 } END { printf \"%.3f\", ".f." / 1000 }' '".data."'")
worst(n) = 0.0 + system(sprintf("awk -F'\t' '$1 == \"%s\" && $4 == 1 && $3 > m { m = $3 } END { printf \"%%.3f\", m / 1000 }' '%s'", n, data))
turn(n) = int(system(sprintf("awk '/^# reads per epoll_wait %s: / { n = $NF } END { print n + 0 }' '%s'", n, data)))
ms(x) = x < 10 ? sprintf("%.1f ms", x) : commas(int(x + 0.5))." ms"

set title "A ping beside a flood: when it is answered" offset 0, (text ? 0 : 0.8)
set xlabel "seconds, when the ping was sent"
if (!text) { set ylabel "answered after, ms (log scale)" }
set xrange [0:peak(2, 1800) / 1000]
set logscale y
set yrange [0.01:20 * peak(3, 1000) / 1000]
set ytics ("0.01" 0.01, "0.1" 0.1, "1" 1, "10" 10, "100" 100, "1,000" 1e3, "10,000" 1e4)
set key at graph 0.99, 0.99 right top width -2
begins = flood("a")
ends = flood("b")
if (!text) {
	set object 1 rectangle from begins, graph 0 to ends, graph 1 behind fc rgb "#eeeeee" fs solid noborder
}
set label 1 "three clients flood" at (begins + ends) / 2, graph (text ? 0.5 : 1.025) center
plot for [n in have] rows(n) using ($2 / 1000):($3 / 1000) with linespoints lt style(n) ps 0.5 \
	title sprintf("%s: slowest %s, %s reads per epoll_wait", text ? n[1:2] : n, ms(worst(n)), commas(turn(n)))
if (text) { print footer }
