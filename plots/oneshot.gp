# Four threads on one epoll set: overlaps, wakeups for nothing, answers out of place.
load "plots/style.gp"
counts = "overlaps empty_wakeups out_of_place"
what = '"a second thread inside" "woken for nothing" "answers out of place"'
hue(k) = word("43 42 41", k)
# Both servers together, in the order of their modes.
bars = points("", counts, any)
at(mode) = mode eq "lt" ? 0 : mode eq "et" ? 1 : 2
n = int(system(bars[2:]." | cut -f2 | sort -u | wc -l"))

set title "Four threads on one epoll set, one connection, 200 numbered messages"
if (!text) { set ylabel "times, of 200 messages" }
set boxwidth 0.24
set xrange [-0.6:n - 0.4]
set yrange [0:1.3 * top("overlaps", top("empty_wakeups", 200))]
set xtics scale 0
set ytics 50
set key top right
plot for [k = 1:3] bars using (at(strcol(2)) + 0.27 * (k - 2)):(column(3 * k)) with boxes lt 0 + hue(k) title word(what, k), \
	for [k = 1:3] bars using (at(strcol(2)) + 0.27 * (k - 2)):(column(3 * k)):(commas(column(3 * k))) with labels offset 0, 0.7 notitle, \
	bars using (at(strcol(2))):(0):xtic(strcol(2) eq "oneshot" ? "one-shot (08)" : (strcol(2) eq "lt" ? "LT" : "ET").", no one-shot") with dots lc rgb "#444444" notitle
if (text) { print footer }
