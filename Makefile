# The list of commands: `make` shows it. All of them work in the virtual environment .venv, which they make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
# pip builds here without isolation, in one lasting build folder: what has not changed is not compiled again.
BUILD_HERE := --no-build-isolation --no-deps
export CMAKE_BUILD_PARALLEL_LEVEL ?= $(shell getconf _NPROCESSORS_ONLN)

WHEELS := $(VENV)/wheel
PACKAGE := CMakeLists.txt pyproject.toml README.md LICENSE \
           $(shell find cmake cpp python -type f ! -name '*.pyc')
CPP := $(shell find cpp tests/cpp bench -name '*.[ch]pp' -o -name '*.h')

# The peers of the benchmark, each in an environment of its own. Where PyTorch's default package is too large (it brings
# what a GPU needs), name another: make bench PEERS=all PACKAGES_torch='torch==2.13.0+cpu numpy'
PACKAGES_jax := jax optax
PACKAGES_onnxruntime := onnxruntime onnx
PACKAGES_sklearn := scikit-learn
PACKAGES_torch := torch numpy
ifeq ($(PEERS),all)
override PEERS := jax onnxruntime sklearn torch
endif

.DELETE_ON_ERROR:
.PHONY: help demo examples test dev bench lint format stub clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.cli ## install into .venv and fit the motorcycle data
	$(BIN)/likely demo

examples: $(VENV)/.test ## run the examples, print their table, draw their pictures into build/examples
	$(BIN)/python -m examples --pictures build/examples

test: $(VENV)/.test ## install into .venv and run the tests on what is installed
	$(BIN)/pytest

dev: $(VENV)/.tools ## install in editable form; again after an edit of C++
	$(PIP) install --no-build-isolation --editable '.[test,dev]'
	@rm -f $(VENV)/.wheel

bench: $(VENV)/.test $(PEERS:%=build/bench/%/.installed) ## run the benchmark; PEERS=all installs the peers, BENCH=--quick is short
	$(BIN)/python -m bench $(BENCH)

lint: $(VENV)/.cli $(VENV)/.dev ## format, lint and types of all code, and whether the stub is up to date
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/clang-format --dry-run -Werror $(CPP)
	$(BIN)/mypy
	$(BIN)/pybind11-stubgen likely._core --exit-code --output-dir build/stub
	diff -u python/likely/_core.pyi build/stub/likely/_core.pyi || \
	    { echo "python/likely/_core.pyi is not what the bindings say: run 'make stub'"; exit 1; }

format: $(VENV)/.dev ## format all code
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format
	$(BIN)/clang-format -i $(CPP)

stub: $(VENV)/.dev ## write python/likely/_core.pyi from the bindings
	$(BIN)/pybind11-stubgen likely._core --exit-code --output-dir python

build/bench/%/.installed:
	$(PYTHON) -m venv build/bench/$*
	build/bench/$*/bin/python -m pip install --quiet --disable-pip-version-check $(PACKAGES_$*)
	@touch $@

clean: ## remove all that make made, .venv too
	rm -rf $(VENV) build install dist .mypy_cache .pytest_cache .ruff_cache .hypothesis

# ---- what stands in .venv, each a stamp file

$(VENV)/.created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "likely needs Python 3.11 or newer; if you have one, name it: make PYTHON=python3.12 $(MAKECMDGOALS)"; \
	    exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

# What pip would otherwise install anew for each build: the build requirements, CMake and Ninja.
$(VENV)/.tools: $(VENV)/.created pyproject.toml
	$(PIP) install 'cmake>=3.26' 'ninja>=1.11' $$($(BIN)/python -c \
	    'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"])')
	@touch $@

$(VENV)/.wheel: $(VENV)/.tools $(PACKAGE)
	@rm -rf $(WHEELS)
	@echo "Building likely: a minute or two the first time, later only what changed."
	$(PIP) wheel $(BUILD_HERE) --wheel-dir $(WHEELS) .
	$(PIP) install --force-reinstall --no-deps $(WHEELS)/*.whl
	@touch $@

# What the extras cli, test and dev of the package ask for.
$(VENV)/.cli $(VENV)/.test $(VENV)/.dev: pyproject.toml | $(VENV)/.wheel
	$(PIP) install "$$(echo $(WHEELS)/*.whl)[$(subst $(VENV)/.,,$@)]"
	@touch $@
