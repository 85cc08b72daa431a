# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Everyday commands. The work is done by CMake presets and tools/scripts/;
# PRESET=dev, asan or runtime-only chooses another build than `release`.

PRESET ?= release
BUILD := build/$(PRESET)
# The packages of tests (NumPy, pytest) are those of the system's Python.
PYTHON ?= /usr/bin/python3
JOBS ?= $(shell nproc)

.PHONY: all build check demo bench fuzz format format-check lint deps docs clean help

all: build

# Missing packages are installed first; nothing happens when all are there.
$(BUILD)/build.ninja: | deps
	cmake --preset $(PRESET)

build: deps $(BUILD)/build.ninja
	cmake --build $(BUILD) -j $(JOBS)

check: build
	$(PYTHON) tools/scripts/check.py $(BUILD)

demo: deps $(BUILD)/build.ninja
	cmake --build $(BUILD) -j $(JOBS) --target neuroc
	tools/scripts/demo.sh $(BUILD)/bin/neuroc

bench: build
	cmake --build $(BUILD) -j $(JOBS) --target stream-bench
	$(PYTHON) test/bench/Cpu/streams.py $(BUILD)
	$(PYTHON) tools/scripts/bench.py $(BUILD)

fuzz: build
	$(PYTHON) tools/scripts/fuzz.py $(BUILD) --rounds $(or $(ROUNDS),20000)

format:
	tools/scripts/format.sh

format-check:
	tools/scripts/format.sh --check

lint: $(BUILD)/build.ninja
	run-clang-tidy-22 -quiet -p $(BUILD) '/(lib|dialects|runtime|tools)/.*\.cpp$$'

docs: $(BUILD)/build.ninja
	cmake --build $(BUILD) --target neuroc-docs

deps:
	@tools/scripts/install-deps.sh

clean:
	rm -rf $(BUILD)

help:
	@echo 'make deps    install the Debian packages that the build needs'
	@echo 'make build   configure and build (PRESET=$(PRESET))'
	@echo 'make demo    four models on four machines, one table'
	@echo 'make check   build, then every test; the last line has the totals'
	@echo 'make bench   benchmarks, JSON in $(BUILD)/bench/'
	@echo 'make fuzz    random bytes into every parser (ROUNDS=20000)'
	@echo 'make format  clang-format over the tree; lint: clang-tidy'
	@echo 'make docs    reference pages of dialects and passes'
