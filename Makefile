# Gatehouse: `make up` starts the demo mesh, `make test` runs everything, `make help` lists the rest.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON := .gatehouse/venv/bin/python
MESH := PYTHONPATH=scripts $(PYTHON) -m mesh
TARGET := $(or $(CARGO_TARGET_DIR),target)
# Debian's toolchain builds into a folder of its own (scripts/cargo-wasm.sh).
WASM_TARGET = $(TARGET)$(if $(filter debian,$(shell cat .gatehouse/wasm-toolchain 2>/dev/null)),/debian)
SAY = @printf '\n\033[1m── %s\033[0m\n'

.PHONY: help
help: ## what can be asked for
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# ── set-up ────────────────────────────────────────────────────────────────────────────────────────────────────────────
.PHONY: setup setup-wasm setup-tools setup-runner
setup: setup-wasm setup-tools setup-runner ## fetch what is missing: a wasm32 standard library, Envoy, PostgreSQL, the test runner
setup-wasm:
	@scripts/setup.sh wasm
setup-tools:
	@scripts/setup.sh tools
setup-runner: setup-wasm
	@scripts/setup.sh runner

# ── building ──────────────────────────────────────────────────────────────────────────────────────────────────────────
.PHONY: filter services build
filter: setup-wasm ## build the plugin into dist/gatehouse.wasm
	$(SAY) 'building dist/gatehouse.wasm (one to three minutes the first time)'
	@scripts/cargo-wasm.sh build --package gatehouse-filter --lib --profile wasm
	@mkdir -p dist
	@python3 scripts/trim_exports.py $(WASM_TARGET)/wasm32-unknown-unknown/wasm/gatehouse.wasm dist/gatehouse.wasm
	@printf 'dist/gatehouse.wasm, %s bytes\n' "$$(wc -c <dist/gatehouse.wasm)"

services: ## build the token issuer, the demo services and the command `gatehouse` into dist/
	$(SAY) 'building the token issuer, the demo services and the command (a few minutes the first time)'
	@cargo build --release --package token-issuer --package gatehouse-demo --package gatehouse-command
	@mkdir -p dist
	@cp $(TARGET)/release/token-issuer $(TARGET)/release/demo $(TARGET)/release/gatehouse dist/

build: filter services ## build everything that runs

# ── running ───────────────────────────────────────────────────────────────────────────────────────────────────────────
.PHONY: up down status logs
up: setup-tools build ## build what is missing and start the demo mesh on http://localhost:8080
	@$(MESH) up

down: ## stop the demo mesh
	@if [ -x $(PYTHON) ]; then $(MESH) down; else echo 'nothing is running: the mesh was never set up here'; fi

status: ## what runs, and where
	@$(MESH) status || true

logs: ## the last lines of every part's log
	@$(MESH) logs

# ── testing ───────────────────────────────────────────────────────────────────────────────────────────────────────────
.PHONY: test lint test-unit test-wasm test-calls test-e2e test-differential differential
test: lint test-unit test-wasm test-calls test-e2e test-differential ## everything, as CI runs it
	@printf '\n\033[1mmake test: all parts passed\033[0m\n'

lint: ## formatting and clippy, warnings are errors
	$(SAY) 'formatting and lints'
	@cargo fmt --all --check
	@cargo clippy --workspace --all-targets --quiet -- -D warnings

test-unit: setup-tools ## unit and service tests, natively, with a real PostgreSQL
	$(SAY) 'unit and service tests, native'
	@$(MESH) with-postgres -- cargo test --workspace --quiet

test-wasm: setup-runner ## the core's tests again, in wasm32
	$(SAY) 'the core in wasm32'
	@scripts/cargo-wasm.sh test --package gatehouse-jose --package gatehouse-filter --lib

test-calls: setup-runner filter ## what a request costs in calls between host and plugin, and the plugin's size (in Node)
	$(SAY) 'calls between host and plugin'
	@PATH="$$PWD/.gatehouse/bin:$$PATH" node --test tests/calls/calls.test.mjs

test-e2e: setup-tools build ## the built parts together: a real Envoy, a real PostgreSQL, the real issuer
	$(SAY) 'end to end'
	@$(PYTHON) -m pytest tests --ignore=tests/differential -n 2 --dist loadfile -q

test-differential: setup-tools filter ## Envoy's own filter and ours side by side: 16,000 comparisons and the comparison's own tests
	$(SAY) "side by side with Envoy's jwt_authn (one to two minutes)"
	@$(PYTHON) -m pytest tests/differential -q

differential: setup-tools filter ## 20,000 generated requests, answered by Envoy's own filter and by ours, compared
	$(SAY) "side by side with Envoy's jwt_authn (one to five minutes)"
	@cd tests && PYTHONPATH=.:../scripts ../$(PYTHON) -m differential run --cases 20000
	@$(PYTHON) -m pytest tests/differential/test_clock_edges.py -q

.PHONY: bench soak kernels fuzz bench-kernels
bench: filter ## measure the gate against Envoy's jwt_authn, into docs/performance.md: ROUNDS=5 SECONDS=4, ten minutes
	@scripts/setup.sh bench
	$(SAY) "the gate and Envoy's jwt_authn, in turns"
	@cd bench && PYTHONPATH=.:../tests:../scripts ../$(PYTHON) -m gate --rounds $(or $(ROUNDS),5) --seconds $(or $(SECONDS),4)

soak: filter ## memory over REQUESTS=3000000 requests with the cache full: it must not grow (ten minutes)
	@scripts/setup.sh bench
	$(SAY) 'memory, with the token cache full'
	@cd bench && PYTHONPATH=.:../tests:../scripts ../$(PYTHON) -m gate.soak --requests $(or $(REQUESTS),3000000)

kernels: ## a million random and adversarial signatures for each verification kernel, compared with the crates
	$(SAY) 'the verification kernels against the crates (a quarter of an hour)'
	@GATEHOUSE_KERNEL_CASES=$(or $(CASES),1000000) cargo test --profile kernels --package gatehouse-jose --lib -- --nocapture differential

fuzz: ## fuzz what reads a stranger's bytes, and the kernels: SECONDS=60 for each target
	$(SAY) 'fuzz targets, each for $(or $(SECONDS),60) seconds'
	@scripts/fuzz.sh $(or $(SECONDS),60)

bench-kernels: setup-wasm ## time the verification kernels against the crates, in V8 (needs Node)
	$(SAY) 'the verification kernels in V8'
	@scripts/cargo-wasm.sh build --package gatehouse-kernel-bench --lib --profile wasm
	@node bench/kernels/run.mjs $(WASM_TARGET)/wasm32-unknown-unknown/wasm/kernel_bench.wasm

.PHONY: fmt deny clean
fmt: ## format the code
	@cargo fmt --all

deny: ## licences, sources and known vulnerabilities of all dependencies (needs cargo-deny)
	@command -v cargo-deny >/dev/null || { echo "cargo-deny is missing: cargo install cargo-deny"; exit 1; }
	@cargo deny check

clean: down ## remove what was built and the mesh's data; keeps what setup fetched
	@rm -rf $(TARGET) dist .gatehouse/run
