#!/usr/bin/env bash
# Test the library with the oldest or the newest versions that pyproject.toml allows: envs/bounds.sh lowest|newest
#
# Makes an environment in a temporary folder (3 GB), runs the tests of the library and the smallest workflow in it, and
# removes it. In "lowest", each bound "name>=version" of the library becomes "name==version"; what these depend on, and
# the tools of the tests, are the newest that fit. torch and xgboost are those of constraints.txt (see envs/install.sh).
set -euo pipefail

end=${1:-}
here=$(cd "$(dirname "$0")" && pwd)
case $end in
    lowest) exact='s/>=/==/' ;;
    newest) exact='' ;;
    *) echo "usage: envs/bounds.sh lowest|newest" >&2; exit 1 ;;
esac

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
python=$folder/venv/bin/python
pip() { "$python" -m pip --disable-pip-version-check "$@"; }

"$python" - "$here/../pyproject.toml" "$folder" <<'PYTHON'
import sys
import tomllib
from pathlib import Path

project = tomllib.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))["project"]
tools = ("hypothesis", "networkx", "pingouin", "pytest", "pytest-xdist", "statsmodels")
dev = [line for line in project["optional-dependencies"]["dev"] if line.partition(">=")[0] in tools]
assert len(dev) == len(tools), dev
folder = Path(sys.argv[2])
(folder / "library.txt").write_text("\n".join(project["dependencies"]) + "\n", encoding="utf-8")
(folder / "tools.txt").write_text("\n".join(dev) + "\n", encoding="utf-8")
PYTHON
sed -i "$exact" "$folder/library.txt"

torch=$(sed -n 's/^torch==//p' "$here/constraints.txt")
pip install --quiet "torch==$torch+cpu" 2>/dev/null ||
    pip install --quiet --extra-index-url https://download.pytorch.org/whl/cpu "torch==$torch+cpu"
pip install --quiet "xgboost-cpu==$(sed -n 's/^xgboost-cpu==//p' "$here/constraints.txt")" \
    --requirement "$folder/library.txt" --requirement "$folder/tools.txt"
pip install --quiet --no-deps --editable "$here/.."
pip check
pip freeze | grep -iE "^($(sed 's/[=>].*//' "$folder/library.txt" | paste -sd'|'))=="

cd "$here/.."
failed=0
# what compares this environment with constraints.txt, and what measures, says nothing about bounds
OMP_NUM_THREADS=1 NUMBA_CACHE_DIR=$folder/numba "$folder/venv/bin/pytest" -p no:cacheprovider -n "${JOBS:-2}" \
    -m "not workflow and not cluster and not browser and not docs" \
    --ignore tests/config/test_environments.py --ignore tests/profiling --ignore tests/browser --ignore tests/docs || failed=1
OMP_NUM_THREADS=1 NUMBA_CACHE_DIR=$folder/numba "$folder/venv/bin/pytest" -p no:cacheprovider \
    tests/workflow/test_studies.py -k left_its_files || failed=1
exit $failed
