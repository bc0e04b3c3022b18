# contracts server.c → the whole source, with what is to be mended said at the top.
FNR == NR {
	split($0, part, "\t")
	n = split("TODO, " part[1] ": " part[2], word, " ")
	line = FNR == 1 ? "/*" : " *"
	for (i = 1; i <= n; i++) {
		if (length(line " " word[i]) > 86) {
			text = text line "\n"
			line = " *"
		}
		line = line " " word[i]
	}
	text = text line "\n"
	next
}
FNR == 1 { sub(/\n$/, " */", text); print text }
{ print }
