# TAP → how many tests were skipped, and for each reason how many.
/^ok .* # skip/ {
	n++
	sub(/^.* # skip */, "")
	if (!count[$0]++) order[++reasons] = $0
}
END {
	printf "%d skipped%s\n", n, n ? ":" : ""
	for (i = 1; i <= reasons; i++) printf "%5d  %s\n", count[order[i]], order[i]
}
