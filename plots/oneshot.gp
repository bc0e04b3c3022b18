# Four threads on one epoll set: overlaps, wakeups for nothing, answers out of place.
load "plots/style.gp"
bars = "<grep -E '^(08|threads)' '".data."'"
n = int(system("grep -cE '^(08|threads)' '".data."'"))
what = '"a second thread inside" "woken for nothing" "answers out of place"'
hue(k) = word("43 42 41", k)

set title "Four threads on one epoll set, one connection, 200 numbered messages"
if (!text) { set ylabel "times, of 200 messages" }
if (text) { set style fill empty border } else { set style fill solid 0.9 noborder }
set boxwidth 0.24
set xrange [-0.6:n - 0.4]
set yrange [0:1.3 * peak(3, peak(4, 200))]
set xtics scale 0
set ytics 50
set key top right
plot for [k = 1:3] bars using ($0 + 0.27 * (k - 2)):(column(2 + k)) with boxes lt 0 + hue(k) title word(what, k), \
	for [k = 1:3] bars using ($0 + 0.27 * (k - 2)):(column(2 + k)):(commas(column(2 + k))) with labels offset 0, 0.7 notitle, \
	bars using 0:(0):xtic(strcol(2) eq "oneshot" ? "one-shot (08)" : (strcol(2) eq "lt" ? "LT" : "ET").", no one-shot") with dots lc rgb "#444444" notitle
if (text) { print footer }
