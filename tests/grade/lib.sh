# What exercise, check, hint and grade share.
# shellcheck shell=bash

# One locale, whatever the machine has or lacks: bytes sort and numbers have a point.
export LC_ALL=C.UTF-8

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
HERE=$ROOT/tests/grade
BUILD=${BUILD:-$ROOT/build}
WORK=${WORK:-$ROOT/work}

# Bad usage: one line, status 2.
die() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 2
}

needs() {
	local tool
	for tool; do
		command -v "${tool%%:*}" >/dev/null || die "needs ${tool%%:*}: package ${tool#*:} (make setup)"
	done
}

labs_with_exercise() {
	grep -lE '^(Functions|Mend): ' "$ROOT"/labs/[0-9]*/README.md | sed 's|/README.md$||; s|.*/||'
}

# lab_named NAME: 04, epoll-et and 04-epoll-et are the same lab. Prints the last form.
lab_named() {
	local lab
	[[ -n ${1-} ]] || die "which lab? 04, epoll-et or 04-epoll-et"
	for lab in $(labs_with_exercise); do
		[[ $1 != "$lab" && $1 != "${lab%%-*}" && $1 != "${lab#*-}" ]] || { echo "$lab" && return; }
	done
	die "LAB: '$1' has no exercise; these have: $(labs_with_exercise | xargs)"
}

# section LAB: the lab's exercises, as its README has them.
section() {
	awk '/^## /{ on = /^## ([0-9]+\. )?Exercises/; next } on' "$ROOT/labs/$1/README.md"
}

# functions LAB: the names after `Functions:` (to be written) or `Mend:` (to be corrected).
functions() {
	section "$1" | sed -nE 's/^(Functions|Mend): //p' | tr -d ','
}

# to_mend LAB: true for a lab that is wrong on purpose; its parent is the solution.
to_mend() {
	section "$1" | grep -q '^Mend: '
}

# solution LAB: the lab whose source is right.
solution() {
	if to_mend "$1"; then
		sed -n 's/.*Parent:[^0-9]*\([0-9][0-9]-[a-z-]*\).*/\1/p' "$ROOT/labs/$1/README.md" | head -n 1
	else
		echo "$1"
	fi
}

# contract LAB FUNCTION: the text after "- `FUNCTION`:" and its indented lines, on one line.
contract() {
	section "$1" | awk -v start="- \`$2\`: " '
		on && /^  [^ ]/ { text = text " " substr($0, 3); next }
		on { exit }
		index($0, start) == 1 { on = 1; text = substr($0, length(start) + 1) }
		END { gsub("`", "", text); print text }'
}

# skeleton LAB: what the student begins with.
skeleton() {
	local f source=$ROOT/labs/$1/server.c
	local contracts
	contracts=$(for f in $(functions "$1"); do printf '%s\t%s\n' "$f" "$(contract "$1" "$f")"; done)
	if to_mend "$1"; then
		awk -f "$HERE/mend.awk" <(echo "$contracts") "$source"
	else
		awk -f "$HERE/skeleton.awk" <(echo "$contracts") "$source" "$source"
	fi
}

# body FILE FUNCTION: without comments, spaces and (void) lines; nothing if it is not there.
body() {
	awk -v name="$2" '
		!on && $0 ~ ("^[a-z].*[ *]" name "\\(") && !/;$/ { on = 1 }
		!on { next }
		{ sub(/\/\/.*/, ""); text = text $0 "\n" }
		/^}/ {
			sub(/^[^{]*/, "", text)
			gsub(/\/\*([^*]|\*+[^*\/])*\*+\//, "", text)
			gsub(/\(void\)[a-zA-Z_0-9]+;|[ \t\n]/, "", text)
			print text
			exit
		}' "$1"
}

# unwritten LAB FILE: the functions that are still as in the skeleton.
unwritten() {
	local f now
	! to_mend "$1" || return 0 # to mend: it runs
	for f in $(functions "$1"); do
		now=$(body "$2" "$f")
		[[ ! $now || $now != "$(body <(skeleton "$1") "$f")" ]] || echo "$f"
	done
}

# hint LAB LEVEL: the text of one folded hint.
hint() {
	section "$1" | awk -v head="<details><summary>Hint $2</summary>" '
		$0 == head { on = 1; next }
		on && /^<\/details>/ { exit }
		on' | sed -e '/./,$!d' | sed -e ':a' -e '/^\n*$/{$d;N;ba' -e '}'
}

# options LAB: what its README says it needs to echo.
options() {
	sed -n "s/^Options: *//p" "$ROOT/labs/$1/README.md" | head -n 1
}

# probes_of LAB: one a line. =LAB in the table stands for that lab's.
probes_of() {
	local p
	awk -F'\t' -v lab="$1" '$1 == lab { gsub(" ", "\n", $2); print $2 }' "$HERE/probes" | while read -r p; do
		if [[ $p == =* ]]; then probes_of "${p#=}"; else echo "$p"; fi
	done
}
