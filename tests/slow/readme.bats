#!/usr/bin/env bats
# shellcheck disable=SC2034,SC2154 # Bats sets and reads these elsewhere
# The console blocks of labs 02 to 11, as tests/unit/readme.bats runs those of the others.

setup() {
	load ../unit/helper
	load ../unit/readme
	requires nc jq timeout
	cd "$ROOT" || return
}

@test "readme: 04-epoll-et shows what its commands print" {
	check labs/04-epoll-et/README.md
}

@test "readme: 05-et-starving shows what its commands print" {
	check labs/05-et-starving/README.md
}

@test "readme: 06-epollout-spin shows what its commands print" {
	check labs/06-epollout-spin/README.md
}

@test "readme: 07-et-fair shows what its commands print" {
	check labs/07-et-fair/README.md
}

@test "readme: 08-oneshot shows what its commands print" {
	check labs/08-oneshot/README.md
}

@test "readme: 09-exclusive shows what its commands print" {
	requires prlimit
	check labs/09-exclusive/README.md
}

@test "readme: 10-reuseport shows what its commands print" {
	requires ss
	check labs/10-reuseport/README.md
}

@test "readme: 11-sendfile shows what its commands print" {
	check labs/11-sendfile/README.md
}

@test "readme: 02-nonblocking shows what its commands print" {
	check labs/02-nonblocking/README.md
}

@test "readme: 03-epoll-lt shows what its commands print" {
	check labs/03-epoll-lt/README.md
}
