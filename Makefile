# The commands of this repository. `make` alone lists them.

SUPPORTED := 3.13 3.12 3.11
# The Python that Lambda runs; `make test` runs on it, too, where the machine has it.
DEPLOYED := 3.13
# A version on the PATH goes before one that a version manager keeps elsewhere.
ifndef PYTHON
PYTHON = $(eval PYTHON := $$(shell sh tools/find_python.sh $(SUPPORTED)))$(PYTHON)
endif
STAGE ?= local
PORT ?= 4566
DIST ?= build/dist
UV := .venv/bin/uv
PY := .venv/bin/python
PY_DEPLOYED := .local/deployed/bin/python
COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
           --no-emit-index-url --no-header --no-annotate
# Modules are compiled once and not at every start: of a test's process, a command, a local function.
unexport PYTHONDONTWRITEBYTECODE
export npm_config_update_notifier := false
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := 20
export NO_MKDOCS_2_WARNING := true

.DEFAULT_GOAL := help
.PHONY: help setup screenshots demo up down unit test simulate check fix docs build mutants fuzz deploy train lock clean \
        test-deployed console-bundle

help: ## list the commands
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

demo: setup ## watch a good model go out and a bad one come back, on a local AWS; CONSOLE=1 opens the console beside it
	@$(PY) -m demo

up: setup ## start the local AWS, deploy the examples, and leave them running: make up PORT=4600
	@$(PY) -m demo.up --port $(PORT)

down: ## stop the local AWS: make down PORT=4600
	@if [ -x $(PY) ]; then $(PY) -m halftone_local down --port $(PORT); fi

unit: setup ## run the unit tests
	@$(PY) -m pytest tests/unit --numprocesses auto --dist loadfile --quiet

test: check test-deployed ## run every test tier
	@$(PY) -m pytest tests --ignore tests/e2e --numprocesses auto --dist loadfile
	@$(PY) -m pytest tests/e2e --numprocesses 2 --dist load --maxschedchunk 1

check: setup ## style, types, import directions and the documentation's links
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check --quiet .
	@.venv/bin/mypy
	@.venv/bin/lint-imports --no-logo
	@.venv/bin/mkdocs build --quiet --strict
	@$(PY) tools/build_console.py --check

fix: setup ## put style right where a tool can
	@.venv/bin/ruff check --fix --quiet . || true
	@.venv/bin/ruff format --quiet .
	@.venv/bin/ruff check .

screenshots: setup ## take the documentation's screenshots of the console again
	@$(PY) -m tests.browser.screenshots

docs: setup ## serve the documentation on http://127.0.0.1:8000, as it changes
	@.venv/bin/mkdocs serve

build: setup ## build the wheel and the source distribution into build/dist
	@rm -rf $(DIST)
	@$(UV) build --quiet --no-build-isolation --python $(PY) --out-dir $(DIST) .
	@ls $(DIST)/halftone-*

mutants: setup ## change the code in small ways and list the changes that no test notices: make mutants ONLY=decisions
	@$(PY) tools/mutants.py $(ONLY)

fuzz: setup .local/fuzz/.done ## look for inputs that break what reads them, ten minutes in all: make fuzz SECONDS=60 ONLY=handler
	@.local/fuzz/bin/python -m tests.fuzz $(or $(SECONDS),600) $(ONLY)

deploy: setup ## deploy to the AWS account of your profile: make deploy STAGE=dev ENDPOINTS=folder
	@test "$(STAGE)" != local || { echo "name a stage: make deploy STAGE=dev" >&2; exit 2; }
	@$(PY) tools/cdk.py bootstrap -c stage=$(STAGE)
	@$(PY) tools/cdk.py deploy --all -c stage=$(STAGE) \
	  $(if $(ENDPOINTS),-c endpoints=$(abspath $(ENDPOINTS)))

train: setup .local/train/.done ## train the examples' models again
	@for script in examples/*/train.py examples/environments/*.py examples/environments/*/train.py; do .local/train/bin/python $$script || exit 1; done

