# AddressSanitizer's or UBSan's report → one line, with the lines of the student's file.
function at(n) { return file ":" n }
/^SUMMARY/ { exit }
/runtime error: / && !kind {
	kind = $0; sub(/.*runtime error: /, "", kind)
	if (match($0, /server\.c:[0-9]+/)) used = substr($0, RSTART + 9, RLENGTH - 9)
}
/ERROR: AddressSanitizer: / {
	word = $0; sub(/.*AddressSanitizer: /, "", word)
	kind = word
	if (word ~ /^heap-use-after-free/) kind = "used after it was freed"
	if (word ~ /^attempting double-free/) kind = "freed a second time"
	if (word ~ /^(heap|stack|global)-buffer-overflow/) kind = "read or written past the end of an array"
	if (word ~ /^SEGV/) kind = "a pointer that is NULL, or points to no memory"
	if (word ~ /^stack-overflow/) kind = "a function that calls itself without end"
	part = "used"
}
/^freed by/ { part = "freed" }
/^(previously )?allocated by/ { part = "" }
part != "" && /^ *#[0-9]+ / && match($0, /server\.c:[0-9]+/) {
	n = substr($0, RSTART + 9, RLENGTH - 9)
	if (part == "used" && used == "") used = n
	else if (part == "used" && user == "") user = n
	if (part == "freed" && freed == "") freed = n
	else if (part == "freed" && from == "") from = n
}
END {
	if (kind == "") exit
	line = kind (used ? ", " at(used) (user ? " (called at " at(user) ")" : "") : "")
	if (freed) line = line ", freed at " at(freed) (from ? " (called at " at(from) ")" : "")
	print line
}
