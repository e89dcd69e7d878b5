# Every command of the project. `make` alone lists them.

PYTHON ?= python3
PORT ?= 8000
PY := .venv/bin/python
HOME_OF_BENCHMARKS := $(CURDIR)/.tribute/benchmarks
WITH_SERVERS := $(PY) -m server.postgres run $(PY) -m server.broker run
MIGRATED := $(PY) manage.py migrate --database owner --verbosity 0
# A moved or copied folder installs again: .venv holds absolute paths.
STAMP := .venv/installed-$(shell pwd | cksum | cut -d ' ' -f 1)
BENCH_STAMP := $(STAMP)-bench
LOCK := $(PY) -m uv pip compile --quiet --upgrade --generate-hashes --no-emit-index-url \
	--universal --python-version 3.11 --custom-compile-command "make lock"

export PYTHON
export TRIBUTE_EMBEDDED ?= 1

.DEFAULT_GOAL := help
.PHONY: help install browser demo codes run migrate shell test test-engines test-fast test-log test-live check format lock bench clean

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

install: $(STAMP) ## make .venv with the locked packages (PYTHON=... to choose the interpreter)

$(STAMP): requirements/dev.txt requirements/uv.txt requirements/install.sh client/pyproject.toml \
		client/hatch_build.py $(wildcard client/native/*)
	@requirements/install.sh
	@touch $@

browser: install ## find Chromium for the tests of pages, or install it
	@$(PY) -m tests.plugins.browser

demo: install ## play the whole story and leave the site running (DEMO_EXIT=1: leave at its end)
	@$(PY) -m server.demo

codes: install ## print the one-time codes of the demo's payout admins
	@$(PY) -m server.demo.one_time_codes

run: install ## serve the pages and the API on PORT, on the private PostgreSQL and broker
	@$(WITH_SERVERS) sh -c '$(MIGRATED) && \
		exec $(PY) -m granian --interface wsgi --port $(PORT) server.wsgi:application'

migrate: install ## bring the private database up to date
	@$(PY) -m server.postgres run $(MIGRATED)

shell: install ## open a Python shell on the private database
	@$(WITH_SERVERS) $(PY) manage.py shell

test: install browser ## run every test on a private PostgreSQL and broker
	@$(PY) -m pytest --numprocesses auto --maxprocesses 4 --dist worksteal

test-fast: install ## run the tests without whole stories and real servers; stop at the first failure
	@$(PY) -m pytest -q --exitfirst --ignore=tests/journeys --ignore=tests/server

test-engines: .venv-engines/installed ## run the adapters in Ray, Spark, DuckDB, Polars and others, all real
	@cd client && PYTHONPATH=src PYSPARK_PYTHON="$(CURDIR)/.venv-engines/bin/python" \
		../.venv-engines/bin/python -m pytest -q --override-ini filterwarnings=default \
		--override-ini timeout=600 tests/engines

.venv-engines/installed: $(STAMP) requirements/engines.txt
	@echo "Installing the engines into .venv-engines: some two gigabytes."
	@$(PY) -m uv venv --quiet --allow-existing --python $(PY) .venv-engines
	@$(PY) -m uv pip install --quiet --python .venv-engines/bin/python --require-hashes \
		-r requirements/engines.txt
	@touch $@

test-log: install ## verify a log of ours with Go's own code (Debian: golang-go golang-golang-x-mod-dev)
	@$(PY) -m pytest -q tests/independent

test-live: install ## ask Stripe itself: STRIPE_TEST_KEY=sk_test_... STRIPE_TEST_PAYEE=acct_...
	@test -n "$$STRIPE_TEST_KEY" && test -n "$$STRIPE_TEST_PAYEE" || \
		{ echo "usage: STRIPE_TEST_KEY=sk_test_... STRIPE_TEST_PAYEE=acct_... make test-live"; exit 2; }
	@TRIBUTE_TEST_LIVE=1 $(PY) -m pytest -q tests/live

check: install ## format, lint, types, imports, migrations, OpenAPI, documents
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	.venv/bin/lint-imports
	@mkdir -p build
	$(WITH_SERVERS) $(PY) manage.py makemigrations --check --dry-run
	$(WITH_SERVERS) $(PY) manage.py spectacular --validate --fail-on-warn --file build/openapi.yaml
	$(PY) -m openapi_spec_validator build/openapi.yaml
	$(PY) -m pytest -q tests/house

format: install ## format the code and mend what the linter can
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .

lock: install ## write the hashed lock files from requirements/*.in, newest versions
	$(LOCK) requirements/uv.in -o requirements/uv.txt
	$(LOCK) requirements/dev.in -o requirements/dev.txt
	$(LOCK) requirements/bench.in -o requirements/bench.txt
	$(LOCK) requirements/engines.in -o requirements/engines.txt
	$(LOCK) --no-deps requirements/bench-data.in -o requirements/bench-data.txt

$(BENCH_STAMP): $(STAMP) requirements/bench.txt requirements/bench-data.txt
	@echo "Installing what the benchmarks are compared with."
	@for lock in requirements/bench.txt requirements/bench-data.txt; do \
		$(PY) -m uv pip install --quiet --python $(PY) --no-deps --require-hashes -r $$lock || \
			$(PY) -m pip install --quiet --no-deps --require-hashes -r $$lock || exit 1; \
	done
	@touch $@

bench: $(BENCH_STAMP) ## measure: make bench NAME=<a module in tests/benchmarks>
	@test -n "$(NAME)" || { echo "usage: make bench NAME=<a module in tests/benchmarks>"; exit 2; }
	@TRIBUTE_HOME="$(HOME_OF_BENCHMARKS)" $(WITH_SERVERS) $(PY) -m tests.benchmarks.$(NAME)

clean: ## stop the project's private servers and remove all they hold
	@for home in .tribute .tribute/tests .tribute/benchmarks; do \
		for server in postgres broker; do \
			if test -d $$home/$$server; then \
				TRIBUTE_HOME=$$home $(PY) -m server.$$server stop >/dev/null || exit 1; \
			fi; \
		done; \
	done
	@rm -rf .tribute build
