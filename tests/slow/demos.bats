#!/usr/bin/env bats
# The demos: the effect shows, and they say so; with
# the right server in the wrong one's place they fail.
# shellcheck shell=bash

setup() {
	load ../unit/helper
	cd "$ROOT" || return 1
}

# mend NAME LAB: from here on NAME is built like LAB, and all else as it is.
mend() {
	local mended=$BATS_TEST_TMPDIR/build
	mkdir -p "$mended/zoo"
	ln -s "$BUILD"/0* "$BUILD/counts" "$mended/"
	ln -s "$BUILD"/zoo/* "$mended/zoo/"
	ln -sf "$BUILD/$2" "$mended/zoo/$1"
	export BUILD=$mended
}

@test "demo-overwrite shows that what waits to be sent is lost" {
	run bench/demos/overwrite
	assert_success
	assert_line --regexp '^overwrite: 03 sent back 27,000,000 of 27,000,000 bytes, all correct\.$'
	assert_line --regexp '^zoo/overwrite sent back [0-9,]+ bytes: [1-9][0-9,]* are lost\.$'
	refute_line --partial 'nothing is missing'
}

@test "demo-overwrite fails where nothing is lost" {
	mend overwrite 03-epoll-lt
	run bench/demos/overwrite
	assert_failure 1
	assert_line 'zoo/overwrite: nothing is missing'
	assert_line --regexp '^zoo/overwrite sent back 27,000,000 bytes: 0 are lost\.$'
	assert_line 'The expected effect did not appear.'
}

@test "demo-emfile shows one server spin and the other forget its clients" {
	run bench/demos/emfile
	assert_success
	assert_line --regexp '^emfile: no free descriptor: emfile-spin makes [0-9]+,[0-9,]+ epoll_wait/s, 03 [0-9]+\.$'
	assert_line 'Descriptors are free again: 6 of 10 clients of emfile-strands wait, 0 of 04.'
}

@test "demo-emfile fails where nobody spins, and where nobody is forgotten" {
	mend emfile-spin 03-epoll-lt
	run bench/demos/emfile
	assert_failure 1
	assert_line --regexp 'emfile-spin makes [0-9]+ epoll_wait/s, '
	assert_line 'Descriptors are free again: 6 of 10 clients of emfile-strands wait, 0 of 04.'
}

@test "demo-blocking shows one silent client stop all others" {
	run bench/demos/blocking
	assert_success
	assert_line 'blocking: while one client is silent, 04 answers 5 of 5 other clients.'
	assert_line '01 answers 0 of them, et-blocking-socket 0.'
	assert_line --regexp '^After it has left: 04 answered 5, 01 [0-5], et-blocking-socket [0-5]\.$'
}

@test "demo-blocking fails where nobody is stopped" {
	mend et-blocking-socket 04-epoll-et
	run bench/demos/blocking
	assert_failure 1
	assert_line --regexp '^01 answers 0 of them, et-blocking-socket 5\.$'
}

# --- the labs' own

@test "demo-starvation shows its effect and says so in one line" {
	run bench/demos/starvation
	assert_success
	assert_line --regexp '^starvation: of 10,000 bytes 03 answers 10,000, 04 10,000, 05 100\.$'
}

@test "demo-spin shows its effect and says so in one line" {
	run bench/demos/spin
	assert_success
	assert_line --regexp '^spin: 06 makes [0-9,]+ epoll_wait/s and has nothing to do\.$'
	assert_line '03 makes 0 epoll_wait/s, 06 --et makes 0.'
}

@test "a demo fails where the effect does not show" {
	# A build in which 05 has been mended.
	mkdir "$BATS_TEST_TMPDIR/build"
	cp "$BUILD"/{03-epoll-lt,04-epoll-et,counts,nudge} "$BATS_TEST_TMPDIR/build/"
	cp "$BUILD/04-epoll-et" "$BATS_TEST_TMPDIR/build/05-et-starving"
	BUILD=$BATS_TEST_TMPDIR/build run bench/demos/starvation
	assert_failure 1
	assert_line --partial '04 10,000, 05 10,000.'
}

@test "prefork: demo-herd shows the herd; it fails where there is none" {
	run "$ROOT/bench/demos/herd"
	assert_success
	assert_line --regexp '^herd: 120 connections cause [0-9]+ wakeups, with EPOLLEXCLUSIVE [0-9]+\.$'
	mkdir "$BATS_TEST_TMPDIR/build"
	ln -s "$BUILD"/{counts,10-reuseport} "$BATS_TEST_TMPDIR/build/"
	printf '#!/bin/sh\nexec "%s" --exclusive "$@"\n' "$BUILD/09-exclusive" >"$BATS_TEST_TMPDIR/build/09-exclusive"
	chmod +x "$BATS_TEST_TMPDIR/build/09-exclusive"
	BUILD=$BATS_TEST_TMPDIR/build run "$ROOT/bench/demos/herd"
	assert_failure 1
}

# short_build [LAB]: a build whose floods are short, and in which 04 is LAB.
short_build() {
	local short=$BATS_TEST_TMPDIR/build
	mkdir "$short"
	ln -s "$BUILD"/{03-epoll-lt,04-epoll-et,07-et-fair,counts} "$short/"
	ln -sf "$BUILD/${1-04-epoll-et}" "$short/04-epoll-et"
	printf '#!/bin/sh\nexec "%s/flood" "$@" --before 50 --during 600 --after 50\n' "$BUILD" >"$short/flood"
	chmod +x "$short/flood"
	export BUILD=$short
}

@test "demo-fairness shows its effect and says so in one line" {
	short_build
	run bench/demos/fairness
	assert_success
	assert_line --regexp '^fairness: the slowest ping takes [0-9,]+ ms at 04, [0-9,]+ ms at 07, [0-9,]+ ms at 03\.$'
	assert_line --regexp '^Between two epoll_wait calls 04 reads [0-9,]+ times, 07 [0-9]+, 03 [0-9]\.$'
}

@test "demo-fairness fails where 04 is fair" {
	short_build 07-et-fair
	run bench/demos/fairness
	assert_failure 1
	assert_line 'The expected effect did not appear.'
	assert_line --partial 'fairness: the slowest ping'
}
