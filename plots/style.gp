# What every chart shares: terminal, fonts, one style for each server, footer.
# Expects data, tables (the folder of data), out and format (svg, png, text) from draw.sh.
set encoding utf8
set datafile separator "\t"
set datafile commentschars "#!"
set datafile missing "nan"

text = (format eq "text")
if (!exists("height")) height = 580
if (format eq "svg") set terminal svg size 900,height font "DejaVu Sans,14" noenhanced background "#ffffff"
if (format eq "png") set terminal pngcairo size 900,height font "DejaVu Sans,11" noenhanced background "#ffffff"
if (text) set terminal dumb size 79,(exists("tall") ? tall : 24) noenhanced
if (!text) set output out.".".format
small = (format eq "svg") ? ",11" : ",9"

# A server's place in this list is the number of its style, in every chart.
servers = "01-blocking 02-nonblocking 03-epoll-lt 04-epoll-et 05-et-starving 06-epollout-spin 07-et-fair 08-oneshot 09-exclusive 10-reuseport 11-sendfile 12-http 13-io-uring lt-ctl lt-small libev libuv libevent open closed none probe perf bpftrace strace"
tints = "0x000000 0xd55e00 0x0072b2 0x009e73 0xcc79a7 0xe69f00 0x6a3d9a 0xb15928 0x56b4e9 0x1b3a5c 0x7f7f00 0xa50f15 0x4d4d4d 0x56b4e9 0x7570b3 0xa6761d 0xe7298a 0x666666 0x009e73 0xd55e00 0x000000 0x0072b2 0x009e73 0xe69f00 0xd55e00"
# Filled markers; the one before each is the same hollow: a trial that was rejected.
marks = "5 9 7 13 11 3 15 5 7 9 11 13 15 11 15 9 11 5 7 9 5 7 13 15 9"
style(name) = numbered(name) ? place(name[1:3], 3) : place(name, 99)
numbered(name) = name ne "" && strstrt("0123456789", name[1:1]) > 0
place(name, n) = name eq "" ? 0 : (sum [k=1:words(servers)] (word(servers, k)[1:n] eq name ? k : 0))
tint(name) = style(name) ? int(0 + word(tints, style(name))) : 0
mark(name) = style(name) ? int(0 + word(marks, style(name))) : 0

# Okabe and Ito's colours first, told apart by colour-blind readers; marker and dash differ too.
do for [i=1:words(servers)] { set linetype i lc rgb int(word(tints, i)) lw 2 pt int(0 + word(marks, i)) ps 1.0 dt solid }
set linetype 1 ps 0.9 dt (2,3)
set linetype 2 dt (12,3,3,3)
set linetype 4 ps 1.2 dt (9,4)
set linetype 5 dt (5,3)
set linetype 6 dt (16,4)
set linetype 14 dt (6,3,2,3)
set linetype 15 dt (3,3)
set linetype 20 dt (9,4)
# A line that only guides the eye, then the outcomes of calls: none of the servers' colours
# (Paul Tol's muted ones).
set linetype 40 lc rgb "#888888" lw 1.5 dt 3
set linetype 41 lc rgb "#332288"
set linetype 42 lc rgb "#88ccee"
set linetype 43 lc rgb "#882255"
set linetype 44 lc rgb "#44aa99"
set linetype 45 lc rgb "#aa4499"
set linetype 46 lc rgb "#999933"
set linetype 47 lc rgb "#bbbbbb"

