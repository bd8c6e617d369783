# Each target installs what it needs; only Python 3.11+ and make must be installed before.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Compiled modules are kept: each of the processes below would compile all of them again.
unexport PYTHONDONTWRITEBYTECODE

TOOLS := .venv-release
VERSION = $(shell sed -n 's/^__version__ = "\(.*\)"/\1/p' reconciler/__init__.py)
# Everything is installed from requirements/, by hash; nothing is compiled to .pyc that may never run.
INSTALL := -m pip install --quiet --disable-pip-version-check --no-compile --no-deps
LOCKED := $(INSTALL) --require-hashes
PROJECT := $(INSTALL) --no-build-isolation --editable .

.PHONY: demo test check suite lint types collect matrix matrix-prepare docs docs-generate examples screenshots soak sources \
	assumptions witnesses bench lock lowest release sbom audit image format clean

demo: $(VENV)/.installed
	$(BIN)/reconciler demo

# mypy runs beside the tests, half of whose time is spent waiting.
test: $(VENV)/.installed-dev
	@$(MAKE) --no-print-directory --jobs=2 lint collect
	@$(MAKE) --no-print-directory --jobs=2 types suite
	$(BIN)/coverage report --include='reconciler/core/*' --fail-under=100 --skip-covered
	$(BIN)/coverage report --fail-under=95 --skip-covered --skip-empty

suite: $(VENV)/.installed-dev
	$(BIN)/pytest --numprocesses=5 --dist=loadfile --no-loadscope-reorder --cov --cov-report=

check: lint types

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell
	$(BIN)/lint-imports

types: $(VENV)/.installed-dev
	nice -n 10 $(BIN)/mypy

# Compiles the tests once, while the sources are checked, instead of once in each of pytest's processes, which report what
# cannot be collected.
collect: $(VENV)/.installed-dev
	@$(BIN)/pytest --collect-only --quiet >/dev/null || true

# The documentation as a site in site/; a dead link or a page without a place in it fails.
docs: $(VENV)/.installed-docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

# The tables of docs/metrics.md, from the code and the alert rules.
docs-generate: $(VENV)/.installed-dev
	$(BIN)/python -m tests.support.docs.metrics_page

# The scenarios over the installed command with alerts in Jira Service Management, in both of its modes.
SCENARIOS := $(addprefix tests/system/,test_mapping.py test_crash.py test_lag.py test_storm.py test_echo.py \
	test_interrupted.py test_our_own_acts.py test_sweep.py test_nobody_paged.py processes/test_two_daemons.py processes/test_kills.py)
sources: $(VENV)/.installed-dev
	RECONCILER_ALERT_SOURCE=jsm $(BIN)/pytest --numprocesses=4 --dist=loadfile $(SCENARIOS)
	RECONCILER_ALERT_SOURCE='jsm named' $(BIN)/pytest --numprocesses=4 --dist=loadfile $(SCENARIOS)

# The same scenarios with each uncertain fact about the vendors turned round, and random histories of the simulation.
# Only some: make assumptions ROWS="offsets 'notes are short'"
assumptions: $(VENV)/.installed-dev
	RECONCILER_ASSUMPTION_HISTORIES=20 $(BIN)/pytest tests/simulation/test_assumptions.py
	$(BIN)/python -m tests.support.assumption_scenarios $(ROWS)

# The routes' figures need a PostgreSQL server, which the development environment has.
bench: $(VENV)/.installed-dev $(VENV)/.installed-bench
	$(BIN)/python -m benchmarks

# The vendors' own clients use the sandbox, each from an environment of its own; prints what each call came to.
CLIENTS := pagerduty opsgenie
witnesses: $(VENV)/.installed-dev $(CLIENTS:%=.venv-witness-%/.installed)
	$(BIN)/python -m tests.contract.witnesses

# An hour of mutants, single faults, random histories and kill -9; shorter: SOAK_SECONDS=600 SOAK_KILLS=50 make soak
soak: $(VENV)/.installed-dev
	$(BIN)/python -m tests.support.simulation.soak

# The pictures of the status page in docs/images; needs Chromium.
screenshots: $(VENV)/.installed-dev
	$(BIN)/python -m tests.support.screenshots

# Writes requirements/ anew from pyproject.toml, and keeps each version that still fits; newest: UPGRADE=--upgrade make lock
COMPILE := $(TOOLS)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
	--custom-compile-command 'make lock' $(UPGRADE)
