# Lays out the page: from the lines of merge.awk, in order of time, two columns of calls with
# arrows between them, repeats folded, and the sum of the calls. Variables: size (bytes of the
# request), lab (its name).

# In bytes a dash or an arrow is three long: what a reader sees is one.
function width(s) { gsub(/[\200-\277]/, "", s); return length(s) }
function cut(s, n) {
	while (width(s) > n) {
		sub(/[\200-\277]*$/, "", s)
		sub(/.$/, "", s)
	}
	return s
}
function line(n, i, s) { s = ""; for (i = 0; i < n; i++) s = s "─"; return s }
function spaces(n) { return n > 0 ? sprintf("%" n "s", "") : "" }
function fit(s, n) { if (width(s) > n) s = cut(s, n - 1) "…"; return s }
function rule(s) { s = "── " s " "; print s line(80 - width(s)) }
function over(n, what, left) { # an arrow of n columns with a word in it
	what = " " what " "; if (width(what) > n - 3) what = ""
	left = int((n - 1 - width(what)) / 2)
	return line(left) what line(n - 1 - width(what) - left)
}
function show(i, what, gap) {
	what = carries(i)
	if (side[i] == "client") {
		gap = 29 - width(text[i]) - 1
		printf "%8d  %s%s\n", us(i), text[i], what == "" ? "" : " " over(gap - 1, what) "▶"
	} else if (what == "")
		printf "%8d  %s%s\n", us(i), spaces(29), fit(text[i], 41)
	else
		printf "%8d  ◀%s %s\n", us(i), over(28, what), fit(text[i], 41)
}
function us(i) { return (time[i] - zero) * 1e6 + 0.5 }
function result(s) { sub(/.*→ /, "", s); return s }
function carries(i, r) { # bytes, or a sign of the protocol
	r = result(text[i])
	if (text[i] ~ /^connect/) return "SYN"
	if (text[i] ~ /^shutdown/) return "FIN"
	if (side[i] == "server" && out[i] && r ~ /^[1-9]/) return r " bytes"
	if (side[i] == "client" && text[i] ~ /^send/ && r ~ /^[1-9]/) return r " bytes"
	if (side[i] == "server" && text[i] ~ /^close/ && closes[i]) return "FIN"
	return ""
}
function repeats(i, n, r, j) { # how often the n lines from i come in a row
	for (r = 1; ; r++)
		for (j = 0; j < n; j++)
			if (i + r * n + j > count || text[i + r * n + j] != text[i + j] ||
				phase[i + r * n + j] != phase[i] || side[i + j] != "server" ||
				side[i + r * n + j] != "server") return r
}
$2 == "client" && $3 ~ /^connect/ { now = 1 }
$2 == "client" && $3 ~ /^send/ && now == 1 { now = 2 }
$2 == "client" && $3 ~ /^shutdown/ { now = 3 }
!now { next } # the set-up of the server
{
	if (!count++) zero = $1
	time[count] = $1; side[count] = $2; text[count] = $3; phase[count] = now
	from = $3; gsub(/^[^(]*\(|[,)].*/, "", from)
	if ($2 == "server" && $3 ~ /^accept4.*→ [0-9]/) open[result($3)] = 1
	if ($3 ~ /^close/ && open[from]) { closes[count] = 1; delete open[from] }
	out[count] = $3 ~ /^send/ || $3 ~ /^splice/ && !open[from]
}
END {
	printf "      µs  %-29s%s\n", "client", "server: " lab
	name[1] = "connection"; name[2] = "request of " size " bytes"; name[3] = "parting"
	for (i = 1; i <= count; ) {
		if (phase[i] != phase[i - 1]) rule(name[phase[i]])
		best = 1; times = 1
		for (n = 1; n <= 6 && times < 3; n++)
			if ((r = repeats(i, n)) >= 3) { best = n; times = r }
		for (j = 0; j < best; j++) show(i + j)
		if (times > 1) {
			last = i + best * times - 1
			printf "%8d  %s%s\n", us(last), spaces(29), "↑ " (best == 1 ? "this" : "these " best) \
				", " times " times"
			if (phase[i] == 2) idle += best * (times - 1)
		}
		i += best * times
	}
	for (i = 1; i <= count; i++) if (side[i] == "server" && phase[i] == 2) {
		call = text[i]; sub(/\(.*/, "", call); total++
		if (!made[call]++) order[++kinds] = call
		if (text[i] ~ /EAGAIN$/) again[call]++
	} else if (phase[i] == 2 && text[i] ~ /^recv/ && result(text[i]) ~ /^[1-9]/)
		back += result(text[i])
	rule(back + 0 < size ? "only " back + 0 " of " size " bytes came back: the client gave up" : "end")
	said = "server: " total " calls for the request:"
	for (k = 1; k <= kinds; k++) {
		call = order[k]
		item = made[call] " " call (again[call] ? " (" again[call] " EAGAIN)" : "") \
			(k < kinds ? "," : "")
		if (length(said) + length(item) > 79) { print said; said = " " }
		said = said " " item
	}
	print said
}
