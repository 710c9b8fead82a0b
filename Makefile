# make demo   the main job on the packaged charts, into out/demo
# make test   linters, types, import contracts, doctests and tests
# make docs   the documentation as a site, into out/docs
# make bench-scale  time and memory of both engines as charts grow, into docs/reference/scale.md
# make gallery  the pictures of docs/reference/gallery.md, drawn from the demo
# All make their own .venv first and are quick when nothing changed.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TWINS := $(addprefix tests/,diffusion/test_relations.py diffusion/test_stays.py diffusion/test_market_groups.py diffusion/test_pairs.py diffusion/test_risk.py \
	pipelines/test_clean.py survival/test_bands.py survival/test_counting.py \
	survival/test_states.py graphs/test_baseline.py pipelines/features/test_twins.py)
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint .ci/constraints.txt

.PHONY: demo docs gallery test test-slow bench bench-scale lint clean

demo: $(VENV)/ready
	$(BIN)/chart-diffusion demo --out out/demo

docs: $(VENV)/ready-dev
	$(BIN)/python -m sphinx --quiet --fail-on-warning --keep-going --nitpicky --fresh-env docs out/docs
	@echo "open out/docs/index.html"

gallery: demo $(VENV)/ready-dev
	$(BIN)/python docs/gallery.py out/demo
	cp out/demo/figures/flow_map.png figures/example.png

# one thread of linear algebra for each worker, or they wait for each other; a file stays on one worker, which makes what its
# tests share once
test: lint
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n 2 --dist loadfile

test-slow: $(VENV)/ready-spark
	$(BIN)/python -m pytest -q -m slow
	THOROUGH=1 $(BIN)/python -m pytest -q $(TWINS)

bench: $(VENV)/ready-dev
	@for script in tests/benchmarks/bench_*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

bench-scale: $(VENV)/ready-spark
	$(BIN)/python tests/benchmarks/bench_scale.py --out docs/reference

lint: $(VENV)/ready-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --config setup.cfg --no-cache

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "chart-diffusion needs Python 3.11 or newer, but $(PYTHON) is " + sys.version.split()[0] + "; name another one: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/ready: setup.cfg pyproject.toml .ci/constraints.txt | $(VENV)/bin/python
	$(PIP) --editable .
	@touch $@

$(VENV)/ready-spark: setup.cfg pyproject.toml .ci/constraints.txt | $(VENV)/ready-dev
	$(PIP) --editable '.[dev,spark]'
	@touch $@

$(VENV)/ready-dev: setup.cfg pyproject.toml .ci/constraints.txt | $(VENV)/bin/python
	$(PIP) --editable '.[dev]'
	@touch $@ $(VENV)/ready

clean:
	rm -rf $(VENV) out build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
