# make demo                   build, classify the clips of data/clips, draw them
# make demo DEVICE=software   the same through the WGSL passes on Mesa's software adapter
# make test                   everything that is tested; .ci/run does no more

DEVICE ?= auto
OUT ?= demo
BIN = target/release/sonoprint

# Mesa's device layer grumbles without it.
export XDG_RUNTIME_DIR ?= /tmp

.PHONY: build demo test lint vulkan

build:
	cargo build --release --locked

demo: build $(if $(filter software,$(DEVICE)),vulkan)
	@mkdir -p $(OUT)
	$(BIN) classify data/clips --out $(OUT)/predictions.csv --device $(DEVICE)
	@$(BIN) spectrogram data/clips --out $(OUT)/spectrograms --size 720x360 --device $(DEVICE) >/dev/null
	@echo "wrote $(OUT)/predictions.csv and a PNG a clip in $(OUT)/spectrograms"

test: vulkan
	cargo test --release --locked
	$(MAKE) lint

lint:
	cargo fmt --check
	cargo clippy --release --locked --all-targets -- -D warnings

# A Vulkan driver, so that the GPU path is really run: Mesa's software one where there is none.
vulkan:
	@.ci/ensure-vulkan
