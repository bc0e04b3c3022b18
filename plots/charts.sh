# Which charts a profile has, and where its tables and pictures are.
# shellcheck shell=bash disable=SC2034 # used by who sources this
export LC_ALL=C.UTF-8 # whatever the machine has or lacks
PROFILE=${PROFILE:-quick} BUILD=${BUILD:-build}
CHARTS='syscalls ksweep latency connections starvation spin fairness'
MORE='oneshot herd accepts workers sendfile' # of 08 to 11: quick draws those that were asked for
BARE='' # tables without a picture
case $PROFILE in
quick) dir=$BUILD ;;
full)
	dir=$BUILD/full
	CHARTS='syscalls ksweep callsload spectrum loadlatency connections idle omission cpu observer backpressure peers starvation spin fairness'" $MORE"
	BARE='bursts streams slow hundred'
	;;
*)
	echo "${0##*/}: PROFILE: '$PROFILE' is neither quick nor full" >&2
	exit 2
	;;
esac
BENCH=${BENCH:-$dir/bench} PLOTS=${PLOTS:-$dir/plots}
export BENCH BUILD
# shellcheck source=bench/lib/table.sh
. bench/lib/table.sh

# said CHART KEY: what plots/text/CHART.txt says there.
said() {
	sed -n "s/^$2: //p" "plots/text/$1.txt"
}

# measured TABLE: there are rows below its head, be it failures.
measured() {
	[ -s "$BENCH/$1.tsv" ] && awk '!/^#/ { n++ } END { exit n < 2 }' "$BENCH/table/$1.tsv" 2>/dev/null
}

# lacks CHART: the first of its tables that is not measured.
lacks() {
	local table
	for table in $(said "$1" tables); do
		measured "$table" || { echo "$table"; return; }
	done
}

if [ "$PROFILE" = quick ]; then
	for more in $MORE; do
		[ ! -s "$BENCH/$more.tsv" ] || CHARTS+=" $more"
	done
fi
