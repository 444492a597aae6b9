#!/bin/sh
# Sets everything up and runs the paper's neuron as a circuit and as differential equations.
# Arguments go to "spicealif run"; without any, it is "spicealif run paper".
set -eu
here="$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)"
sh "$here/scripts/setup.sh"
[ $# -gt 0 ] || set -- paper
printf '==> spicealif run %s\n' "$*"
exec "$here/.venv/bin/spicealif" run "$@"
