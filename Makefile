# Planwerk. `make` alone lists what can be made.
.DEFAULT_GOAL := help
.PHONY: help install serve test check bench crash fuzz screenshots migration vendor

bin := .venv/bin
export PORT HOST DATABASE

help:  ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install:  ## only the set-up: .venv with the project and what its tests need
	@scripts/install test

serve:  ## set up, prepare the database on the first run, serve on http://127.0.0.1:8080 (PORT=… HOST=… DATABASE=…)
	@scripts/install
	@exec $(bin)/planwerk serve $(if $(HOST),--host "$(HOST)") $(if $(PORT),--port "$(PORT)") $(if $(DATABASE),--database "$(DATABASE)")

test: install  ## everything, on SQLite and on a throw-away PostgreSQL (ARGUMENTS=… for pytest)
	@PLANWERK_REQUIRE_POSTGRESQL=1 scripts/postgresql $(bin)/python -m pytest -n 2 $(ARGUMENTS)

check: install  ## format, lint, types, import contract, unit and contract tests; under a minute
	@$(bin)/ruff format --check .
	@$(bin)/ruff check .
	@$(bin)/mypy
	@$(bin)/lint-imports
	@$(bin)/python -m pytest -n 2 -q tests/unit tests/contract src

bench: install  ## speed beside its peers; writes the tables of docs/benchmarks.md (OPTIONS=…)
	@bench/run $(OPTIONS)

crash: install  ## the long forms of the process tests: kills, full disks, long runs
	@PLANWERK_LONG=1 PLANWERK_REQUIRE_POSTGRESQL=1 scripts/postgresql $(bin)/python -m pytest tests/process $(ARGUMENTS)

fuzz: install  ## 10,000 malformed requests made from the OpenAPI document
	@scripts/fuzz

screenshots: install  ## pictures of the pages, for the documentation
	@scripts/screenshots

migration: install  ## write the step from the last schema to the catalog's (MESSAGE="…")
	@$(bin)/python scripts/migration.py "$(MESSAGE)"

vendor:  ## fetch the reference page's script again and check its hash
	@src/planwerk/reference/vendor.sh
