#!/usr/bin/env bats
# The demos that play a wrong server from the zoo: the effect shows, and they say so; with
# the right server in the wrong one's place they fail.
# shellcheck shell=bash

setup() {
	load ../helper
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
	assert_line --regexp '^overwrite: of 27,000,000 bytes 03 sent back 27,000,000, whole; zoo/overwrite [0-9,]+, [1-9][0-9,]* are lost$'
	refute_line --partial 'nothing is missing'
}

@test "demo-overwrite fails where nothing is lost" {
	mend overwrite 03-epoll-lt
	run bench/demos/overwrite
	assert_failure 1
	assert_line 'zoo/overwrite: nothing is missing'
	assert_line --regexp 'zoo/overwrite 27,000,000, 0 are lost$'
}

@test "demo-emfile shows one server spin and the other forget its clients" {
	run bench/demos/emfile
	assert_success
	assert_line --regexp '^emfile: with no room [0-9]+,[0-9,]+ epoll_wait/s by emfile-spin against [0-9]+ \(03\); with room again emfile-strands leaves 6 of 10 waiting, 04 0$'
}

@test "demo-emfile fails where nobody spins, and where nobody is forgotten" {
	mend emfile-spin 03-epoll-lt
	run bench/demos/emfile
	assert_failure 1
	assert_line --regexp ' [0-9]+ epoll_wait/s by emfile-spin .* leaves 6 of 10 waiting, 04 0$'
}

@test "demo-blocking shows one silent client stop all others" {
	run bench/demos/blocking
	assert_success
	assert_line --regexp '^blocking: beside one silent client 04 answered 5 of 5, et-blocking-socket 0, 01 0; once it had left 5, [0-5] and [0-5]$'
}

@test "demo-blocking fails where nobody is stopped" {
	mend et-blocking-socket 04-epoll-et
	run bench/demos/blocking
	assert_failure 1
	assert_line --regexp '04 answered 5 of 5, et-blocking-socket 5, '
}
