# What every chart shares: terminal, fonts, one style for each lab, footer.
# Expects data, out and format (svg, png, text) from the command line.
set encoding utf8
set datafile separator "\t"
set datafile commentschars "#!" # a row that begins with ! tells of a server that failed
set datafile missing "nan"

text = (format eq "text")
if (!exists("height")) height = 580
if (format eq "svg") set terminal svg size 900,height font "DejaVu Sans,14" noenhanced background "#ffffff"
if (format eq "png") set terminal pngcairo size 900,height font "DejaVu Sans,11" noenhanced background "#ffffff"
if (text) set terminal dumb size 79,24 noenhanced
if (!text) set output out.".".format
small = (format eq "svg") ? ",11" : ",9"

# The number of the lab is the number of its style. Okabe and Ito's colours, told apart by
# colour-blind readers; marker and dash differ too.
set linetype 1 lc rgb "#000000" lw 2 pt 5 ps 0.9 dt (2,3)
set linetype 2 lc rgb "#d55e00" lw 2 pt 9 ps 1.0 dt (12,3,3,3)
set linetype 3 lc rgb "#0072b2" lw 2 pt 7 ps 1.0 dt solid
set linetype 4 lc rgb "#009e73" lw 2 pt 13 ps 1.2 dt (9,4)
set linetype 5 lc rgb "#cc79a7" lw 2 pt 11 ps 1.0 dt (5,3)
set linetype 6 lc rgb "#e69f00" lw 2 pt 3 ps 1.0 dt (16,4)
set linetype 9 lc rgb "#888888" lw 1.5 dt 3
# Outcomes of calls: none of the labs' colours (Paul Tol's muted ones).
set linetype 11 lc rgb "#332288"
set linetype 12 lc rgb "#88ccee"
set linetype 13 lc rgb "#882255"
set linetype 14 lc rgb "#44aa99"
set linetype 15 lc rgb "#aa4499"
set linetype 16 lc rgb "#999933"
set linetype 17 lc rgb "#bbbbbb"

# The same colour for a bar that a row draws: `lc variable` draws nothing on a dumb terminal.
colour(name) = int(word("0x000000 0xd55e00 0x0072b2 0x009e73 0xcc79a7 0xe69f00", 0 + name[1:2]))
lab(n) = word("01-blocking 02-nonblocking 03-epoll-lt 04-epoll-et 05-et-starving 06-epollout-spin", n)

# The labs that have numbers, "03 04": a chart draws these and no others.
have = system("grep -oE '^[01][0-9]' '".data."' | sort -u | tr '\\n' ' '")
rows(n) = sprintf("<grep '^%s' '%s'", lab(0 + n), data)

# The largest value in a column, or least: no axis may hide the point that refutes the chart.
peak(column, least) = 0.0 + system(sprintf("awk -F'\t' -v m=%g '/^0/ && $%d > m { m = $%d } END { printf \"%%.3f\", m }' '%s'", least, column, column, data))

# A label in two lines, and numbers that a human reads.
short(name) = text ? name[1:2].(strstrt(name, "--") ? name[strstrt(name, "--"):] : "") : name[1:2]."\n".name[4:]
commas(x) = x >= 1000 ? sprintf("%d,%03d", int(x / 1000), int(x) % 1000) : sprintf("%d", x)
human(x) = x >= 1e6 ? sprintf("%.2f M", x / 1e6) : x >= 1e5 ? sprintf("%.0f k", x / 1e3) : commas(int(x + 0.5))
decades = '("1" 1, "10" 10, "100" 100, "1,000" 1e3, "10,000" 1e4, "100,000" 1e5, "1 M" 1e6, "10 M" 1e7)'
sizes = text ? '("1" 1, "10" 10, "100" 100, "1k" 1e3, "10k" 1e4)' : decades

head(key) = system(sprintf("sed -n 's/^# %s: //p;/^[^#]/q' '%s'", key, data))
trials = int("0".head("trials"))
footer = head("what")."; trials: ".head("trials")."; ".head("date")."; commit ".head("commit")."\n". \
	head("cpu").", ".head("cpus")." CPUs (hypervisor: ".head("hypervisor")."), ".head("kernel")."; ".head("pinning")
footer = system(sprintf("cat <<'END' | fold -s -w %d\n%s\nEND\n", text ? 79 : 135, footer))
lines = int(system(sprintf("cat <<'END' | wc -l\n%s\nEND\n", footer)))

set border 3 lc rgb "#444444"
set tics nomirror textcolor rgb "#222222"
set grid ytics lc rgb "#dddddd" lt 1 lw 0.5
set title font ",16" noenhanced
if (text) { unset grid }
if (text) { set print "-" }
if (!text) {
	set label 100 footer at screen 0.01, screen 0.007 + 0.026 * lines font small textcolor rgb "#555555" noenhanced
	set bmargin at screen 0.15 + 0.026 * lines
}

# No server has a number: the chart says so and that is all.
if (have eq "") {
	unset border
	unset tics
	set label 1 "no numbers: every server failed" at graph 0.5, 0.5 center
	plot [0:1] [0:1] -1 notitle
	if (text) { print footer }
	exit gnuplot
}
