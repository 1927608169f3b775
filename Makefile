# The commands of this repository. `make` alone lists them.
# Narrow or change them: LESSON=1 (or 1,2), SOURCE=real, PROFILE=full, PYTHON=python3.12, GPU=1.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LESSON ?=
SOURCE ?=
PROFILE ?=
GPU ?=
CHOICE := $(if $(LESSON),--lesson $(LESSON))
TESTED := $(if $(LESSON),$(foreach n,$(subst $(COMMA), ,$(LESSON)),notebooks/0$(n)_*.ipynb),notebooks/[0-9]*.ipynb)
COMMA := ,
# Progress bars of the kernels stay readable, and every run uses this repository's own environment.
PYTEST := $(BIN)/python -m pytest -q

.DEFAULT_GOAL := help
.PHONY: help setup clean-venv run test test-all lab refresh student lint bench data doctor weights lock

help:  ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F'\t' '{printf "  make %-12s %s\n", $$1, $$2}'

setup: $(VENV)/.ready  ## make .venv and install what the lessons need

$(VENV)/.ready: requirements.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(if $(GPU),grep -v '^tensorflow' requirements.txt > $(VENV)/requirements.txt,cp requirements.txt $(VENV)/requirements.txt)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r $(VENV)/requirements.txt
	$(if $(GPU),$(BIN)/python -m pip install --quiet "tensorflow[and-cuda]==$$(sed -nE 's/^tensorflow==([0-9.]+).*/\1/p' requirements.txt)")
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $@

clean-venv:  ## remove .venv, so that the next command makes it anew
	rm -rf $(VENV)

run: setup  ## execute every lesson; notebooks, pages and a report appear in build/
	$(BIN)/medlessons run $(CHOICE) $(if $(SOURCE),--source $(SOURCE)) $(if $(PROFILE),--profile $(PROFILE))

test: setup  ## unit tests, and strict validation of every stored output
	$(BIN)/medlessons data prepare
	$(PYTEST) --nbval --nbval-current-env tests $(TESTED) -m "not slow"

test-all: setup  ## also what takes longer: student edition, numeric environments, damaged lessons, other Pythons
	$(BIN)/medlessons data prepare
	$(PYTEST) --nbval --nbval-current-env tests $(TESTED)

lab: setup  ## open JupyterLab on the student edition
	$(BIN)/jupyter lab notebooks/student

refresh: setup  ## execute the lessons and store their outputs in the tracked notebooks
	$(BIN)/medlessons refresh $(CHOICE)
	$(BIN)/medlessons student $(CHOICE)

student: setup  ## write the student edition to notebooks/student/ anew (what was solved there is lost)
	$(BIN)/medlessons student $(CHOICE)

lint: setup  ## check style and errors of code and notebooks with ruff
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

bench: setup  ## measure speed and peak memory of each lesson and helper
	$(BIN)/python scripts/bench.py $(CHOICE)

data: setup  ## make the embedded data, and say which data are there
	$(BIN)/medlessons data prepare
	$(BIN)/medlessons data status

weights: setup  ## say which trained weights are there and whole
	$(BIN)/medlessons weights

doctor: setup  ## say in plain words what is missing or too old
	$(BIN)/medlessons doctor

lock: setup  ## renew requirements.txt from pyproject.toml, for all platforms and Pythons
	$(BIN)/uv pip compile --universal --python-version 3.11 --fork-strategy fewest --extra dev \
		--no-emit-index-url --custom-compile-command "make lock" --upgrade pyproject.toml -o requirements.txt
