"""Compiled functions beside themselves as plain Python, which checks every index and never wraps an integer silently.

The plain run is also how `make coverage` sees their lines.
"""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]


def results(path: Path, disable_jit: bool) -> dict[str, np.ndarray]:
    variables = os.environ | {"NUMBA_DISABLE_JIT": str(int(disable_jit)), "PYTHONPATH": str(ROOT)}
    # the sums of MD5 are modulo 2^32, of which numpy warns outside compiled code
    command = [sys.executable, "-W", "ignore:overflow encountered:RuntimeWarning", "-m", "tests.compiled_results", path]
    done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    with np.load(path) as stored:
        return dict(stored)


def test_compiled_functions_return_what_plain_python_does(tmp_path):
    compiled = results(tmp_path / "compiled.npz", disable_jit=False)
    plain = results(tmp_path / "plain.npz", disable_jit=True)
    assert list(compiled) == list(plain)
    for name, values in compiled.items():
        assert values.dtype == plain[name].dtype, name
        if values.dtype.kind == "f":  # compiled sums may be taken in another order
            np.testing.assert_allclose(values, plain[name], rtol=1e-12, atol=1e-12, err_msg=name)
        else:
            np.testing.assert_array_equal(values, plain[name], err_msg=name)
