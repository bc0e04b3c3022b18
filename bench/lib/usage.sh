# What each command of bench/ does with its arguments, before it does anything else.
# shellcheck shell=bash

# usage TEXT: bad usage is one line on stderr, and status 2.
usage() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 2
}

# helps ARG...: --help prints the comment at the command's head, which says how to use it.
helps() {
	local line
	[[ ${1-} == --help || ${1-} == -h ]] || return 0
	while IFS= read -r line; do
		[[ $line == '#'* ]] || break
		[[ $line == '#!'* ]] || { line=${line#'#'} && printf '%s\n' "${line# }"; }
	done <"$0"
	exit 0
}

takes_nothing() {
	helps "$@"
	[ $# -eq 0 ] || usage "takes no arguments, not '$1'"
}