lock: setup ## resolve the locks again from requirements/*.in
	@for lock in local bootstrap engine control model-python model-onnx model-sklearn model-asgi; do \
	  $(COMPILE) requirements/$$lock.in -o requirements/$$lock.txt \
	    $$(test $$lock = local || echo -c requirements/local.txt); done
	@$(COMPILE) requirements/train.in -o requirements/train.txt -c requirements/model-sklearn.txt
	@$(COMPILE) requirements/dev.in -o requirements/dev.txt -c requirements/local.txt \
	  $$(for lock in engine control model-onnx model-sklearn model-asgi; do echo -c requirements/$$lock.txt; done)
	@$(COMPILE) requirements/fuzz.in -o requirements/fuzz.txt -c requirements/dev.txt

clean: down ## remove everything that the other commands made
	@rm -rf .venv .local build cdk.out node_modules console/node_modules

setup: .venv/.done .local/venv/.done node_modules/.done console-bundle ## install what the other commands need

console-bundle: .venv/.done
	@$(PY) tools/build_console.py

# Unit and contract tests on the Python that Lambda runs, where that is another than the usual one.
test-deployed: setup
	@if $(PY) -c 'import sys; sys.exit("%d.%d" % sys.version_info[:2] != "$(DEPLOYED)")'; then :; \
	elif sh tools/find_python.sh $(DEPLOYED) >/dev/null; then \
	  $(MAKE) --no-print-directory .local/deployed/.done && \
	  $(PY_DEPLOYED) -m pytest tests/unit tests/contract --ignore tests/contract/local --numprocesses auto --dist loadfile --quiet; \
	else echo "no Python $(DEPLOYED) on this machine: unit and contract tests run on one Python only"; fi

.venv/.done: requirements/bootstrap.txt requirements/dev.txt pyproject.toml hatch_build.py
	@echo "setup: Python packages"
	@test -n "$(PYTHON)" && $(PYTHON) -c 'import sys; sys.exit("%d.%d" % sys.version_info[:2] not in "$(SUPPORTED)".split())' \
	  || { echo "Python 3.11, 3.12 or 3.13 is needed$(if $(PYTHON),; $(PYTHON) is another): install one" \
	       "(https://www.python.org, a package manager, or uv python install $(DEPLOYED))," \
	       "or name one that is installed: make PYTHON=/path/to/python" >&2; exit 2; }
	@test -x $(PY) || $(PYTHON) -m venv .venv
	@test -x $(UV) || $(PY) -m pip install --quiet --disable-pip-version-check --require-hashes \
	  -r requirements/bootstrap.txt
	@VIRTUAL_ENV=.venv $(UV) pip sync --quiet --require-hashes requirements/dev.txt
	@VIRTUAL_ENV=.venv $(UV) pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

.local/venv/.done: requirements/local.txt | .venv/.done
	@echo "setup: the local AWS"
	@test -x .local/venv/bin/python || $(UV) venv --quiet --python $(PY) .local/venv
	@VIRTUAL_ENV=.local/venv $(UV) pip sync --quiet --require-hashes requirements/local.txt
	@touch $@

.local/deployed/.done: requirements/dev.txt pyproject.toml hatch_build.py | .venv/.done
	@echo "setup: Python $(DEPLOYED), which Lambda runs"
	@test -x $(PY_DEPLOYED) || $(UV) venv --quiet --python "$$(sh tools/find_python.sh $(DEPLOYED))" .local/deployed
	@VIRTUAL_ENV=.local/deployed $(UV) pip sync --quiet --require-hashes requirements/dev.txt
	@VIRTUAL_ENV=.local/deployed $(UV) pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

.local/train/.done: requirements/train.txt | .venv/.done
	@echo "setup: the training libraries"
	@test -x .local/train/bin/python || $(UV) venv --quiet --python $(PY) .local/train
	@VIRTUAL_ENV=.local/train $(UV) pip sync --quiet --require-hashes requirements/train.txt
	@touch $@

.local/fuzz/.done: requirements/fuzz.txt | .venv/.done
	@echo "setup: the fuzzer"
	@test -x .local/fuzz/bin/python || $(UV) venv --quiet --python $(PY) .local/fuzz
	@VIRTUAL_ENV=.local/fuzz $(UV) pip sync --quiet --require-hashes requirements/fuzz.txt
	@touch $@

node_modules/.done: package.json package-lock.json
	@echo "setup: the CDK CLI"
	@node -e 'process.exit(+(process.versions.node.split(".")[0] < 20))' 2>/dev/null && npm --version >/dev/null 2>&1 \
	  || { echo "Node 20 or later with npm is needed: install it (https://nodejs.org, or a package manager)" >&2; exit 2; }
	@npm ci --silent
	@touch $@
