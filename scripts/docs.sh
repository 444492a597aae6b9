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
# The user's own settings of Jupyter, IPython and matplotlib do not count, the backend among them:
# a kernel shows figures by its own.
settings="$PWD/docs/_build/settings"
mkdir -p "$settings/profile_default"
# A kernel says that its sockets are not encrypted; they are on this machine and gone with the build.
echo 'c.IPKernelApp.log_level = 40' > "$settings/profile_default/ipython_kernel_config.py"
export IPYTHONDIR="$settings" JUPYTER_CONFIG_DIR="$settings" JUPYTER_PLATFORM_DIRS=1
export MPLCONFIGDIR="$settings"
unset MPLBACKEND
$python -m sphinx -W --keep-going -q -b html -d docs/_build/doctrees "$@" docs docs/_build/html
printf '==> links\n'
$python scripts/check_links.py docs/_build/html
printf '==> Open docs/_build/html/index.html\n'
