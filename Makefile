# make run    set everything up and start the helpline in demo mode
# make call   phone it from this terminal (make call URL=http://... for one that is running)
# make test   the tests             make lint   style, types and the house's law
# make bench  speed, side by side   make lock   pin the dependencies again
# make pictures  the staff pages, as pictures in docs/pictures

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: run call setup test lint bench lock pictures
.DEFAULT_GOAL := run

run: $(READY)
	$(BIN)/ivr serve $(if $(BIND),--bind $(BIND))

call: $(READY)
	@$(BIN)/ivr call $(if $(URL),--url $(URL)) $(if $(KEYS),--keys "$(KEYS)")

setup: $(READY)

test: $(READY)
	$(BIN)/python -m pytest --cov --cov-report=term:skip-covered --durations=15

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/ivr check  # not --strict: a prompt that is due to be read again stops no other work

bench: $(READY)
	$(BIN)/python -m tests.bench

pictures: $(READY)
	$(BIN)/python -m tests.pictures

lock: $(READY)
	$(BIN)/python -m pip install --quiet pip-tools
	CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --no-strip-extras \
		--no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options \
		--extra dev --output-file requirements.lock pyproject.toml

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; name it: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
