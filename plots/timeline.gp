# What each connection of a server is doing, over time: reading is up, writing is down.
if (!exists("height")) { height = 640 }
load "plots/style.gp"
rows(state) = sprintf("<awk -F'\t' '$4 == \"%s\" { print; n++ } END { if (!n) print \"-\t-9\t-\t-\t-9\t-9\" }' '%s'", state, data)
who(c) = system(sprintf("awk -F'\t' '$2 == %d { print $3; exit }' '%s'", c, data))
states = "waiting readable recv blocked send"
about = "waiting|readable, not yet read|in recv|blocked: waits for EPOLLOUT|in send"
do for [i=1:5] { set linetype i lc rgb word("#bbbbbb #e69f00 #0072b2 #cc79a7 #000000", i) lw 0.7 dt solid }
low(i) = 0.0 + word("-0.02 0.02 0.02 -0.18 -0.40", i)
high(i) = 0.0 + word("0.02 0.18 0.40 -0.02 -0.02", i)
fill(i) = 0 + word("3 4 3 5 3", i)
part(i) = system(sprintf("echo '%s' | cut -d'|' -f%d", about, i))
end = 0.0 + system("awk -F'\t' '!/^#/ && $6 + 0 > m { m = $6 } END { print m + 0 }' '".data."'")
zoom(n) = 0.0 + word(system(sprintf("sed -n 's/^# zoom: //p;/^[^#]/q' '%s'", data)), n)

set multiplot
unset border
unset grid
set style fill solid noborder
set yrange [3.6:0.4]
set ytics scale 0 ("1 ".who(1) 1, "2 ".who(2) 2, "3 ".who(3) 3)
set lmargin 9
set rmargin 3
do for [p=1:2] {
	unit = p == 1 ? 1000.0 : 1.0
	set origin 0, (p == 1 ? 0.52 : 0.0)
	set size 1, (p == 1 ? 0.48 : 0.54)
	set title (p == 1 ? measured.": what each connection is doing" : "A closer look: the slow client's request arrives")
	set xlabel (p == 1 ? "ms" : "µs")
	set xrange [(p == 1 ? 0 : zoom(1)):(p == 1 ? end / 1000 : zoom(2))]
	if (!text) { if (p == 1) { set bmargin 3 } else { set bmargin at screen 0.13 + 0.026 * lines } }
	if (p == 2) { unset key } else { set key outside top center horizontal reverse Left samplen 2 width -8 }
	plot for [i=1:5] rows(word(states, i)) using ($5 / unit):2:($5 / unit):($6 / unit):($2 - low(i)):($2 - high(i)) \
		with boxxyerror lt i fs pattern fill(i) border title part(i)
	unset label 100
}
unset multiplot
if (text) { print footer }
