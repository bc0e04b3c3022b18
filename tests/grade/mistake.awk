# MISTAKE server.c → the source with the mistake's functions in place of its own.
function name_of(s) { sub(/\(.*/, "", s); sub(/.*[ *]/, "", s); return s }
FNR == 1 { file++ }
/^static .*\(/ && !/;$/ && !/=/ { name = name_of($0); inside = 1 }
file == 1 && inside { text[name] = text[name] $0 "\n" }
file == 2 && !(inside && name in text) { print }
/^}/ {
	if (file == 2 && inside && name in text) printf "%s", text[name]
	inside = 0
}
