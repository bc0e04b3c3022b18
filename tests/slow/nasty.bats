#!/usr/bin/env bats
# Students' servers that hang, fork, flood or eat: each is ended, soon, and nothing of it stays.
# shellcheck disable=SC2030,SC2031 # Bats runs every test in its own subshell

setup() {
	load ../unit/helper
	load ../unit/grade
	grade_setup
}

# A client that outlives its check would also keep Bats from ending.
teardown() {
	nothing_left
}

@test "exercises: a server that never listens, and ignores signals, is ended" {
	nasty dribble <<<'for (int s = 1; s < 65; s++) signal(s, SIG_IGN); (void)at; for (;;) pause();'
	assert_output --partial 'it does not start'
}

@test "exercises: a server that forks without end is ended, and so are its children" {
	for probe in dribble four-calls; do
		nasty $probe <<<'announce(listen_tcp(&at)); for (;;) if (fork() == 0) setsid();'
	done
}

@test "exercises: a server that eats memory does not eat the machine's" {
	for probe in dribble four-calls; do
		nasty $probe <<<'announce(listen_tcp(&at)); for (;;) { char *p = malloc(1 << 20); if (p) memset(p, 1, 1 << 20); }'
	done
}

@test "exercises: a server that floods its output fills no disk and no terminal" {
	for probe in dribble four-calls; do
		nasty $probe <<<'announce(listen_tcp(&at)); for (;;) puts("listening on my own nerves, and yours");'
	done
}
