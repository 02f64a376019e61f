# `make help` lists the targets. Nothing here needs root, Docker or a file edited first.

VENV := .venv
BIN := $(VENV)/bin
RUN := $(BIN)/python manage.py

# The servers of services-test; the environment's own addresses win.
TEST_DATABASE_URL ?= $(or $(DATABASE_URL),postgres://postgres@127.0.0.1:5432/vineyard_group_fellowship)
TEST_REDIS_URL ?= $(or $(REDIS_URL),redis://127.0.0.1:6379/15)
# A busy machine may take long to drop a database.
ON_SERVERS = DATABASE_URL=$(TEST_DATABASE_URL) REDIS_URL=$(TEST_REDIS_URL) DB_STATEMENT_TIMEOUT_MS=60000 $(BIN)/python

.DEFAULT_GOAL := help
.PHONY: help run test stories services-test check format worker beat superuser bench bench-growth openapi lock clean

help:  ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# Python 3.13 first, 3.11 at the least; pyenv's versions count although they are not on the PATH.
$(VENV)/.made: .ci/find-python
	@python=$$(sh .ci/find-python) && "$$python" -m venv --clear $(VENV)
	@touch $@

# An install is repeated only when its list has changed.
$(VENV)/.runtime: $(VENV)/.made requirements.txt
	@echo "Installing what the service needs ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

$(VENV)/.development: $(VENV)/.runtime requirements-dev.txt
	@echo "Installing what the tests need ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

run: $(VENV)/.runtime  ## start the service on PORT (of .env, else 8002), with nothing else installed
	@$(RUN) migrate --verbosity 0
	@$(BIN)/python serve.py --or-runserver

# Compiled files are kept even if the environment says otherwise: compiling all tests again takes
# a third of the run.
test services-test: export PYTHONDONTWRITEBYTECODE =

test: $(VENV)/.development  ## run every test that needs no server
	@$(BIN)/python -m pytest -q -n auto --dist worksteal

stories: $(VENV)/.development  ## play STORIES (100) of thieves and an owner, ask CASES (100) of names, from STORY_SEED
	@STORIES=$(or $(STORIES),100) CASES=$(or $(CASES),100) $(BIN)/python -m pytest -q -n auto \
	  authentication/tests/fuzz/test_stories.py authentication/tests/fuzz/test_known_and_unknown.py

# First what may differ there, then what needs processes, connections and threads, then what
# measures time. Two processes, each with a Redis number of its own: more would need more
# connections than PostgreSQL accepts.
services-test: $(VENV)/.development  ## run the tests that need or may differ on PostgreSQL and Redis
	@$(ON_SERVERS) -m authentication.tests.servers
	@$(ON_SERVERS) -m pytest -q -n auto --dist worksteal -m "not services and not any_database"
	@$(ON_SERVERS) -m pytest -q -n 2 --dist loadgroup -m "services and not alone"
	@$(ON_SERVERS) -m pytest -q -m "services and alone"

check: $(VENV)/.development  ## lint, types, architecture, migrations, the API's description, production's settings
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@DJANGO_ENVIRONMENT=test $(RUN) makemigrations --check --dry-run --verbosity 0
	@DJANGO_ENVIRONMENT=test $(RUN) spectacular --validate --fail-on-warn --file $(VENV)/openapi.yaml
	@diff -q docs/openapi.yaml $(VENV)/openapi.yaml || { echo "docs/openapi.yaml is stale: run make openapi"; exit 1; }
	@$(BIN)/python -c 'from ctypes.util import find_library; raise SystemExit(not find_library("gdal"))' \
	  || { echo "Production drives PostGIS through GDAL, which is not installed here (Debian: apt-get install gdal-bin)."; exit 1; }
	@sh .ci/as-production $(RUN) check --deploy --fail-level WARNING

format: $(VENV)/.development  ## put the code into its form
	@$(BIN)/ruff check --fix --quiet .
	@$(BIN)/ruff format --quiet .

worker: $(VENV)/.runtime  ## run a Celery worker (needs REDIS_URL)
	@$(BIN)/celery -A vineyard_group_fellowship worker -l info

beat: $(VENV)/.runtime  ## run Celery's scheduler (needs REDIS_URL)
	@$(BIN)/celery -A vineyard_group_fellowship beat -l info -s $(VENV)/celerybeat-schedule

superuser: $(VENV)/.runtime  ## make an account that may enter the admin
	@$(RUN) migrate --verbosity 0
	@$(RUN) createsuperuser

bench: $(VENV)/.development  ## measure the service beside a bare view
	@$(BIN)/python -m benchmarks

bench-growth: $(VENV)/.development  ## measure what age costs, with ROWS (20 million) audit events on DATABASE_URL
	@$(BIN)/python -m benchmarks.growth --rows $(or $(ROWS),20000000)

openapi: $(VENV)/.development  ## write docs/openapi.yaml
	@DJANGO_ENVIRONMENT=test $(RUN) spectacular --validate --fail-on-warn --file docs/openapi.yaml

lock: $(VENV)/.development  ## compile the requirements lists, with hashes
	@for list in requirements requirements-dev; do \
	  $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header $$list.in -o $$list.txt; \
	done

clean:  ## remove what was installed and made; data in var/ stays
	@rm -rf $(VENV) staticfiles .mypy_cache .ruff_cache .pytest_cache .hypothesis
