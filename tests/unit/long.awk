# Trials in columns become rows of numbers, with the sums that a scenario adds itself.
BEGIN {
	split("ksweep k latency inverse spectrum inverse omission inverse connections connections idle connections starvation ms fairness ms load rate saturation rate", pair, " ")
	for (i = 1; i in pair; i += 2) of[pair[i]] = pair[i + 1]
	split("lab trial pair kept why percentile verdict", word, " ")
	for (i in word) skipped[word[i]] = 1
}
NR == 1 { for (i = 1; i <= NF; i++) at[column[i] = $i] = i; next }
{
	case_ = of[name] == "" ? "-" : $at[of[name]]
	if (name == "peers") case_ = $at["bytes_per_idle"] != "nan" ? "idle" : $at["max_per_s"] != "nan" ? "max" : "rate"
	trial = "trial" in at ? $at["trial"] : 1
	kept = "kept" in at ? $at["kept"] : 1
	if ("verdict" in at && $at["verdict"] == "client-limited") kept = "limited"
	for (i = 1; i <= NF; i++)
		if (!(column[i] in skipped) && column[i] != of[name] && $i != "nan") put(case_, column[i], $i)
	if (name == "syscalls") { sum = 0; for (i = 3; i <= NF; i++) sum += $i; put("-", "calls", sum) }
	if (name == "latency" && $at["percentile"] == 0.5) put("-", "p50_us", $at["us"])
	if (name == "latency" && $at["percentile"] == 0.99) put("-", "p99_us", $at["us"])
	if (name == "starvation") answered[$1] = $at["answered"]
	if (name == "starvation" && $at["ms"] < 1000) { silence[$1] = $at["answered"]; stuck[$1] = $at["sent"] - $at["answered"] }
	if (name == "fairness" && $at["flood"] && $at["us"] > slowest[$1]) slowest[$1] = $at["us"]
}
END {
	trial = kept = 1
	for (s in answered) { $1 = s; put("-", "silence", silence[s]); put("-", "stuck", stuck[s]); put("-", "end", answered[s]) }
	for (s in slowest) { $1 = s; put("-", "slowest_us", slowest[s]) }
}
function put(c, metric, value) { print name, $1, c, trial, kept, metric, value }
