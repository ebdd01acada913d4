# make run       everything from a fresh clone to reports/latest/index.html
# make test      the tests            make test-more  the heavier ones: pretraining, benchmarks, whole notebooks
# make test-gpu  the tests that need CUDA
# make lab       JupyterLab           make install    only .venv (nothing to do when it is current)
# make figures   the pictures of figures/, by the notebooks
# make screenshots  those of the explorer, by a browser
# make lint      ruff, pairing        make notebooks  notebooks/*.ipynb from notebooks/py/*.py
#
# Paths are relative and programs are called through the interpreter, so that the checkout may lie in a folder
# with a space in its name.

VENV   := .venv
PYTHON := $(VENV)/bin/python
STAMP  := $(VENV)/.installed
TESTS  ?= tests

.PHONY: run figures screenshots test test-more test-gpu lab install lint notebooks clean

run: install
	"$(PYTHON)" -m sernb.cli run --profile laptop --corpus embedded --out reports/latest

figures: install
	"$(PYTHON)" -m sernb.cli run --profile laptop --corpus embedded --out reports/figures -p pictures "$(CURDIR)/figures"

screenshots: install
	"$(PYTHON)" -m sernb.cli run 8 --out reports/screenshots -p save "$(CURDIR)/reports/explorer"
	"$(PYTHON)" -m tests.browser.screenshots reports/explorer/errors.html figures

test: install
	OMP_NUM_THREADS=1 "$(PYTHON)" -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not more" "$(TESTS)"

test-more: install
	OMP_NUM_THREADS=1 "$(PYTHON)" -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m more "$(TESTS)"

test-gpu: install
	"$(PYTHON)" -m pytest -m gpu -s -rs tests/gpu

lab: export SERNB_CORPORA ?= $(CURDIR)/corpora
# The checkout is the server's root, or its pyproject.toml, which pairs notebooks with their text, is not seen.
lab: install
	"$(PYTHON)" -m jupyterlab --ServerApp.root_dir=. --FileContentsManager.preferred_dir=notebooks

lint: install
	"$(PYTHON)" -m ruff check .
	"$(PYTHON)" -m ruff format --check .
	"$(PYTHON)" -m making.pairing --check notebooks

notebooks: install
	"$(PYTHON)" -m making.pairing notebooks

install: $(STAMP)

$(STAMP): pyproject.toml constraints.txt | $(PYTHON)
	"$(PYTHON)" -m pip install --quiet --upgrade pip
	PYTHONWARNINGS=ignore "$(PYTHON)" -m pip install --quiet -c constraints.txt -e ".[dev]"
	@touch "$(STAMP)"

# The first Python that is new enough; `make PYTHON3=/path/to/python3.12 install` chooses another.
$(PYTHON):
	@for candidate in $(if $(PYTHON3),"$(PYTHON3)") python3 python3.13 python3.12 python3.11; do \
	  if "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11, 4))' >/dev/null 2>&1; then found="$$candidate"; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	  echo "sernb needs Python 3.11.4 or newer and found none (looked for python3, python3.13, python3.12, python3.11)."; \
	  echo "Install one, or name it: make PYTHON3=/path/to/python install"; exit 1; \
	fi; \
	echo "Making $(VENV) with $$found ($$("$$found" --version)); the first install fetches about 4 GB (PyTorch) ..."; \
	"$$found" -m venv "$(VENV)"

clean:
	rm -rf "$(VENV)" reports .pytest_cache .ruff_cache
