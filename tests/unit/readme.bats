#!/usr/bin/env bats
# shellcheck disable=SC2034,SC2154 # Bats sets and reads these elsewhere
# The console blocks of the labs' READMEs are run: what they show is what comes out.
# ```console is compared by shape (every number is as good as any other), ```console exact
# to the digit. Only the port and /tmp differ from what a reader types. A line … stands
# for any number of lines.
setup() {
	load helper
	load readme
	requires nc jq timeout
	cd "$ROOT" || return
}

@test "readme: 01-blocking shows what its commands print" {
	check labs/01-blocking/README.md
}

@test "readme: facts shows what its commands print" {
	check labs/facts/README.md
}

# said LAB: the lines that changed, by the lab's own README and by the table of labs.
said() {
	sed -nE 's/^Parent: .* ([0-9]+) lines changed.*/\1/p' "labs/$1/README.md"
	grep -F "(labs/$1)" README.md | sed -nE 's/.*\| ([0-9]+) \|$/\1/p'
}

@test "readme: the lines changed are diffstat's, in each lab and in the table of labs" {
	labs=0
	while read -r lab parent changed _; do
		[[ $lab != lab && $parent != - ]] || continue
		run said "$lab"
		assert_output "${changed%,}
${changed%,}"
		labs=$((labs + 1))
	done < <(make -s diffstat)
	[[ $labs -ge 10 ]]
}
