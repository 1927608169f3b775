# The commands of this repository. `make` alone lists them.
# Narrow or change them: LESSON=1 (or 1,2), SOURCE=real, PROFILE=full, WEIGHTS=imagenet (lesson 4), PYTHON=python3.12, GPU=1;
# `make run JOBS=1` runs one lesson after the other, `make test SINCE=main` validates only the lessons that changed.

PYTHON ?= python3
VENV := .venv
OPTIONS ?=
BIN := $(VENV)/bin
LESSON ?=
SINCE ?=
SOURCE ?=
PROFILE ?=
WEIGHTS ?=
GPU ?=
JOBS ?=
COMMA := ,
CHOICE := $(if $(LESSON),--lesson '$(LESSON)')
AT_ONCE := $(if $(JOBS),--jobs $(JOBS))
# LESSON=1,2 -> the notebooks of lessons 1 and 2; SINCE=main -> those that changed since then; all unless given
CHOSEN = $(foreach n,$(subst $(COMMA), ,$(LESSON)),$(or $(wildcard notebooks/0$(n)_*.ipynb notebooks/$(n)_*.ipynb),$(error There is no lesson $(n))))
SOME = $(if $(SINCE),$$($(BIN)/python scripts/changed_lessons.py $(SINCE)),$(wildcard notebooks/[0-9]*.ipynb))
NOTEBOOKS = $(if $(LESSON),$(CHOSEN),$(SOME))
# Two workers where there are two cores; a notebook stays with one of them. -n0 is one process, as a debugger wants it.
PYTEST := $(BIN)/python -m pytest -q --nbval --nbval-current-env -n logical --maxprocesses 2 --dist loadfile
# Asking for another Python, or for the GPU, makes the environment anew; what was asked for last then stays.
READY := $(VENV)/.ready$(if $(filter command,$(origin PYTHON)),-$(subst /,_,$(PYTHON)))$(if $(GPU),-gpu)
KNOWN := import sys; v = sys.version_info; sys.exit(0 if (3, 11) <= v < (3, 14) else \
  f"This is Python {v[0]}.{v[1]}, but TensorFlow needs 3.11, 3.12 or 3.13. Try: make PYTHON=python3.12 setup")

.DEFAULT_GOAL := help
.PHONY: help setup run test test-all lab refresh student slides site lint bench data doctor weights catalog lock

help:  ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

setup: $(READY)  ## make .venv and install what the lessons need

# The new environment gets a folder of its own; .venv leads to it only when everything is installed. Until then, and if
# the installation is interrupted or there is no network, .venv stays as it was.
$(READY): requirements.txt pyproject.toml
	@$(PYTHON) -c '$(KNOWN)'
	@set -e; new=$$(mktemp -d $(VENV).XXXXXX); chmod 755 $$new; \
	trap 'rm -rf $$new; echo "The installation did not succeed. $(if $(wildcard $(BIN)),$(VENV) is as it was; to go \
	on with it: $(BIN)/medlessons lab,Is there a network?)" >&2' EXIT; trap 'exit 130' INT TERM HUP; \
	echo "Installing into $$new ..."; \
	$(PYTHON) -m venv --prompt medlessons $$new; \
	pip="$$new/bin/python -m pip install --quiet --disable-pip-version-check"; \
	$(if $(GPU),awk '/^[^ ]/ {other = !/^tensorflow/} other',cat) requirements.txt > $$new/requirements.txt; \
	$$pip -r $$new/requirements.txt; \
	$(if $(GPU),$$pip "tensorflow[and-cuda]==$$(sed -nE 's/^tensorflow==([0-9.]+).*/\1/p' requirements.txt)";) \
	$$pip --no-deps --editable .; \
	touch $$new/.ready $$new/$(notdir $@); \
	if [ -d $(VENV) ] && [ ! -L $(VENV) ]; then mv $(VENV) $(VENV).before; fi; \
	ln -sfn $$new $(VENV); trap - EXIT INT TERM HUP; \
	for old in $(VENV).*; do [ $$old = $$new ] || rm -rf $$old; done

run: setup  ## execute every lesson; notebooks, pages and a report appear in build/
	$(if $(WEIGHTS),MEDLESSONS_WEIGHTS=$(WEIGHTS) )$(BIN)/medlessons run $(CHOICE) $(AT_ONCE) $(if $(SOURCE),--source $(SOURCE)) $(if $(PROFILE),--profile $(PROFILE))

test: setup  ## unit tests, and strict validation of every stored output
	$(BIN)/medlessons data prepare
	$(PYTEST) tests $(NOTEBOOKS) -m "not slow"

test-all: setup  ## also what takes longer: student edition, numeric environments, damaged lessons, other Pythons
	$(BIN)/medlessons data prepare
	$(PYTEST) tests $(NOTEBOOKS)

lab: setup  ## open JupyterLab in work/, where each lesson is put once and then is yours
	$(BIN)/medlessons lab $(OPTIONS)

refresh: setup  ## execute the lessons and store their outputs in the tracked notebooks
	$(BIN)/medlessons refresh $(CHOICE) $(AT_ONCE)
	$(BIN)/medlessons student $(CHOICE)

student: setup  ## write the student edition to notebooks/student/, to hand it out
	$(BIN)/medlessons student $(CHOICE)

slides: setup  ## write slides of figures, questions and exercises to build/slides/
	$(BIN)/medlessons slides $(CHOICE)

site: setup  ## write the website, from the stored notebooks, to build/site/
	$(BIN)/medlessons site

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

catalog: setup  ## collect every sentence that readers are told in data/locale/medlessons.pot (docs/TRANSLATING.md)
	mkdir -p data/locale
	$(BIN)/pybabel extract --sort-by-file --no-location -o data/locale/medlessons.pot src/medlessons src/classroom

lock: setup  ## renew requirements.txt from pyproject.toml, for all platforms and Pythons
	$(BIN)/uv pip compile --universal --python-version 3.11 --fork-strategy fewest --extra dev \
		--no-emit-index-url --generate-hashes --custom-compile-command "make lock" --upgrade \
		pyproject.toml -o requirements.txt
