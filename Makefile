# lfmscope. `make` prints what there is to make.
PREFIX ?= /usr/local
BUILD  ?= build
CC     ?= cc
ifeq ($(origin CC),default)
CC = gcc
endif

PACKAGES := gsl hdf5 libcjson libpcre2-8 libcrypto
WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes
CPPFLAGS += -I. -D_POSIX_C_SOURCE=200809L -D_XOPEN_SOURCE=700 $(shell pkg-config --cflags $(PACKAGES))
CFLAGS   ?= -O2 -g
# One rounding per operation on every processor: no contraction, no fast-math.
CFLAGS   += -std=c11 $(WARNINGS) -ffp-contract=off -fopenmp
LDLIBS   += $(shell pkg-config --libs $(PACKAGES)) -lhdf5_hl -lm

ifdef WERROR
CFLAGS += -Werror
endif
ifdef SANITIZE
BUILD  := $(BUILD)-sanitize
CFLAGS += -fsanitize=address,undefined -fno-omit-frame-pointer -fno-sanitize-recover=undefined
LDFLAGS += -fsanitize=address,undefined
endif

SOURCES := $(shell find reference quant eval reports -name '*.c' | LC_ALL=C sort)
OBJECTS := $(SOURCES:%.c=$(BUILD)/obj/%.o)
LIBRARY := $(BUILD)/liblfmscope.a
PROGRAM := $(BUILD)/lfmscope
TEST_SOURCES := $(shell find tests/unit -name '*.c' | LC_ALL=C sort)
TEST_OBJECTS := $(TEST_SOURCES:%.c=$(BUILD)/obj/%.o)
UNIT_TESTS := $(BUILD)/unit-tests

.PHONY: help build test demo golden check check-layers clean install
.DEFAULT_GOAL := help

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: $(PROGRAM) ## the program, at build/lfmscope

$(PROGRAM): $(BUILD)/obj/lfmscope.o $(LIBRARY)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(LIBRARY): $(OBJECTS)
	@rm -f $@
	@$(AR) rcs $@ $(OBJECTS)

$(UNIT_TESTS): $(TEST_OBJECTS) $(LIBRARY)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS) -lcriterion

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

-include $(OBJECTS:.o=.d) $(TEST_OBJECTS:.o=.d) $(BUILD)/obj/lfmscope.d

clean: ## removes what was built
	rm -rf build build-sanitize
