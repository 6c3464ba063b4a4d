# `make` prints what there is. Settings of a target are given behind it: make load USERS=300 DURATION=60s
.DEFAULT_GOAL := help
.PHONY: help run up roll down logs address test quick check format load chaos screenshots bench lock dashboard certificate
SHELL := /bin/bash

USERS ?= 100
DURATION ?= 60s
HOST ?= http://localhost:8080
OPTIONS ?=
TESTS ?= tests
PYTEST := .venv/bin/python -m pytest
MINUTES ?= 10
SEED ?= 11
TABS ?= 100
HTAG_APPS_DIR ?= apps
TLS_DIR ?= tls
DOMAIN ?= localhost
UPGRADE ?= --upgrade

SHELL_SCRIPTS := .ci/run deploy/certificate.sh deploy/roll.sh monitoring/prometheus/start.sh nginx/15-htag.envsh

# Any Python from 3.11 on will do.
PYTHON := $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && command -v $$python && break; done)

help: ## print this
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: .venv/run ## serve the demo, or HTAG_APP=package.module:name, on http://localhost:8000, without Docker
	PYTHONPATH=$(HTAG_APPS_DIR):$$PYTHONPATH .venv/bin/python -P -m htag_stack  # -P: no folder here hides an app's module

up: ## the whole stack in Docker: http://localhost:8080, Grafana on :3000, Prometheus on :9090
	HTAG_REVISION=$$(git rev-parse --short HEAD 2>/dev/null || echo unknown) docker compose up --detach --build --wait

down: ## stop the stack; what it has stored stays
	docker compose down

roll: ## bring up a new version of the app beside the old one, move the sessions, stop the old: HTAG_VERSION=1.4 make roll
	HTAG_REVISION=$$(git rev-parse --short HEAD 2>/dev/null || echo unknown) deploy/roll.sh

logs: ## follow what the stack logs
	docker compose logs --follow --tail 100

address: ## whom nginx has seen in the last ten minutes: requests, the visitor's address, who had the connection
	@docker compose logs --no-log-prefix --since 10m nginx | \
		sed -n 's/.*"client":"\([^"]*\)","peer":"\([^"]*\)".*/client \1  peer \2/p' | sort | uniq -c | sort -rn

test: check ## everything: check, then all tests (what the machine lacks is skipped, but with CI=true it fails); TESTS=tests/app
ifeq ($(TESTS),tests)
	.venv/bin/python -m tests.support.whole
else
	$(PYTEST) $(TESTS)
endif

quick: check ## check, then the tests that need neither Docker nor a browser: what to run again and again while working
	$(PYTEST) tests --ignore tests/stack --ignore tests/e2e

check: .venv/dev ## lint, format and types of the Python; lint of the shell scripts and the JavaScript
	.venv/bin/ruff check . && .venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/shellcheck --enable=check-unassigned-uppercase $(SHELL_SCRIPTS)
	.venv/bin/oxlint --deny-warnings

format: .venv/dev ## write the Python in ruff's format, and mend what ruff can mend by itself
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

load: .venv/dev ## locust against the running stack: USERS=100 DURATION=60s HOST=http://localhost:8080 OPTIONS=
	@mkdir -p reports
	.venv/bin/locust --headless --only-summary --locustfile loadtest/locustfile.py --host $(HOST) \
		--users $(USERS) --spawn-rate 20 --run-time $(DURATION) --html reports/load.html $(OPTIONS)

chaos: .venv/dev ## everything breaks while tabs click, in a stack of its own: MINUTES=10 SEED=11 TABS=100
	.venv/bin/python -m tests.e2e.chaos --minutes $(MINUTES) --seed $(SEED) --tabs $(TABS)

screenshots: .venv/dev ## pictures of the demo, the notice, the busy page and an error, to be looked at, and for docs/images
	.venv/bin/python -m tests.e2e.screenshots

bench: .venv/dev ## what an event, a page and a session cost, beside the published htag and a bare WebSocket echo
	.venv/bin/python -m bench

lock: .venv/dev ## resolve the dependencies of pyproject.toml anew, with hashes; UPGRADE= keeps what is locked already
	.venv/bin/pip install --quiet uv
	.venv/bin/uv pip compile $(LOCK) --extra server -o requirements.txt pyproject.toml
	.venv/bin/uv pip compile $(LOCK) --extra server --extra dev -o requirements-dev.txt pyproject.toml

certificate: ## a self-signed one for trying TLS (docs/tls.md), in ./tls: DOMAIN=localhost
	deploy/certificate.sh $(TLS_DIR) $(DOMAIN)

dashboard: .venv/dev ## write the Grafana dashboard from monitoring/grafana/dashboard.py
	.venv/bin/python monitoring/grafana/dashboard.py

LOCK := --quiet $(UPGRADE) --universal --generate-hashes --no-emit-index-url --python-version 3.11

# The two marker files say what is installed: enough to run, or all for development.
.venv/run: requirements.txt pyproject.toml | .venv/bin/pip
	.venv/bin/pip install --quiet --require-hashes --requirement requirements.txt
	.venv/bin/pip install --quiet --no-deps --editable .
	@touch $@

.venv/dev: requirements-dev.txt pyproject.toml | .venv/bin/pip
	.venv/bin/pip install --quiet --require-hashes --requirement requirements-dev.txt
	.venv/bin/pip install --quiet --no-deps --editable .
	@touch $@ .venv/run

.venv/bin/pip:
	@[ -n "$(PYTHON)" ] || { echo "No Python 3.11 or later was found: install one, for example with your system's package manager." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { echo "$(PYTHON) cannot make virtual environments: on Debian and Ubuntu, apt-get install python3-venv." >&2; exit 1; }
	$(PYTHON) -m venv .venv
