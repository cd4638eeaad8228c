# The commands of this repository. `make` alone lists them.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
STAGE ?= local
UV := .venv/bin/uv
PY := .venv/bin/python
LOCKS := bootstrap local engine control model-python model-onnx model-sklearn model-asgi train dev
COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
           --no-emit-index-url --no-header --no-annotate
export npm_config_update_notifier := false
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := 20

.DEFAULT_GOAL := help
.PHONY: help setup demo up down test check deploy train lock clean

help: ## list the commands
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

demo: setup ## watch a good model go out and a bad one come back, on a local AWS
	@$(PY) -m demo

up: setup ## start the local AWS, deploy the examples, and leave them running
	@$(PY) -m demo.up

down: ## stop the local AWS
	@if [ -x $(PY) ]; then $(PY) -m halftone_local down; fi

test: check ## run every test tier
	@$(PY) -m pytest tests --ignore tests/e2e --numprocesses auto --dist loadfile
	@$(PY) -m pytest tests/e2e --numprocesses 2 --dist load --maxschedchunk 1

check: setup ## style, types and import directions
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check --quiet .
	@.venv/bin/mypy
	@.venv/bin/lint-imports --no-logo

deploy: setup ## deploy to the AWS account of your profile: make deploy STAGE=dev ENDPOINTS=folder
	@test "$(STAGE)" != local || { echo "name a stage: make deploy STAGE=dev" >&2; exit 2; }
	@npx --no-install cdk bootstrap -c stage=$(STAGE)
	@npx --no-install cdk deploy --all -c stage=$(STAGE) \
	  $(if $(ENDPOINTS),-c endpoints=$(abspath $(ENDPOINTS)))

train: setup .local/train/.done ## train the examples' models again
	@for script in examples/*/train.py; do .local/train/bin/python $$script || exit 1; done

lock: setup ## resolve the locks again from requirements/*.in
	@for lock in local bootstrap engine control model-python model-onnx model-sklearn model-asgi; do \
	  $(COMPILE) requirements/$$lock.in -o requirements/$$lock.txt \
	    $$(test $$lock = local || echo -c requirements/local.txt); done
	@$(COMPILE) requirements/train.in -o requirements/train.txt -c requirements/model-sklearn.txt
	@$(COMPILE) requirements/dev.in -o requirements/dev.txt -c requirements/local.txt \
	  $$(for lock in engine control model-onnx model-sklearn model-asgi; do echo -c requirements/$$lock.txt; done)

clean: down ## remove everything that the other commands made
	@rm -rf .venv .local build cdk.out node_modules

setup: .venv/.done .local/venv/.done node_modules/.done ## install what the other commands need

.venv/.done: requirements/bootstrap.txt requirements/dev.txt pyproject.toml
	@echo "setup: Python packages"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' \
	  || { echo "Python 3.11 is needed, $(PYTHON) is another: make PYTHON=/path/to/python3.11" >&2; exit 2; }
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

.local/train/.done: requirements/train.txt | .venv/.done
	@echo "setup: the training libraries"
	@test -x .local/train/bin/python || $(UV) venv --quiet --python $(PY) .local/train
	@VIRTUAL_ENV=.local/train $(UV) pip sync --quiet --require-hashes requirements/train.txt
	@touch $@

node_modules/.done: package.json package-lock.json
	@echo "setup: the CDK CLI"
	@npm ci --silent
	@touch $@
