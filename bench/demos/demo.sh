# What the demos share: a picture that is redrawn on a terminal and printed now and then in
# a log. SLOW=1 waits for Enter after each text.
# shellcheck shell=bash

say() {
	printf '%s\n\n' "$1"
	[ -z "${SLOW-}" ] || read -rp '[Enter] ' _ || true # nobody to press it: go on
}

# bar N OF WIDTH: a bar of #, that shows at least one for anything above 0.
bar() {
	local n=$(($1 * $3 / $2)) text
	[ "$1" -eq 0 ] || [ $n -gt 0 ] || n=1
	[ $n -le "$3" ] || n=$3
	printf -v text '%*s' "$n" ''
	printf '%-*s' "$3" "${text// /#}"
}

LINES_DRAWN=0 FRAMES=0

# frame HEADING TEXT
frame() {
	local text="$1"$'\n'"$2" plain
	if [ -t 1 ]; then
		[ $LINES_DRAWN -eq 0 ] || printf '\033[%dA' $LINES_DRAWN
		while IFS= read -r plain; do printf '%s\033[K\n' "$plain"; done <<<"$text"
		LINES_DRAWN=$(wc -l <<<"$text")
	elif [ $((FRAMES++ % 10)) -eq 0 ]; then
		printf '%s\n\n' "$text"
	fi
}
