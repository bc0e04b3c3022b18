# Two tables for a terminal: counts, which are the same on every run and stay bare numbers; and
# times, each with the range of its trials. After columns.awk.
BEGIN { split("p50 p99 many", column, " "); split("p50|p99|p50, 10,000 conns", title, "|") }
{ m = of("metric"); s = of("server") }
of("scenario") == "syscalls" && m == "calls" { known(s); calls[s] = sprintf("%.2f", of("median")) }
of("scenario") == "spin" && m == "returns_per_s" { known(s); spin[s] = of("median") }
of("scenario") == "spin" && m == "cpu_percent" { cpu[s] = of("median") }
of("scenario") == "latency" && m == "p50_us" { time("p50") }
of("scenario") == "latency" && m == "p99_us" { time("p99") }
of("scenario") == "connections" && m == "p50_us" && of("case") == 10000 { time("many") }

function known(name) { if (!(name in calls)) { list[++n] = name; calls[name] = "-" } }
function us(x) { return sprintf("%.0f", x) }
function time(what,   star) {
	if (!(s in timed)) { times[++t] = s; timed[s] = 1 }
	star = of("n") && index(of("trials"), "~") ? "*" : ""
	stars = stars star
	text[s, what] = !of("n") ? of("verdict") : of("total") == 1 ? us(of("median")) " (1 trial)" star : of("n") == 1 ? us(of("median")) " (1 trial)" star : us(of("median")) " (" us(of("low")) "-" us(of("high")) ")" star
	if (substr(text[s, what], 1, 2) == "no") text[s, what] = "too noisy"
	if (s == "04-epoll-et") verdict[what] = of("n") ? of("verdict") : text[s, what]
	if (what != "many" && of("total") > trials) trials = of("total")
}
function show(name, what) { return (name, what) in text ? text[name, what] : "-" }
END {
	printf "\n%-20s %17s %17s %12s\n", "counts", "calls per request", "wakeups/s, idle", "CPU %, idle"
	for (i = 1; i <= n; i++)
		printf "%-20s %17s %17s %12s\n", list[i], calls[list[i]], list[i] in spin ? spin[list[i]] : "-", list[i] in cpu ? cpu[list[i]] : "-"
	printf "\n%-18s %20s %20s %18s\n", "times, us", "p50", "p99", "p50, 10,000 conns"
	for (i = 1; i <= t; i++)
		printf "%-18s %20s %20s %18s\n", times[i], show(times[i], "p50"), show(times[i], "p99"), show(times[i], "many")
	printf "The median of %d trials, in brackets the least and the largest of them.\n", trials
	if (stars) print "* In the other trials the client was the limit; they are not in the number."
	print "04-epoll-et against 03-epoll-lt, trials in pairs:"
	for (i = 1; i <= 3; i++)
		printf "  %-18s %s\n", title[i], column[i] in verdict ? verdict[column[i]] : "not measured"
}
