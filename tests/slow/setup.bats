#!/usr/bin/env bats
# shellcheck disable=SC2034,SC2154 # Bats sets and reads these elsewhere
# A fresh machine: a minimal root of Debian 12 with git and make, in which nothing was set up.
# What a newcomer is told there, and the README's two commands. All mounts are in a namespace
# of their own, which ends with the command.

R=$BATS_FILE_TMPDIR/root

# mirror: where this machine's own apt has Debian from.
mirror() {
	apt-get indextargets --format "\$(SITE)" 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' 2>/dev/null | sort -u | head -n 1
}

lacks() {
	if ((EUID != 0)); then
		echo "needs root"
	elif ! command -v mmdebstrap >/dev/null; then
		echo "needs mmdebstrap (make setup-lint)"
	elif ! unshare --mount --pid --fork true 2>/dev/null; then
		echo "needs the right to make namespaces"
	elif [[ -z $(mirror) ]]; then
		echo "needs apt's lists of a Debian mirror (apt-get update)"
	fi
}

setup_file() {
	export LACKS
	LACKS=$(lacks)
	[[ -z $LACKS ]] || return 0
	apt-config dump | grep -E '^Acquire::(https?::Proxy|Check-)' >"$BATS_FILE_TMPDIR/apt.conf" || true
	mmdebstrap --quiet --variant=apt --include=git,make --aptopt="$BATS_FILE_TMPDIR/apt.conf" \
		bookworm "$R" "$(mirror)" 2>"$BATS_FILE_TMPDIR/mmdebstrap.log" ||
		{ cat "$BATS_FILE_TMPDIR/mmdebstrap.log" && return 1; }
	cp /etc/resolv.conf /etc/hosts "$R/etc/"
	git -c safe.directory='*' -C "$BATS_TEST_DIRNAME" bundle create --quiet "$R/lab.bundle" HEAD
	install -d -o 1000 -g 1000 "$R/home/student"
	in_root student git clone --quiet /lab.bundle lab
	in_root root git clone --quiet /lab.bundle lab
}

setup() {
	load ../unit/helper
	[[ -z $LACKS ]] || skip "$LACKS"
}

# in_root USER COMMAND...: in the user's home, or in their clone once there is one, with an
# empty environment.
in_root() {
	local id=0 home=/root
	[[ $1 == root ]] || id=1000 home=/home/student
	# shellcheck disable=SC2016 # the inner shell is to expand it
	unshare --mount --pid --fork --kill-child bash -c '
		set -e
		mount -t proc proc "$1/proc"
		mount -t sysfs sysfs "$1/sys"
		mount --rbind /dev "$1/dev"
		exec chroot --userspec="$2:$2" "$1" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME="$3" \
			sh -c "cd \$HOME; [ ! -d lab ] || cd lab; exec \"\$@\"" - "${@:4}"
	' - "$R" $id $home "${@:2}" 3>&-
}

packages() {
	sha256sum <"$R/var/lib/dpkg/status"
}

@test "fresh: make before setup says in one line what to do" {
	for target in '' plots charts facts test 'trace LAB=04' 'check LAB=04'; do
		# shellcheck disable=SC2086
		run --separate-stderr in_root student make --no-print-directory $target
		assert_failure 2
		assert_equal "$(grep -v '^make' <<<"$stderr")" 'no C compiler (cc): run make setup'
	done
}

@test "fresh: without the right to install, each setup ends with the line for an administrator" {
	before=$(packages)
	for name in setup setup-peers setup-wild 'setup lint'; do
		# shellcheck disable=SC2086
		run --separate-stderr in_root student bench/$name
		assert_failure 1
		assert_output ''
		[[ ${#stderr_lines[@]} -eq 1 ]] || fail "$stderr"
		[[ $stderr == "${name% *}: no right to install: ask an administrator for: apt-get install -y --no-install-recommends "* ]] || fail "$stderr"
		# The line is right: apt finds all of it, and would install it.
		# shellcheck disable=SC2086
		run in_root root sh -c "apt-get update -qq && ${stderr#*for: } --dry-run"
		assert_success
		assert_equal "$(packages)" "$before"
	done
}

@test "fresh: without apt, the Debian names of what is missing" {
	# shellcheck disable=SC2016 # the inner shell is to expand it
	run --separate-stderr in_root root sh -c 'mv /usr/bin/apt-get /apt-get; bench/setup/setup; rc=$?; mv /apt-get /usr/bin/; exit $rc'
	assert_failure 1
	assert_output ''
	[[ ${#stderr_lines[@]} -eq 1 && $stderr == 'setup: no apt here: install these Debian packages under your system'*': gcc '*gnuplot-nox* ]] || fail "$stderr"
}

@test "fresh: make setup plots" {
	local began=$SECONDS
	run in_root root make setup plots
	assert_success
	echo "# make setup plots: $((SECONDS - began)) s" >&3
	refute_output --regexp '[Ww]arning|iconv|locale'
	assert_line 'setup: installed'
	for chart in syscalls ksweep latency connections starvation spin fairness; do
		[[ -s $R/root/lab/build/plots/$chart.svg && -s $R/root/lab/build/plots/$chart.png ]]
	done
	[[ -s $R/root/lab/build/report/index.html ]]
}

@test "fresh: make setup test" {
	local began=$SECONDS
	run in_root root make setup test
	echo "# make setup test: $((SECONDS - began)) s, ${lines[-1]}" >&3
	assert_success
	assert_line 'setup: everything is there'
	refute_line --regexp '^not ok'
}

# charts_of NAME=VALUE...: a digest of all that make charts draws and prints under these.
charts_of() {
	rm -rf "$R/root/lab/build/plots"
	in_root root env "$@" make -s charts 2>&1 || return
	(cd "$R/root/lab/build/plots" && sha256sum -- *.svg *.png)
}

@test "fresh: the charts and the table are the same in each locale, with and without a terminal or a home" {
	in_root root apt-get install -y -qq locales >/dev/null 2>&1
	in_root root localedef -i fr_FR -f UTF-8 fr_FR.UTF-8
	run charts_of LANG=C
	assert_success
	expected=$output
	for other in LANG=C.UTF-8 LANG=fr_FR.UTF-8 LC_ALL=fr_FR.UTF-8 LC_NUMERIC=fr_FR.UTF-8 TERM=dumb '-u HOME'; do
		# shellcheck disable=SC2086
		run charts_of $other
		assert_success
		assert_equal "$output" "$expected"
	done
}

@test "fresh: a compiler without the C library's headers is named as that" {
	mv "$R/usr/include/stdio.h" "$R/stdio.h"
	run --separate-stderr in_root student make --no-print-directory
	mv "$R/stdio.h" "$R/usr/include/"
	assert_failure 2
	assert_equal "$(grep -v '^make' <<<"$stderr")" 'no headers of the C library (libc6-dev) for cc: run make setup'
}

@test "fresh: nothing is left mounted" {
	run grep -F "$R" /proc/self/mounts
	assert_failure
	assert_output ''
}
