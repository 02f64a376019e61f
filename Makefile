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
.PHONY: help run test slow-test browser-test pictures clients clients-test generators-test stories services-test check format worker beat superuser bench bench-growth bench-scale openapi messages lock clean

help:  ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# Python 3.13 first, 3.11 at the least; pyenv's versions count although they are not on the PATH.
$(VENV)/.made: .ci/find-python
	@test ! -L $(VENV) || { echo "$(VENV) is a link: its target would be emptied."; exit 1; }
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
test slow-test browser-test clients-test services-test: export PYTHONDONTWRITEBYTECODE =

test: $(VENV)/.development  ## run the tests that need no server, without the slow ones
	@$(BIN)/python -m pytest -q -n auto --dist worksteal

slow-test: $(VENV)/.development  ## run those that start processes, wait or walk through everything
	@$(BIN)/python -m pytest -q -n auto --dist worksteal -m "slow and not services"

browser-test: $(VENV)/.development  ## run the front end in Chromium; pictures of its pages in var/screenshots
	@$(BIN)/python -m pytest -q -n 2 --dist worksteal -m browser authentication/tests/browser

pictures: $(VENV)/.development  ## make the pictures of docs/desk.md anew
	@$(BIN)/python -m pytest -q -m browser authentication/tests/browser/test_admin_week.py
	@for name in $$(sed -n 's|.*(pictures/\([a-z-]*\.png\)).*|\1|p' docs/desk.md); do cp var/screenshots/guide/$$name docs/pictures/; done

# The clients' tools, from npm. No tool of theirs reports its use.
TYPESCRIPT := clients/typescript
export REDOCLY_TELEMETRY = off
export REDOCLY_SUPPRESS_UPDATE_NOTICE = true

$(TYPESCRIPT)/node_modules/.made: $(TYPESCRIPT)/package-lock.json
	@command -v npm >/dev/null || { echo "The clients are built by Node 20 or newer and npm, which are not installed."; exit 1; }
	@npm ci --prefix $(TYPESCRIPT) --no-audit --no-fund --loglevel=error
	@touch $@

clients: openapi $(TYPESCRIPT)/node_modules/.made  ## write docs/openapi.yaml, and what the clients take from it
	@$(BIN)/python clients/generate.py
	@npm run --silent --prefix $(TYPESCRIPT) generate

clients-test: $(VENV)/.development $(TYPESCRIPT)/node_modules/.made  ## lint docs/openapi.yaml, build the clients, run them against the service
	@npm run --silent --prefix $(TYPESCRIPT) lint-document
	@npm run --silent --prefix $(TYPESCRIPT) generate -- --check
	@npm run --silent --prefix $(TYPESCRIPT) test
	@$(BIN)/python -m pytest -q -m clients authentication/tests/browser authentication/tests/published

# Generators that others use. They come from PyPI; two of them need Java.
GENERATORS := $(VENV)/generators
GENERATED := var/generated

$(GENERATORS)/.made: clients/requirements.txt $(VENV)/.development
	@$(BIN)/uv venv --quiet --clear $(GENERATORS)
	@VIRTUAL_ENV=$(GENERATORS) $(BIN)/uv pip install --quiet --require-hashes -r $<
	@touch $@

generators-test: $(GENERATORS)/.made  ## generate clients in Kotlin, Swift and Python from docs/openapi.yaml into var/generated
	@command -v java >/dev/null || { echo "openapi-generator needs Java, which is not installed."; exit 1; }
	@rm -rf $(GENERATED)
	@$(GENERATORS)/bin/openapi-generator-cli validate --recommend -i docs/openapi.yaml
	@for language in kotlin swift6; do \
	  $(GENERATORS)/bin/openapi-generator-cli generate -g $$language -i docs/openapi.yaml -o $(GENERATED)/$$language >/dev/null || exit 1; \
	done
	@PATH=$(CURDIR)/$(BIN):$$PATH $(GENERATORS)/bin/openapi-python-client generate --fail-on-warning --meta none --path docs/openapi.yaml --output-path $(GENERATED)/python

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
	@DJANGO_ENVIRONMENT=test $(BIN)/python -m translations --check
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

bench: $(VENV)/.development  ## measure the service beside a stock project of simplejwt
	@$(BIN)/python -m benchmarks

bench-growth: $(VENV)/.development  ## measure what age costs, with ROWS (20 million) audit events on DATABASE_URL
	@$(BIN)/python -m benchmarks.growth --rows $(or $(ROWS),20000000)

bench-scale: $(VENV)/.development  ## measure the admin and the API with PEOPLE (a million) on DATABASE_URL
	@$(BIN)/python -m benchmarks.scale --people $(or $(PEOPLE),1000000)

openapi: $(VENV)/.development  ## write docs/openapi.yaml and docs/problems.md
	@DJANGO_ENVIRONMENT=test $(RUN) spectacular --validate --fail-on-warn --file docs/openapi.yaml
	@DJANGO_SETTINGS_MODULE=vineyard_group_fellowship.settings.test $(BIN)/python -m authentication.api.problem_index >docs/problems.md

messages: $(VENV)/.development  ## find the texts to translate, write locale/, say what is missing; LANGUAGE=fr begins one
	@DJANGO_ENVIRONMENT=test $(BIN)/python -m translations $(LANGUAGE)

lock: $(VENV)/.development  ## compile the requirements lists, with hashes
	@for list in requirements requirements-dev clients/requirements; do \
	  $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header $$list.in -o $$list.txt; \
	done

clean:  ## remove what was installed and made; data in var/ stays
	@rm -rf $(VENV) staticfiles .mypy_cache .ruff_cache .pytest_cache .hypothesis
