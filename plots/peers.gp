# The labs beside three libraries that servers are built on.
height = 820
tall = 40
load "plots/style.gp"
set multiplot
metrics = "cpu_us@rate max_per_s bytes_per_idle calls_per_request"
what = '"CPU per request, µs" "requests per second, at most" "bytes of memory per idle connection" "system calls per request"'
bottom = text ? 0 : 0.1
do for [i=1:4] {
	metric = word(metrics, i)
	if (i == 4) { data = beside("peercalls") }
	set origin 0.5 * ((i - 1) % 2), bottom + (i < 3 ? 0.5 - bottom / 2 : 0)
	set size 0.5, 0.5 - bottom / 2
	if (!text) { set bmargin 3.5 }
	set title word(what, i) font ",13"
	set yrange [0:1.35 * top(metric, 1)]
	set format y (metric eq "max_per_s" ? "%.0s %c" : "%g")
	load "plots/dots.gp"
	unset label 100
}
unset multiplot
if (text) { print footer }
