# System calls per request, stacked by outcome; those who spin get a log scale of their own.
load "plots/style.gp"
set style data histograms
set style fill solid 0.9 border lc rgb "#ffffff"
set boxwidth 0.65
calm = "<awk -F'\t' '".body."$1 !~ /^0[26]/' '".data."'"
busy = "<awk -F'\t' '".body."$1 ~ /^0[26]/' '".data."'"
many(rows) = int(system(rows[2:]." | wc -l"))
most = 0.0 + system("awk -F'\t' '".body."$1 !~ /^0[26]/ { s = 0; for (i = 3; i <= NF; i++) s += $i; if (s > m) m = s } END { print m + 0 }' '".data."'")
total(first) = sum [i=first:10] column(i)
outcome(n) = word("epoll_wait recv,_bytes recv,_EAGAIN send,_bytes send,_EAGAIN epoll_ctl", n)
name(n) = outcome(n)[1:4] eq "epol" ? outcome(n) : outcome(n)[1:5]." ".outcome(n)[7:]

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
	plot for [i=1:6] calm using (column(i + 2)):xtic(short(strcol(1))) lt 40 + i title name(i), \
		calm using ($9 + $10) lt 47 title "accept, other", \
		calm using 0:(total(3)):(sprintf("%.2f", total(3))) with labels offset 0, 0.8 notitle
}
unset label 100
unset key
set origin 0.62, 0
set size 0.38, 1
set title (text ? "... who never waits (log)" : "... who never waits")
if (!text) { set ylabel "calls per request (log)" }
set logscale y
set xrange [-0.6:many(busy) - 0.4]
set yrange [1:10 * peak(3, 1e4)]
set ytics @decades
if (many(busy)) {
	plot busy using 0:(total(3)):(tint(strcol(1))):xtic(short(strcol(1))) with boxes lc rgb variable, \
		busy using 0:(total(3)):(human(total(3))) with labels offset 0, 0.8
}
unset multiplot
if (text) { print footer }
