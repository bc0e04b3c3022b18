# Bytes answered over time: a burst in one send, silence, then a byte every 50 ms.
load "plots/style.gp"
# What 05 had answered when the silence ended, of what the client had sent.
quiet = system("awk -F'\t' '/^05/ && $2 < 1000 { a = $4; s = $3 } END { print a + 0, s + 0 }' '".data."'")
answered = int(0 + word(quiet, 1))
sent = int(0 + word(quiet, 2))

set title "One read per edge: what is answered, and when"
set xlabel "seconds since the one send of the burst"
if (!text) { set ylabel "bytes answered" }
set yrange [0:1.15 * peak(4, 10000)]
set xrange [0:peak(2, 2400) / 1000]
set ytics ("0" 0, "2,000" 2000, "4,000" 4000, "6,000" 6000, "8,000" 8000, "10,000" 10000)
set key at graph 0.99, 0.84 right top
set arrow 1 from 1, graph 0 to 1, graph 1 nohead lt 40
set label 1 "the client is silent" at 0.5, 8700 center
set label 2 (text ? "a byte every 50 ms" : "then it sends a byte every 50 ms") at (text ? 1.08 : 1.04), (text ? 9300 : 8700) left
if (sent > 0) {
	set label 3 sprintf("05 has answered %s;\n%s lie in the kernel", commas(answered), commas(sent - answered)) \
		at 0.5, answered + 1700 center
}
plot for [n in have] rows(n) using ($2 / 1000):4 with steps lt style(n) lw (style(n) == 3 ? 5 : 2.5) title n
if (text) { print footer }
