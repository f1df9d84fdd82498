PYTHON ?= python3
HANDLE ?=
CORPUS ?=
PARTS ?=
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: publish card hub test bench style quality base clean help

publish: .venv/ready lyons____.zip ## publish the example's bot on the embedded Hub
	$(BIN)/hubtweets publish lyons____ --base tiny --hub local

card: .venv/ready ## render the card of the last run again, or of HANDLE=name
	$(BIN)/hubtweets card $(HANDLE)

hub: .venv/ready ## serve the embedded Hub
	$(BIN)/hubtweets hub

test: .venv/test ## run the tests
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal

bench: .venv/test ## measure, print a table, write bench.json; PARTS=quality compares what is learnt
	$(BIN)/python -m tests.bench.bench $(PARTS)

style: .venv/test ## format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

quality: .venv/test ## check format, lint and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

base: .venv/ready ## rebuild the embedded base from CORPUS=file (about an hour)
	@test -n "$(CORPUS)" || { echo "name the corpus: make base CORPUS=corpus.txt"; exit 2; }
	$(BIN)/python -m hubtweets.stages.pretrain "$(CORPUS)" hubtweets/models/tiny

clean: ## remove what these commands made, but for the runs
	rm -rf .venv bench.json dist .pytest_cache .mypy_cache .ruff_cache

help: ## show this
	@sed -n 's/^\([a-z]*\):.*## /\1	/p' $(MAKEFILE_LIST) | expand -t 10

lyons____.zip: | .venv/ready
	$(BIN)/hubtweets example $@

.venv/ready: pyproject.toml requirements.lock
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --constraint requirements.lock --editable .
	touch $@

.venv/test: .venv/ready
	$(BIN)/pip install --quiet --constraint requirements.lock --editable '.[test]'
	touch $@
