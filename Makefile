# Two commands matter: `make serve` starts Parlour, `make test` proves it. Each sets up all it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links

.PHONY: serve web test lint format bench requirements clean help

help: ## Show what can be made
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

serve: $(VENV)/web.stamp ## Start Parlour on http://localhost:8080
	@$(BIN)/parlour serve

web: $(VENV)/web.stamp ## Build the room's page

test: export PYTHONDONTWRITEBYTECODE = # servers are started by the hundred, and would be compiled each time
test: $(VENV)/dev.stamp $(VENV)/web.stamp ## Run every test, on both databases and in a real browser
	@tests/system-packages
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/pytest -n 3 --dist loadscope $(ARGS)

lint: $(VENV)/dev.stamp ## Check style, types and the directions of dependence
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(VENV)/dev.stamp ## Put the code in its format
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: $(VENV)/dev.stamp ## Measure the REST API and live rooms against their floors; renews what docs/ shows of rooms
	@tests/system-packages
	@$(BIN)/python -m benchmarks.rest $(ARGS)
	@$(BIN)/python -m benchmarks.room --write

requirements: $(VENV)/run.stamp ## Pin the newest versions that pyproject.toml allows, with their hashes
	@$(BIN)/pip install --quiet uv
	@$(COMPILE) --upgrade pyproject.toml requirements/build.in -o requirements/run.txt
	@cd requirements && ../$(COMPILE) --upgrade dev.in -o dev.txt

clean: ## Remove the virtual environment and caches; data/ stays
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Parlour needs Python 3.11 or newer; this is " + sys.version.split()[0])'
	@echo "Creating $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)

$(VENV)/run.stamp: requirements/run.txt pyproject.toml | $(VENV)/bin/python
	@echo "Installing Parlour and what it runs on (once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $@

$(VENV)/web.stamp: $(VENV)/run.stamp web/package-lock.json web/index.html web/vite.config.ts web/tsconfig.json $(wildcard web/src/* web/src/*/*)
	@echo "Building the room's page ..."
	@cd web && PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@cd web && PATH="$(CURDIR)/$(BIN):$$PATH" npm run --silent build
	@touch $@

$(VENV)/dev.stamp: $(VENV)/run.stamp requirements/dev.txt
	@echo "Installing what the tests need (once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@
