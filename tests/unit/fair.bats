#!/usr/bin/env bats
# shellcheck disable=SC2154 # Bats sets these elsewhere
# The flood.

setup() {
	load helper
	cd "$ROOT" || return 1
	export LAB_COUNTS=$BATS_TEST_TMPDIR/counts
}

teardown() {
	stop_lab
}

@test "flood: every ping is answered, and told: when it was sent, how long it took, amid what" {
	start_lab 07-et-fair
	run "$BUILD/flood" --port "$LAB_PORT" --before 50 --during 200 --after 50 --tsv --counts "$LAB_COUNTS"
	assert_success
	assert_line --index 0 $'ms\tus\tflood'
	assert_line --regexp '^# flood: [1-9][0-9]* reads, [1-9][0-9]* epoll_wait; pings sent up to [0-9.]+ ms late$'
	awk -F'\t' 'NF == 3 && $1 != "ms" { if ($3 != ($1 >= 50 && $1 < 250) || $1 < last) exit 1; last = $1; n++ }
		END { exit n < 5 }' <<<"$output"
}

@test "flood: between two looks at epoll 07 reads 8 times a client, 04 far more" {
	for lab in 04-epoll-et 07-et-fair; do
		start_lab $lab
		run "$BUILD/flood" --port "$LAB_PORT" --before 50 --during 400 --after 50 --counts "$LAB_COUNTS"
		assert_success
		stop_lab
		read -r _ reads _ waits _ <<<"${lines[-1]}"
		case $lab in
		04-*) [[ $reads -gt $((100 * waits)) ]] ;;
		07-*) [[ $reads -le $((4 * 8 * (waits + 2))) ]] ;;
		esac || fail "$lab: ${lines[-1]}"
		rm "$LAB_COUNTS"
	done
}

@test "flood: bad usage is status 2, nobody there is status 1" {
	for bad in --during=x --interval=0 --flooders=65 --host=localhost extra; do
		run --separate-stderr "$BUILD/flood" $bad
		assert_failure 2
		[[ ${#stderr_lines[@]} -eq 1 ]]
	done
	start_lab 03-epoll-lt
	port=$LAB_PORT
	stop_lab
	run --separate-stderr "$BUILD/flood" --port "$port"
	assert_failure 1
	[[ $stderr == *'Connection refused'* ]]
}
