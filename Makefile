PYTHON ?= python3
HANDLE ?=
CORPUS ?=
PARTS ?=
BIN := .venv/bin
# uv takes a fraction of the time that pip takes; it finds torch where pip finds it
UV := $(shell command -v uv)
INSTALL := $(if $(UV),UV_FIND_LINKS="$(PIP_FIND_LINKS)" $(UV) pip install --python $(BIN)/python,\
  $(BIN)/pip install)
# unit tests that start no process and train nothing
QUICK := $(addprefix tests/test_, architecture.py card_numbers.py copies.py duplicates.py \
  front_matter.py language.py patience.py personal.py posts.py posts_audience.py \
  posts_grailbird.py posts_mastodon.py posts_misskey.py posts_x_json.py terms.py)
# a few fast tests of everything that is depended on
LOWEST := $(addprefix tests/test_, card.py evaluation.py hub_xet.py language.py notebook.py packing.py \
  personal.py pictures.py posts_bluesky.py posts_x_json.py publisher.py \
  cli.py::test_publish_prints_the_url_the_commit_and_a_post_of_each_prompt \
  models.py::test_an_adapter_from_the_hub_writes_what_its_model_writes \
  posts_files.py::test_a_dataset_of_the_hub posts_files.py::test_a_folder_of_save_to_disk \
  tracking.py::test_tensorboard_shows_what_was_logged_and_not_where \
  tracking.py::test_every_tracker_keeps_to_its_folder_and_shows_a_resumed_run_once \
  trainer.py::test_it_learns trainer.py::test_same_seed_same_weights)

.DEFAULT_GOAL := help
.PHONY: publish card hub test test-quick test-lowest peers bench picture style quality base clean help

publish: .venv/ready lyons____.zip ## publish the example's bot on the embedded Hub
	$(BIN)/hubtweets publish lyons____ --base tiny --hub local

card: .venv/ready ## render the card of the last run again, or of HANDLE=name
	$(BIN)/hubtweets card $(HANDLE)

hub: .venv/ready ## serve the embedded Hub
	$(BIN)/hubtweets hub

test: .venv/test $(if $(shell command -v npm),tests/npm/node_modules) ## run the tests
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal --durations=10

test-quick: .venv/test ## run the fast unit tests
	$(BIN)/python -m pytest --numprocesses 2 $(QUICK)

# Releases of torch on PyPI are CUDA builds of several GB, so the one in .venv is used. uv finds
# its build where pip found it.
test-lowest: .venv/test ## run some tests on the oldest versions that pyproject.toml allows
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python .venv-lowest
	$(BIN)/python -c 'from importlib.metadata import version as v; print("torch==" + v("torch"))' \
	  > .venv-lowest/torch.txt
	UV_FIND_LINKS="$(PIP_FIND_LINKS)" $(BIN)/uv pip install --quiet --python .venv-lowest \
	  --resolution lowest-direct --override .venv-lowest/torch.txt --editable '.[test]'
	.venv-lowest/bin/python -m pytest --numprocesses 2 $(LOWEST)

peers: .venv/test ## run huggingface_hub's own tests against the embedded Hub; TESTS=one file, REPO=clone
	$(BIN)/python -m tests.peers.suite $(if $(REPO),--repo $(REPO)) $(TESTS)

bench: .venv/test ## measure, print a table, write bench.json; PARTS=quality compares what is learnt
	$(BIN)/python -m tests.bench.bench $(PARTS)

picture: .venv/test ## draw docs/card.png, the card in README.md (needs Chromium)
	$(BIN)/python -m tests.picture

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
	rm -rf .venv .venv-lowest bench.json dist .pytest_cache .mypy_cache .ruff_cache \
	  tests/npm/node_modules

help: ## show this
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' $(MAKEFILE_LIST) | expand -t 13

lyons____.zip: | .venv/ready
	$(BIN)/hubtweets example $@

.venv/ready: pyproject.toml requirements.lock
	@echo "Installing hubtweets into .venv; docs/install.md says how much is downloaded"
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(INSTALL) --constraint requirements.lock --editable .
	touch $@

.venv/test: .venv/ready
	@echo "Installing what the tests need into .venv"
	$(INSTALL) --constraint requirements.lock --editable '.[test]'
	touch $@

# the JavaScript client for tests/test_hub_javascript.py, which is skipped without it
tests/npm/node_modules: tests/npm/package-lock.json
	-npm ci --silent --ignore-scripts --prefix tests/npm
	touch --no-create $@
