#!/bin/sh
# Sets everything up and runs the paper's neuron as a circuit and as differential equations.
# Arguments go to "spicealif run"; without any, it is "spicealif run paper".
set -eu
here="$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)"
sh "$here/scripts/setup.sh"
[ $# -gt 0 ] || set -- paper
printf '==> spicealif run %s\n' "$*"
code=0
"$here/.venv/bin/spicealif" run "$@" || code=$?
# The command is in the environment only, which this script cannot enter for the shell it was called
# from. The path as it is typed from where the user is.
activate="$here/.venv/bin/activate"
[ "$here" = "$PWD" ] && activate=.venv/bin/activate
case $activate in *[!A-Za-z0-9_./+-]*) activate="'$(printf %s "$activate" | sed "s/'/'\\\\''/g")'" ;; esac
printf '==> To go on: . %s   (then: spicealif --help)\n' "$activate"
exit "$code"
