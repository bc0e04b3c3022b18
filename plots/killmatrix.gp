# The kill matrix: which server fails which probe of the torture.
height = 860
load "plots/style.gp"
# Servers and probes become numbers, in the order of the file.
rest = "!/^#/ && $1 != \"server\""
names(column) = system(sprintf("awk -F'\t' '%s && !s[$%d]++ { print $%d }' '%s'", rest, column, column, data))
cells(verdict) = sprintf("<awk -F'\t' 'BEGIN { print \"-9\t-9\" } %s { if (!($1 in y)) y[$1] = n++; if (!($2 in x)) x[$2] = m++; if ($3 == \"%s\") print x[$2] \"\t\" y[$1] }' '%s'", rest, verdict, data)
servers = names(1)
probes = names(2)

unset border
unset grid
unset key
set title "Which server fails which probe"
set xrange [-0.5:words(probes) - 0.5]
set yrange [words(servers) - 0.5:-0.5]
set xtics () rotate by 60 right scale 0 font small
set ytics () scale 0 font small
do for [i=1:words(probes)] { set xtics add (word(probes, i) i - 1) }
do for [i=1:words(servers)] { set ytics add (word(servers, i) i - 1) }
if (text) { set xtics norotate; do for [i=1:words(probes)] { set xtics add ("" i - 1) } }
if (!text) { set bmargin at screen 0.27; set lmargin at screen 0.2 }
set style fill solid border lc rgb "#ffffff"
set boxwidth 1
plot cells("pass") using 1:2:(0.46):(0.44) with boxxyerror lc rgb "#e8e8e8", \
	cells("skip") using 1:2:(0.46):(0.44) with boxxyerror lc rgb "#bbbbbb", \
	cells("fail") using 1:2:(0.46):(0.44) with boxxyerror lc rgb "#d55e00"
if (text) { print footer }
