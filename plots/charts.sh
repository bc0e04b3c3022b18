# Which charts a profile has, and where its numbers and pictures are.
# shellcheck shell=bash disable=SC2034 # used by who sources this
export LC_ALL=C.UTF-8 # whatever the machine has or lacks
PROFILE=${PROFILE:-quick} BUILD=${BUILD:-build}
CHARTS='syscalls ksweep latency connections starvation spin fairness'
MORE='oneshot herd accepts workers sendfile' # of 08 to 11: quick draws those that were asked for
case $PROFILE in
quick) dir=$BUILD ;;
full)
	dir=$BUILD/full
	CHARTS='syscalls ksweep callsload spectrum loadlatency connections idle omission cpu observer backpressure peers starvation spin fairness'" $MORE"
	;;
*)
	echo "${0##*/}: PROFILE: '$PROFILE' is neither quick nor full" >&2
	exit 2
	;;
esac
BENCH=${BENCH:-$dir/bench} PLOTS=${PLOTS:-$dir/plots}
export BENCH BUILD
# Those that are drawn from what points.sh makes of the numbers.
POINTS='callsload spectrum loadlatency connections idle omission cpu observer backpressure peers workers'

is_points() {
	[[ " $POINTS " = *" $1 "* ]]
}

# sources CHART: the files of numbers it is made of, the first of which tells whose they are.
sources() {
	case $1 in
	callsload | loadlatency) echo load ;;
	cpu) echo load claim ;;
	*) echo "$1" ;;
	esac
}

# measured FILE: there are rows below its head.
measured() {
	awk '!/^#/ { n++ } END { exit n < 2 }' "$1" 2>/dev/null
}

if [ "$PROFILE" = quick ]; then
	for more in $MORE; do
		! measured "$BENCH/$more.tsv" || CHARTS+=" $more"
	done
fi
