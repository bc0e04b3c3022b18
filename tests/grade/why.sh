# Why a probe failed: it is run again with the server's own calls written down, and after a
# crash under AddressSanitizer. Sourced by check.
# shellcheck shell=bash disable=SC2034,SC2154 # check sets CAGE, LAB, OPTIONS, and reads SURE

# wrapper NAME PROGRAM VARIABLE=VALUE: a script in the cage whose stderr goes to NAME.log.
wrapper() {
	rm -f "$CAGE/$1.log"
	# shellcheck disable=SC2016 # the script expands it
	printf '#!/bin/sh\n%s exec %s "$@" 2>>%s\n' "$3" "$CAGE/$2" "$CAGE/$1.log" >"$CAGE/$1"
	chmod 755 "$CAGE/$1"
}

# once_more PROBE PROGRAM: the probe on another program in the cage; sets AGAIN to its object.
once_more() {
	AGAIN=
	if declare -F "lesson_${1//-/_}" >/dev/null; then
		: >"$CAGE/again"
		RESULTS=$CAGE/again STARTED=$CAGE/$2 lessons "$1"
		AGAIN=$(tail -n 1 "$CAGE/again")
	else
		caged 60 "$CAGE/torture" --spawn "$CAGE/$2 $OPTIONS" --json --probe "$1" \
			>"$CAGE/torture.json" 2>/dev/null || true
		sweep
		AGAIN=$(head -c 100000 "$CAGE/torture.json" | jq -c '.probes[0] // empty' 2>/dev/null) || true
	fi
}

# traced PROBE: sets WHY to the word of `reasons`, and CALLS to lines of failed, said and last.
traced() {
	local at seen one=1
	WHY='' CALLS=''
	[[ $LAB != 09-* && $LAB != 10-* ]] || one=0
	wrapper traced server LAB_TRACE=clock
	once_more "$1" traced
	[[ -s $CAGE/traced.log && $(jq -r .verdict <<<"$AGAIN") == fail ]] || return 0
	at=$(jq -r '.at // 0' <<<"$AGAIN") seen=$(jq -r '.seen // "cpu"' <<<"$AGAIN")
	head -n 150000 "$CAGE/traced.log" >"$CAGE/calls"
	CALLS=$(LC_ALL=C awk -v at="$at" -v seen="$seen" -v one=$one -f "$HERE/trace.awk" "$CAGE/calls" "$CAGE/calls" |
		cut -c 1-200)
	WHY=$(sed -n 's/^why\t//p' <<<"$CALLS")
}

# crashed PROBE: sets CRASH to what AddressSanitizer says of it, in one line; empty if nothing.
crashed() {
	CRASH=
	[[ -x $CAGE/server-asan ]] || build_with server-asan -fsanitize=address,undefined \
		-fno-omit-frame-pointer -fno-sanitize-recover=all || return 0
	wrapper asan server-asan ''
	ROOMY=1 once_more "$1" asan
	[[ ! -s $CAGE/asan.log ]] || CRASH=$(awk -v file="${SOURCE##*/}" -f "$HERE/crash.awk" "$CAGE/asan.log")
}

reason() { # WORD: its sentence
	awk -F'\t' -v w="$1" '$1 == w { print $2 }' "$HERE/reasons"
}

# likely PROBE SEEN: the probe's usual cause, if it is one for what was seen.
likely() {
	local when text=
	when=$(cause_of "$1" 2)
	[[ ! $2 || $when == - || ,$when, == *",$2,"* ]] || text=$(reason "$2")
	echo "${text:-$(cause_of "$1" 3)}"
}

# because PROBE-OBJECT: sets BECAUSE to the cause, SURE to whether it was seen, and CALLS.
because() {
	local name seen saw
	name=$(jq -r .name <<<"$1") seen=$(jq -r '.seen // ""' <<<"$1") saw=$(jq -r '.saw // ""' <<<"$1")
	WHY='' CALLS='' CRASH='' SURE=1
	if [[ $seen == gone && $saw != *'signal 13'* ]]; then
		crashed "$name"
		WHY=gone-by-itself
		[[ $saw != *signal* ]] || WHY=crash
	elif [[ $seen == gone ]]; then
		WHY=gone-13
	fi
	if [[ $CRASH ]]; then
		BECAUSE="the server crashed: $CRASH"
		return
	fi
	local before=$WHY
	# What forks or eats without end is not started again: its calls explain nothing.
	[[ $saw == *'without end'* ]] || [[ ! $seen && $name != at-rest ]] || traced "$name"
	WHY=${WHY:-$before}
	BECAUSE=$(reason "$WHY")
	[[ ! $BECAUSE ]] || return 0
	SURE=''
	BECAUSE=$(likely "$name" "$seen")
}
