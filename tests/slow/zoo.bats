#!/usr/bin/env bats
# shellcheck disable=SC2034,SC2154 # Bats sets and reads these elsewhere
# The pages of the wrong servers: what they show is what comes out.

BATS_TEST_TIMEOUT=300

setup() {
	load ../unit/helper
	load ../unit/readme
	requires nc jq timeout ss strace
	cd "$ROOT" || return
}

@test "zoo: each page shows what its commands print" {
	for page in labs/zoo/*/README.md; do
		check "$page" 1
	done
}

@test "zoo: each page names its parent, what it fails, a symptom, and the line that is wrong" {
	for page in labs/zoo/*/README.md; do
		for part in '^Parent: [0-9]' '^Fails: [a-z]' '^Symptom: ' 'Which line is wrong'; do
			grep -q "$part" "$page" || fail "$page: no '$part'"
		done
		[[ $(wc -l <"$page") -le 60 ]] || fail "$page is long"
	done
}
