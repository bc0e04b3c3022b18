# A panel of a chart: a column of dots for each server, a trial each, hollow if it is not in the
# number, and a bar at the median. Expects metric and the y axis; room is what is left on the right.
if (!exists("room")) { room = 0.7 }
list = drawn(metric, any)
unset xtics
set xtics () font small scale 0
do for [i=1:words(list)] { set xtics add (short(word(list, i)) i - 1) }
set xrange [-0.6:(words(list) > 0 ? words(list) - 1 + room : 1)]
unset key
side(t) = 0.05 * (int(t) % 7 - 3)
# As text the bar has to do.
mine(i, hollow) = dots(word(list, i), text ? "none" : metric, hollow)
plot @nothing, for [i=1:words(list)] mine(i, firm) \
		using (i - 1 + side($4)):3 with points lt style(word(list, i)) ps 0.7, \
	for [i=1:words(list)] mine(i, empty) \
		using (i - 1 + side($4)):3 with points lt style(word(list, i)) pt mark(word(list, i)) - 1 ps 0.8 lw 1, \
	for [i=1:words(list)] points(word(list, i), metric, any) using (i - 1.3):3:(0.6):(0) \
		with vectors nohead lt style(word(list, i)) dt solid lw 3, \
	for [i=1:words(list)] points(word(list, i), metric, any) using (text ? i - 0.95 : i - 0.8):3:(brief($3)) \
		with labels font small offset 0, (text ? 1 : 0.8) left textcolor rgb "#222222"
