# Two commands set everything up on a machine that has python3 and make:
#   make demo   the main job: from raw files and published evidence to a virtual MM-003, with its report
#               (no raw pomalidomide data are public: the raw files are simulated, in demo-study/plates)
#               then the line for a glue of your own, on a made-up one: simulated plates to its predicted trial,
#               in demo-glue
#   make test   lint, types and tests
#   make docs   the documentation as a site
# and before a release:
#   make check  all that, the slow tests (tests/slow.txt), the wheel outside the tree, the site and the audit
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
DEMO   := demo-study
GLUE   := demo-glue

.PHONY: demo test suite check wheel lint types docs lock listing audit clean

demo: $(VENV)/.installed
	$(BIN)/glueprint study run pomalidomide --out $(DEMO) --fresh
	test -f $(GLUE)/glue.toml || $(BIN)/glueprint glue new $(GLUE) --compound GLX-1 \
	  --smiles "O=C1CCC(N2Cc3c(cccc3N)C2=O)C(=O)N1" --twin --seed 3
	$(BIN)/glueprint glue run $(GLUE)

# Types are checked by one process and the tests run by two: side by side, no core waits for the other.
test: lint
	$(MAKE) --no-print-directory -j2 suite types

suite: $(VENV)/.tested
	$(BIN)/pytest -n 2 --dist worksteal -q -m "not slow"

check: test wheel docs audit $(VENV)/.tested
	$(BIN)/pytest -n 2 -q -m slow
	HYPOTHESIS_PROFILE=random $(BIN)/pytest -n 2 -q -m hypothesis

# The wheel and the source archive, tried in an empty folder, with and without extras.
wheel: $(VENV)/.tested
	$(BIN)/python tools/wheel.py dist

lint: $(VENV)/.tested
	$(BIN)/ruff check src tests benchmarks
	$(BIN)/ruff format --check src tests benchmarks

types: $(VENV)/.tested
	$(BIN)/mypy

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

# The lock pins every package by hash; the second file is the same lock without the test extras.
$(VENV)/.installed: pyproject.toml requirements-core.lock | $(BIN)/python
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-core.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.tested: $(VENV)/.installed requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

# The parts that are installed, with their licences (CycloneDX), and the tests of what strangers may hand in.
audit: $(VENV)/.tested
	$(BIN)/python tools/sbom.py > glueprint.cdx.json
	$(BIN)/pytest -q tests/boundary tests/test_supply_chain.py tests/runs/test_hostile_folders.py \
	  tests/runs/test_records.py tests/runs/test_signatures.py \
	  tests/engine/test_hostile_models.py tests/assays/test_hostile_files.py tests/cli/test_hostile_names.py

# The site, into docs/_build/html: no page without a place, no link to nowhere, nothing from foreign hosts.
docs: $(VENV)/.documented
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs docs/_build/html
	$(BIN)/python tools/site.py docs/_build/html

$(VENV)/.documented: $(VENV)/.installed requirements-docs.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-docs.lock
	@touch $@

lock: | $(BIN)/python
	sh tools/lock.sh $(BIN)

# What `glueprint GROUP --help` lists, out of the commands themselves.
listing: $(VENV)/.installed
	$(BIN)/python tools/listing.py

clean:
	rm -rf dist docs/_build docs/reference $(VENV) $(DEMO) $(GLUE) .pytest_cache .mypy_cache .ruff_cache
