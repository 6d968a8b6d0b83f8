"""A scratch checkout with a finished study, in which the pages' commands run as they stand."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from ..workflow.conftest import SMALLEST, made_once
from .pages import ROOT

CODE = (
    "Snakefile",
    "Makefile",
    "pyproject.toml",
    "mkdocs.yml",
    "README.md",
    "CONTRIBUTING.md",
    ".pre-commit-config.yaml",
    "rules",
    "profiles",
)
CODE += ("workflow_scripts", "terranas", "envs", "slurm", "config", "tests", "benchmarks", "docs")


SYNTHETIC = "  synthetic: {train: 68, validation: 34, test: 34}"
OWN = """  name: my images
  source: npz
  path: my_images.npz
  images: {bands: 4, classes: 5, image_size: 32}"""


class Checkout:
    """A copy of the repository whose default study is the smallest one, in the default's own folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, command: str, timeout: float = 400) -> str:
        """Run a shell command as a user would, in the root of the checkout.

        Raises:
            AssertionError: it ended with another code than 0; the message shows its output.
        """
        bin_folder = str(Path(sys.executable).parent)
        variables = {name: value for name, value in os.environ.items() if not name.startswith(("TERRANAS", "PYTEST"))}
        variables |= {
            "PATH": f"{bin_folder}:{variables['PATH']}",
            "PYTHONPATH": str(self.folder),
            "OMP_NUM_THREADS": "1",
            "MPLBACKEND": "agg",
            "NO_COLOR": "1",
        }
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command],
            cwd=self.folder,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert done.returncode == 0, f"{command}\nended with {done.returncode}:\n{done.stdout[-4000:]}"
        return done.stdout

    def write(self, path: str, text: str) -> None:
        """Write a file below the checkout."""
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


def _copy_code(folder: Path) -> None:
    # __pycache__ comes along: it holds what numba compiled
    ignored = shutil.ignore_patterns("*.egg-info", ".pytest_cache")
    for name in CODE:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=ignored)
        elif source.is_file():
            shutil.copy2(source, folder / name)
    study = SMALLEST.read_text(encoding="utf-8").replace("results/smallest", "results/demo")
    (folder / "config" / "config.yaml").write_text(study, encoding="utf-8")
    (folder / "my_study.yaml").write_text(f"{study}\n".replace(SYNTHETIC, OWN).replace("results/demo", "results/mine"))


def _write_stand_ins(folder: Path) -> None:
    """Write a few small files under the names of the large ones that studies of the pages read."""
    for place in ("data/so2sat_lcz42", "FOLDER_OF_SO2SAT"):
        (folder / place).mkdir(parents=True)
        for name in ("training", "validation", "testing"):
            with h5py.File(folder / place / f"{name}.h5", "w") as file:
                file["sen1"], file["sen2"] = np.zeros((17, 32, 32, 8)), np.zeros((17, 32, 32, 10))
                file["label"] = np.eye(17)
    for place in ("data/EuroSAT_RGB", "PATH/TO/EuroSAT_RGB"):
        for label in range(10):
            (folder / place / str(label)).mkdir(parents=True)
            for number in range(20):
                Image.fromarray(np.full((64, 64, 3), label, np.uint8)).save(
                    folder / place / str(label) / f"{number}.jpg"
                )
    (folder / "data" / "nasbench_only108.tfrecord").touch()
    (folder / "PATH" / "TO" / "nasbench_only108.tfrecord").touch()
    accuracies = folder / "data" / "nas-bench-101" / "cifar10_test_accuracy_108.parquet"
    accuracies.parent.mkdir()
    pd.DataFrame({"test_accuracy": [0.9, 0.8], "flops": [2e9, 1e9]}).to_parquet(accuracies)
    images, labels = np.zeros((200, 32, 32, 4), np.uint8), np.arange(200) % 5
    np.savez(folder / "my_images.npz", x=images, y=labels, names=list("abcde"))


@pytest.fixture(scope="session")
def finished_checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout in which `snakemake` has run; tests copy it. One process of the test run makes it."""

    def make(folder: Path) -> None:
        _copy_code(folder)
        _write_stand_ins(folder)
        Checkout(folder).run("snakemake", timeout=900)
        Checkout(folder).run("snakemake -n --configfile config/paper.yaml")  # makes its list of architectures, once

    return made_once(tmp_path_factory, "checkout", make).folder


@pytest.fixture
def checkout(finished_checkout: Path, tmp_path: Path) -> Checkout:
    """A copy of the finished checkout, to be changed."""
    folder = tmp_path / "terranas"
    shutil.copytree(finished_checkout, folder, symlinks=True)  # keeps the files' times, which snakemake looks at
    return Checkout(folder)
