# The targets call the environment that `make setup` makes: .venv, from the lock file.
PYTHON ?= python3
PORT ?= 8080
DIR ?= .demo
BIN := .venv/bin
WORKERS ?= 2

# Each process of a run would compile the service anew, and every test module.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup demo test quick faults fuzz machine check lint bench openapi lock clean

setup: .venv/ready

.venv/ready: requirements-dev.lock setup.cfg pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch .venv/ready

# A whole shop on this machine until Ctrl-C: API, worker and a Stripe sandbox on embedded SQLite.
demo: setup
	$(BIN)/loyalty demo --port $(PORT) --dir $(DIR)

# Everything, on SQLite and on a real PostgreSQL that comes with the test dependencies.
test: setup
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist worksteal

# The unit and API tests, in seconds.
quick: setup
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist worksteal --quick

# Processes killed at the worst moments, at full size: about twenty minutes on a busy machine.
# FAULT_SEED=… draws the same moments, orders and acts again.
faults: export FAULT_KILLS ?= 10
faults: export FAULT_RANDOM_KILLS ?= 50
faults: export FAULT_ORDERS ?= 20000
faults: export FAULT_DATABASE_KILLS ?= 30
faults: export FAULT_PLANTED ?= 1
faults: setup
	$(BIN)/python -m pytest -q tests/faults

# Thousands of requests drawn from the contract, to both databases. The seed is told at the end;
# FUZZ_SEED sends the same ones again.
fuzz: export FUZZ_EXAMPLES ?= 120
fuzz: export FUZZ_STORIES ?= 150
fuzz: setup
	$(BIN)/python -m pytest -q -n $(WORKERS) -k seed_of_this_run tests/machines/test_schemathesis.py

# 2,000 lives of a ledger on each database, beside a plain model of its rules. The seed is told at
# the end; MACHINE_SEED lives the same ones again.
machine: export MACHINE_EXAMPLES ?= 2000
machine: setup
	$(BIN)/python -m pytest -q -n $(WORKERS) -k seed_of_this_run tests/machines/test_ledger_machine.py

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/bandit -q -c pyproject.toml -r loyalty_service migrations
	$(BIN)/python -m tests.manifests

check: lint test

# Ratios within one run; a quarter of an hour.
bench: setup
	$(BIN)/python -m benchmarks --rounds 5 --seconds 3 --transactions 1000000 --json bench.json

# The committed copy of the contract and the tables of errors, from the code.
openapi: setup
	$(BIN)/python -m tests.api.test_openapi
	$(BIN)/python -m tests.api.test_documents

# Pin every dependency again, with hashes and without an index address. Needs uv.
lock:
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --extra dev setup.cfg -o requirements-dev.lock
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -c requirements-dev.lock setup.cfg -o requirements.lock
	echo 'setuptools>=80' | uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -c requirements-dev.lock - -o requirements-build.lock

clean:
	rm -rf .venv .demo build dist *.egg-info
