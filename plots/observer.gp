# What watching costs: the same server under each way to count its calls.
load "plots/style.gp"
set multiplot
set origin 0, 0
set size 0.5, 1
metric = "rate"
set title (text ? "Requests/s" : "Throughput, watched")
if (!text) { set ylabel "requests per second" }
set yrange [0:1.25 * top(metric, 1000)]
set format y "%.0s %c"
load "plots/dots.gp"
unset label 100
set origin 0.5, 0
set rmargin 3
metric = "p50_us"
set title (text ? "p50, us" : "Median latency, watched")
if (!text) { set ylabel "p50, µs" }
set format y "%g"
set yrange [0:1.3 * top(metric, 10)]
load "plots/dots.gp"
unset multiplot
if (text) { print footer }
