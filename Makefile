# Everything that a developer types. `make` alone explains each target from its own comment.

PYTHON ?= python3
PORT ?= 8000
SIZE ?= 100k
SIZES ?= 1k 100k
DATABASE ?= sqlite
BIN := .venv/bin
PIP = $(BIN)/python -m pip --disable-pip-version-check install --quiet
SPEC := build/spec/venv
SAY := @printf '%s\n'

.DEFAULT_GOAL := help
.PHONY: help setup serve test lint types spec openapi bench bench-corpus lock clean

help: ## Explain every target
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: .venv/ready ## Make .venv and install what the service needs (PYTHON=… names another Python)

serve: setup ## Serve the seed at http://127.0.0.1:8000 (PORT=… names another port)
	@$(BIN)/python -c 'import socket; socket.create_server(("127.0.0.1", int("$(PORT)"))).close()' 2>/dev/null \
		|| { echo "Port $(PORT) cannot be opened; it may be taken. Name another: make serve PORT=8001" >&2; exit 1; }
	@$(BIN)/readout migrate
	@$(BIN)/readout seed
	$(SAY) "Try, once it serves:  curl 'http://127.0.0.1:$(PORT)/v1/topics/grain-deal/positions'"
	@exec $(BIN)/readout serve --bind 127.0.0.1:$(PORT)

test: .venv/ready-dev ## Run the whole test suite, on SQLite and on PostgreSQL (ARGS=… goes to pytest)
	@$(BIN)/python -m pytest $(ARGS)

lint: .venv/ready-dev ## Check style, format and who imports whom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: .venv/ready-dev ## Check types strictly
	$(BIN)/mypy

spec: .venv/ready-dev $(SPEC)/ready tests/spec/node_modules/ready ## Try openapi.yaml with linters, generated clients and schemathesis (STEP=… runs one)
	@$(BIN)/python -m tests.spec.check $(STEP)

openapi: setup ## Write openapi.yaml anew from the schemas and routes
	@mkdir -p build && $(BIN)/readout openapi > build/openapi.yaml && mv build/openapi.yaml openapi.yaml

bench: .venv/ready-dev ## Measure requests, memory and start, by size (SIZES="1k 100k 1M", DATABASE=postgresql)
	@$(BIN)/python -m benchmarks.bench $(SIZES) --database $(DATABASE) $(ARGS)

bench-corpus: .venv/ready ## Turn the corpus of a benchmark harness into a database (SIZE=100k)
	@$(BIN)/python -m benchmarks.harness $(SIZE)

lock: build/lock/bin/uv ## Write the lock files anew (UPGRADE=--upgrade takes newer versions)
	@$(LOCK) --group build --output-file requirements-build.lock
	@$(LOCK) pyproject.toml --output-file requirements.lock
	@$(LOCK) pyproject.toml --group dev --constraints requirements.lock --output-file requirements-dev.lock
	@$(LOCK) --group spec --output-file tests/spec/requirements.lock
	@$(MAKE) --no-print-directory $(SPEC)/ready
	@cd tests/spec && $(NPM) install --package-lock-only --silent

clean: ## Remove what was installed and built, but no database
	rm -rf .venv build tests/spec/node_modules *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# Hashes and versions only, for every system and Python: no registry is named, so each machine asks its own.
LOCK = build/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate --no-emit-index-url $(UPGRADE)

# The files below tell make what is installed already, so that a second run starts at once.

.venv/bin/python:
	@command -v $(PYTHON) >/dev/null \
		|| { echo "No $(PYTHON) here. Install Python 3.11 or newer, or name one: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; $(PYTHON) is older. Name another: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
		|| { echo "$(PYTHON) lacks its venv module. On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@$(PYTHON) -m venv .venv

# What comes as source is built with the setuptools of the lock, not with one that pip would fetch unchecked.
.venv/ready: requirements-build.lock requirements.lock pyproject.toml | .venv/bin/python
	$(SAY) "Installing into .venv (half a minute the first time) …"
	@$(PIP) --require-hashes -r requirements-build.lock
	@$(PIP) --require-hashes --use-pep517 --no-build-isolation -r requirements.lock
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

# Holds all of requirements.lock, in the same versions.
.venv/ready-dev: requirements-build.lock requirements-dev.lock pyproject.toml | .venv/bin/python
	$(SAY) "Installing into .venv (a minute the first time) …"
	@$(PIP) --require-hashes -r requirements-build.lock
	@$(PIP) --require-hashes --use-pep517 --no-build-isolation -r requirements-dev.lock
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch .venv/ready $@

# An environment apart, Node.js included: these tools share no version with the service.
$(SPEC)/ready: tests/spec/requirements.lock | .venv/bin/python
	$(SAY) "Installing the tools of make spec …"
	@$(BIN)/python -m venv $(SPEC)
	@$(SPEC)/bin/python -m pip --disable-pip-version-check install --quiet --require-hashes -r $<
	@touch $@

tests/spec/node_modules/ready: tests/spec/package-lock.json $(SPEC)/ready
	@cd tests/spec && $(NPM) ci --silent
	@touch $@

# Node.js trusts the certificates that it was built with, unless told to trust the machine's too.
NPM = NODE_USE_SYSTEM_CA=1 PATH="$(CURDIR)/$(SPEC)/bin:$$PATH" npm

build/lock/bin/uv: | .venv/bin/python
	@$(BIN)/python -m venv build/lock
	@build/lock/bin/python -m pip --disable-pip-version-check install --quiet uv