# What a chart reads: `data` is a second table, at first that of the chart's own scenario;
# beside(NAME) is another one of the same run. See pick.awk for what comes out of it.
beside(name) = tables."/".name.".tsv"
pick(want, options) = sprintf("cat '%s' 2>/dev/null | awk -v want=%s %s -f plots/columns.awk -f plots/pick.awk", data, want, options)
only(metric, hollow) = sprintf("-v metrics='%s' -v hollow='%s'", metric, hollow)
# Hollow numbers are not to be trusted: no trial of them was kept.
any = ""
firm = "0"
empty = "1"
drawn(metric, hollow) = system(pick("servers", only(metric, hollow)))
# A server's points, using 2:3:4:5 (case, median, least, largest); of several metrics three columns each.
points(name, metric, hollow) = "<".pick("points", only(metric, hollow)." -v server='".name."'")
# A server's trials, using 2:3:4 (case, value, number of the trial).
dots(name, metric, hollow) = "<".pick("trials", only(metric, hollow)." -v server='".name."'")
# "SERVER:TRIAL SERVER:TRIAL ...", and the points of one of them, using 2:3.
series(metric, hollow) = system(pick("series", only(metric, hollow)))
of(s) = s[:strstrt(s, ":") - 1]
one(s) = sprintf("-v server='%s' -v trial=%s", of(s), s[strstrt(s, ":") + 1:])
curve(s, metric) = "<".pick("trials", only(metric, any)." ".one(s))
# One number: 0 if there is none.
median(name, case, metric) = 0.0 + system(pick("value", only(metric, any).sprintf(" -v server='%s' -v where='%s'", name, case)))
# The largest number of a metric, and of all its trials, rejected ones too; its largest and its
# least case; each at least, or at most, the bound. No axis may hide the point that refutes the chart.
top(metric, bound) = 0.0 + system(pick("top", only(metric, any)." -v bound=".sprintf("%g", bound)))
peak(metric, bound) = 0.0 + system(pick("peak", only(metric, any)." -v bound=".sprintf("%g", bound)))
far(metric, bound) = 0.0 + system(pick("far", only(metric, any)." -v bound=".sprintf("%g", bound)))
near(metric, bound) = 0.0 + system(pick("near", only(metric, any)." -v bound=".sprintf("%g", bound)))
# A panel may be empty, a plot command not: this draws nothing.
nothing = '-1 with points pt -1 notitle'
# Every server's medians as a line, with bars from the least to the largest of the trials.
more = "" # what follows a server's name in the key
medians = 'for [n in drawn(metric, any)] points(n, metric, any) using 2:3 with lines lt style(n) dt solid title n.more, \
	for [n in drawn(metric, firm)] points(n, metric, firm) using 2:3:4:5 with yerrorbars lt style(n) dt solid notitle, \
	for [n in drawn(metric, empty)] points(n, metric, empty) using 2:3:4:5 with yerrorbars lt style(n) dt solid pt mark(n) - 1 notitle'

# A label in two lines, and numbers that a human reads.
squeezed(name) = name eq "libevent" ? "event" : name eq "bpftrace" ? "bpf" : name[1:3] eq "lt-" ? name[4:] : name
short(name) = !numbered(name) ? (text ? squeezed(name) : name) : text ? name[1:2].(strstrt(name, "--") ? name[strstrt(name, "--"):] : "") : name[1:2]."\n".name[4:]
commas(x) = x >= 1000 ? sprintf("%d,%03d", int(x / 1000), int(x) % 1000) : sprintf("%d", x)
human(x) = x >= 1e6 ? sprintf("%.2f M", x / 1e6) : x >= 1e5 ? sprintf("%.0f k", x / 1e3) : commas(int(x + 0.5))
brief(x) = text && x >= 1e4 ? sprintf("%.0fk", x / 1e3) : x < 9.995 ? sprintf("%.2f", x) : x < 99.95 ? sprintf("%.1f", x) : human(x)
decades = '("1" 1, "10" 10, "100" 100, "1,000" 1e3, "10,000" 1e4, "100,000" 1e5, "1 M" 1e6, "10 M" 1e7)'
rates = '("1k" 1e3, "2k" 2e3, "5k" 5e3, "10k" 1e4, "20k" 2e4, "50k" 5e4, "100k" 1e5, "" 1.2e5, "" 1.4e5, "200k" 2e5, "500k" 5e5)'
sizes = text ? '("1" 1, "10" 10, "100" 100, "1k" 1e3, "10k" 1e4)' : decades

# Whose numbers these are, in one go: how many lines, how many trials, then the lines.
footer = system(sprintf("awk -v width=%d -f plots/footer.awk '%s'", text ? 79 : 135, data))
lines = int(0 + word(footer, 1))
trials = int(0 + word(footer, 2))
footer = footer[strstrt(footer, "\n") + 1:]

if (text) { set style fill empty border } else { set style fill solid 0.9 noborder }
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
measured = system("awk -F'\t' '/^[#!]/ { next } n++ { print $1; exit }' '".data."'")
if (measured eq "") {
	unset border
	unset tics
	set label 1 "no numbers: every server failed" at graph 0.5, 0.5 center
	plot [0:1] [0:1] -1 notitle
	if (text) { print footer }
	exit gnuplot
}
