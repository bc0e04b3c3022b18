# Latency by percentile at a fixed open-loop rate: every trial is a line of its own.
load "plots/style.gp"
# How many requests each line has at least: the runner ends it where fewer than 10 lie beyond.
all = series("us", any)
least = 1e9
do for [s in all] {
	end = 10 * system(pick("far", only("us", any)." ".one(s)))
	least = end < least ? end : least
}
first(s) = strstrt(all, of(s).":") == strstrt(all, s)

set title "Latency, counted from when each request was due"
load "plots/curves.gp"
set key samplen 5
set yrange [3:2 * top("us", 5000)]
says(n) = n == 1 ? "1 trial a server" : sprintf("%d trials a server, a line each", n)
set label 1 says(trials)."; at least ".commas(least)." requests a line,\nwhich ends where fewer than 10 lie beyond" \
	.(trials < 10 ? ":\ntoo few to rank servers by their tails" : "") at graph 0.98, 0.19 right textcolor rgb "#444444"
plot for [s in all] curve(s, "us") using 2:3 with linespoints lt style(of(s)) lw 1.3 ps 0.7 pi 5 \
	title (first(s) ? of(s) : "")
if (text) { print footer }
