# make run    the whole product with a demo mail server, on http://127.0.0.1:8000 (PORT=8001 changes it)
# make test   linters, types, contracts and all tests, as CI runs them
PYTHON ?= python3
PY := .venv/bin/python
export PYTHON

.PHONY: run setup test lint audit screenshots lock upgrade clean

run: setup
	@exec $(PY) -m webmail.demo.run

setup:
	@tools/setup

test:
	@exec tools/test

lint: setup
	@exec $(PY) -m tools.checks lint

# Known vulnerabilities in what is installed; asks a public service, so it is no part of `make test`.
audit: setup
	@exec $(PY) -m pip_audit --require-hashes --disable-pip --requirement requirements-dev.txt

screenshots: setup
	@exec $(PY) -m tools.screenshots

# New locks after a change of pyproject.toml or package.json; `make upgrade` takes the newest of everything.
lock: setup
	@exec tools/lock

upgrade: setup
	@exec tools/lock --upgrade

# Everything that `make` made, the demo's mail and secrets included.
clean:
	@exec tools/clean
