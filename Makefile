# Every command works from any folder: make -C path/to/quarterday demo
# PYTHON names the interpreter for a new environment; QUARTERDAY_HOME moves all state.
SHELL := /bin/sh
ROOT := $(abspath $(dir $(lastword $(MAKEFILE_LIST))))
BIN := $(ROOT)/.venv/bin
# What Quarterday makes in its home, named one by one: the home may be a folder that holds other things too.
STATE := airflow archive backups correction_notes dbt inbox logs postgres postgres.new receipts run runtime.json secrets server.url superset
MAKEFLAGS += --no-print-directory
# A process of tests has a database server of its own; on a server that is named all tests run in one.
SHARE := $(if $(QUARTERDAY_TEST_DATABASE_URL),,-n auto --maxprocesses 4 --no-loadscope-reorder)
.DEFAULT_GOAL := help
.PHONY: help install demo up down status forms superset test test-long lint lock clean

help:  ## Show this
	@echo "Quarterday: the quarterly performance warehouse of a police and crime commissioner's office."
	@echo
	@echo "  make demo    the whole path once, on the returns in demo/, then everything stops"
	@echo "  make test    every test"
	@echo
	@sed -n 's/^\([a-z-]*\):.*  ## \(.*\)/\1|\2/p' $(ROOT)/Makefile | while IFS='|' read -r name text; do printf '  %-10s %s\n' "$$name" "$$text"; done
	@echo
	@echo "After make up: .venv/bin/quarterday --help"

install:  ## Make or update the environment in .venv from the locks
	@PYTHON="$(PYTHON)" $(ROOT)/scripts/install

demo: install  ## Take in the demo returns, show the results, stop
	@cd $(ROOT) && $(BIN)/quarterday demo

up: install  ## The same, and stay up
	@cd $(ROOT) && $(BIN)/quarterday demo --stay

down:  ## Stop what is up
	@cd $(ROOT) && if [ -x $(BIN)/quarterday ]; then $(BIN)/quarterday down; else echo "Nothing is installed here."; fi

status: install  ## What runs, and where the returns stand
	@cd $(ROOT) && $(BIN)/quarterday status

forms: install  ## Make again what follows from the forms: docs/checks.md, docs/datasets.md, docs/dictionary, bi/superset/bundle, dbt's sources, the lock of what contracts promise
	@cd $(ROOT) && $(BIN)/python -m quarterday.checking.document && $(BIN)/python -m quarterday.datasets && $(BIN)/python -m quarterday.generating && $(BIN)/python -m quarterday.contract_versions --renew && $(BIN)/python -m quarterday.dictionary.pages && $(BIN)/python -m quarterday.superset.bundle

superset: install  ## Superset with the dashboards of bi/superset, on the warehouse that is up, until Ctrl-C
	@cd $(ROOT) && scripts/superset && $(BIN)/python -m quarterday.superset.running

test: lint  ## Linters and the tests
	@cd $(ROOT) && $(BIN)/python -m pytest $(SHARE) tests

test-long: lint  ## The same, with the long proofs at full size
	@cd $(ROOT) && QUARTERDAY_LONG_TESTS=1 $(BIN)/python -m pytest $(SHARE) tests

lint: install  ## Only the linters
	@cd $(ROOT) && $(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy --strict src
	@cd $(ROOT) && if [ -f .yamllint ] || [ -f .yamllint.yml ] || [ -f .yamllint.yaml ]; then $(BIN)/yamllint --strict .; fi
	@cd $(ROOT) && if [ -f .sqlfluff ]; then $(BIN)/sqlfluff lint --disable-progress-bar; fi

lock: install  ## Make the locks anew from pyproject.toml (UPGRADE=1 takes newer versions)
	@cd $(ROOT) && $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url $(if $(UPGRADE),--upgrade) --extra connectors --extra dev -o requirements.lock pyproject.toml
	@cd $(ROOT) && $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url $(if $(UPGRADE),--upgrade) -o requirements-bootstrap.lock requirements-bootstrap.in
	@cd $(ROOT) && $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url $(if $(UPGRADE),--upgrade) -o bi/superset/requirements.lock bi/superset/requirements.in
	@cd $(ROOT) && $(BIN)/uv pip compile --quiet --python-version 3.11 --generate-hashes --no-emit-index-url --extra connectors --constraint requirements.lock -o docker/requirements.lock pyproject.toml

clean: down  ## Stop, and delete all state and the environment; the code is left alone
	@cd $(ROOT) && home="$${QUARTERDAY_HOME:-.quarterday}" && if [ -d "$$home" ]; then for name in $(STATE); do rm -rf "$$home/$$name"; done; rmdir "$$home" 2>/dev/null || true; fi
	@cd $(ROOT) && rm -rf .venv .pytest_cache .mypy_cache .ruff_cache
