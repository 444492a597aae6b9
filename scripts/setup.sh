#!/bin/sh
# Installs what is missing and makes the virtual environment .venv. Usage: setup.sh [EXTRAS]
# EXTRAS is a pip extra such as "test". On Debian and Ubuntu the system packages are installed
# with apt-get (through sudo if you are not root); elsewhere the script says what to install.
set -eu
CDPATH='' cd -- "$(dirname -- "$0")/.."
extras="${1:-}"

say() { printf '==> %s\n' "$*"; }

missing=""
command -v python3 >/dev/null 2>&1 || missing="$missing python3"
python3 -c 'import ensurepip, venv' >/dev/null 2>&1 || missing="$missing python3-venv"
command -v ngspice >/dev/null 2>&1 || missing="$missing ngspice"
if ! ldconfig -p 2>/dev/null | grep -q 'libngspice\.so' && ! /sbin/ldconfig -p 2>/dev/null | grep -q 'libngspice\.so'; then
    missing="$missing libngspice0"
fi
# Reports are tested in a browser, and their print in what it prints.
if [ "$extras" = test ]; then
    command -v chromium >/dev/null 2>&1 || missing="$missing chromium"
    command -v chromedriver >/dev/null 2>&1 || missing="$missing chromium-driver"
    command -v pdftotext >/dev/null 2>&1 || missing="$missing poppler-utils"
fi
if [ -n "$missing" ]; then
    if ! command -v apt-get >/dev/null 2>&1; then
        say "Please install:$missing (Debian's names), then run this again."
        exit 1
    fi
    sudo=""
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null 2>&1 || { say "Please run as root: apt-get install$missing"; exit 1; }
        sudo="sudo"
    fi
    say "Installing with apt-get:$missing"
    $sudo apt-get update -qq
    # shellcheck disable=SC2086
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $missing >/dev/null
fi

python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    say "Python 3.11 or newer is needed; this is $(python3 --version)."
    exit 1
}

# The environment is made again when what it is made from changes.
stamp=".venv/.spicealif-$extras"
if [ ! -f "$stamp" ] || [ pyproject.toml -nt "$stamp" ]; then
    say "Making the environment .venv (a minute or two the first time)"
    # Without pip it is what an interrupted set-up left.
    .venv/bin/python -m pip --version >/dev/null 2>&1 || python3 -m venv --clear .venv
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --editable ".${extras:+[$extras]}"
    say "Compiling what runs need (half a minute the first time)"
    .venv/bin/spicealif doctor --compile >/dev/null || true  # without it the first run is slower
    touch "$stamp"
fi
