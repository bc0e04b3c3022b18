# The axes of latency by percentile; the caller sets the range of y.
set xlabel "percentile (the axis is 1/(1-p), log)"
if (!text) { set ylabel "latency, µs (log)" }
set logscale xy
set xrange [1:1.3 * far("us", 1000)]
set xtics ("0" 1, "50" 2, "75" 4, "90" 10, "99" 100, "99.9" 1000, "99.99" 10000)
set ytics @decades
if (!text) { set grid xtics }
set key top left reverse Left samplen 3
