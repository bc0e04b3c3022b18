# Plays the console blocks of a README. Load after helper.
# shellcheck shell=bash disable=SC2034,SC2154 # Bats sets and reads these elsewhere

# blocks README: writes its console blocks to $BATS_TEST_TMPDIR/N.exact or N.shape.
blocks() {
	awk -v dir="$BATS_TEST_TMPDIR" '
		/^```/ && file { file = ""; next }
		/^```console/ { file = dir "/" ++n "." ($2 == "exact" ? "exact" : "shape"); next }
		file { print >file }' "$1"
}

# play BLOCK: its commands, in one shell as a reader's, each server on a free port.
play() (
	local cmd commands pid='' pids=() port='' dir=$1.tmp log=$1.tmp/log
	mkdir "$dir"
	trap 'kill "${pids[@]}" 2>/dev/null || true' EXIT
	mapfile -t commands < <(sed -n 's/^\$ //p' "$1")
	for cmd in "${commands[@]}"; do
		cmd=${cmd//\/tmp\//$dir/} cmd=${cmd//build\//$BUILD/} cmd=${cmd//\$!/$pid}
		if [[ $cmd == *' --port 8080'*'&' ]]; then
			cmd=${cmd/--port 8080/--port 0}
			: >"$log"
			eval "${cmd%&} >$log &"
			pid=$! # polling forks, and so changes $!
			pids+=("$pid")
			wait_until 10 said_port "$log" # sets PORT
			# shellcheck disable=SC2153
			port=$PORT
			echo "listening on 127.0.0.1:8080"
		else
			eval "${cmd//8080/$port}" || true
		fi
	done
)

# tidy FILE: what is compared.
tidy() {
	local numbers=()
	[[ $1 == *.exact* ]] || numbers=(-e 's/[0-9][0-9,.]*/N/g')
	sed -E "${numbers[@]}" -e 's/[[:space:]]+/ /g; s/^ //; s/ $//' "$1"
}

check() { # README [BLOCKS]: it has so many console blocks at least (3), and they are true
	local b want got least=${2:-3}
	rm -rf "$BATS_TEST_TMPDIR"/*.{exact,shape}*
	blocks "$1"
	for b in "$BATS_TEST_TMPDIR"/*.exact "$BATS_TEST_TMPDIR"/*.shape; do
		[[ -e $b ]] || continue # a README may have only one of the kinds
		play "$b" >"$b.out" 2>&1 </dev/null 3>&- 4>&-
		grep -v '^\$ ' "$b" >"$b.want" || true
		want=$(tidy "$b.want" | sed 's/[][*?\\]/\\&/g; s/^…$/*/' | sed -z 's/\*\n/*/g')
		got=$(tidy "$b.out")
		# shellcheck disable=SC2053 # want is a pattern
		[[ $got == $want ]] || fail "$1: it shows
$(<"$b")
but these commands print
$(<"$b.out")"
	done
	[[ -e $BATS_TEST_TMPDIR/$least.exact || -e $BATS_TEST_TMPDIR/$least.shape ]] || fail "$1: not $least blocks"
}
