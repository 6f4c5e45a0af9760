# The commands of the project. They need Python >= 3.11 with venv, and make; everything else goes into .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip -qq --disable-pip-version-check
SAMPLE := build/sample

.DEFAULT_GOAL := help
.PHONY: help setup servers demo check test soak bench clean

help:  ## show this list
	@sed -n 's/^\([a-z]*\):.*  ## /make \1	/p' $(MAKEFILE_LIST) | expand -t 14

setup: servers  ## set up .venv and the servers to test against (the other commands do it by themselves)

demo: $(SAMPLE)/.complete  ## write a small sample dataset and load it
	$(BIN)/tarlight load $(SAMPLE) --fields txt,json

check: $(VENV)/.installed  ## format, lint, types, import rules
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

test: check servers  ## check, then every test with few repetitions
	$(BIN)/python -m pytest

soak: servers  ## the long tests, and the full counts of the others
	TARLIGHT_SOAK=1 $(BIN)/python -m pytest -m "soak or counted"

bench: $(VENV)/.benchmarks servers  ## compare with the decode floor and with peers
	$(BIN)/python -m bench.run

clean:  ## remove what the other commands made
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -prune -exec rm -rf {} + -o -name '*.egg-info' -prune -exec rm -rf {} +

$(SAMPLE)/.complete: | $(VENV)/.installed
	@rm -rf $(SAMPLE)
	$(BIN)/tarlight sample $(SAMPLE)
	@touch $@

servers: $(VENV)/.installed
	@tests/servers/setup.sh

# Build tools are pinned as well, hence no build isolation.
$(VENV)/.installed: pyproject.toml constraints.txt compat/nemo_curator/pyproject.toml tests/browser/setup.sh
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "tarlight needs Python 3.11 or newer: make PYTHON=python3.x ...")'
	@echo "setting up $(VENV) (once, about a minute)"
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) install -c constraints.txt setuptools
	@$(PIP) install -c constraints.txt --no-build-isolation -e '.[dev]' -e compat/nemo_curator
	@tests/browser/setup.sh
	@touch $@

$(VENV)/.benchmarks: $(VENV)/.installed
	@echo "installing the peers to compare with (once, some hundred MB)"
	@$(PIP) install -c constraints.txt --no-build-isolation -e '.[bench]'
	@touch $@
