# Everything happens in .venv; nothing outside this folder is touched.
PYTHON ?= $(shell for p in python3.12 python3.11 python3; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
SOURCES := node rpc consensus attribution openrollup tests

.PHONY: dev test soak backlog endurance crash walks fuzz parity conformance oracle check contracts bench bench-attribution bench-derivation bench-execution bench-history bench-scale bench-worst clients example example-medical clean

dev: .venv/run.stamp  ## install and start the whole rollup
	$(BIN)/openrollup dev $(ARGS)

test: check clients example  ## everything that CI runs
	$(BIN)/pytest -n 2 --dist loadfile

soak: .venv/dev.stamp  ## the end-to-end scenarios in full size, about seven minutes
	$(BIN)/python -m tests.integration.soak $(ARGS)

backlog: .venv/dev.stamp  ## a batcher ten thousand blocks behind, in virtual time, about ten minutes
	$(BIN)/python -m tests.consensus.backlog $(ARGS)

endurance: .venv/dev.stamp  ## half an hour of traffic, L1 reorgs, restarts and kills, watched
	$(BIN)/python -m tests.integration.endurance $(ARGS)

crash: .venv/dev.stamp  ## a writer killed 200 times, mostly inside its commits
	$(BIN)/python -m tests.crash $(ARGS)

walks: .venv/dev.stamp  ## two hundred random lives of a rollup in virtual time, in about ten minutes
	$(BIN)/python -m tests.consensus.long $(ARGS)

fuzz: .venv/dev.stamp  ## a million hostile inputs for derivation, in about ten minutes
	$(BIN)/python -m tests.consensus.fuzz $(ARGS)

conformance: .venv/dev.stamp  ## every public state test, in about a minute
	$(BIN)/python -m tests.conformance $(ARGS)

oracle: .venv/dev.stamp .venv-oracle/specs.stamp  ## random blocks, beside the Python execution specs
	$(BIN)/python -m tests.conformance.oracle $(ARGS)

parity: .venv/dev.stamp  ## random programs on both interpreters, about two minutes; ARGS="--programs 100000"
	$(BIN)/python -m tests.node.evm.fast.long $(ARGS)

check: .venv/dev.stamp  ## format, lint, types, import rules, contract bytes
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@if command -v npm >/dev/null; then cd contracts && npm ci --silent --no-fund --no-audit && npm run --silent check; \
	else echo "contracts: skipped, npm is not installed"; fi

# Not `npm ci`: it insists on the binaries of all platforms, which not every mirror has.
clients:  ## the wallets and tools that tests/clients drives
	@if command -v npm >/dev/null; then cd tests/clients && npm install --silent --no-save --no-fund --no-audit; \
	else echo "clients: skipped, npm is not installed"; fi

# As its README says, but for the pinned versions: from this checkout, nothing of .venv in it.
example: .venv/run.stamp  ## the outside project of examples/testing, in an environment of its own
	rm -rf build .venv-example && .venv/bin/python -m venv .venv-example
	.venv-example/bin/pip install --quiet --disable-pip-version-check -c constraints.txt '.[testing]'
	cd examples/testing && ../../.venv-example/bin/pytest -q -p no:cacheprovider

example-medical: .venv/medical.stamp  ## a model that pays for what it was made from, in half a minute
	$(BIN)/python examples/medical_model/run.py $(ARGS)

contracts: ## compile contracts/src into node/artifacts
	cd contracts && npm ci --silent --no-fund --no-audit && npm run build

bench: .venv/dev.stamp  ## this node beside its peers
	$(BIN)/python -m bench $(ARGS)

bench-attribution: .venv/dev.stamp  ## what a receipt costs, beside contracts, in a minute
	$(BIN)/python -m bench attribution $(ARGS)

bench-derivation: .venv/dev.stamp  ## a chain again from L1, and the bytes that it takes there
	$(BIN)/python -m bench derivation $(ARGS)

bench-execution: .venv/dev.stamp  ## blocks a second, beside stock py-evm
	$(BIN)/python -m bench execution $(ARGS)

bench-history: .venv/dev.stamp  ## what a block adds to the disk, in about four minutes
	$(BIN)/python -m bench history $(ARGS)

bench-scale: .venv/dev.stamp  ## what a million accounts cost, beside ten thousand, in two minutes
	$(BIN)/python -m bench scale $(ARGS)

bench-worst: .venv/dev.stamp  ## each opcode and precompile where it is slowest, in four minutes
	$(BIN)/python -m bench worst $(ARGS)

.venv/run.stamp: pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "OpenRollup needs Python 3.11 or 3.12 on the PATH" >&2; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	touch $@

.venv/dev.stamp: .venv/run.stamp
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

.venv/medical.stamp: .venv/run.stamp examples/medical_model/requirements.txt
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[sdk]' -r examples/medical_model/requirements.txt
	touch $@

# In an environment of its own, because its dependencies conflict with ours.
.venv-oracle/specs.stamp: tests/conformance/oracle/requirements.txt
	test -x .venv-oracle/bin/python || $(PYTHON) -m venv .venv-oracle
	.venv-oracle/bin/pip install --quiet --disable-pip-version-check -r $<
	touch $@

clean:
	rm -rf .venv .venv-oracle .venv-example .mypy_cache .ruff_cache .pytest_cache build *.egg-info contracts/node_modules tests/clients/node_modules
