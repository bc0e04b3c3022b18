# Latency by percentile at a fixed open-loop rate: every trial is a line of its own.
load "plots/style.gp"
# "01:1 01:2 …", a line each; and how many requests each line has at least, for the runner
# ends it where fewer than 10 lie beyond.
series = system("awk -F'\t' '/^0/ && !seen[$1, $2]++ { printf \"%s:%s \", substr($1, 1, 2), $2 }' '".data."'")
least = int(0 + system("awk -F'\t' '/^0/ { k = $1 FS $2; if ($4 > m[k]) m[k] = $4 } END { for (k in m) if (!n || m[k] < n) n = m[k]; print 10 * n }' '".data."'"))
one(s) = sprintf("<grep '^%s[^\t]*\t%s\t' '%s'", s[1:2], s[4:], data)
first(s) = strstrt(series, s[1:3]) == strstrt(series, s)

set title "Latency, counted from when each request was due"
set xlabel "percentile (the axis is 1/(1-p), log)"
if (!text) { set ylabel "latency, µs (log)" }
set logscale xy
set xrange [1:1.3 * peak(4, 1000)]
set yrange [3:2 * peak(5, 5000)]
set xtics ("0" 1, "50" 2, "75" 4, "90" 10, "99" 100, "99.9" 1000, "99.99" 10000)
set ytics @decades
set grid xtics
if (text) { unset grid }
set key top left reverse Left samplen 5
says(n) = n == 1 ? "1 trial a server" : sprintf("%d trials a server, a line each", n)
set label 1 says(trials)."; at least ".commas(least)." requests a line,\nwhich ends where fewer than 10 lie beyond" \
	.(trials < 10 ? ":\ntoo few to rank servers by their tails" : "") at graph 0.98, 0.19 right textcolor rgb "#444444"
plot for [s in series] one(s) using 4:5 with linespoints lt 0 + s[1:2] lw 1.3 ps 0.7 pi 5 \
	title (first(s) ? lab(0 + s[1:2]) : "")
if (text) { print footer }
