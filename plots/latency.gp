# Latency by percentile at a fixed open-loop rate: every trial is a line of its own.
load "plots/style.gp"
# "01-blocking:1 01-blocking:2 …", a line each; and how many requests each line has at least,
# for the runner ends it where fewer than 10 lie beyond.
series = system("awk -F'\t' '".body."!seen[$1, $2]++ { printf \"%s:%s \", $1, $2 }' '".data."'")
least = int(0 + system("awk -F'\t' '".body."{ k = $1 FS $2; if ($4 > m[k]) m[k] = $4 } END { for (k in m) if (!n || m[k] < n) n = m[k]; print 10 * n }' '".data."'"))
of(s) = s[:strstrt(s, ":") - 1]
one(s) = sprintf("<grep '^%s\t%s\t' '%s'", of(s), s[strstrt(s, ":") + 1:], data)
first(s) = strstrt(series, of(s).":") == strstrt(series, s)

set title "Latency, counted from when each request was due"
set xlabel "percentile (the axis is 1/(1-p), log)"
if (!text) { set ylabel "latency, µs (log)" }
set logscale xy
set xrange [1:1.3 * peak(4, 1000)]
set yrange [3:2 * peak(5, 5000)]
set xtics @percentiles
set ytics @decades
set grid xtics
if (text) { unset grid }
set key top left reverse Left samplen 5
says(n) = n == 1 ? "1 trial a server" : sprintf("%d trials a server, a line each", n)
set label 1 says(trials)."; at least ".commas(least)." requests a line,\nwhich ends where fewer than 10 lie beyond" \
	.(trials < 10 ? ":\ntoo few to rank servers by their tails" : "") at graph 0.98, 0.19 right textcolor rgb "#444444"
plot for [s in series] one(s) using 4:5 with linespoints lt style(of(s)) lw 1.3 ps 0.7 pi 5 \
	title (first(s) ? of(s) : "")
if (text) { print footer }
