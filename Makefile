# Goodword: `make run` serves it, `make test` tests it. Needs Python >= 3.11, make and git; no root.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PYTHONUNBUFFERED := 1

.PHONY: help run sandbox setup serve work demo openapi test check bench clean

help: ## what there is
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1	/' | expand -t 16

run: $(VENV)/runtime.stamp ## everything: environment, database, demo company, web server, worker
	@exec $(BIN)/python manage.py up $(ARGS)

sandbox: $(VENV)/runtime.stamp ## a second installation beside it, with test keys and a clock to move
	@exec $(BIN)/python manage.py up --sandbox $(ARGS)

setup: $(VENV)/runtime.stamp ## the environment only

serve: $(VENV)/runtime.stamp ## the production web server in the foreground (after `manage.py migrate`)
	@exec $(BIN)/gunicorn -c config/gunicorn.py config.wsgi

work: $(VENV)/runtime.stamp ## worker and beat in the foreground
	@exec $(BIN)/celery -A config worker --beat --loglevel INFO

openapi: $(VENV)/dev.stamp ## write docs/openapi.yaml from the code
	$(BIN)/python manage.py spectacular --validate --fail-on-warn --file docs/openapi.yaml

demo: $(VENV)/runtime.stamp ## a demo company in the database
	@$(BIN)/python manage.py migrate --verbosity 0
	@$(BIN)/python manage.py seed_demo

test: $(VENV)/dev.stamp ## all tests: on PostgreSQL and Redis, then on SQLite; brings them along
	@status=0; \
	$(BIN)/python -m pytest -n 2 --dist worksteal $(ARGS) || status=$$?; \
	$(BIN)/python -m pytest -n 2 --dist worksteal --services=embedded $(ARGS) || status=$$?; \
	exit $$status

check: $(VENV)/dev.stamp ## lint, types, architecture, migrations, templates
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python manage.py check --fail-level WARNING
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/djlint templates --lint --quiet

bench: $(VENV)/dev.stamp ## benchmarks
	$(BIN)/python -m pytest tests/benchmarks -o python_files="bench_*.py" -q -s $(ARGS)

clean: ## remove the environment; data in var/ stays
	rm -rf $(VENV)

# The stamps carry the hash of the lock they were made from, so a second call only compares.
.PHONY: $(VENV)/runtime.stamp $(VENV)/dev.stamp
$(VENV)/runtime.stamp:
	@.ci/environment runtime
$(VENV)/dev.stamp:
	@.ci/environment dev
