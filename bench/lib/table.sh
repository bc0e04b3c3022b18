# The second table: BENCH/table/SCENARIO.tsv is what build/stats makes of the trials in
# BENCH/SCENARIO.tsv. Charts, claims, comparisons and reports read nothing else.
# shellcheck shell=bash

# tables DIR: makes those that are missing or older than their trials.
tables() {
	local file to against
	mkdir -p "$1/table"
	for file in "$1"/*.tsv; do
		to=$1/table/${file##*/}
		if [ "$(grep -m 1 -v '^[#!]' "$file" 2>/dev/null | cut -f 1)" != scenario ]; then
			rm -f "$to" # claims.tsv is no scenario, and an empty file has no table
			continue
		fi
		[ ! "$to" -nt "$file" ] || continue
		against=$(sed -n 's/^# against: //p' "$file") # whom the verdicts compare with, if not 03
		"$BUILD/stats" table ${against:+--against "$against"} "$file" >"$to.new" || { rm -f "$to.new"; return 1; }
		mv "$to.new" "$to"
	done
}
