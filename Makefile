# One target for each thing people do here; `make help` lists them.
# A newcomer needs two: `make run` and `make test`. CI runs one: `make check`.
#
#   make run PYTHON=python3.12     another interpreter for .venv
#   make test ARGS='-k retention'  options for pytest (or for bench)

PYTHON ?= python3
BIN := .venv/bin
ARGS ?=
# For each target of the fuzzers.
FUZZ_SECONDS ?= 600

# Tests without a service run the sources, side by side. Those that start one share the machine with a database
# and a client, and a file of them shares what it starts: two files at a time, whatever the machine.
# What they start as a process runs what `make compiled` has made of the sources, if it has.
WORKERS ?= auto
SERVICE_WORKERS ?= 2
QUICK_TESTS := $(wildcard tests/unit tests/cases tests/architecture)
SERVICE_TESTS := $(filter-out $(QUICK_TESTS) tests/__pycache__,$(patsubst %/,%,$(wildcard tests/*/)))

# Set-up is done once for each content of the lock files: a stamp carries their checksum in its
# name. The folder and the interpreter count too, because a virtual environment cannot be moved.
PYTHON_KEY := $(shell { pwd; $(PYTHON) -V; cat pyproject.toml requirements/*.txt; } 2>&1 | cksum | tr -d ' ')
WEB_KEY := $(shell cat package.json package-lock.json | cksum | tr -d ' ')
RUN_READY := .venv/ready-run-$(PYTHON_KEY)
DEV_READY := .venv/ready-dev-$(PYTHON_KEY)
RUN_WEB_READY := node_modules/.ready-run-$(WEB_KEY)
DEV_WEB_READY := node_modules/.ready-dev-$(WEB_KEY)
# fideslang needs an older pydantic than Crouter does, and so lives apart.
FIDESLANG := .venv-fideslang
FIDESLANG_READY := $(FIDESLANG)/ready-$(shell { pwd; $(PYTHON) -V; cat requirements/fideslang.txt; } 2>&1 | cksum | tr -d ' ')

# Only wheels whose digest is pinned: nothing is built from a source archive on the way.
PIP_INSTALL := $(BIN)/python -m pip -qq --disable-pip-version-check --no-input install
PINNED := $(PIP_INSTALL) --require-hashes --only-binary :all:
THIS_PROJECT := $(PIP_INSTALL) --no-deps --no-build-isolation --editable .
NPM_CI := npm ci --silent --ignore-scripts --no-audit --no-fund
PIN := $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 \
	--generate-hashes --no-annotate --custom-compile-command 'make lock'
LOCK := $(PIN) pyproject.toml
BENCH_LOCKS := bench/proxying/peers/locks
LIGHTHOUSE := tests/browser/lighthouse

heading = @printf '\n== %s\n' "$(1)"

.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:
.PHONY: help setup run test check fix generate proof-controls bench torture lighthouse lock
.PHONY: format-check lint types imports drift compiled browser redis

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(DEV_READY) $(DEV_WEB_READY) $(FIDESLANG_READY) compiled ## install everything that work on the code needs
	@echo "Ready: make run, make test, make check."

run: $(RUN_READY) $(RUN_WEB_READY) ## start Crouter with its database; Ctrl-C stops everything
	@exec $(BIN)/crouter run

test: $(DEV_READY) $(DEV_WEB_READY) $(FIDESLANG_READY) browser redis ## run every test
	$(call heading,tests of values and rules)
	@$(BIN)/python -m pytest --junitxml .crouter/junit-values.xml -n $(WORKERS) $(ARGS) $(QUICK_TESTS)
ifneq ($(SERVICE_TESTS),)
	$(call heading,tests of a running service)
	@$(BIN)/python -m pytest --junitxml .crouter/junit-service.xml -n $(SERVICE_WORKERS) --dist loadfile $(ARGS) $(SERVICE_TESTS)
endif

check: format-check lint types imports drift compiled test ## everything CI runs
	$(call heading,check: everything passed)

format-check: $(DEV_READY) ## is every file formatted?
	$(call heading,format)
	@$(BIN)/ruff format --check .

lint: $(DEV_READY) ## what does the linter say?
	$(call heading,lint)
	@$(BIN)/ruff check .

types: $(DEV_READY) ## do the types fit?
	$(call heading,types)
	@$(BIN)/mypy

imports: $(DEV_READY) ## who imports whom?
	$(call heading,import rules)
	@$(BIN)/lint-imports --no-logo

drift: $(DEV_READY) ## is generated/ in step with policy.yaml?
	$(call heading,drift)
	@$(BIN)/crouter check

# Services and tests of them use what was compiled of these very sources, and run the sources where nothing was. One
# that is under way is waited for.
compiled: $(DEV_READY) ## compile the data path, where there is a C compiler
	$(call heading,compiled data path)
	@$(BIN)/crouter compile --if-possible

fix: $(DEV_READY) ## format, and mend what the linter can mend
	@$(BIN)/ruff format --exclude generated .
	@$(BIN)/ruff check --fix --extend-exclude generated .

generate: $(DEV_READY) ## write generated/ anew from policy.yaml
	@$(BIN)/crouter generate

proof-controls: $(DEV_READY) ## break one promise after another: do its tests notice?
	@CROUTER_ALL_CONTROLS=1 $(BIN)/python -m pytest $(ARGS) tests/controls

bench: $(DEV_READY) $(DEV_WEB_READY) compiled ## measure, beside nginx and other gateways
	@$(BIN)/python -m bench --install-peers $(ARGS)

torture: $(DEV_READY) ## break everything at length: hours; ARGS='--scenario kills --seed 1' plays one
	@$(PINNED) --requirement requirements/torture.txt || echo "No wheel of atheris fits: the fuzzers are skipped." >&2
	@$(BIN)/python -m tests.torture $(ARGS)
	@$(BIN)/python -m tests.torture.fuzzing --seconds $(FUZZ_SECONDS)

lighthouse: $(DEV_READY) $(DEV_WEB_READY) browser ## let Lighthouse judge every page: minutes
	@cd $(LIGHTHOUSE) && $(NPM_CI)
	@$(BIN)/python -m tests.browser.lighthouse

lock: $(DEV_READY) ## renew every pinned version
	@$(LOCK) --group build --group compile --group run --group test --group bench --group lint \
		--output-file requirements/dev.txt
	@$(LOCK) --group build --group run --constraints requirements/dev.txt --output-file requirements/run.txt
	@$(PIN) --group fideslang --output-file requirements/fideslang.txt
	@for gateway in litellm tensorzero; do \
		$(PIN) --group bench-$$gateway --output-file $(BENCH_LOCKS)/$$gateway.txt || exit 1; done
	@cd $(BENCH_LOCKS)/portkey && npm update --package-lock-only --ignore-scripts --omit-lockfile-registry-resolved
	@cd $(LIGHTHOUSE) && npm update --package-lock-only --ignore-scripts --omit-lockfile-registry-resolved
	@$(PIN) --group torture --output-file requirements/torture.txt
	@npm update --package-lock-only --ignore-scripts --omit-lockfile-registry-resolved
	@echo "Renewed. Read the difference, then: make check"

# An environment that was moved or whose interpreter is gone is made anew.
define virtual_environment
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	echo "Crouter needs Python 3.11 or newer, and $(PYTHON) is: $$($(PYTHON) -V 2>&1)" >&2; \
	echo "  hint: install one, or name it: make run PYTHON=python3.12" >&2; exit 1; }
@{ grep -qsF "$(CURDIR)/.venv" .venv/pyvenv.cfg && $(BIN)/python -m pip --version >/dev/null 2>&1; } \
	|| $(PYTHON) -m venv --clear .venv \
	|| { echo "  hint: Debian keeps venv in its own package: apt-get install python3-venv" >&2; exit 1; }
@rm -f .venv/ready-*
endef

define node
@node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' 2>/dev/null || { \
	echo "Crouter needs Node 20 or newer, and node is: $$(node -v 2>&1 || true)" >&2; exit 1; }
endef

$(RUN_READY):
	$(virtual_environment)
	@echo "Installing the Python packages that running needs (once, about a minute)"
	@$(PINNED) --requirement requirements/run.txt
	@$(THIS_PROJECT)
	@touch $@

$(DEV_READY):
	$(virtual_environment)
	@echo "Installing the Python packages for development (once, about two minutes)"
	@$(PINNED) --requirement requirements/dev.txt
	@$(THIS_PROJECT)
	@touch $(RUN_READY) $@
	@echo "Compiling the data path meanwhile, if there is a C compiler (once, half a minute; .venv/compiled.log)"
	@$(BIN)/crouter compile --if-possible >.venv/compiled.log 2>&1 &

$(RUN_WEB_READY):
	$(node)
	@echo "Fetching the web assets (once)"
	@$(NPM_CI) --omit=dev --omit=optional
	@touch $@

$(DEV_WEB_READY):
	$(node)
	@echo "Fetching the web assets and the edge tooling (once)"
	@$(NPM_CI)
	@touch $(RUN_WEB_READY) $@

$(FIDESLANG_READY): | $(DEV_READY)
	@echo "Installing fideslang, which judges one of our exports (once, a few seconds)"
	@$(PYTHON) -m venv --clear $(FIDESLANG)
	@$(FIDESLANG)/bin/python -m pip -qq --disable-pip-version-check --no-input install \
		--require-hashes --only-binary :all: --requirement requirements/fideslang.txt
	@touch $@

# Browser tests use what is installed. Nothing but that and Redis is ever installed outside this folder.
browser:
	@for name in chromium chromium-browser google-chrome google-chrome-stable; do \
		command -v $$name >/dev/null 2>&1 && exit 0; done; \
	if [ -z "$$CROUTER_NO_BROWSER_INSTALL" ] && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
		echo "Installing Debian's chromium for the browser tests (CROUTER_NO_BROWSER_INSTALL=1 prevents it)"; \
		export DEBIAN_FRONTEND=noninteractive; \
		apt-get update -qq </dev/null >/dev/null 2>&1; \
		apt-get install -qq -y --no-install-recommends chromium fonts-liberation </dev/null >/dev/null 2>&1 && exit 0; \
	fi; \
	{ echo "************************************************************************"; \
	  echo "  No Chromium or Chrome was found: THE BROWSER TESTS WILL BE SKIPPED."; \
	  echo "  Install one (Debian: apt-get install chromium) and run this again."; \
	  echo "************************************************************************"; } >&2

# It is not started: the tests start servers of their own.
redis:
	@command -v redis-server >/dev/null 2>&1 && exit 0; \
	if [ -z "$$CROUTER_NO_REDIS_INSTALL" ] && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
		echo "Installing Debian's redis-server for the tests of shared limits (CROUTER_NO_REDIS_INSTALL=1 prevents it)"; \
		export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1; \
		apt-get update -qq </dev/null >/dev/null 2>&1; \
		apt-get install -qq -y --no-install-recommends redis-server </dev/null >/dev/null 2>&1 && exit 0; \
	fi; \
	{ echo "************************************************************************"; \
	  echo "  No redis-server was found: TESTS OF SHARED LIMITS WILL BE SKIPPED."; \
	  echo "  Install one (Debian: apt-get install redis-server) and run this again."; \
	  echo "************************************************************************"; } >&2
