#!/bin/sh
# Sets everything up and runs the linters, the type checker and the tests (in parallel).
# Arguments go to pytest.
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
printf '==> pytest\n'
exec .venv/bin/pytest -n auto "$@"
