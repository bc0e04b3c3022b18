# Which of four workers accepts: one bar a worker, the busiest first.
load "plots/style.gp"
names = "09-exclusive 09-exclusive--exclusive 08-oneshot 10-reuseport"
workers = "accepted_1 accepted_2 accepted_3 accepted_4"
tint(n) = word("#56b4e9 #332288 #117733 #882255", n)
# Each group of four has this many connections.
group = 0.0 + system(pick("points", only(workers, any))." | awk -F'\t' '{ s += $3 + $6 + $9 + $12 } END { print s / NR }'")
at(n, worker) = (n - 1) * 5 + worker

set boxwidth 0.85
set multiplot
set xrange [0:20]
set yrange [0:1.18 * group]
set ytics int(group) / 4.0
set xtics ((text ? "1 sock" : "one socket") at(1, 2.5), (text ? "EXCL" : "EXCLUSIVE") at(2, 2.5), \
	(text ? "1 set" : "one epoll set") at(3, 2.5), (text ? "each" : "a socket each") at(4, 2.5)) scale 0 font small
unset key
do for [p=1:2] {
	arrival = word("singly together", p)
	set origin 0.5 * (p - 1), 0
	set size 0.5, 1
	set title (p == 1 ? "One after the other, all workers idle" : "All at once")
	if (!text) { set ylabel (p == 1 ? "connections accepted" : "") }
	plot @nothing, \
		for [n=1:4] for [w=1:4] points(word(names, n), workers, any) using (at(n, w)):(strcol(2) eq arrival ? column(3 * w) : NaN) with boxes lc rgb tint(n), \
		for [n=1:4] for [w=1:4] points(word(names, n), workers, any) using (at(n, w)):(strcol(2) eq arrival ? column(3 * w) : NaN):(sprintf("%d", column(3 * w))) with labels offset 0, 0.7 font small
	unset label 100
}
unset multiplot
if (text) { print footer }
