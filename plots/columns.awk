# Before every program that reads a second table: skips what is not a row, finds columns by name.
BEGIN { FS = OFS = "\t" }
/^[#!]/ { next }
$1 == "scenario" { for (i = 1; i <= NF; i++) at[$i] = i; next }
function of(name) { return $at[name] }

# each(i): a trial of the row, which has `trials` of them; sets number, mark (= in the median,
# ! too noisy, ~ client-limited) and value.
function split_trials() { return split(of("trials"), trial_text, " ") }
function each(i) {
	match(trial_text[i], /[=!~]/)
	number = substr(trial_text[i], 1, RSTART - 1)
	mark = substr(trial_text[i], RSTART, 1)
	value = substr(trial_text[i], RSTART + 1)
}
