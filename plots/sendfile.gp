# A file by sendfile, and by pread and send: CPU and system calls for a GB.
load "plots/style.gp"
names = system("grep -E '^11' '".data."' | cut -f1 | awk '!seen[$0]++' | tr '\n' ' '")
n = words(names)
pick(i) = sprintf("<awk -F'\t' '$1 == \"%s\"' '%s'", word(names, i), data)
middle(i, column) = 0.0 + system(sprintf("awk -F'\t' '$1 == \"%s\" { print $%d }' '%s' | sort -g | awk '{ v[NR] = $1 } END { print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'", word(names, i), column, data))
most(expr) = 0.0 + system(sprintf("awk -F'\t' '/^11/ { x = %s; if (x > m) m = x } END { print m + 0 }' '%s'", expr, data))
called(i) = strstrt(word(names, i), "--copy") ? "pread + send" : "sendfile"
if (text) { set style fill empty border } else { set style fill solid 0.9 noborder }
set boxwidth 0.5
set multiplot
set xrange [0.4:n + 0.6]
set xtics scale 0
unset key
set for [i = 1:n] label i called(i) at i, graph -0.07 center
set format x ""
set origin 0, 0
set size 0.5, 1
set title "CPU of the server"
if (!text) { set ylabel "seconds per GB; bar: median, circles: trials" }
set yrange [0:1.25 * most("$4")]
plot for [i = 1:n] "+" using (i):(middle(i, 4)) every ::0::0 with boxes lc rgb (called(i) eq "sendfile" ? "#0072b2" : "#d55e00"), \
	for [i = 1:n] pick(i) using (i + 0.1 * ($2 - 2)):4 with points pt 6 ps 1 lc rgb "#222222", \
	for [i = 1:n] "+" using (i):(most("$4")):(sprintf("%.2f", middle(i, 4))) every ::0::0 with labels offset 0, 1
unset label 100
set origin 0.5, 0
set size 0.5, 1
set title "System calls"
if (!text) { set ylabel "calls per GB (log)" }
set logscale y
set yrange [10:10 * most("$6 + $7 + $8 + $9")]
set ytics ("10" 10, "100" 100, "1,000" 1e3, "10,000" 1e4, "100,000" 1e5)
calls(i) = middle(i, 6) + middle(i, 7) + middle(i, 8) + middle(i, 9)
plot for [i = 1:n] "+" using (i):(calls(i)) every ::0::0 with boxes lc rgb (called(i) eq "sendfile" ? "#0072b2" : "#d55e00"), \
	for [i = 1:n] "+" using (i):(calls(i)):(human(calls(i))) every ::0::0 with labels offset 0, 0.8
unset multiplot
if (text) { print footer }
