# One locale, whatever the machine has or lacks; a script that is started directly exports it too.
export LC_ALL := C.UTF-8

CFLAGS ?= -O2 -g
WARN := -Wall -Wextra -Wpedantic -Wshadow -Wmissing-prototypes -Wformat=2 -Wconversion
SAN ?=

# Each sanitizer builds in its own directory, so that switching never mixes objects.
san_asan := -fsanitize=address,undefined -fno-omit-frame-pointer -fno-sanitize-recover=all
san_tsan := -fsanitize=thread
B := build$(SAN:%=-%)
ifneq ($(SAN),)
$(if $(san_$(SAN)),,$(error SAN is asan or tsan, not '$(SAN)'))
endif

FLAGS := -std=c11 -D_GNU_SOURCE -Icommon -Ibench $(WARN) $(san_$(SAN)) -pthread
LINK = $(call say,LINK,$@) $(CC) $(FLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(LDLIBS) -lm

# One short line a file; V=1 shows the commands.
say = $(if $(V),,@printf '  %-5s %s\n' $1 $2;)

SERVERS := $(patsubst labs/%/server.c,%,$(sort $(wildcard labs/*/server.c)))
# A lab's other programs: labs/02-nonblocking/ways.c becomes build/ways.
ASIDE := $(filter-out %/server,$(patsubst labs/%.c,%,$(sort $(wildcard labs/[0-9]*/*.c))))
COMMON := $(patsubst %.c,$B/obj/%.o,$(wildcard common/*.c))
# What is linked under a lab's system calls, and, for ld, the list of them.
PROBE := $(patsubst %,$B/obj/common/probe/%.o,wrap tally trace tag) $(COMMON) $B/probe.wrap
WRAP := -Wl,@$B/probe.wrap
ZOO := $(patsubst labs/zoo/%/server.c,%,$(sort $(wildcard labs/zoo/*/server.c)))
TOOLS := ask counts facts flood load nudge scope sink stats torture faults.so
# Echo servers on other libraries, as far as these are installed (make setup-peers).
PEERS := $(if $(wildcard /usr/include/ev.h),libev) $(if $(wildcard /usr/include/uv.h),libuv) $(if $(wildcard /usr/include/event2/event.h),libevent)
# Lab 03 with a small change, which is a diff; where patch(1) is installed.
VARIANTS := $(if $(shell command -v patch),$(patsubst bench/peers/%.diff,%,$(sort $(wildcard bench/peers/*.diff))))
CHECKS := $(patsubst tests/unit/%.c,%,$(sort $(wildcard tests/unit/*.c)))

BUILT := $(SERVERS:%=$B/%) $(addprefix $B/,$(notdir $(ASIDE))) $(ZOO:%=$B/zoo/%) $(TOOLS:%=$B/%) $(PEERS:%=$B/peers/%) $(VARIANTS:%=$B/variants/%) $B/tests/client
PARALLEL = $(if $(findstring -j,$(MAKEFLAGS)),,-j$(shell nproc))

all: compiler  ## build every lab and tool into build/
	@$(MAKE) --no-print-directory $(PARALLEL) built

tests-built: compiler
	@$(MAKE) --no-print-directory $(PARALLEL) built test-programs

built: $(BUILT)
	@:

# What make check needs, and what its commands by hand use.
grader: $(addprefix $B/,probe.wrap torture faults.so counts load nudge sink tests/client)
	@:

test-programs: $(CHECKS:%=$B/tests/%) $B/tests/facts-marks
	@:

# The labs' system calls go through the probe layer, which the linker puts under them.
$B/probe.wrap: common/probe/calls.def Makefile
	@mkdir -p $(@D)
	@sed -n 's/^WRAP(\([a-z0-9_]*\),.*/--wrap=\1/p' $< >$@

$(SERVERS:%=$B/%): $B/%: $B/obj/labs/%/server.o $(PROBE)
	$(LINK) $(WRAP)

define aside
$B/$(notdir $1): $B/obj/labs/$1.o $(PROBE)
	$$(LINK) $(WRAP)
endef
$(foreach a,$(ASIDE),$(eval $(call aside,$a)))

# The wrong servers: each is a lab with one mistake, built in the same way.
$(ZOO:%=$B/zoo/%): $B/zoo/%: $B/obj/labs/zoo/%/server.o $(PROBE)
	@mkdir -p $(@D)
	$(LINK) $(WRAP)

$(VARIANTS:%=$B/variants/%): $B/variants/%: $B/obj/variants/%.o $(PROBE)
	$(LINK) $(WRAP)

$B/variants/%.c: bench/peers/%.diff labs/03-epoll-lt/server.c
	@mkdir -p $(@D)
	$(call say,PATCH,$@) patch --quiet --fuzz=0 --output=$@ labs/03-epoll-lt/server.c $< || { rm -f $@; exit 1; }

$B/obj/variants/%.o: $B/variants/%.c Makefile | compiler
	@mkdir -p $(@D)
	$(call say,CC,$<) $(CC) $(FLAGS) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

.PRECIOUS: $B/variants/%.c

$B/counts: $B/obj/common/probe/counts.o $B/obj/common/probe/page.o $(COMMON)
	$(LINK)

# The client of a trace tells its calls as the labs do.
$B/ask: $B/obj/bench/clients/ask.o $(PROBE)
	$(LINK) $(WRAP)

$B/load: $(patsubst %.c,$B/obj/%.o,$(wildcard bench/load/*.c)) $B/obj/common/probe/page.o $(COMMON)
	$(LINK)

$B/stats: $(patsubst %.c,$B/obj/%.o,$(wildcard bench/stats/*.c)) $(COMMON)
	$(LINK)

lib_libev := -lev
lib_libuv := -luv
lib_libevent := -levent_core
$(PEERS:%=$B/peers/%): $B/peers/%: $B/obj/bench/peers/%.o $(COMMON)
	@mkdir -p $(@D)
	$(LINK) $(lib_$*)

$B/nudge: $B/obj/bench/clients/nudge.o $(COMMON)
	$(LINK)

$B/flood: $B/obj/bench/clients/flood.o $B/obj/common/probe/page.o $(COMMON)
	$(LINK)

$B/scope: $(patsubst %.c,$B/obj/%.o,$(wildcard bench/scope/*.c)) $(COMMON)
	$(LINK)

$B/sink: $B/obj/bench/clients/sink.o $(COMMON)
	$(LINK)

# It attacks any echo server; the preload beside it halves sizes and injects errors.
$B/torture: $(patsubst %.c,$B/obj/%.o,$(wildcard tests/torture/*.c)) $(COMMON)
	$(LINK)

# Epoll's promises as cards. The test gives it a deck of its own, to see what it says then.
FACTS := $(patsubst %.c,$B/obj/%.o,$(filter-out labs/facts/deck.c,$(wildcard labs/facts/*.c)))
$B/facts: $B/obj/labs/facts/deck.o
$B/tests/facts-marks: $B/obj/tests/unit/facts/marks.o
$B/facts $B/tests/facts-marks: $(FACTS) $(COMMON)
	@mkdir -p $(@D)
	$(LINK)

$B/faults.so: tests/faults/faults.c Makefile | compiler
	@mkdir -p $(@D)
	$(call say,CC,$<) $(CC) $(filter-out $(san_$(SAN)),$(FLAGS)) $(CFLAGS) $(LDFLAGS) -fPIC -shared -o $@ $< -ldl

# Small programs that only the tests run: tests/unit/NAME.c becomes build/tests/NAME.
$(CHECKS:%=$B/tests/%): $B/tests/%: $B/obj/tests/unit/%.o $B/obj/bench/load/hist.o $B/obj/common/probe/page.o $B/obj/common/probe/tag.o $(COMMON)
	@mkdir -p $(@D)
	$(LINK)

# Asked once, before anything is compiled: otherwise each file fails in its own words.
compiler:
	@command -v $(firstword $(CC)) >/dev/null || { echo "no C compiler ($(CC)): run make setup" >&2; exit 1; }
	@echo '#include <stdio.h>' | $(CC) $(CPPFLAGS) -E -xc - >/dev/null 2>&1 || \
		{ echo "no headers of the C library (libc6-dev) for $(CC): run make setup" >&2; exit 1; }

$B/obj/%.o: %.c Makefile | compiler
	@mkdir -p $(@D)
	$(call say,CC,$<) $(CC) $(FLAGS) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# --- measuring

PROFILE ?= quick

plots: all  ## measure, draw the charts, write build/report/index.html: the main job
	$(call need,gnuplot,gnuplot-nox)
	$(call need,jq,jq)
	PROFILE=$(PROFILE) LABS="$(LABS)" bench/run
	$(MAKE) --no-print-directory charts

charts: $B/stats  ## the charts and the report again, from the numbers that are there
	$(call need,gnuplot,gnuplot-nox)
	@PROFILE=$(PROFILE) TERM_PLOTS=$(TERM_PLOTS) plots/draw.sh
	@PROFILE=$(PROFILE) plots/report.sh
	@PROFILE=$(PROFILE) plots/table.sh

report: $B/stats  ## draw what is measured, write the report and open it: PROFILE=quick|full
	$(call need,gnuplot,gnuplot-nox)
	@PROFILE=$(PROFILE) plots/draw.sh
	@PROFILE=$(PROFILE) plots/report.sh --open

claims: $B/stats  ## the chapter's claims against the full run, each with a verdict
	$(call need,jq,jq)
	@bench/claims

gallery: $B/stats  ## keep the full run in plots/gallery/
	$(call need,jq,jq)
	@plots/gallery.sh

compare: $B/stats  ## today's run against the gallery: counts must agree, times are shown
	@bench/compare

bench: all $B/tests/slow_echo  ## only measure: PROFILE=full (35 min), SCENARIOS="syscalls spin" LABS="03 04" choose, NETNS=1
	$(call need,jq,jq)
	PROFILE=$(PROFILE) LABS="$(LABS)" $(if $(SCENARIOS),SCENARIOS="$(SCENARIOS)") bench/run

cross-check: all  ## other load generators beside ours, on the same servers
	@bench/cross-check

# --- playing

demo:  ## list the demos; SLOW=1 makes them wait for Enter
	@for d in bench/demos/*; do printf '%-21s %s\n' "make demo-$${d##*/}" "$$(sed -n '2s/^# Demo: //p' $$d)"; done | \
		grep -v ' $$' | bench/lib/wrap 22

demo-%: all
	@BUILD=$(abspath $B) bench/demos/$*

# One's own server, built as a lab is. Files of the same name are told apart by building anew.
ifneq ($(SRC),)
MINE := $B/mine/$(basename $(notdir $(SRC)))
$(MINE): FORCE $(PROBE)
	@mkdir -p $(@D)
	@$(CC) $(FLAGS) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $(SRC) $(filter %.o,$^) $(WRAP)
FORCE:
endif

run: $(or $(MINE),all)  ## start a lab in the foreground: LAB=04 (PORT=8080, SRC=any.c, SAN=asan)
	$(or $(MINE),$B/$(call lab)) --port $(or $(PORT),8080)

trace: all $(MINE)  ## one request, call by call, client beside server: LAB=04 (SIZE=10000, PLOT=1, SRC=any.c)
	@BUILD=$(abspath $B) $(if $(MINE),SERVER=$(abspath $(MINE))) bench/trace/trace $(call lab)

diff:  ## show a lab against its parent: LAB=04
	@diff -u labs/$(call parent,$(call lab))/server.c labs/$(call lab)/server.c || true

diffstat:  ## each lab, its parent, the lines that changed
	@printf '%-18s %-18s %s\n' lab parent 'lines changed, of'
	@$(foreach l,$(SERVERS),p='$(call parent,$l)'; printf '%-18s %-18s %s\n' $l "$${p:--}" \
		"$$([ -z "$$p" ] && echo - || diff labs/$$p/server.c labs/$l/server.c | grep -c '^[<>]'), $$(wc -l <labs/$l/server.c)";)

facts: $B/facts  ## epoll's promises, measured here
	@$B/facts

wild: $B/03-epoll-lt $B/scope  ## nginx, redis, memcached, haproxy: level- or edge-triggered? seen from outside (JSON=1)
	@BUILD=$(abspath $B) bench/survey/wild

# --- checking

test: tests-built  ## run the tests (one to four minutes); test-slow has the rest
	$(call need,bats,bats bats-support bats-assert)
	$(call need,jq,jq)
	$(call need,nc,netcat-openbsd)
	BATS_TEST_TIMEOUT=180 $(call bats,$(JOBS)) --filter-tags '!quiet' tests/unit; $(skips)

# Three files of tests at a time, where bats can: some only wait.
JOBS = $(shell command -v parallel >/dev/null && echo --jobs 3 --no-parallelize-within-files)

# Bats, and after it how many tests were skipped, with each reason; the status is Bats' own.
bats = BUILD=$(abspath $B) bats --report-formatter tap --output $B/tests $1 $(BATS_FLAGS)
skips = rc=$$?; awk -f tests/unit/skips.awk $B/tests/report.tap; exit $$rc

# They weigh what a server waits for a processor: beside two other files of tests they would
# only be skipped.
test-quiet: tests-built  ## the few tests that need the machine for themselves
	$(call need,bats,bats bats-support bats-assert)
	BATS_TEST_TIMEOUT=180 $(call bats) --filter-tags quiet tests/unit; $(skips)

test-slow: tests-built  ## what takes minutes: the full bench in small, the demos, the generator's validation
	$(call need,bats,bats bats-support bats-assert)
	$(call need,jq,jq)
	BATS_TEST_TIMEOUT=400 $(call bats) $(or $(FILES),tests/slow); $(skips) # one at a time: much of it is about time

test-full: test test-quiet  ## the tests again under each sanitizer, the slow ones, every verdict, a thousand seeds, the fuzzers
	$(MAKE) test-slow
	$(MAKE) SAN=asan BATS_FLAGS="$(BATS_FLAGS) -f '^(labs|faults|facts):'" test
	$(MAKE) SAN=tsan BATS_FLAGS="$(BATS_FLAGS) -f '^(labs|faults):'" test
	$(MAKE) selfcheck
	BUILD=$(CURDIR)/build-asan OUT=build-asan/bench SERVERS='$(RIGHT)' tests/selfcheck
	$(call need,valgrind,valgrind,setup-lint)
	UNDER='$(VALGRIND)' PATIENCE=20 OUT=$B/valgrind SERVERS='$(RIGHT)' tests/selfcheck
	RUNS=1000 BATS_TEST_TIMEOUT=600 BUILD=$(abspath $B) bats -f 'facts: every run' tests/unit/facts.bats
	tests/seeds 1000
	tests/fuzz/run 60

# The reference servers, again under what sees a wrong byte of memory or a leak.
RIGHT = 03-epoll-lt 04-epoll-et 07-et-fair 08-oneshot 11-sendfile
VALGRIND = valgrind --quiet --leak-check=full --errors-for-leak-kinds=definite --error-exitcode=99

SOURCES := $(wildcard common/*.[ch] common/probe/*.[ch] $(filter-out bench/peers/%,$(wildcard bench/*/*.[ch])) $(PEERS:%=bench/peers/%.c) labs/*/*.c labs/zoo/*/*.c tests/*/*.[ch] tests/unit/*/*.[ch])
# Each says in its first lines what it is.
SCRIPTS = $(shell grep -lsE '^\#!.*(sh|bats)$$|^\# shellcheck shell=' bench/* bench/*/* plots/* tests/* tests/*/*) .ci/run

lint:  ## clang-format, clang-tidy, cppcheck, shellcheck
	$(call need,clang-format,clang-format,setup-lint)
	$(call need,clang-tidy,clang-tidy,setup-lint)
	$(call need,cppcheck,cppcheck,setup-lint)
	$(call need,shellcheck,shellcheck,setup-lint)
	clang-format --dry-run --Werror $(SOURCES)
	printf '%s\n' $(filter %.c,$(SOURCES)) | xargs -n 6 -P 2 sh -c 'clang-tidy --quiet "$$@" -- $(FLAGS)' -
	cppcheck --quiet --error-exitcode=1 --std=c11 --enable=warning,performance,portability --inline-suppr \
		-D_GNU_SOURCE '-D_Noreturn=__attribute__((noreturn))' -Icommon -Ibench $(filter %.c,$(SOURCES))
	shellcheck -x $(SCRIPTS)

zoo:  ## the wrong servers, each with its parent and its mistake
	@for r in labs/zoo/*/README.md; do d=$${r%/README.md}; \
		printf '%-22s %s\n' "$${d##*/}" "$$(sed -n 's/^Parent: *//p' $$r | head -n 1)"; done | bench/lib/wrap 23

selfcheck: tests-built  ## every server against every probe, every exercise against its solution (minutes)
	$(call need,jq,jq)
	tests/selfcheck
	tests/grade/selfcheck-exercises
	@command -v gnuplot >/dev/null || { echo "no chart: install gnuplot-nox"; exit 0; }; mkdir -p build/plots; \
	for f in svg png; do gnuplot -e "data='build/bench/killmatrix.tsv'; out='build/plots/killmatrix'; format='$$f'" plots/killmatrix.gp; done

fuzz:  ## fuzz what parses input: SECONDS=30
	tests/fuzz/run $(or $(SECONDS),30)

# --- exercises

exercise:  ## start one: LAB=04 writes work/04-epoll-et/server.c
	@tests/grade/exercise '$(LAB)'

check:  ## is my server right? LAB=04 (SRC=any.c, SAN=asan, JSON=1)
	@$(MAKE) --no-print-directory $(PARALLEL) SAN= grader
	@SAN='$(SAN)' tests/grade/check '$(LAB)' $(if $(SRC),'$(SRC)')

hint:  ## a hint for an exercise: LAB=04 (LEVEL=1..3)
	@LEVEL='$(LEVEL)' tests/grade/hint '$(LAB)'

grade:  ## points over all exercises that were begun (JSON=1)
	@$(MAKE) --no-print-directory $(PARALLEL) SAN= grader
	@tests/grade/grade

doctor:  ## what this machine has and allows, and what each lack costs
	@bench/setup/doctor

setup:  ## install what is missing (apt, through sudo)
	@bench/setup/setup

setup-lint:  ## and the linters
	@bench/setup/setup lint

setup-peers:  ## and libev, libuv, libevent, wrk, redis-benchmark, to compare with
	@bench/setup/setup-peers

setup-wild:  ## and nginx, redis, memcached, haproxy, without their services, for make wild
	@bench/setup/setup-wild

clean:  ## remove everything that was built or measured
	rm -rf build build-asan build-tsan

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*  ## /\1	/p' Makefile | sort | awk -F'\t' '{ printf "make %-12s %s\n", $$1, $$2 }' | bench/lib/wrap 18

# $(call need,COMMAND,PACKAGES[,SETUP]): fails with the name of what to install.
need = @command -v $1 >/dev/null || { echo "needs $1: install $2, or run make $(or $3,setup)" >&2; exit 1; }

# The lab that LAB names: 04, epoll-et or 04-epoll-et.
number = $(firstword $(subst -, ,$1))
lab = $(or $(firstword $(foreach l,$(SERVERS),$(if $(filter $(LAB),$l $(call number,$l) $(patsubst $(call number,$l)-%,%,$l)),$l))),$(error LAB: '$(LAB)' is none of $(SERVERS)))
parent = $(shell sed -n 's/.*Parent:[^0-9]*\([0-9][0-9]-[a-z-]*\).*/\1/p' labs/$1/README.md | head -n 1)
LABS ?=

-include $(wildcard $B/obj/*/*.d $B/obj/*/*/*.d $B/obj/*/*/*/*.d)
.PHONY: test-quiet all compiler built tests-built test-programs grader plots charts report claims gallery compare bench cross-check facts demo run diff diffstat test test-slow test-full lint setup setup-lint setup-peers setup-wild wild clean help zoo selfcheck fuzz exercise check hint grade trace doctor
