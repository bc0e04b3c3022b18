# The plan: every scenario runs dry first, to know how long all take; then for real.
# shellcheck shell=bash disable=SC2153,SC2034 # bench/run sets SCALE, LIMIT_MS, STARTED

DRY=1 TOTAL_MS=0 DONE_MS=0

# Thousandths of 2.35, without a process, for a plan asks often.
ms() {
	local whole=${1%.*} part=000
	[[ $1 != *.* ]] || part=${1#*.}000
	echo $((10#0$whole * 1000 + 10#${part:0:3}))
}

# scaled SECONDS: times SCALE (a plan in a hundredth of its time, to try it out), 0.05 at least.
scaled() {
	local t=$(($(ms "$1") * $(ms "$SCALE") / 1000))
	[ "$t" -ge 50 ] || t=$(($(ms "$1") < 50 ? $(ms "$1") : 50))
	printf '%d.%03d\n' $((t / 1000)) $((t % 1000))
}

# cost SCALED+FIXED: the milliseconds of a trial: what goes with SCALE, and what does not.
cost() {
	echo $(($(ms "$(scaled "${1%+*}")") + $(ms "${1#*+}")))
}

# doing WHAT: what is about to be measured, and the time left.
doing() {
	local left=$(((TOTAL_MS - DONE_MS) / 1000)) line
	[ "$left" -ge 0 ] || left=0
	line=$(printf '%3d %%  %-12s %-34s %d:%02d left' $((100 * DONE_MS / (TOTAL_MS + 1))) \
		"$SCENARIO" "$1" $((left / 60)) $((left % 60)))
	if [ -t 2 ]; then printf '\r\033[K%s' "$line" >&2; else printf '%s\n' "$line" >&2; fi
}

# time_for MS: is there time for so much more than planned?
time_for() {
	[ $((1000 * (SECONDS - STARTED) + TOTAL_MS - DONE_MS + $1)) -lt "$LIMIT_MS" ]
}
