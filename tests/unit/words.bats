#!/usr/bin/env bats
# shellcheck disable=SC2034,SC2154 # Bats sets and reads these elsewhere
# The labs' pages are short, and explain the words that they use.

setup() {
	load helper
	cd "$ROOT" || return
	GLOSSARY=labs/README.md
}

# words README: how many it has, without console blocks and folded parts.
words() {
	awk '/^```/ { block = !block; next }
		block || /^    |^<!--|^Fails: / { next }
		/<details>/ { folded = 1 }
		!folded { n += NF }
		/<\/details>/ { folded = 0 }
		END { print n + 0 }' "$1"
}

pages() {
	printf '%s\n' labs/[0-9]*/README.md labs/facts/README.md labs/zoo/README.md labs/zoo/*/README.md
}

# anchors_in README: what it links to in the glossary, one a line.
anchors_in() {
	grep -oE '\]\((\.\./)+README\.md#[^)]*\)' "$1" | sed 's/.*#//; s/)$//' | sort -u
}

@test "words: a lab's page has 600 to 900 words" {
	long=
	for page in labs/[0-9]*/README.md; do
		n=$(words "$page")
		((n >= 600 && n <= 900)) || long+=" $page: $n"
	done
	[[ -z $long ]] || fail "not 600 to 900 words, without blocks and folded parts:$long"
}

@test "words: each page of labs/ links to the glossary" {
	while read -r page; do
		[[ $(anchors_in "$page") ]] || fail "$page: no link to $GLOSSARY"
		anchors_in "$page" | grep -qx glossary || fail "$page: no link to $GLOSSARY#glossary"
	done < <(pages)
}

@test "words: each term that a page links to is in the glossary, once" {
	grep -q '^## Glossary$' "$GLOSSARY"
	terms=$(grep -o '<a id="[^"]*"' "$GLOSSARY" | cut -d'"' -f2)
	[[ $(wc -l <<<"$terms") -ge 50 ]] || fail "only: $terms"
	run uniq -d <(sort <<<"$terms")
	assert_output ''
	while read -r page; do
		unknown=$(anchors_in "$page" | grep -vxF -e glossary -f <(echo "$terms") || true)
		[[ -z $unknown ]] || fail "$page links to what $GLOSSARY does not explain: $unknown"
	done < <(pages)
}

@test "words: a term of the glossary has one sentence" {
	run awk '/^- <a id=/ { if (text) print text; text = ""; on = 1 }
		/^($|#)/ { if (text) print text; text = ""; on = 0 }
		on { text = text " " $0 }
		END { if (text) print text }' "$GLOSSARY"
	for line in "${lines[@]}"; do
		[[ $line =~ '</a>**'[^*]+'**: '.*\.$ && ! $line =~ \.\ [A-Z] ]] || fail "$line"
	done
}

# help_of NAME: the help of build/NAME; `make` is `make help`.
help_of() {
	case $1 in
	make) make --no-print-directory help ;;
	*) "$BUILD/$1" --help ;;
	esac
}

@test "words: help has its usage first, 80 columns, short sentences and plain verbs" {
	bad=
	for name in load nudge flood sink ask counts make; do
		help_of "$name" >"$BATS_TEST_TMPDIR/help"
		[[ $name == make || $(head -n 1 "$BATS_TEST_TMPDIR/help") == "usage: $name "* ]] ||
			bad+=" $name: usage is not the first line."
		bad+=$(LC_ALL=C awk -v name="$name" '
			{ line = $0; gsub(/[\200-\277]/, "", line) }
			length(line) > 80 { print " " name ": over 80 columns: " $0 }
			{ n = split($0, sentence, /[.;:]( |$)/)
			  for (i = 1; i <= n; i++) if (split(sentence[i], word, " ") > 25) print " " name ": over 25 words: " sentence[i] }
			tolower(" " $0 " ") ~ /[^a-z](who|whose|tells?|told|stands?|knows?)[^a-z]/ { print " " name ": say it plainly: " $0 }' \
			"$BATS_TEST_TMPDIR/help")
	done
	[[ -z $bad ]] || fail "$bad"
}
