# lfmscope. `make` prints what there is to make; README.md has the rest.
PREFIX  ?= /usr/local
DESTDIR ?=
BUILD   ?= build
PYTHON  ?= python3
ifeq ($(origin CC),default)
CC := gcc
endif

PACKAGES := gsl hdf5 libcjson libpcre2-8 libcrypto zlib libcurl
# -g1: line numbers for backtraces. Where variables live would take a third of the time to compile; CFLAGS="-O0 -g3" has them.
CFLAGS   ?= -O3 -g1
WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes
# One rounding per operation, in the order of the source, on every processor.
NUMERICS := -ffp-contract=off -fno-fast-math

ifneq ($(filter -ffast-math -Ofast -funsafe-math-optimizations -fassociative-math,$(CC) $(CPPFLAGS) $(CFLAGS)),)
$(error lfmscope's numbers are exact statements about its arithmetic; it does not build with fast-math)
endif

ALL_CPPFLAGS := -I. -D_POSIX_C_SOURCE=200809L -D_XOPEN_SOURCE=700 $(shell pkg-config --cflags $(PACKAGES)) $(CPPFLAGS)
ALL_CFLAGS   := $(CFLAGS) -std=c11 $(WARNINGS) $(NUMERICS) -fopenmp
ALL_LDFLAGS  := $(LDFLAGS)
LIBRARIES    := -lhdf5_hl $(shell pkg-config --libs $(PACKAGES)) -lunistring -lm $(LDLIBS)
MISSING      := $(shell pkg-config --exists $(PACKAGES) 2>/dev/null || echo yes)

ifdef WERROR
ALL_CFLAGS += -Werror
endif
ifdef SANITIZE
ifneq ($(origin BUILD),command line)
BUILD := $(BUILD)-sanitize
endif
ALL_CFLAGS  += -fsanitize=address,undefined -fno-omit-frame-pointer -fno-sanitize-recover=undefined
ALL_LDFLAGS += -fsanitize=address,undefined
endif

# Taken here, before single objects add theirs, which whatever they depend on would inherit.
STAMP := $(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS)

# V=1 shows whole command lines.
QUIET := $(if $(V),,@)
SAY    = $(if $(V),,@printf '  %-4s %s\n' $(1) $(2))

# Kernels are compiled for their instruction set, whatever the rest is compiled for.
MACHINE := $(firstword $(subst -, ,$(shell $(CC) -dumpmachine)))
NOT_HERE := $(if $(filter x86_64,$(MACHINE)),,quant/kernels/avx2.c quant/kernels/avx512.c)
NOT_HERE += $(if $(filter aarch64,$(MACHINE)),,quant/kernels/neon.c)
$(BUILD)/obj/quant/kernels/avx2.o: ALL_CFLAGS += -mavx2 -mfma -mf16c
$(BUILD)/obj/quant/kernels/avx512.o: ALL_CFLAGS += -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512vnni -mf16c
# These with the instructions emulated, for processors with AVX2 only.
$(BUILD)/obj/tests/emulated/avx512.o: ALL_CFLAGS += -mavx2 -mfma -mf16c -Wno-psabi
# What only tests run need not be fast, but compiled soon. Other CFLAGS than the default stay as they are.
$(BUILD)/obj/tests/%.o: ALL_CFLAGS += $(if $(filter -O3,$(CFLAGS)),-O1)
ifdef SANITIZE
# Checking every load of the inner loops takes minutes, to compile and to run: tests/unit/test_kernel_bounds.c watches them.
$(BUILD)/obj/quant/kernels/%.o: ALL_CFLAGS += -O2 -fno-sanitize=address,undefined
endif

SOURCES    := $(shell find $(wildcard reference quant eval reports) -name '*.c' | LC_ALL=C sort)
SOURCES    := $(filter-out $(NOT_HERE),$(SOURCES))
# Kernels take longest: compiled first, they are not what the other cores wait for at the end.
SOURCES    := $(filter quant/kernels/%,$(SOURCES)) $(filter-out quant/kernels/%,$(SOURCES))
OBJECTS    := $(SOURCES:%.c=$(BUILD)/obj/%.o)
LIBRARY    := $(BUILD)/liblfmscope.a
PROGRAM    := $(BUILD)/lfmscope
UNIT_TESTS := $(BUILD)/unit-tests
RANDOM_MODEL := $(BUILD)/random-model
TEST_TOOLS := $(BUILD)/json_get $(BUILD)/open_model $(RANDOM_MODEL)
TEST_SOURCES := $(shell find tests/unit -name '*.c' | LC_ALL=C sort)
TEST_OBJECTS := $(TEST_SOURCES:%.c=$(BUILD)/obj/%.o)
EMULATED_OBJECT := $(BUILD)/obj/tests/emulated/avx512.o
EMULATED_TESTS := $(if $(filter x86_64,$(MACHINE)),$(if $(SANITIZE),,$(BUILD)/unit-tests-avx512))
TOOL_OBJECTS := $(BUILD)/obj/tests/cli/json_get.o $(BUILD)/obj/tests/fuzz/open_model.o $(BUILD)/obj/scripts/random_model.o
ALL_OBJECTS  := $(OBJECTS) $(TEST_OBJECTS) $(BUILD)/obj/lfmscope.o $(TOOL_OBJECTS) $(EMULATED_OBJECT)

.PHONY: help build tests test fuzz demo golden check check-layers check-style install uninstall clean force
.DEFAULT_GOAL := help

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' Makefile
	@printf '\n  variables: CC=gcc|clang WERROR=1 SANITIZE=1 V=1 CFLAGS="-O2 -g" BUILD=build PREFIX=/usr/local DESTDIR=\n'

build: $(PROGRAM) ## the program, at build/lfmscope

tests: $(EMULATED_TESTS) $(PROGRAM) $(UNIT_TESTS) $(TEST_TOOLS) ## the test programs, without running them

test: tests ## every test (scripts/test installs what is missing first)
	@tests/run $(BUILD)

demo: ## the main job on the demo model, to reports/out/index.html
	@scripts/demo

golden: ## golden data anew from its oracles; needs PYTHON with transformers (scripts/make_golden.py)
	$(PYTHON) scripts/make_golden.py

fuzz: ## damaged checkpoints, opened under the sanitizers
	@$(MAKE) -s SANITIZE=1 tests
	@tests/fuzz/run build-sanitize

check: check-layers check-style ## what CI checks besides the tests

check-layers: ## rooms include only the rooms below them
	@scripts/check_layers

check-style: ## whitespace, line and function lengths, machine paths, floating-point flags
	@scripts/check_style

install: $(PROGRAM) ## the program and its man page, under DESTDIR and PREFIX
	install -d "$(DESTDIR)$(PREFIX)/bin" "$(DESTDIR)$(PREFIX)/share/man/man1"
	install -m 755 $(PROGRAM) "$(DESTDIR)$(PREFIX)/bin/lfmscope"
	install -m 644 docs/lfmscope.1 "$(DESTDIR)$(PREFIX)/share/man/man1/lfmscope.1"

uninstall: ## removes what install put there
	rm -f "$(DESTDIR)$(PREFIX)/bin/lfmscope" "$(DESTDIR)$(PREFIX)/share/man/man1/lfmscope.1"

clean: ## removes what was built
	rm -rf build build-sanitize build-clang

$(PROGRAM): $(BUILD)/obj/lfmscope.o $(LIBRARY)
	$(call SAY,LINK,$@)
	$(QUIET)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LIBRARIES)

