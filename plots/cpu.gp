# What a request costs the server's CPU, against load; and its share at the claimed load.
load "plots/style.gp"
set multiplot
set origin 0, 0
set size 0.42, 1
set title (text ? "CPU us per request" : "CPU per request")
set xlabel "offered load, requests per second (log)"
if (!text) { set ylabel "CPU of the server, µs per request" }
set logscale x
metric = "cpu_us"
set xrange [0.7 * near(metric, 5000):1.5 * far(metric, 100000)]
set xtics @rates
set yrange [0:1.3 * top(metric, 10)]
set key top right reverse Left samplen 3
plot @nothing, @medians
unset label 100
unset logscale
unset xlabel
data = beside("claim")
metric = "cpu_percent"
set origin 0.42, 0
set size 0.58, 1
set rmargin 2
set title (text ? "CPU %, claimed load (log)" : "CPU at the claimed load")
if (!text) { set ylabel "CPU of the server, % of one (log)" }
set logscale y
set yrange [0.5:3 * top(metric, 40)]
set ytics ("1" 1, "2" 2, "5" 5, "10" 10, "20" 20, "50" 50, "100" 100)
if (!text) {
	set arrow 1 from graph 0, first 35 to graph 1, first 35 nohead lt 40
	set arrow 2 from graph 0, first 22 to graph 1, first 22 nohead lt 40
	set label 1 "the chapter: LT 35 %" at graph 0.99, first 35 right offset 0, 0.5 font small textcolor rgb "#555555"
	set label 2 "ET 22 %" at graph 0.99, first 22 right offset 0, -0.6 font small textcolor rgb "#555555"
}
load "plots/dots.gp"
unset multiplot
if (text) { print footer }
