# Rung's tasks. `make help` lists them. Everything below needs python3 (3.11 to 3.13), pip and make.

SHELL := /bin/bash
.DEFAULT_GOAL := help
PY := .venv/bin/python
UV := .tools/bin/uv
COMPILE := UV_SYSTEM_CERTS=1 $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
  --no-strip-extras --no-emit-index-url --custom-compile-command "make lock"
# Tests wait for servers and processes about as long as they compute: three of them fill two cores.
WORKERS ?= 3
# The suite starts hundreds of processes. Where the environment forbids bytecode, each would compile everything again.
unexport PYTHONDONTWRITEBYTECODE
SEED ?= $(shell python3 -c 'import random; print(random.randrange(1000000))')
MINUTES ?= 10

.PHONY: help setup demo up test browser production audit screenshot faults mutants soak check bench fmt migrate revision compose-check lock clean

help: ## What can be made
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | awk -F'\t' '{printf "  %-14s %s\n", $$1, $$2}'

setup: .venv/.ready ## Make .venv with everything in it; after that .venv/bin/rung works

# uv is quick; where it cannot be had, or does not reach the index as pip is set up to, pip does the same.
.venv/.ready: requirements.lock pyproject.toml
	@python3 -c 'import sys; v = sys.version_info[:2]; sys.exit(f"Rung needs Python 3.11, 3.12 or 3.13; python3 is {v[0]}.{v[1]}." if not (3, 11) <= v < (3, 14) else 0)'
	@test -x $(UV) || python3 -m pip install --quiet --disable-pip-version-check --target .tools uv 2>/dev/null || true
	@{ test -x $(UV) && export UV_SYSTEM_CERTS=1 && \
	  $(UV) venv --quiet --allow-existing --python "$$(command -v python3)" .venv && \
	  $(UV) pip install --quiet --compile-bytecode --python $(PY) --require-hashes -r requirements.lock && \
	  $(UV) pip install --quiet --python $(PY) --no-deps -e . ; \
	} || { \
	  echo "uv could not do it; once more with pip, which takes a minute or two." >&2 && \
	  python3 -m venv --clear .venv && \
	  $(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock && \
	  $(PY) -m pip install --quiet --disable-pip-version-check --no-deps -e . ; \
	}
	@touch $@

demo: setup ## Answer 1,000 real messages with a simulated Claude, and show the bill
	@.venv/bin/rung demo

up: setup ## Start everything that is not configured, and work until Ctrl-C
	@.venv/bin/rung up

production: setup ## On real parts: image, PostgreSQL, Redis, pgbouncer, nginx; installed where they may be
	@tests/support/get_servers.sh
	PRODUCTION=1 $(PY) -m pytest -q -n $(WORKERS) --dist loadfile tests/production

audit: setup ## Known vulnerabilities, hashes and licences of what ships
	@test -x .tools/audit/bin/pip-audit || { python3 -m venv .tools/audit && \
	  .tools/audit/bin/python -m pip install --quiet --disable-pip-version-check pip-audit==2.10.1 ; } || true
	@$(PY) -m tests.support.audit

test: setup browser ## The whole suite, on real embedded Postgres and Redis
	$(PY) -m pytest -q -n $(WORKERS) --dist worksteal

browser: ## Debian's chromium for the browser tests, where it may be installed; says so where not
	@tests/support/get_chromium.sh

screenshot: setup browser ## Take docs/screenshot.png anew, half-way through the simulated sample
	$(PY) -m tests.support.screenshot

faults: setup ## Every fault scenario on real processes, and what each cost: make faults SEED=7
	@rm -f .pytest_cache/faults.jsonl; mkdir -p .pytest_cache
	FAULTS=all FAULT_SEED=$(SEED) FAULT_REPORT=$(CURDIR)/.pytest_cache/faults.jsonl \
	  $(PY) -m pytest -q -n $(WORKERS) --dist worksteal tests/faults

mutants: setup ## Single faults of guards, each alone, and the tests that should see it: make mutants AREA=claim
	$(PY) -m tests.mutants $(AREA)

soak: setup ## Random faults for a while, then every promise checked: make soak MINUTES=30
	$(PY) -m tests.faults.soak --minutes $(MINUTES) --seed $(SEED)

check: setup compose-check ## Lint, types, import directions, dead code, docs in step
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	.venv/bin/vulture
	$(PY) -m pytest -q -p no:cacheprovider tests/unit/test_docs_in_step.py tests/unit/test_house.py \
	  tests/unit/test_shape.py tests/unit/test_arguments.py tests/unit/test_class_names.py tests/unit/test_words.py

bench: setup ## Speed and memory, as ratios measured in one run
	$(PY) -m benchmarks

fmt: setup ## Format, and fix what ruff can fix
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

migrate: setup ## Bring the database to the newest schema
	.venv/bin/rung db upgrade

revision: setup ## A new migration from the models: make revision m="what it does"
	.venv/bin/alembic revision --autogenerate -m "$(m)"

compose-check: setup ## docker-compose.yml and deploy/ are conventional, and name only what exists
	$(PY) -m pytest -q -p no:cacheprovider tests/unit/deploy

lock: setup ## Pin every dependency, with hashes and no index address
	$(COMPILE) --extra sandbox --extra parquet --group dev pyproject.toml -o requirements.lock
	@# As constraints, which may name no extras, the same versions go into the image.
	sed -E 's/ *\\$$//; /^ *--hash/d; s/^([a-z0-9_.-]+)\[[^]]*\]/\1/' requirements.lock > .tools/pins.txt
	$(COMPILE) --no-annotate -c .tools/pins.txt pyproject.toml -o requirements-production.lock
	$(COMPILE) --no-annotate -c .tools/pins.txt --extra bedrock --extra vertex pyproject.toml -o requirements-clouds.lock
	$(COMPILE) --no-annotate --group build -o requirements-build.lock

clean: ## Remove what was made here; .rung (your data) stays
	rm -rf .venv .tools .mypy_cache .ruff_cache .pytest_cache dist build
