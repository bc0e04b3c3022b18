# What the three setups share: what is missing, and the right to install it with apt.
# shellcheck shell=bash
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive
SETUP=${0##*/} MISSING=() AS_ROOT=()

# have TOOL: a command, or a path (a pattern) for a package without a command.
have() {
	case $1 in
	/*) compgen -G "$1" >/dev/null ;;
	*) command -v "$1" >/dev/null ;;
	esac
}

# missing TOOL:PACKAGE...: adds to MISSING the packages whose tools are not there.
missing() {
	local pair
	for pair; do
		have "${pair%%:*}" || MISSING+=("${pair##*:}")
	done
}

# may_install: ends the script with 0 if nothing is MISSING, with 1 and what to do if this user
# cannot install it. Nothing has been changed then. Otherwise sets AS_ROOT.
may_install() {
	if [ ${#MISSING[@]} -eq 0 ]; then
		echo "$SETUP: everything is there"
		exit 0
	fi
	if ! command -v apt-get >/dev/null; then
		echo "$SETUP: no apt here: install these Debian packages under your system's names: ${MISSING[*]}" >&2
		exit 1
	fi
	if [ "$(id -u)" -ne 0 ]; then
		AS_ROOT=(sudo)
		# Asks for the password, if there is one to ask for: the prompt is on the terminal.
		if ! command -v sudo >/dev/null || ! sudo true 2>/dev/null; then
			echo "$SETUP: no right to install: ask an administrator for: apt-get install -y --no-install-recommends ${MISSING[*]}" >&2
			exit 1
		fi
	fi
	echo "$SETUP: missing: ${MISSING[*]}"
}

# apt_update and apt_install: quiet, unless they fail.
apt_update() {
	"${AS_ROOT[@]}" apt-get update -qq
}

apt_install() {
	"${AS_ROOT[@]}" env DEBIAN_FRONTEND=noninteractive \
		apt-get install -y -qq --no-install-recommends "${MISSING[@]}" >/dev/null
}
