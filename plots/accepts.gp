# Which of four workers accepts: one bar a worker, the busiest first.
load "plots/style.gp"
names = "09-exclusive 09-exclusive--exclusive 08-oneshot 10-reuseport"
tint(n) = word("#56b4e9 #332288 #117733 #882255", n)
one(n, arrival) = sprintf("<awk -F'\t' '$1 == \"%s\" && $2 == \"%s\"' '%s'", word(names, n), arrival, data)
there(n) = int(system(sprintf("grep -c '^%s\t' '%s'; :", word(names, n), data))) > 0
of = int(system("awk -F'\t' '/^[01]/ { s += $5 } $3 == 1 { n++ } END { print n ? s / n : 0 }' '".data."'"))
at(n, worker) = (n - 1) * 5 + worker

set boxwidth 0.85
if (text) { set style fill empty border } else { set style fill solid 0.9 noborder }
set multiplot
set xrange [0:20]
set yrange [0:1.18 * of]
set ytics of / 4.0
set xtics ((text ? "1 sock" : "one socket") at(1, 2.5), (text ? "EXCL" : "EXCLUSIVE") at(2, 2.5), \
	(text ? "1 set" : "one epoll set") at(3, 2.5), (text ? "each" : "a socket each") at(4, 2.5)) scale 0 font small
unset key
do for [p=1:2] {
	arrival = word("singly together", p)
	set origin 0.5 * (p - 1), 0
	set size 0.5, 1
	set title (p == 1 ? "One after the other, all workers idle" : "All at once")
	if (!text) { set ylabel (p == 1 ? "connections accepted" : "") }
	plot for [n=1:4] (there(n) ? one(n, arrival) : "/dev/null") using (at(n, $3)):5 with boxes lc rgb tint(n), \
		for [n=1:4] (there(n) ? one(n, arrival) : "/dev/null") using (at(n, $3)):5:(sprintf("%d", $5)) with labels offset 0, 0.7 font small
	unset label 100
}
unset multiplot
if (text) { print footer }
