# The commands of this project; README.md says what each is for.
PYTHON ?= python3
PORT ?= 8000
SEARCH ?= embedded
BIN := .venv/bin
DEMO := var/demo-$(shell date +%F).jsonl

.DEFAULT_GOAL := help
.PHONY: help run test check coverage soak image bench requirements translations clean

## List the targets.
help:
	@awk '/^## /{said=substr($$0, 4); next} /^[a-z]+:/ && said {sub(/:.*/, ""); printf "make %-13s %s\n", $$0, said} {said=""}' $(MAKEFILE_LIST)

## Install, load the fictional listings, serve them on http://127.0.0.1:8000.
run: .venv/run $(DEMO)
ifeq ($(SEARCH),elasticsearch)
	$(BIN)/python -m tests.elasticsearch_node .cache/node $(MAKE) --no-print-directory serve
else
	@$(MAKE) --no-print-directory serve
endif

.PHONY: serve
serve:
	$(BIN)/indexer sync
	$(BIN)/directory serve --port $(PORT)

# The dates of the listings count back from today, so a new day brings a new file.
$(DEMO): fixtures/generate.py | .venv/run
	@mkdir -p var
	$(BIN)/python -m fixtures.generate --as-of $(shell date +%F) > $@.part
	$(BIN)/indexer load jsonl $@.part
	$(BIN)/python -m fixtures.check $@.part
	@mv $@.part $@

## Install what the tests need and run them all.
test: check .cache/npyi/done .cache/nppes/done
	$(BIN)/pytest

## Try for long what can only fail in the long run: 200 kills, and half an hour of load.
soak: .venv/dev
	$(BIN)/pytest -m soak -n 0
	$(BIN)/python -m benchmarks.soak

## Build the container image, start it and try it.
image: .venv/dev
	$(BIN)/pytest -m image -n 0 -s

## Show which lines and branches the tests of the parts reach.
coverage: .venv/dev
	$(BIN)/coverage run -m pytest -n 0 -q tests/unit tests/store tests/contract
	$(BIN)/coverage report

## Lint, check the types and the arrows between modules.
check: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

## Measure the search, the indexer and a cluster: about two hours; QUICK=1 takes five minutes.
bench: .venv/bench
	$(BIN)/python -m benchmarks

.venv/bench: requirements/bench.txt .venv/dev
	$(BIN)/pip install --quiet --require-hashes -r requirements/bench.txt
	@touch $@

.venv/run: requirements/build.txt requirements/run.txt pyproject.toml
	test -d .venv || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --require-hashes -r requirements/build.txt -r requirements/run.txt
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

.venv/dev: requirements/dev.txt .venv/run
	$(BIN)/pip install --quiet --require-hashes -r requirements/dev.txt
	@touch $@

# Other people's clients of the NPI Registry: each pins versions that nothing else can live with.
.cache/%/done: requirements/%.txt
	$(PYTHON) -m venv .cache/$*
	.cache/$*/bin/pip install --quiet --require-hashes -r requirements/$*.txt
	@touch $@

## Pin the newest versions that pyproject.toml allows, with hashes and without addresses.
requirements:
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate \
		--custom-compile-command "make requirements" pyproject.toml -o requirements/run.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate \
		--custom-compile-command "make requirements" --extra traces pyproject.toml \
		-c requirements/run.txt -o requirements/traces.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate \
		--custom-compile-command "make requirements" --extra traces --extra dev pyproject.toml \
		requirements/build.in -c requirements/traces.txt -o requirements/dev.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate \
		--custom-compile-command "make requirements" requirements/bench.in \
		-c requirements/dev.txt -o requirements/bench.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate \
		--custom-compile-command "make requirements" requirements/build.in \
		-c requirements/dev.txt -o requirements/build.txt
	for client in npyi nppes java; do \
		uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate \
			--custom-compile-command "make requirements" requirements/$$client.in \
			-o requirements/$$client.txt; \
	done

## Gather the messages for people, and make the catalogs of what is translated.
translations: .venv/dev
	$(BIN)/python -m directory.translations.update

## Throw away all that was installed, fetched and made.
clean:
	rm -rf .venv .cache var build
