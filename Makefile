# Kontor: the commands of everyday. `make help` lists them.
#
# Everything happens in .venv, which `make setup` makes from requirements.lock. A finished setup leaves a stamp, so
# the commands that depend on it cost nothing until the lock file or pyproject.toml changes. `make setup PYTHON=…` names
# the Python to make it with.

SHELL := /bin/sh
VENV := .venv
IN_VENV := $(VENV)/bin/python
STAMP := $(VENV)/.kontor-ready

.PHONY: help setup run test office check bench bench-million soak screens requirements catalogue format lock
.DEFAULT_GOAL := help

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

setup: $(STAMP) ## make .venv with everything in it (part of run, test, check and bench)

# A .venv whose Python has gone (an upgraded system) counts as not made.
ifneq ($(shell test -x $(IN_VENV) && echo there),there)
.PHONY: $(STAMP)
endif

$(STAMP): requirements.lock pyproject.toml
	@bash bin/setup $(VENV)
	@touch $@

run: setup ## serve Kontor from this folder; makes or upgrades the database first
	@exec $(IN_VENV) admin_app.py serve

test: setup ## the whole suite: SQLite, PostgreSQL and the browser
	@$(IN_VENV) -m tests.engines
	@$(IN_VENV) -m tests.browser.chromium
	@$(IN_VENV) -m pytest -n 2 --dist worksteal

office: setup ## install LibreOffice for the tests that save our files with it (as root on Debian; never fails)
	@$(IN_VENV) -m tests.office

soak: setup ## the long runs that `make test` leaves out
	@$(IN_VENV) -m tests.engines
	@$(IN_VENV) -m pytest -m soak -o faulthandler_timeout=7200

screens: setup ## take the pictures in docs/screens anew, from the browser tests
	@$(IN_VENV) -m tests.browser.chromium
	@KONTOR_SCREENS=1 KONTOR_TEST_ENGINES=sqlite $(IN_VENV) -m pytest tests/browser -q

check: setup ## format, lint, types
	@$(IN_VENV) -m ruff format --check .
	@$(IN_VENV) -m ruff check .
	@$(IN_VENV) -m mypy

format: setup ## put every file into the house's format
	@$(IN_VENV) -m ruff format .
	@$(IN_VENV) -m ruff check --fix .

bench: setup ## the figures of the design, each beside its floor in the same run
	@$(IN_VENV) -m benchmarks --write docs/figures.md

bench-million: setup ## lists, searches, form, bulk change and whole files at a million customers, both engines (an hour)
	@$(IN_VENV) -m benchmarks --customers 1000000 --sparse --engine both --only list search confirm form open save bulk whole --write docs/figures-million.md

requirements: setup ## write docs/requirements.md from the tests
	@$(IN_VENV) -m tests.requirements

catalogue: setup ## bring the English catalogues up to date with the German texts in the code
	@$(IN_VENV) -m tests.catalogue

lock: ## write requirements.lock anew after a change of pyproject.toml (needs uv)
	@uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --no-annotate \
		--no-emit-index-url --no-header --quiet --output-file requirements.lock
