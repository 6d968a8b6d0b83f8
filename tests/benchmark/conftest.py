"""Running the scripts that import published tables as Snakemake runs them."""

import runpy
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "workflow_scripts" / "benchmark"


@pytest.fixture
def run_import(tmp_path: Path) -> Callable[..., None]:
    """Return a function that runs a script on the given input and output files."""

    def run(
        name: str, disagreement: str = "error", network: dict[str, int] | None = None, **files: dict[str, Path]
    ) -> None:
        parts = {part: SimpleNamespace(**paths) for part, paths in files.items()}
        params = SimpleNamespace(disagreement=disagreement, network=network)
        snakemake = SimpleNamespace(**parts, params=params, log=[str(tmp_path / f"{name}.log")])
        runpy.run_path(str(SCRIPTS / f"{name}.py"), init_globals={"snakemake": snakemake})

    return run
