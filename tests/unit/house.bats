#!/usr/bin/env bats
# The house: what its pages name exists, and every room has a page.

setup() {
	load helper
	cd "$ROOT" || return
}

pages() {
	git ls-files '*.md'
}

# commands PATTERN: what the pages' code, in backquotes or indented, says to type.
commands() {
	pages | xargs grep -hoE "$1" | sort -u
}

@test "house: every build/NAME that a page names exists after make" {
	local name built missing=()
	built=" $(make -qp built 2>/dev/null | sed -n 's/^BUILT := //p' | head -n 1) "
	[[ $built == *" build/03-epoll-lt "* ]]
	while read -r name; do
		case $name in
		# Written by what is run, not by make; and names that stand for any.
		build/report* | build/plots* | build/bench* | build/full* | build/check* | build/mine* | build/NAME | build/asan*) continue ;;
		esac
		[[ $built == *" $name "* || $built == *" $name/"* ]] || missing+=("$name")
	done < <(commands '\bbuild/[A-Za-z0-9][A-Za-z0-9/._-]*[A-Za-z0-9]')
	[[ ${#missing[@]} -eq 0 ]] || fail "after make these are not there: ${missing[*]}"
}

@test "house: every make target that a page names exists" {
	local target missing=() known
	known=$(sed -n 's/^\([a-z%-]*\):.*/\1/p' Makefile)
	while read -r target; do
		case $target in
		demo-*) [[ -x bench/demos/${target#demo-} ]] || [[ $target == demo-NAME ]] || missing+=("$target") ;;
		*) grep -qx "$target" <<<"$known" || missing+=("$target") ;;
		esac
	done < <(commands '(^|`|    |\$ )(SLOW=1 |TERM_PLOTS=1 |JSON=1 )*make( [A-Za-z_-]+)+' |
		sed 's/.*make//; s/  *#.*//' | tr ' ' '\n' | grep -E '^[a-z]' | sort -u)
	[[ ${#missing[@]} -eq 0 ]] || fail "the Makefile has no target: ${missing[*]}"
}

@test "house: every link of a page leads to a file" {
	local page link missing=()
	while read -r page; do
		while read -r link; do
			[[ -e $(dirname "$page")/${link%%#*} ]] || missing+=("$page: $link")
		done < <(grep -oE '\]\([^)#][^)]*\)' "$page" | sed 's/^](//; s/)$//' | grep -v '^https\?:' || true)
	done < <(pages)
	[[ ${#missing[@]} -eq 0 ]] || fail "broken: ${missing[*]}"
}

@test "house: each top-level folder has a page, and there are no other folders" {
	local folder
	for folder in labs common bench plots tests; do
		[[ -s $folder/README.md ]] || fail "$folder has no README.md"
	done
	[[ $(git ls-tree --name-only HEAD | grep -v '^\.' | LC_ALL=C sort | xargs) == \
	"LICENSE Makefile README.md bench common labs plots tests" ]]
}

@test "house: the root page has 80 to 110 lines" {
	local n
	n=$(wc -l <README.md)
	((n >= 80 && n <= 110)) || fail "README.md has $n lines"
}

@test "house: no C file has more than 500 lines, no function more than 60" {
	local files
	mapfile -t files < <(git ls-files '*.c')
	run awk 'FNR == 1 { head = 0 }
		FNR == 501 { print FILENAME " has more than 500 lines" }
		/^$|^#|^\/\*|^ \*/ { head = 0 } # a blank line, a macro, a comment
		/^[A-Za-z_].*[^;]$/ && !head { head = FNR } # where a declaration begins
		/^\{$/ { from = head; functions++ }
		/^\}$/ && from {
			if (FNR - from >= 60) print FILENAME ":" from ": a function of " FNR - from + 1 " lines"
			from = 0
		}
		END { print (functions > 900 ? "all" : functions) " functions seen" }' "${files[@]}"
	assert_output 'all functions seen'
}

# nm names every variable that a file has for itself or for others, in whatever section.
@test "house: no file of the load generator has ten variables outside its functions" {
	requires nm
	local object n
	for object in "$BUILD"/obj/bench/load/*.o; do
		n=$(nm "$object" | grep -cE ' [BbCDd] [A-Za-z_]+$' || true)
		((n < 10)) || fail "$object: $n"
	done
}
