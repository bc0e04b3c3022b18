#!/usr/bin/env bats
# shellcheck disable=SC2034,SC2154 # Bats sets and reads these elsewhere
# shellcheck disable=SC2030,SC2031 # Bats runs every test in its own subshell
# facts: the cards, and what shows them. RUNS says how often they have to agree.
setup() {
	load helper
	requires jq timeout
	facts=$BUILD/facts
	marks=$BUILD/tests/facts-marks # a deck that is wrong on purpose
}

# json: the one object, in $BATS_TEST_TMPDIR/json.
json() {
	"$facts" --json >"$BATS_TEST_TMPDIR/json" || true
	jq -e . "$BATS_TEST_TMPDIR/json" >/dev/null
}

# measured: a line for each card, its name and the words that came out.
measured() {
	jq -r '.cards[] | "\(.name) \(.measured | join(" "))"' "$BATS_TEST_TMPDIR/json"
}

one_line_status_2() { # WORD COMMAND...
	run --separate-stderr "${@:2}"
	assert_failure 2
	[[ -z $output && ${#stderr_lines[@]} -eq 1 && $stderr == *"$1"* ]] || fail "$*: $output$stderr"
}

@test "facts: the matrix is what the kernel does" {
	json
	run measured
	while read -r line; do
		assert_line "$line"
	done <<'END'
before-add 1 1 1 1
not-read 1 0 0 0
half-read 1 0 0 0
half-read-new 1 1 0 0
two-writes 1,0 1,0 1,0 1,0
half-read-mod 1 1 1 1
drained-mod 0 0 0 0
half-read-readd 1 1 1 1
drained-new 1 1 0 0
half-read-close 1 1 0 0
close-again 1 0 0 0
out-idle 1 0 0 0
out-drained 1 1 0 0
END
}

@test "facts: the other rows too" {
	json
	run measured
	while read -r line; do
		assert_line "$line"
	done <<'END'
eventfd-again 1 1 0 0
chapter-100 10000 100 100 100
chapter-100-mod 10000 10000 10000 10000
rcvlowat 0,1 0,1 0,1 0,1
urgent 4,4
short-read-fin 1 0 0 0
fin-mask IN
fin-mask-rdhup IN|RDHUP
pipe-writer-gone HUP
pipe-reader-gone OUT|ERR
mask-0 ERR|HUP
mask-0-again 1,1 1,0 1,0 1,0
oneshot-rst 1 1 0 0
oneshot-rst-mod IN|ERR|HUP
mask-whole IN|OUT IN|OUT 0 0
ack-tcp IN|OUT 0 0 0
ack-unix IN|OUT IN|OUT 0 0
out-brings-in IN|OUT IN|OUT 0 0
add-twice EEXIST
oneshot-add EEXIST
oneshot-data bbbb
exclusive-et ok
exclusive-oneshot EINVAL
exclusive-rdhup EINVAL
exclusive-pri EINVAL
exclusive-mod EINVAL
exclusive-then-mod EINVAL
exclusive-epoll EINVAL
regular-file EPERM
listener-3 1 0 0 0
listener-4 1 1 0 0
rotation ABCABC ABC ABC ABC
close 0 0 0 0
close-dup 1 1 1 1
close-dup-del EBADF
accepted blocking
dup-flags blocking
connect-tcp EINPROGRESS
connect-unix EAGAIN
eagain EAGAIN=EWOULDBLOCK
END
}

@test "facts: where servers were bitten" {
	json
	run measured
	while read -r line; do
		assert_line "$line"
	done <<'END'
never-connected OUT|HUP
refused OUT|ERR|HUP
refused-error ECONNREFUSED
refused-again 1 0 0 0
both-shut IN|OUT|RDHUP|HUP
rdhup-again 1,1 1,0 1,0 1,0
unix-closes-mask-0 1,1 1,0 1,0 1,0
pipe-half-read 1 0 0 0
timerfd 1,1,0 1,0,0 1,0,0 1,0,0
timerfd-interval 1,1,1 1,0,0 1,0,0 1,0,0
number-again ok
number-again-del 1
fork-close 1,0
fork-del 0
zerocopy ERR
nested 1,1,1 1,0,1 1,0,0 1,0,0
no-room 0
linger-close waits
reset-then-accept ENOTCONN
closed-unread 6,ECONNRESET
END
	run -0 "$facts" --row linger-close
	assert_line --partial 'Where it bites:'
}

@test "facts: the table has every row, fits 80 columns, and ends with 0" {
	run "$facts"
	assert_success
	for line in "${lines[@]}"; do
		((${#line} <= 80)) || fail "too wide: $line"
	done
	while read -r name _; do
		assert_line --regexp "^$name +"
	done < <("$facts" --list)
	assert_line --regexp '^half-read +half read, wait +1 +0 +0 +0$'
	assert_line --regexp '^[0-9]+ cards, ([0-9]+) cells: [0-9]+ as expected, 0 not$'
	refute_output --partial $'\e'
}

@test "facts: --json is complete" {
	json
	[[ $(jq -r '.cards[].name' "$BATS_TEST_TMPDIR/json") == "$("$facts" --list | awk '{ print $1 }')" ]]
	run jq -r '
		(.cards[] | select((.expected | length) as $n | ($n != 4 and $n != 1) or (.measured | length) != $n) | .name),
		(.cards[] | select(.measured != .expected or .differs or .refused) | .name),
		(.cards[] | select((.over | length) == 0 or (.why | length) < 20 or (.drawing | length) < 5) | .name),
		(.cards[] | select((.quote == null) != (.page == null)) | .name),
		.differ, (.columns | join(" "))' "$BATS_TEST_TMPDIR/json"
	assert_output "0
LT ET LT+ONESHOT ET+ONESHOT"
	[[ $(jq -r '.cards[].name' "$BATS_TEST_TMPDIR/json" | sort -u | wc -l) -eq $("$facts" --list | wc -l) ]] # no name twice
}

@test "facts: --row explains each" {
	local name out expected=$'\n  expected   *([^\n]*)' measured=$'\n  measured   *([^\n]*)'
	while read -r name _; do
		out=$("$facts" --row "$name")
		[[ $out == "$name: "*$'\n    '*$'\n  over: '* ]] || fail "$out"
		[[ $out =~ $expected ]] || fail "$out"
		local want=${BASH_REMATCH[1]}
		[[ $out =~ $measured && ${BASH_REMATCH[1]} == "$want" ]] || fail "$out"
	done < <("$facts" --list)
	run "$facts" --row half-read
	assert_line '    read 5             [#####     ]'
	assert_line '  epoll(7) says:'
}

@test "facts: a cell that is not as expected is marked, told of, and fails" {
	run "$marks"
	assert_failure 1
	assert_line --regexp '^as-expected +as-expected +1 +0 +0 +0$'
	assert_line --regexp '^one-cell +one-cell +1 +0\* +0 +0$'
	assert_line --regexp '^one-kind +one-kind +1/0/1\*$'
	assert_line --regexp '^late +late +late\*$'
	assert_line '* one-cell, ET: expected 1, measured 0'
	assert_line '* one-kind: expected 1, measured 1/0/1'
	assert_line '6 cards, 12 cells: 7 as expected, 3 not'
	run "$marks" --row one-cell
	assert_failure 1
	assert_line --regexp '^  measured   1 +0\* +0 +0$'
	run "$marks" --json
	assert_failure 1
	run jq -c '[.differ, [.cards[] | select(.differs) | .name]]' <<<"$output"
	assert_output '[3,["one-cell","one-kind","late"]]'
}

@test "facts: what a kernel refuses is said, and does not count" {
	run "$marks"
	assert_line --regexp '^refused +refused +n/a~$'
	assert_line --regexp '^refused-in-part +refused-in-part +1~$'
	assert_line --partial '~ refused by this kernel or sandbox'
	for name in refused refused-in-part; do
		run "$marks" --row $name
		assert_success
	done
	requires strace
	export ASAN_OPTIONS=detect_leaks=0 # it cannot look while strace does
	strace -o /dev/null true 2>/dev/null || skip "strace may not trace here"
	for call in socketpair eventfd2 epoll_create1 socket; do
		run strace -o /dev/null -e inject=$call:error=EPERM "$facts"
		assert_success
		assert_line --partial '~ refused'
		assert_line --regexp ' 0 not$'
	done
}

@test "facts: what fails otherwise is one line, and no verdict" {
	export ASAN_OPTIONS=detect_leaks=0 # it needs a descriptor to look
	run --separate-stderr bash -c "ulimit -n 6; exec '$facts' 3>&- 4>&-"
	assert_failure 1
	[[ ${#stderr_lines[@]} -eq 1 && $stderr == 'facts: '*'Too many open files' ]] || fail "$stderr"
	run --separate-stderr bash -c "'$facts' >/dev/full"
	assert_failure 1
	[[ ${#stderr_lines[@]} -eq 1 && $stderr == 'facts: stdout: '* ]] || fail "$stderr"
}

@test "facts: no card leaves a descriptor behind" {
	run bash -c "ulimit -n 16; exec '$facts' </dev/null 3>&- 4>&-"
	assert_success
	assert_line --regexp ' 0 not$'
}

@test "facts: every run agrees" {
	local i runs=${RUNS:-50}
	for ((i = 0; i < runs; i++)); do
		timeout 60 "$facts" --json || echo "status $?"
	done | jq -c '[.differ, [.cards[] | [.name, .measured, .refused]]]' | sort | uniq -c >"$BATS_TEST_TMPDIR/agree"
	[[ $(wc -l <"$BATS_TEST_TMPDIR/agree") -eq 1 ]] || fail "$(cut -c 1-200 "$BATS_TEST_TMPDIR/agree")"
	run awk '{ print $1 }' "$BATS_TEST_TMPDIR/agree"
	assert_output "$runs"
}

@test "facts: the quiz tells right from wrong and keeps the score" {
	run "$facts" --quiz <<<$'1 1 1 1\n1 1 1 1'
	assert_success
	assert_line --partial 'it is 1 1 1 1: right'
	assert_line --partial 'it is 1 0 (not yours) 0 (not yours) 0 (not yours)'
	assert_line 'score: 5 of 8'
}

@test "facts: the quiz can be won" {
	json
	jq -r '.cards[].measured | join(" ")' "$BATS_TEST_TMPDIR/json" >"$BATS_TEST_TMPDIR/all"
	run "$facts" --quiz <"$BATS_TEST_TMPDIR/all"
	assert_success
	assert_line "score: $(wc -w <"$BATS_TEST_TMPDIR/all") of $(wc -w <"$BATS_TEST_TMPDIR/all")"
	refute_output --partial 'no answer'
	refute_output --partial 'not yours'
}

@test "facts: the quiz asks before it tells" {
	run "$facts" --quiz </dev/null
	assert_success
	assert_line --partial 'before-add'
	assert_line 'score: 0 of 0'
	refute_output --partial 'it is'
	refute_output --partial 'ep_insert'
	refute_output --partial 'expected'
}

@test "facts: the quiz asks again after what is no answer" {
	for bad in '' '1' '1 1 1' '1 1 1 1 1' 'yes' '1 1 1 2' '-1 0 0 0' $'\xff\x01' "$(printf '1 %.0s' {1..400})" "$(printf '1 1 1 1%300s7' '')"; do
		run "$facts" --quiz < <(printf '%s\n1 1 1 1\n' "$bad")
		assert_success
		[[ $output == *'That is no answer. It does not count.'*'Type 4 words'*'it is 1 1 1 1: right'*'score: 4 of 4' ]] || fail "'$bad': $output"
		[[ $(grep -c 'That is no answer' <<<"$output") -eq 1 ]] || fail "'$bad': $output"
	done
	run "$facts" --quiz < <(printf '1 1 1 1') # no newline at the end
	assert_line 'score: 4 of 4'
	run timeout 20 "$facts" --quiz < <(head -c 300000 /dev/urandom | tr -d '\0')
	assert_success
}

@test "facts: every word that comes out is one that the quiz allows" {
	# Won above for this kernel; here, that the words are offered at all.
	run "$facts" --quiz < <(printf '1 1 1 1\n1 0 0 0\n1 0 0 0\n1 1 0 0\n')
	assert_line '  Type 4 words (LT, ET, LT+ONESHOT, ET+ONESHOT), each one of: 0,0 1,0 1,1'
	assert_line --regexp '^card 3 of [0-9]+, half-read: '
	[[ $output == *"card 1 of $("$facts" --list | wc -l), "* ]]
}

@test "facts: bad usage is one line and exit status 2" {
	one_line_status_2 "no row 'nope'" "$facts" --row nope
	one_line_status_2 "no row ''" "$facts" --row ''
	one_line_status_2 "--row" "$facts" --row
	one_line_status_2 "one of them" "$facts" --quiz --json
	one_line_status_2 "one of them" "$facts" --row half-read --list
	one_line_status_2 "--nope" "$facts" --nope
	one_line_status_2 "extra" "$facts" extra
	run "$facts" --help
	assert_success
	assert_line --partial '--quiz'
}

# plain PAGE: a man page as running text, straight from its source.
plain() {
	zcat -f "$1" | awk '
		/^\.(BR|RB|IR|RI|BI|IB) / { # words in turn, joined; blanks only where quoted
			n = split(substr($0, 5), part, "\"")
			$0 = ""
			for (i = 1; i <= n; i++) { if (i % 2) gsub(/ /, "", part[i]); $0 = $0 part[i] }
		}
		/^\.[BI] / { $0 = substr($0, 4) }
		/^\.TH / { sub(/.*Linux /, ""); gsub(/"/, " ") }
		/^\./ { next }
		{ gsub(/\\-/, "-"); gsub(/\\~/, " "); gsub(/\\f[BIRP]|\\&/, ""); printf "%s ", $0 }'
}

@test "facts: the manual is quoted correctly" {
	requires zcat
	local page name section want text
	json
	while IFS=$'\t' read -r page want; do
		name=${page%(*} section=${page#*(}
		text=$BATS_TEST_TMPDIR/$name.txt
		if [[ ! -e $text ]]; then
			page=$(compgen -G "/usr/share/man/man${section%)}/$name.${section%)}*") || skip "needs manpages and manpages-dev"
			plain "$page" >"$text"
			grep -q "man-pages 6\.03 " "$text" || skip "not the man-pages 6.03"
		fi
		grep -qF -- "$want" "$text" || fail "$name($section has no: $want"
	done < <(jq -r '.cards[] | select(.quote) | [.page, .quote] | @tsv' "$BATS_TEST_TMPDIR/json")
}
