# Every command makes the environment first if it is missing or out of date.
#   make demo           the default study on this machine, ends with the path of the report
#   make test           all tests that need no service
#   make test-cluster   tests on a real Slurm (Debian packages slurm-wlm, munge; root)
#   make test-browser   tests in a real browser (Debian package chromium)
#   make lint           ruff, mypy, snakefmt, snakemake --lint
#   make docs           the pages of docs/ as a site, build/docs/index.html
#   make test-docs      every command that the pages show, run
#   make check          all of these that this machine can run, and a summary
#   make coverage       lines of terranas/ that `make test` runs, compiled functions included
#   make bench          the programs of benchmarks/; renews the summary in benchmarks/README.md
# TORCH=cpu|cuda chooses the build of torch (default: cuda where nvidia-smi finds a GPU); PYTHON=python3.12 the interpreter.

SHELL := /bin/bash
PYTHON ?= python3
TORCH ?= auto
# processes that run tests side by side
JOBS ?= 2
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/terranas-$(TORCH).ready

.PHONY: demo test test-cluster test-browser docs test-docs check coverage bench lint format install clean

demo: install
	$(BIN)/snakemake
	@echo "Report: results/demo/report/index.html"

# One thread a process: results must not depend on the machine, and $(JOBS) processes share it.
test: install
	OMP_NUM_THREADS=1 $(BIN)/pytest -m "not cluster and not browser and not docs" -n $(JOBS)

test-cluster: install
	$(BIN)/pytest -m cluster

test-browser: install
	$(BIN)/pytest -m browser

docs: install
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

test-docs: install
	OMP_NUM_THREADS=1 $(BIN)/pytest -m docs -n $(JOBS)

check: install
	.ci/check

# Jobs and scripts run in processes of their own and count too. Lines of functions that numba compiles count by the run
# that tests/test_compiled.py makes with NUMBA_DISABLE_JIT=1.
coverage: install
	OMP_NUM_THREADS=1 $(BIN)/pytest -m "not cluster and not browser and not docs" -n $(JOBS) --cov --cov-report=term

bench: install
	$(BIN)/python benchmarks/summary.py

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/snakefmt --check Snakefile rules
	$(BIN)/snakemake --lint

format: install
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/snakefmt Snakefile rules

install: $(READY)

$(READY): pyproject.toml envs/constraints.txt envs/install.sh
	PYTHON=$(PYTHON) envs/install.sh $(VENV) $(TORCH)
	rm -f $(VENV)/terranas-*.ready
	touch $@

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache
