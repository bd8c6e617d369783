# Each target installs what it needs; only Python 3.11+ and make must be installed before.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Compiled modules are kept: each of the processes below would compile all of them again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test check collect docs docs-generate soak bench screenshots format examples clean

demo: $(VENV)/.installed
	$(BIN)/reconciler demo

test: $(VENV)/.installed-dev
	@$(MAKE) --no-print-directory --jobs=2 check collect
	$(BIN)/pytest --numprocesses=7 --dist=loadfile --no-loadscope-reorder --cov --cov-report=
	$(BIN)/coverage report --include='reconciler/core/*' --fail-under=100 --skip-covered
	$(BIN)/coverage report --fail-under=95 --skip-covered --skip-empty

check: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Compiles the tests once, while types are checked, instead of once in each of pytest's processes, which report what
# cannot be collected.
collect: $(VENV)/.installed-dev
	@$(BIN)/pytest --collect-only --quiet >/dev/null || true

# The documentation as a site in site/; a dead link or a page without a place in it fails.
docs: $(VENV)/.installed-docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

# The tables of docs/metrics.md, from the code and the alert rules.
docs-generate: $(VENV)/.installed-dev
	$(BIN)/python -m tests.support.docs.metrics_page

bench: $(VENV)/.installed-bench
	$(BIN)/python -m benchmarks

# An hour of mutants, single faults, random histories and kill -9; shorter: SOAK_SECONDS=600 SOAK_KILLS=50 make soak
soak: $(VENV)/.installed-dev
	$(BIN)/python -m tests.support.simulation.soak

# The pictures of the status page in docs/images; needs Chromium.
screenshots: $(VENV)/.installed-dev
	$(BIN)/python -m tests.support.screenshots

format: $(VENV)/.installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# What is generated in examples/: PrometheusRule, from prometheus/rules.yaml; Grafana's dashboard; the image's tag
examples: $(VENV)/.installed-dev
	$(BIN)/python -m tests.support.prometheus_rule
	$(BIN)/python -m tests.support.dashboard
	$(BIN)/python -m tests.support.image_tags

clean:
	rm -rf $(VENV) site .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .coverage

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

$(VENV)/.installed-dev: $(VENV)/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[postgres,dev]'
	touch $@ $(VENV)/.installed

$(VENV)/.installed-bench: $(VENV)/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[bench]'
	touch $@ $(VENV)/.installed

$(VENV)/.installed-docs: $(VENV)/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[docs]'
	touch $@ $(VENV)/.installed