# An object stands for its namesake in the library.
$(EMULATED_TESTS): $(EMULATED_OBJECT)
$(UNIT_TESTS) $(EMULATED_TESTS): $(TEST_OBJECTS) $(LIBRARY)
	$(call SAY,LINK,$@)
	$(QUIET)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(LIBRARY) $(LIBRARIES) -lcriterion

$(BUILD)/json_get: $(BUILD)/obj/tests/cli/json_get.o $(LIBRARY)
$(BUILD)/open_model: $(BUILD)/obj/tests/fuzz/open_model.o $(LIBRARY)
$(RANDOM_MODEL): $(BUILD)/obj/scripts/random_model.o $(LIBRARY)
$(TEST_TOOLS):
	$(call SAY,LINK,$@)
	$(QUIET)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LIBRARIES)

# The archive is made anew when its list of members changes, not only when a member does.
$(LIBRARY): $(OBJECTS) $(BUILD)/members
	@rm -f $@
	@$(AR) rcs $@ $(OBJECTS)

$(BUILD)/obj/%.o: %.c $(BUILD)/flags
	$(call SAY,CC,$<)
	@mkdir -p $(@D)
	$(QUIET)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# Stamps, rewritten only when their text changes: another compiler or flag compiles everything again.
$(BUILD)/flags: force
	@$(if $(MISSING),echo 'make: not all of $(PACKAGES) found by pkg-config; run scripts/setup' >&2; exit 1,:)
	@mkdir -p $(@D)
	@printf '%s\n' '$(shell $(CC) -dumpmachine) $(shell $(CC) -dumpversion)' '$(STAMP)' '$(ALL_LDFLAGS) $(LIBRARIES)' >$@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@

$(BUILD)/members: force
	@mkdir -p $(@D)
	@printf '%s\n' $(OBJECTS) >$@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@

# What .incbin pulls in, which the compiler does not list.
$(BUILD)/obj/eval/text/tables.o: $(wildcard datasets/punkt/* datasets/langdetect/*)
$(BUILD)/obj/eval/conform/embedded.o: $(wildcard datasets/demo-model/*.json)
$(BUILD)/obj/eval/conform/pack_files.o: eval/conform/cases.json eval/conform/pack-readme.md
$(BUILD)/obj/eval/view/page.o: $(wildcard eval/view/page.html eval/view/page.css eval/view/page.js)
$(BUILD)/obj/quant/route/page.o: $(wildcard quant/route/page.html quant/route/page.css quant/route/page.js)

-include $(ALL_OBJECTS:.o=.d)
