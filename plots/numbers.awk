# The rows of a second table that a report shows of some metrics. After columns.awk, with
# metrics="p50_us p99_us" in their order, units=plots/text/units.tsv before the tables.
#   as=html    a table: what was measured, median with range, trials, what they show
#   as=words   the same numbers in a sentence, for a reader who does not see the chart
# Of a curve over 1/(1-p) the first numbers beyond p50, p90, p99, p99.9.
BEGIN {
	many = split(metrics, metric, " ")
	for (i = 1; i <= many; i++) place[metric[i]] = i
	split("2 10 100 1000", inverse, " ")
	split("p50 p90 p99 p99.9", percentile, " ")
}
FILENAME ~ /units.tsv$/ { unit[$1] = $2; next }
!(of("metric") in place) || of("median") == "-" { next }
{ label = of("case") == "-" ? "" : of("case") }
of("metric") == "us" {
	label = ""
	for (i = 1; i <= 4; i++)
		if (of("case") >= inverse[i] && !shown[of("server"), i]++) { label = percentile[i]; if (i < 4 && of("case") >= inverse[i + 1]) continue; break }
	if (label == "") next
}
{
	k = place[of("metric")]
	row[k, ++rows[k]] = as == "html" ? cells() : words()
}
function shorter(x) { return x == int(x) && x < 1000 ? sprintf("%d", x) : x >= 1000 ? sprintf("%.0f", x) : sprintf("%.3g", x) }
function escaped(s) { gsub(/&/, "\\&amp;", s); gsub(/</, "\\&lt;", s); gsub(/>/, "\\&gt;", s); return s }
function measured() {
	return shorter(of("median")) (of("n") == 0 ? "" : of("n") == 1 ? " (1 trial)" : " (" shorter(of("low")) "-" shorter(of("high")) ")")
}
# A count is the same in every trial: few trials are no reason to doubt it. What depends on
# time has a verdict.
function is_time() { return of("metric") ~ /_us|percent|^rate$|per_s$/ }
function cells(   n) {
	n = of("n") " of " of("total")
	if (of("n") && index(of("trials"), "~")) n = n ", the others client-limited"
	return "<tr><td>" escaped(of("server")) "<td>" label "<td>" (of("n") ? measured() : of("verdict")) "<td>" n "<td>" escaped(of("n") && is_time() ? of("verdict") : "-")
}
function words(   s) {
	s = of("server") != last[k] ? (rows[k] > 1 ? "; " : "") of("server") " " : ", "
	last[k] = of("server")
	return s shorter(of("median")) (of("n") > 1 && of("low") != of("high") ? " (" shorter(of("low")) "-" shorter(of("high")) ")" : "") (label == "" ? "" : " at " label) (of("n") ? "" : " (not to be trusted)")
}
function named(k) { return metric[k] in unit ? unit[metric[k]] : metric[k] }
END {
	for (k = 1; k <= many; k++) {
		if (!rows[k]) continue
		if (as == "words") printf "%s%s: ", (said++ ? ". " : ""), named(k)
		else printf "<table><thead><tr><th scope=col>%s<th scope=col>case<th scope=col>median (range)<th scope=col>trials<th scope=col>against %s<tbody>\n", named(k), against == "" ? "03-epoll-lt" : against
		for (i = 1; i <= rows[k]; i++) printf "%s%s", row[k, i], (as == "words" ? "" : "\n")
		if (as != "words") print "</table>"
	}
	if (as == "words") print ""
}
