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

@test "readme: 02-nonblocking shows what its commands print" {
	check labs/02-nonblocking/README.md
}

@test "readme: 03-epoll-lt shows what its commands print" {
	check labs/03-epoll-lt/README.md
}

@test "readme: facts shows what its commands print" {
	check labs/facts/README.md
}
