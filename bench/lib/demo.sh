# What the demos share: a page of 80 by 24 with a text, a picture that is redrawn in its place,
# and a verdict. In a pipe or on a dumb terminal the picture is printed now and then, without
# escape codes. SLOW=1 waits for Enter after each text.
# shellcheck shell=bash

# A decimal point is a point, and every character is one byte: the pictures are plain ASCII.
export LC_ALL=C

LIVE='' ROWS=24 COLS=80 DRAWN=0 FRAMES=0 COOKED=''
if [ -t 1 ] && [ "${TERM:-dumb}" != dumb ]; then LIVE=1; fi

# Some terminals say 0 by 0.
measure() {
	local rows cols
	read -r rows cols < <(stty size <&"$screen" 2>/dev/null) || return 0
	[ "$rows" -eq 0 ] || ROWS=$rows
	[ "$cols" -eq 0 ] || COLS=$cols
}

# A key that is echoed would move the picture: nothing is echoed while it is drawn.
keys_off() {
	if [ -n "$COOKED" ] || [ ! -t 0 ]; then return; fi
	COOKED=$(stty -g)
	stty -echo
}
keys_on() {
	[ -z "$COOKED" ] || stty "$COOKED"
	COOKED=''
}

# A demo may have its own: what has to be closed before its servers are stopped.
at_end() {
	:
}
# shellcheck disable=SC2317 # a trap
end_demo() {
	at_end
	keys_on
	clean_up
}
trap end_demo EXIT
trap 'end_demo; exit 129' HUP
trap 'end_demo; exit 130' INT
trap 'end_demo; exit 131' QUIT
trap 'end_demo; exit 143' TERM

# An empty screen; what was on it can be scrolled back to.
if [ -n "$LIVE" ]; then
	exec {screen}>&1
	measure
	trap measure WINCH
	printf -v empty '%*s' "$ROWS" ''
	printf '%s\033[H\033[2J' "${empty// /$'\n'}"
fi

# say SENTENCE...: a line each, wrapped where the terminal is narrow.
say() {
	keys_on
	DRAWN=0
	printf '%s\n' "$@" '' | "$ROOT/bench/lib/wrap"
	[ -z "${SLOW-}" ] || read -rp '[Enter]' _ || true # nobody to press it: go on
}

# bar N OF WIDTH: a bar of #, that shows at least one for anything above 0.
bar() {
	local n=$(($1 * $3 / $2)) text
	[ "$1" -eq 0 ] || [ $n -gt 0 ] || n=1
	[ $n -le "$3" ] || n=$3
	printf -v text '%*s' "$n" ''
	printf '%-*s' "$3" "${text// /#}"
}

# frame HEADING TEXT: draws the picture over the one before, in one write. A line is erased
# before it is written: after 80 of 80 columns, erasing the rest takes the last one.
frame() {
	local line text='' lines=0
	if [ -n "$LIVE" ]; then
		keys_off
		[ $DRAWN -eq 0 ] || text=$'\033['${DRAWN}A
		while IFS= read -r line && [ $((lines + 1)) -lt "$ROWS" ]; do
			text+=$'\033[K'${line:0:COLS}$'\n'
			lines=$((lines + 1))
		done < <(printf '%s\n' "$1" "$2")
		printf '%s\033[J' "$text"
		DRAWN=$lines
	elif [ $((FRAMES++ % 10)) -eq 0 ]; then
		printf '%s\n\n' "$1"$'\n'"$2"
	fi
}

# finish SENTENCE...: the verdict. Each demo says in the_effect_shows what has to be true.
finish() {
	[ -z "$LIVE" ] || echo
	keys_on
	printf '%s\n' "$@" | "$ROOT/bench/lib/wrap"
	the_effect_shows && return
	echo "The expected effect did not appear."
	exit 1
}
