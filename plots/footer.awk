# A chart's footer out of the manifest of its numbers, folded to a width. First a line with the
# number of lines and of trials.
/^# / {
	i = index($0, ": ")
	of[substr($0, 3, i - 3)] = substr($0, i + 2)
}
/^[^#]/ { exit }
END {
	kept = of["kept"] == "" ? "" : ", kept " of["kept"]
	say(of["what"] "; trials: " of["trials"] kept "; " of["date"] "; commit " of["commit"])
	say(of["cpu"] ", " of["cpus"] " CPUs (hypervisor: " of["hypervisor"] "), " of["kernel"] "; " of["pinning"])
	printf "%d %d%s\n", n, of["trials"], text
}

function say(s,   w, i, k, line) {
	k = split(s, w, " ")
	line = w[1]
	for (i = 2; i <= k; i++)
		if (length(line " " w[i]) > width) {
			put(line)
			line = w[i]
		} else
			line = line " " w[i]
	put(line)
}

function put(line) {
	text = text "\n" line
	n++
}
