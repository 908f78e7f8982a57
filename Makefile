# Everything from a fresh clone: each target does the set-up that it needs.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.ONESHELL:
.SILENT:
MAKEFLAGS += --no-builtin-rules --no-print-directory

PYTHON ?= python3
VENV := .venv
BIN := $(CURDIR)/$(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help
help: ## Lists the targets
	echo "usage: make TARGET"
	awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(VENV)/demo.stamp ## Real firmware, a broker, a receiver and its attackers, in half a minute
	.ci/build-native
	$(BIN)/espseal demo

.PHONY: demo-node-red
demo-node-red: $(VENV)/demo.stamp node/node_modules/stamp ## Node-RED with simulated devices and a broker, until Ctrl-C
	.ci/build-native
	echo "Building the addon for Node.js (about a minute the first time) …"
	CARGO_TERM_QUIET=true node node/scripts/build.mjs
	exec node node/demo

.PHONY: test
test: debian $(VENV)/dev.stamp node/node_modules/stamp ## Every linter and every test
	$(BIN)/python .ci/steps.py

.PHONY: lint
lint: debian $(VENV)/dev.stamp node/node_modules/stamp ## Formatters, linters and type checkers only
	$(BIN)/python .ci/steps.py --only lint

.PHONY: test-rust test-python test-lua test-arduino test-e2e
test-rust test-python test-lua test-arduino test-e2e: test-%: debian $(VENV)/dev.stamp
	$(BIN)/python .ci/steps.py --only $*

.PHONY: test-node
test-node: debian $(VENV)/dev.stamp node/node_modules/stamp ## The library for Node.js and the nodes for Node-RED
	$(BIN)/python .ci/steps.py --only node

.PHONY: format
format: debian $(VENV)/dev.stamp node/node_modules/stamp ## Rewrites the sources as the formatters want them
	cargo fmt --all
	$(BIN)/ruff check --quiet --fix .
	$(BIN)/ruff format .
	tests/arduino/c-sources format
	cd node && npm run --silent format

.PHONY: bench
bench: tools $(VENV)/dev.stamp node/node_modules/stamp ## How fast frames are opened, as ratios of one run
	.ci/build-native --release
	node node/scripts/build.mjs --release
	short=0
	for bench in classic_open sealed_open; do $(BIN)/python tests/bench/$$bench.py || short=1; done
	node node/bench/open.js || short=1
	exit $$short

.PHONY: crash
crash: tools ## Kills a host ten thousand times, at any instant (some minutes)
	ESPSEAL_KILLS=5000 cargo test --locked --release --test crash -- --nocapture

.PHONY: vectors
vectors: $(VENV)/dev.stamp ## Makes the shared vectors anew, by the independent implementation
	$(BIN)/python tests/vectors/generate.py

.PHONY: lock
lock: $(VENV)/dev.stamp ## Resolves the Python lock files anew
	$(BIN)/uv pip compile -q pyproject.toml --extra demo --group build $(UV) -o requirements-demo.lock
	$(BIN)/uv pip compile -q pyproject.toml --all-extras --group dev $(UV) -o requirements-dev.lock
UV := --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-package espseal

.PHONY: clean
clean: ## Removes what the targets built
	rm -rf $(VENV) .cache target dist node/node_modules node/native/*.node

.PHONY: tools
tools:
	PYTHON=$(PYTHON) .ci/check-tools

.PHONY: node-tools
node-tools:
	PYTHON=$(PYTHON) .ci/check-tools node

.PHONY: debian
debian: tools
	.ci/debian-packages

$(VENV)/bin/python: | tools
	echo "Making the virtual environment $(VENV) …"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --require-hashes --requirement .ci/pip.lock

$(VENV)/demo.stamp: requirements-demo.lock .ci/pip.lock | $(VENV)/bin/python
	echo "Installing what the demo needs (about a minute the first time) …"
	$(BIN)/pip install --quiet --require-hashes --requirement requirements-demo.lock
	touch $@

$(VENV)/dev.stamp: requirements-dev.lock .ci/pip.lock | $(VENV)/bin/python
	echo "Installing the test tools (about a minute the first time) …"
	$(BIN)/pip install --quiet --require-hashes --requirement requirements-dev.lock
	touch $@ $(VENV)/demo.stamp

node/node_modules/stamp: node/package-lock.json node/package.json | node-tools
	echo "Installing the packages for Node.js (about a minute the first time) …"
	cd node && npm ci --loglevel=error >/dev/null
	touch node_modules/stamp
