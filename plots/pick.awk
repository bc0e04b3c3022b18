# Picks from a second table what gnuplot plots. After columns.awk, with these options:
#   metrics="p50_us cpu_us"   a line for each server and case that has the first of them:
#                             server, case, then median, low, high of each
#                             (cpu_us@rate: only the case "rate")
#   want=trials               a line for each trial of a metric: server, case, value, trial
#   want=servers|series       the servers that have such lines; SERVER:TRIAL of each such trial
#   want=value                the first median, or 0
#   want=top|peak|far|near    the largest number, of the medians or of the trials; the largest
#                             and the least case; or the bound where that is further
#   server=, where=, trial=   only this server, this case, this trial
#   hollow=0|1                only numbers with trials in the median, or only those without;
#                             of trials those in the median, or the others
BEGIN {
	many = split(metrics, metric, " ")
	for (i = 1; i <= many; i++) {
		if (split(metric[i], word, "@") == 2) where = word[2]
		wanted[metric[i] = word[1]] = 1
	}
	by_trial = want ~ /^(trials|series|peak)$/ || trial != ""
}

!(of("metric") in wanted) || of("median") == "-" { next }
(server != "" && of("server") != server) || (where != "" && of("case") != where) { next }
by_trial {
	trials = split_trials()
	for (i = 1; i <= trials; i++) {
		each(i)
		if ((trial == "" || trial == number) && fits(mark != "=")) {
			list(of("server") ":" number)
			lines[++n] = of("server") OFS of("case") OFS value OFS number
			grow(value)
		}
	}
	next
}
{
	key = of("server") OFS of("case")
	text[key, of("metric")] = of("median") OFS of("low") OFS of("high")
	if (of("metric") != metric[1] || !fits(of("n") == 0)) next
	list(of("server"))
	keys[++n] = key
	if (n == 1) first = of("median")
	grow(of("median"))
	grow(of("high"))
}

function fits(is_hollow) { return hollow == "" || hollow == is_hollow }
function list(name) { if (!seen[name]++) names = names name " " }
function grow(y,   x) {
	x = of("case") + 0
	if (y + 0 > top + 0) top = y + 0
	if (x > far + 0) far = x
	if (x > 0 && (near == "" || x < near)) near = x
}

END {
	if (want == "servers" || want == "series") print names
	else if (want == "value") print first + 0
	else if (want == "top" || want == "peak") print (top > bound ? top : bound + 0)
	else if (want == "far") print (far > bound ? far : bound + 0)
	else if (want == "near") print (near != "" && near < bound ? near : bound + 0)
	else if (!n) print nowhere()
	else for (k = 1; k <= n; k++) print by_trial ? lines[k] : line(keys[k])
}

function line(key,   i, s) {
	s = key
	for (i = 1; i <= many; i++) s = s OFS ((key, metric[i]) in text ? text[key, metric[i]] : "nan\tnan\tnan")
	return s
}

# gnuplot complains of an empty file, so this is a point that no axis reaches.
function nowhere(   i, s) {
	s = "-"
	for (i = 0; i < 3 * many + 1; i++) s = s OFS "1e9"
	return s
}
