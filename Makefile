# Everything runs in .venv, made from pyproject.toml; nothing but Python and make is needed first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help demo test matrix failovers compat check format bench bench-quick bench-scale bench-floor figures clean

help: ## Show the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

$(READY): pyproject.toml src/langgraph/_redis/version.py
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@

demo: $(READY) ## An agent that remembers, on the embedded server or on REDIS_URL
	$(BIN)/python examples/demo.py

test: $(READY) ## All tests, on servers they start themselves
	$(BIN)/python -m pytest -rfEs --numprocesses=auto --maxprocesses=4 --dist=loadfile \
		--cov --cov-report=term --cov-fail-under=95

matrix: $(READY) ## What depends on the server, on every kind of server that can be had here
	PYTHONPATH=tests $(BIN)/python tests/matrix.py

failovers: $(READY) ## Ten failovers of each kind under load, and what each cost: some 20 minutes
	PYTHONPATH=tests $(BIN)/python tests/failover_runs.py

compat: $(READY) ## LangGraph's own test suite, with these savers and stores in place of its own
	$(BIN)/python tests/compat/run.py

check: $(READY) ## Linters and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(READY) ## Put the code in the house style
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(READY) ## A race of checkpointers, each in an environment of its own: half an hour
	$(BIN)/python benchmarks/peers/run.py

bench-quick: $(READY) ## The same with fewer sizes and rounds: a look, not a result
	$(BIN)/python benchmarks/peers/run.py --quick

bench-scale: $(READY) ## Memory of many threads, and what one server core carries
	$(BIN)/python benchmarks/scale/run.py

bench-floor: $(READY) ## Each operation against InMemorySaver's time and one empty EVALSHA
	$(BIN)/python benchmarks/run.py

figures: $(READY) ## Put the results of these runs into the documents, as tables and plots
	$(BIN)/python benchmarks/peers/publish.py

clean: ## Remove what the targets above made
	rm -rf $(VENV) .bench .compat .servers .mypy_cache .pytest_cache .ruff_cache dist build .coverage .coverage.*
