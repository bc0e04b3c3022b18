# Servers to be compared, interleaved.
# shellcheck shell=bash disable=SC2034 # trial.sh reads LAB and ROUND

# rounds TRIALS SECONDS FUNCTION GROUP...: a group is one server, or some that are compared with
# one another, a+b (b:6 wants 6 trials only): all of a group are kept in the same round or the
# round does not count for it. The order turns round as in ABBA BAAB; who meets in a round gets
# the same seed. Whoever was rejected is tried again, up to twice the rounds, as long as the
# plan stays within its time.
rounds() {
	local planned=$1 seconds=$2 function=$3 group groups order
	local -A have=()
	to_compare "${@:4}"
	for ((ROUND = 1; ROUND <= 2 * planned; ROUND++)); do
		order=()
		for group in "${groups[@]}"; do
			! wants_more "$group" || order+=("${group%:*}")
		done
		mapfile -t order < <(turned "${order[@]}")
		for LAB in "${order[@]}"; do trial "$seconds" "$function"; done
		[ "$DRY" = 1 ] || count_kept
	done
}

# to_compare GROUP...: those of them in $groups that are asked for and built.
to_compare() {
	local group arms
	groups=()
	for group; do
		arms=''
		for LAB in ${group//+/ }; do
			LAB=${LAB%:*}
			asked_for "$LAB" || continue
			if program "$LAB" >/dev/null; then arms+=${arms:++}$LAB; else failed "not built"; fi
		done
		case $group in *:*) arms+=${arms:+:${group##*:}} ;; esac
		[ -z "$arms" ] || groups+=("$arms")
	done
}

# wants_more GROUP: has it a trial in this round? After those planned, only if there is time.
wants_more() {
	local want=$planned arms more
	case $1 in *:*) want=$((${1##*:} < planned ? ${1##*:} : planned)) ;; esac
	[ "${have[$1]-0}" -lt "$want" ] && [ "$ROUND" -le $((2 * want)) ] || return 1
	[ "$ROUND" -gt "$want" ] || return 0
	[ "$DRY" = 0 ] || return 1
	arms=${1//[^+]/}
	more=$(($(cost "$seconds") * (${#arms} + 1)))
	LAB=${1%%[+:]*}
	[ -e "$(trial_file)" ] || time_for $more || return 1
	TOTAL_MS=$((TOTAL_MS + more))
}

# turned GROUP...: their servers, a line each, in this round's order.
turned() {
	[ $# -eq 0 ] || tr + '\n' < <(printf '%s\n' "$@") |
		case $((ROUND % 4)) in 2 | 3) tac ;; *) cat ;; esac
}

# The round counts for a group if each of its servers was kept in it.
count_kept() {
	local group good
	for group in "${groups[@]}"; do
		good=1
		while read -r LAB; do
			[ -e "$(trial_file)" ] && was_kept || good=0
		done < <(tr + '\n' <<<"${group%:*}")
		have[$group]=$((${have[$group]-0} + good))
	done
}
