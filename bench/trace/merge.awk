# From the traces of both sides, `seconds<TAB>side<TAB>text`; the client's file ends in `client`.
# A call that sends stands where it began, any other where it returned: so what arrives stands
# below what was sent.
{
	side = FILENAME ~ /client$/ ? "client" : "server"
	split($1, part, ".")
	if (!base) base = int($1)
	end = part[1] - base + part[2] / 1e9
	took = $2 + 0
	text = $0; sub(/^[^ ]+ [^ ]+ /, "", text)
	if (text ~ /^accept4\(.*→ [0-9]/) conn[$NF]
	from = text; gsub(/^[^(]*\(|[,)].*/, "", from)
	sends = text ~ /^(connect|send|shutdown|close|sendfile)\(/ || text ~ /^splice/ && !(from in conn)
	printf "%.9f\t%s\t%s\n", sends ? end - took : end, side, text
}
