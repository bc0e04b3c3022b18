# contracts server.c server.c → the source with some bodies cut. The contracts are lines of
# function, tab, what it has to do. Functions are found by clang-format's shape: the header
# begins in column 1, then a line {, then a line }. First pass: who is there, who calls whom.

FNR == 1 { pass++ }

pass == 1 { split($0, part, "\t"); contract[part[1]] = part[2]; next }

# The header may take several lines; a prototype or a variable ends in ; or {
function header_name(text) {
	if (text !~ /^static .*\(/ || text ~ /;|=/)
		return ""
	sub(/\(.*/, "", text)
	sub(/.*[ *]/, "", text)
	return text
}

pass == 2 {
	if (/^static /)
		header = $0
	else if ($0 != "{" && header != "")
		header = header " " $0
	if ($0 == "{") {
		inside = header_name(header)
		if (inside != "")
			order[++known] = inside
		header = ""
	}
	if ($0 == "}")
		inside = ""
	if (inside != "")
		body[inside] = body[inside] "\n" $0
	if (/;$/)
		header = ""
	next
}

function wrapped(text,   n, i, word, line, out) {
	n = split(text, word, " ")
	line = "/* TODO:"
	for (i = 1; i <= n; i++) {
		if (length(line " " word[i]) > 86) {
			out = out line "\n"
			line = " *"
		}
		line = line " " word[i]
	}
	return out line " */"
}

# The parameters' names, and the functions this body used: without a use they would warn.
function stub(name, text,   type, list, n, i, p, out, used) {
	type = text
	sub(/[A-Za-z_0-9]+\(.*/, "", type)
	sub(/^static (inline )?/, "", type)
	list = text
	sub(/^[^(]*\(/, "", list)
	sub(/\)[^)]*$/, "", list)
	n = split(list, p, ",")
	for (i = 1; i <= n; i++) {
		gsub(/^[ \t]+|[ \t]+$|\[.*/, "", p[i])
		sub(/.*[ *]/, "", p[i])
		if (p[i] != "void")
			out = out "\t(void)" p[i] ";\n"
	}
	for (i = 1; i <= known; i++)
		if (order[i] != name && body[name] ~ "[^A-Za-z_0-9]" order[i] "\\(")
			used = used "\t(void)" order[i] ";\n"
	if (used != "")
		out = out "\t/* You may want these, unused so far: */\n" used
	if (type ~ /\*/)
		out = out "\treturn NULL;\n"
	else if (type ~ /^enum step/)
		out = out "\treturn STEP_WAIT;\n"
	else if (type ~ /^bool/)
		out = out "\treturn false;\n"
	else if (type !~ /^void/)
		out = out "\treturn 0;\n"
	return out
}

# Third pass. A comment is held back until we know that what follows it is not cut.
function flush_held() {
	printf "%s", held
	held = ""
}

cutting { if ($0 == "}") { cutting = 0; print }; next }

/^\/\*/ && !in_comment { flush_held(); flush_header(); in_comment = 1 }
in_comment { held = held $0 "\n"; if (/\*\//) in_comment = 0; next }

/^static / && !/;$/ { flush_header(); header = $0; header_lines = $0; next }
header != "" && $0 != "{" { header = header " " $0; header_lines = header_lines "\n" $0; next }
header != "" && $0 == "{" && header_name(header) in contract {
	name = header_name(header)
	held = "" # it tells how this body went about it
	print wrapped(contract[name])
	print header_lines
	print "{"
	printf "%s", stub(name, header)
	header = ""
	cutting = 1
	next
}

function flush_header() {
	if (header != "")
		print header_lines
	header = ""
}

{ flush_held(); flush_header(); print }

END { flush_held(); flush_header() }
