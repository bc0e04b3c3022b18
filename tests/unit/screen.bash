# A real terminal for the tests: tmux, with a server of its own.
# shellcheck shell=bash disable=SC2154

terminal() {
	tmux -L "$TERMINAL" -f /dev/null "$@" 3>&-
}

# open_terminal COLUMNS [LINES]: where play runs things.
open_terminal() {
	requires tmux
	TERMINAL=screen.$$.$RANDOM
	OUT=$BATS_TEST_TMPDIR
	WIDTH=$1
	terminal new-session -d -x "$1" -y "${2-24}" -s s "exec sleep 600"
	terminal set -g remain-on-exit on \; set -g history-limit 5000 \; set -g status off
	terminal resize-window -t s -x "$1" -y "${2-24}"
}

close_terminal() {
	[[ -z ${TERMINAL-} ]] || terminal kill-server 2>/dev/null || true
}

# play COMMAND: in an empty terminal, after it the terminal's settings and its status. `done` is
# there when it has ended.
play() {
	rm -f "$OUT"/{before,after,status}
	terminal respawn-pane -k -t s "clear; stty -g >$OUT/before; $1; echo \$? >$OUT/status.tmp; stty -g >$OUT/after; mv $OUT/status.tmp $OUT/status; exec sleep 600"
	terminal clear-history -t s
}

played() {
	[[ -e $OUT/status ]]
}

# picture: the screen; page: and what has scrolled off, a wrapped line joined again.
picture() {
	terminal capture-pane -t s -p
}
page() {
	terminal capture-pane -t s -p -J -S - | sed 's/ *$//'
}
scrolled() {
	terminal display-message -t s -p '#{history_size}'
}

nothing_wraps() {
	local wide
	wide=$(page | awk -v width="$WIDTH" 'length > width')
	[[ -z $wide ]] || fail "$1: wider than $WIDTH columns: $wide"
	[[ $(page | wc -w) -gt 0 ]] || fail "$1: nothing on the screen"
}

# row TEXT: the row of the screen that the text stands in; nothing without it.
row() {
	local found
	found=$(picture | grep -n -m 1 -F -- "$1") || return 1
	echo "${found%%:*}"
}

# The terminal is left as it was: its settings, and a cursor that is seen.
terminal_is_left_alone() {
	cmp "$OUT/before" "$OUT/after"
	[[ $(terminal display-message -t s -p '#{cursor_flag} #{alternate_on}') == '1 0' ]]
}
