# Three commands matter: `make demo` shows the main job, `make quick` checks a change, `make test` runs all tests.
# Each makes the virtual environment by itself; nothing has to be installed before.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
DEV    := $(VENV)/.installed-dev
LOCKS  := tests/locks
RUNTIME := $(VENV)/functions-runtime
AZURITE := $(VENV)/azurite/.installed-3.35.0
BROWSER := $(VENV)/browser/.installed-153.0.0
SITE    := $(VENV)/docs/.installed
MUTANTS := $(VENV)/mutants/.installed
AZMCP   := $(VENV)/azmcp/.installed-2.0.5
SHELL  := /bin/bash
# Else each process that a test starts would compile the program again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup dev demo play quick test test-emulator test-infra soak mutants check format bench package dist docs audit facts lock clean

help: ## List the commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 15

# Every installation takes a lock file with hashes. The pip that comes with Python installs uv, and uv the rest.
UV_INSTALL = $(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --only-binary :all: --require-hashes
$(STAMP): requirements-build.txt requirements-cli.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version.split()[0])'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary :all: --require-hashes -r requirements-build.txt
	$(UV_INSTALL) -r requirements-cli.txt
	@touch $(STAMP)

$(DEV): $(STAMP) requirements-dev.txt
	$(UV_INSTALL) -r requirements-dev.txt
	@touch $(DEV)

# The Functions runtime declares Python 3.13 and runs on 3.11 as well; its protobuf classes come in a package `tests`, so
# it lies in a folder of its own.
$(RUNTIME)/.installed: $(STAMP) $(LOCKS)/functions-runtime.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --ignore-requires-python --no-deps --upgrade \
	  --only-binary :all: --require-hashes --target $(RUNTIME) -r $(LOCKS)/functions-runtime.txt
	@touch $@

