#!/bin/sh
# Builds the documentation as a web site into docs/_build/html. Warnings are errors.
# Links within it are checked, with their anchors; links to other sites are not, since the machines
# that this runs on may have no network. Arguments go to sphinx-build.
set -eu
CDPATH='' cd -- "$(dirname -- "$0")/.."
sh scripts/setup.sh docs
python=.venv/bin/python
printf '==> commands\n'
$python scripts/command_reference.py --check
printf '==> sphinx\n'
# The machine's own settings of Jupyter and matplotlib do not count.
export JUPYTER_PLATFORM_DIRS=1 MPLBACKEND=agg
$python -m sphinx -W --keep-going -q -b html -d docs/_build/doctrees "$@" docs docs/_build/html
printf '==> links\n'
$python scripts/check_links.py docs/_build/html
printf '==> Open docs/_build/html/index.html\n'
