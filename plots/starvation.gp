# Bytes answered over time: a burst in one send, silence, then a byte every 50 ms.
load "plots/style.gp"
metric = "answered"
# What 05 had answered when the silence ended.
silence = median("05-et-starving", "-", "silence")
stuck = median("05-et-starving", "-", "stuck")

set title "One read per edge: what is answered, and when"
set xlabel "seconds since the one send of the burst"
if (!text) { set ylabel "bytes answered" }
set yrange [0:1.15 * top(metric, 10000)]
set xrange [0:far(metric, 2400) / 1000]
set ytics ("0" 0, "2,000" 2000, "4,000" 4000, "6,000" 6000, "8,000" 8000, "10,000" 10000)
set key at graph 0.99, 0.84 right top
set arrow 1 from 1, graph 0 to 1, graph 1 nohead lt 40
set label 1 "the client is silent" at 0.5, 8700 center
set label 2 (text ? "a byte every 50 ms" : "then it sends a byte every 50 ms") at (text ? 1.08 : 1.04), (text ? 9300 : 8700) left
if (drawn("silence", any) ne "") {
	set label 3 sprintf("05 has answered %s;\n%s lie in the kernel", commas(silence), commas(stuck)) \
		at 0.5, silence + 1700 center
}
plot for [n in drawn(metric, any)] dots(n, metric, any) using ($2 / 1000):3 with steps lt style(n) lw (style(n) == 3 ? 5 : 2.5) title n
if (text) { print footer }