lock: $(TOOLS)/.installed
	$(COMPILE) pyproject.toml --extra postgres --output-file requirements/runtime.txt
	$(COMPILE) pyproject.toml --extra postgres --extra dev --group build --constraint requirements/runtime.txt \
		--output-file requirements/dev.txt
	$(COMPILE) --group build --constraint requirements/dev.txt --output-file requirements/build.txt
	$(COMPILE) pyproject.toml --extra postgres --extra test --group build --constraint requirements/dev.txt \
		--output-file requirements/test.txt
	$(COMPILE) pyproject.toml --extra bench --group build --constraint requirements/dev.txt \
		--output-file requirements/bench.txt
	$(COMPILE) pyproject.toml --extra docs --group build --constraint requirements/dev.txt \
		--output-file requirements/docs.txt
	$(COMPILE) --group release --group build --constraint requirements/dev.txt --output-file requirements/release.txt
	for client in $(CLIENTS); do \
		$(COMPILE) --group witness-$$client --output-file requirements/witness-$$client.txt || exit 1; \
	done

# A selection of the tests on every other Python from 3.11 to 3.14 that is installed; MATRIX=--newest: on the newest.
matrix: $(VENV)/.installed-dev
	$(BIN)/python -m tools.matrix $(MATRIX)
matrix-prepare: $(VENV)/.installed-dev
	$(BIN)/python -m tools.matrix --prepare $(MATRIX)

# Whether the lower bounds in pyproject.toml hold: the oldest version that each admits, on the oldest Python.
lowest: $(TOOLS)/.installed
	rm -rf .venv-lowest
	$(TOOLS)/bin/uv venv --quiet --python 3.11 .venv-lowest
	$(TOOLS)/bin/uv pip install --quiet --python .venv-lowest --resolution lowest-direct --editable '.[postgres,dev]'
	.venv-lowest/bin/pytest --quiet --numprocesses=2 tests/unit tests/system/test_mapping.py

# Wheel, source distribution, bill of materials and their hashes, in dist/: see docs/supply-chain.md.
release sbom: $(TOOLS)/.installed
	$(TOOLS)/bin/python -m tools.release $@

# Fails where the advisories cannot be had, too.
audit: $(TOOLS)/.installed
	$(TOOLS)/bin/python -m tools.audit

# SOURCE=address of the repository; PYTHON_IMAGE=base image, by digest if you can
image:
	docker build --tag reconciler:$(VERSION) --build-arg REVISION=$(shell git rev-parse HEAD) \
		$(if $(SOURCE),--build-arg SOURCE=$(SOURCE)) $(if $(PYTHON_IMAGE),--build-arg PYTHON_IMAGE=$(PYTHON_IMAGE)) .

format: $(VENV)/.installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# What is generated in examples/: PrometheusRule, from prometheus/rules.yaml; Grafana's dashboard; the image's tag
examples: $(VENV)/.installed-dev
	$(BIN)/python -m tests.support.prometheus_rule
	$(BIN)/python -m tests.support.dashboard
	$(BIN)/python -m tests.support.image_tags

clean:
	rm -rf $(VENV) .venv-* site dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .coverage

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml requirements/runtime.txt requirements/build.txt
	$(BIN)/python $(LOCKED) -r requirements/runtime.txt -r requirements/build.txt
	$(BIN)/python $(PROJECT)
	touch $@

$(VENV)/.installed-dev: $(VENV)/bin/python pyproject.toml requirements/dev.txt
	$(BIN)/python $(LOCKED) -r requirements/dev.txt
	$(BIN)/python $(PROJECT)
	touch $@ $(VENV)/.installed

$(VENV)/.installed-bench: $(VENV)/bin/python pyproject.toml requirements/bench.txt
	$(BIN)/python $(LOCKED) -r requirements/bench.txt
	$(BIN)/python $(PROJECT)
	touch $@ $(VENV)/.installed

$(VENV)/.installed-docs: $(VENV)/bin/python pyproject.toml requirements/docs.txt
	$(BIN)/python $(LOCKED) -r requirements/docs.txt
	touch $@

.venv-witness-%/.installed: requirements/witness-%.txt
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/python $(LOCKED) -r $<
	touch $@

# The tools of lock, lowest, release, sbom and audit, in an environment of their own.
$(TOOLS)/.installed: requirements/release.txt
	$(PYTHON) -m venv $(TOOLS)
	$(TOOLS)/bin/python $(LOCKED) -r requirements/release.txt
	touch $@
