# make demo                   build, classify the clips of data/clips, draw them
# make demo DEVICE=software   the same through the WGSL passes on Mesa's software adapter
# make test                   everything that is tested; .ci/run does no more
# make reference              decodes odd files and compares with other decoders: tests/reference/README.md
# make page-check             looks at pages of --report in a headless Chromium: tests/page/check.py
# make wheel                  the Python package, target/wheels/*.whl: docs/PYTHON.md
# make wheel-test             installs it into a fresh environment and tests it there
# make install                the optimized program, into cargo's folder of programs; `sonoprint generate` has man pages
#                             and completion scripts: docs/USAGE.md

DEVICE ?= auto
OUT ?= demo
BIN = target/quick/sonoprint
# Compiles in a third of the time of `release` and computes as fast on the CPU: see .cargo/config.toml.
CARGO_FLAGS = --profile quick --locked

# Mesa's device layer prints a warning if this is unset.
export XDG_RUNTIME_DIR ?= /tmp

# Tests and the demo run without the configuration of the user.
test demo: export SONOPRINT_NO_CONFIG = 1

.PHONY: build demo test reference page-check wheel wheel-test lint install vulkan

build:
	cargo build $(CARGO_FLAGS)

demo: build $(if $(filter software,$(DEVICE)),vulkan)
	@mkdir -p $(OUT)
	$(BIN) classify data/clips --out $(OUT)/predictions.csv --device $(DEVICE)
	@$(BIN) spectrogram data/clips --out $(OUT)/spectrograms --size 720x360 --device $(DEVICE) >/dev/null
	@echo "wrote $(OUT)/predictions.csv, and a PNG per clip in $(OUT)/spectrograms"

# Unit tests, tests/integration, the examples and the examples in the documentation.
test: vulkan
	cargo test $(CARGO_FLAGS)
	for example in classify features embeddings; do \
		cargo run $(CARGO_FLAGS) --example $$example || exit 1; \
	done
	$(MAKE) lint

# Needs Debian's encoders and numpy, so `make test` leaves it out.
PYTHON ?= python3
REFERENCE ?= /tmp/corpus
reference:
	cargo build $(CARGO_FLAGS) --example decode
	$(PYTHON) tests/reference/compare.py --program target/quick/examples/decode $(REFERENCE)

# Needs Debian's chromium, so `make test` leaves it out.
PAGES ?= /tmp/pages
page-check: build
	$(PYTHON) tests/page/check.py --program $(BIN) $(PAGES)

# Needs Python 3.10 or newer, and its package index. PROFILE=quick compiles in a third of the time, and shares what
# `make build` compiled.
PROFILE ?= release
wheel:
	$(PYTHON) -m venv target/python
	target/python/bin/pip install --quiet 'maturin>=1.9,<2'
	rm -f target/wheels/sonoprint-*.whl
	target/python/bin/maturin build --manifest-path python/Cargo.toml --target-dir target --out target/wheels \
		--profile $(PROFILE) --locked

wheel-test: wheel
	cargo fmt --check --manifest-path python/Cargo.toml
	$(PYTHON) -m venv --clear target/python-test
	target/python-test/bin/pip install --quiet target/wheels/sonoprint-*.whl pytest
	target/python-test/bin/pytest python/tests

lint:
	cargo fmt --check
	rustfmt --check --edition 2024 src/model/networks/*.rs
	cargo clippy $(CARGO_FLAGS) --all-targets -- -D warnings

install:
	cargo install --locked --path .

# A Vulkan driver, so that the tests run the GPU path: Mesa's software adapter where there is none.
vulkan:
	@.ci/ensure-vulkan
