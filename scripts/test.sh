#!/bin/sh
# Sets everything up and runs the linters, the type checker and the tests (in parallel).
# Arguments go to pytest: -m "not slow" leaves out what takes seconds.
set -eu
CDPATH='' cd -- "$(dirname -- "$0")/.."
sh scripts/setup.sh test
printf '==> ruff\n'
.venv/bin/ruff check .
.venv/bin/ruff format --check .
printf '==> mypy\n'
.venv/bin/mypy
.venv/bin/mypy --platform darwin
.venv/bin/mypy --platform win32
printf '==> import-linter\n'
.venv/bin/lint-imports
printf '==> pages\n'
.venv/bin/python scripts/command_reference.py --check
.venv/bin/python scripts/check_links.py
printf '==> pytest\n'
# Neighbours share what is made once per file, so each process takes a part of the list, and then
# what the others have left.
exec .venv/bin/pytest -n auto --dist worksteal "$@"