# The storage emulator that the contract tests run against is an npm package, locked with all that it needs. Where there is
# no Node.js, the one from PyPI goes into the virtual environment.
$(AZURITE): $(LOCKS)/azurite/package-lock.json | $(STAMP)
	@command -v npm >/dev/null || $(UV_INSTALL) -r $(LOCKS)/node.txt || { echo 'Node.js 18 or newer with npm is needed for the storage tests: apt-get install nodejs npm, or https://nodejs.org'; exit 1; }
	mkdir -p $(@D) && cp $(LOCKS)/azurite/*.json $(@D)
	cd $(@D) && PATH="$$PATH:$(abspath $(BIN))" npm ci --no-audit --no-fund --loglevel=error
	@touch $@

# The status page is tried in the Chromium of an npm package, which brings its libraries and a font; axe-core is beside it.
$(BROWSER): $(LOCKS)/browser/package-lock.json tests/browser/unpack.cjs | $(STAMP)
	@command -v npm >/dev/null || $(UV_INSTALL) -r $(LOCKS)/node.txt || { echo 'Node.js 18 or newer with npm is needed for the tests of the page: apt-get install nodejs npm, or https://nodejs.org'; exit 1; }
	mkdir -p $(@D) && cp $(LOCKS)/browser/*.json $(@D)
	cd $(@D) && PATH="$$PATH:$(abspath $(BIN))" npm ci --no-audit --no-fund --loglevel=error
	PATH="$$PATH:$(abspath $(BIN))" node tests/browser/unpack.cjs $(@D)/node_modules/@sparticuz/chromium/bin $(abspath $(@D))/chromium
	@touch $@

# What builds the site has an environment of its own: neither the program nor its tests need any of it.
$(SITE): $(LOCKS)/docs.txt | $(STAMP)
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(@D)
	$(BIN)/uv pip install --quiet --python $(@D)/bin/python --only-binary :all: --require-hashes -r $(LOCKS)/docs.txt
	@touch $@

# mutmut runs the tests in a process of its own, so it lies beside what they need.
$(MUTANTS): $(LOCKS)/mutants.txt requirements-cli.txt requirements-dev.txt | $(STAMP)
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(@D)
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(@D)/bin/python --only-binary :all: --require-hashes -r requirements-cli.txt -r requirements-dev.txt -r $(LOCKS)/mutants.txt
	@touch $@

# Prints the schemas of Azure's resources; needed for `make facts` alone, since the tests read what it printed.
$(AZMCP): $(LOCKS)/azmcp/package-lock.json | $(STAMP)
	mkdir -p $(@D) && cp $(LOCKS)/azmcp/*.json $(@D)
	cd $(@D) && PATH="$$PATH:$(abspath $(BIN))" npm ci --no-audit --no-fund --loglevel=error
	@touch $@

setup: $(STAMP) ## Make the virtual environment .venv with the program, from hashes alone

dev: $(DEV) ## The same with the tools for development

demo: $(STAMP) ## Show the main job against the emulator, on this machine alone
	$(BIN)/python -m reconciler demo

play: $(STAMP) ## Open the status page over an emulated estate, with a panel to cause drift
	$(BIN)/python -m reconciler play

quick: check ## Checks and the tests that need no emulator, no process and no installation: a minute of CPU
	HYPOTHESIS_PROFILE=quick $(BIN)/python -m pytest --quick -q -n 2 $(ARGS)

# Who is done first takes over tests of the others. Coverage has its bar for all tests together, so ARGS goes without.
PYTEST = $(BIN)/python -m pytest -n auto --dist worksteal
test: $(DEV) $(AZURITE) $(BROWSER) $(RUNTIME)/.installed $(SITE) ## Run the tests of all tiers
	COMPLETE_TESTS=1 $(PYTEST) $(if $(ARGS),$(ARGS),-p pytest_cov --cov --cov-report=term)

test-emulator: $(DEV) ## Run the emulator's own tests apart
	$(PYTEST) tests/emulator $(ARGS)

test-infra: $(DEV) ## Run the tests of infra/ apart
	$(PYTEST) tests/infra $(ARGS)

SEEDS ?= 100000
soak: $(DEV) $(AZURITE) ## Play the whole fault matrix, every crash point, many more examples and 100,000 histories, for hours (SEEDS=5000 for fewer)
	$(BIN)/python -m scripts.reliability play --every --jobs 2
	$(BIN)/python -m scripts.reliability play-storage
	CRASH_POINTS=all $(BIN)/python -m pytest -n 2 tests/crashes $(ARGS)
	HYPOTHESIS_PROFILE=soak $(BIN)/python -m pytest -n 2 --dist worksteal --timeout 0 -m 'hypothesis or soaked' $(ARGS)
	$(BIN)/python -m tests.simulation --seeds $(SEEDS) --start 1 --jobs 2 --rows build/histories.jsonl --shrink build/histories
	$(BIN)/python -m tests.simulation.figures

mutants: $(MUTANTS) ## Change the code that decides, one place at a time: a test has to notice (ARGS="guards" for one group)
	$(MUTANTS:.installed=bin/python) -m scripts.mutants run $(ARGS)

check: $(DEV) ## Lint, format, types, import contracts, size of files
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@$(BIN)/python tests/filesizes.py

format: $(DEV) ## Format, and fix what ruff can fix
	$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format .

bench: $(DEV) $(AZURITE) ## Measure, and print the tables of docs/benchmarks.md (ARGS=--long for storms and 10,000 runs, an hour)
	$(BIN)/python -m benchmarks $(ARGS)

package: $(DEV) ## Build the zip to deploy, for Python 3.12 on linux x86_64 (ARGS="--python 3.13" for another)
	$(BIN)/python -m scripts.package $(ARGS)

facts: $(AZMCP) ## Read again the schemas that infra/ is checked against
	PATH="$$PATH:$(abspath $(BIN))" $(BIN)/python scripts/bicep_facts.py

dist: $(DEV) ## Build the wheel and the source archive into dist/
	$(BIN)/python -m scripts.dist $(ARGS)

docs: $(SITE) ## Build the documentation as a static site into build/site, and check its links
	$(SITE:.installed=bin/python) scripts/site.py

audit: $(DEV) ## Look up known vulnerabilities of every locked Python package (needs https://api.osv.dev)
	$(BIN)/python -m scripts.audit $(ARGS)

OLDEST = 3.11
LOCK = $(BIN)/uv pip compile --quiet --universal --python-version $(OLDEST) --generate-hashes --no-header
lock: $(STAMP) ## Resolve dependencies into the lock files with hashes: requirements*.txt, and tests/locks
	$(LOCK) requirements.in -o requirements.txt
	$(LOCK) -c requirements.txt --extra otlp pyproject.toml -o requirements-cli.txt
	$(LOCK) --group build -o requirements-build.txt
	$(LOCK) -c requirements-cli.txt -c requirements-build.txt --group dev -o requirements-dev.txt
	$(subst $(OLDEST),3.13,$(LOCK)) --no-deps --group functions-runtime -o $(LOCKS)/functions-runtime.txt
	$(LOCK) --group docs -o $(LOCKS)/docs.txt
	$(LOCK) -c requirements-dev.txt --group mutants -o $(LOCKS)/mutants.txt
	$(LOCK) --group node -o $(LOCKS)/node.txt
	for each in azurite azmcp browser; do npm install --prefix $(LOCKS)/$$each --package-lock-only --no-audit --no-fund --loglevel=error; done

clean: ## Remove what was built
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache htmlcov .coverage* build dist
