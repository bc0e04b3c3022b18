# The labs beside three libraries that servers are built on.
height = 820
tall = 40
load "plots/style.gp"
set multiplot
panels = "cpu max bytes calls"
what = "CPU_per_request,_µs requests_per_second,_at_most bytes_of_memory_per_idle_connection system_calls_per_request"
plain(s) = system("echo '".s."' | tr _ ' '")
bottom = text ? 0 : 0.1
do for [i=1:4] {
	panel = word(panels, i)
	set origin 0.5 * ((i - 1) % 2), bottom + (i < 3 ? 0.5 - bottom / 2 : 0)
	set size 0.5, 0.5 - bottom / 2
	if (!text) { set bmargin 3.5 }
	set title plain(word(what, i)) font ",13"
	set yrange [0:1.35 * top(panel, 1)]
	set format y (panel eq "max" ? "%.0s %c" : "%g")
	load "plots/dots.gp"
	unset label 100
}
unset multiplot
if (text) { print footer }
