#!/usr/bin/env bash
# Make a virtual environment with the tested versions. Called by `make`; by hand: envs/install.sh FOLDER [auto|cpu|cuda]
#
# torch and xgboost exist in builds for CUDA (gigabytes) and for the CPU. "auto" takes CUDA where nvidia-smi finds a GPU.
set -euo pipefail

venv=${1:?usage: envs/install.sh FOLDER [auto|cpu|cuda]}
build=${2:-auto}
python=${PYTHON:-python3}
here=$(cd "$(dirname "$0")" && pwd)
constraints=$here/constraints.txt

case $build in
    auto) if nvidia-smi >/dev/null 2>&1; then build=cuda; else build=cpu; fi ;;
    cpu | cuda) ;;
    *) echo "envs/install.sh: unknown build '$build'; expected auto, cpu or cuda" >&2; exit 1 ;;
esac
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "envs/install.sh: $("$python" --version) is too old; terranas needs Python 3.11 or newer (set PYTHON=...)" >&2
    exit 1
}

torch=$(sed -n 's/^torch==//p' "$constraints")
case $build-$(uname -s)-$(uname -m) in
    cpu-Linux-x86_64) torch=$torch+cpu xgboost=xgboost-cpu ;;
    cpu-Linux-*) torch=$torch+cpu xgboost=xgboost ;;
    *) xgboost=xgboost ;; # macOS has CPU builds only; CUDA builds carry no suffix
esac

# CPU and CUDA builds share version numbers and package folders, so a switch starts anew
if [ -e "$venv/build" ] && [ "$(cat "$venv/build")" != "$build" ]; then rm -rf "$venv"; fi

echo "Installing into $venv ($build build of torch; the first time takes some minutes)"
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
pip() { "$venv/bin/python" -m pip --disable-pip-version-check "$@"; }

# a wheel folder or index that pip is already set up for comes first; the public index of PyTorch has the CPU builds
pip install --quiet --constraint "$constraints" "torch==$torch" 2>/dev/null ||
    pip install --quiet --constraint "$constraints" --extra-index-url https://download.pytorch.org/whl/cpu "torch==$torch"
pip install --quiet --constraint "$constraints" "$xgboost" --editable "$here/..[dev]"
echo "$build" >"$venv/build"
