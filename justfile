# The desk. Two commands do everything: `just demo` and `just test`.

python := env("PYTHON", "python3")
bin := ".venv/bin"

# Run a real campaign of two to three minutes, then replay its log to the same digest.
demo *args: compiled
    {{bin}}/myriad demo {{args}}

# In the rooms' order: by its own, most tests first, xdist ends with one long test while the other core waits.

# Run every test that CI runs, on two cores.
test *args: compiled
    {{bin}}/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder {{args}}

# Run the long proofs; each has a short twin in `just test`.
prove *args: compiled
    {{bin}}/python -m pytest -m prove -o addopts="-q --strict-markers -p no:cacheprovider" {{args}}

# Lint, check types, test.
check: lint types test

# Check the form of every file.
lint: setup
    {{bin}}/ruff check .
    {{bin}}/ruff format --check .

# Check every type, strictly.
types: setup
    {{bin}}/mypy

# Train the study: uniform and TPE campaigns on both camera fleets, and repeats; goes on where it was stopped.
study *args: setup
    {{bin}}/python -m tests.benchmarks.study {{args}}

# Write docs/licences.md again, from the pins and what is installed.
licences: setup
    {{bin}}/python -m tests.licences

# Make docs/pictures again: the screen and a figure of a recorded demo.
pictures: setup
    {{bin}}/python -m tests.pictures

# Measure: `just bench log`, `just bench replay`, `just bench scheduler`.
bench name *args: compiled
    {{bin}}/python -m tests.benchmarks.{{name}} {{args}}

run *args: setup
    {{bin}}/myriad run {{args}}

watch *args: setup
    {{bin}}/myriad watch {{args}}

replay *args: setup
    {{bin}}/myriad replay {{args}}

tail *args: setup
    {{bin}}/myriad tail {{args}}

# Compile our own modules where they have changed, as pip does for what it installs: a process starts 0.1 s sooner.
compiled: setup
    @{{bin}}/python -m compileall -q actors events kernels replay tui tests myriad.py

# Make the environment, once for each state of pyproject.toml and constraints.txt.
setup:
    #!/usr/bin/env bash
    set -euo pipefail
    wanted=$(cat pyproject.toml constraints.txt | cksum)
    made() { [ "$(cat .venv/ready 2>/dev/null)" = "$wanted" ]; }
    if made; then exit 0; fi
    # Who comes second waits for the first: two installers in one folder leave neither's.
    mkdir -p .venv && exec 9>.venv/lock && if command -v flock >/dev/null; then flock 9; fi
    if made; then exit 0; fi
    echo "making the environment in .venv (once; a few minutes)"
    [ -x {{bin}}/python ] || {{python}} -m venv .venv
    {{bin}}/python -m pip install --quiet --constraint constraints.txt torch
    {{bin}}/python -m pip install --quiet --constraint constraints.txt --editable ".[dev]"
    echo "$wanted" > .venv/ready
