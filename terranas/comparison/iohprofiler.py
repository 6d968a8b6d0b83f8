"""Hypervolume over evaluations as files of IOHprofiler (Doerr et al., arXiv 1810.05281, 2018).

IOHanalyzer and iohinspector read them: of every algorithm (arm) a folder with a JSON file that names the algorithm, the
problem and what became of each run, and a ``.dat`` file with one block of rows a run. A block starts with the names of
the columns; it has a row for the first evaluation, for each one that improved the value, and for the last.

The format fixes the number of evaluations as the counter, starting at 1 in every run (iohinspector tells runs apart by
that). What was charged besides, the surrogate's training sample, stands in a column of its own.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from terranas.search.arms import ARM_NAMES

VERSION = "1.0.0"
"""Of the format; from here on IOHanalyzer takes the columns from the JSON file."""

ATTRIBUTES = ("evaluations", "raw_y", "charged")
"""Columns of the data files; ``raw_y`` is the hypervolume so far."""

FUNCTION = 1
"""Number of the problem; a study has one."""


def iohprofiler_files(anytime: pd.DataFrame, *, dimension: int, facts: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield names (relative, with slashes) and contents of the files that describe all searches.

    Args:
        anytime: schema ``comparison.anytime``, of one set of images.
        dimension: length of an architecture's encoding, which the format asks for; 1 to 65,535.
        facts: further texts to name the experiment by, such as the objectives and the reference.

    Raises:
        ValueError: the dimension is out of range, or a search does not start with its first evaluation.
    """
    if not 1 <= dimension <= 65_535:
        raise ValueError(f"the dimension must be 1 to 65,535, got {dimension}")
    for arm, rows in anytime.groupby("arm", sort=True):
        problem = _plain(str(rows["dataset"].iloc[0]))
        folder = f"data_f{FUNCTION}_{problem}"
        data_file = f"{folder}/IOHprofiler_f{FUNCTION}_DIM{dimension}.dat"
        runs = [run.sort_values("evaluation") for _, run in rows.groupby("seed", sort=True)]
        if any(run["evaluation"].iloc[0] != 1 for run in runs):
            raise ValueError(
                f"a search of the arm {arm} does not start with evaluation 1, by which runs are told apart"
            )
        description = {
            "version": VERSION,
            "suite": "terranas",
            "function_id": FUNCTION,
            "function_name": problem,
            "maximization": True,
            "algorithm": {"name": str(arm), "info": ARM_NAMES[str(arm)]},
            "experiment_attributes": [{name: value} for name, value in facts.items()],
            "attributes": list(ATTRIBUTES),
            "scenarios": [
                {"dimension": dimension, "path": data_file, "runs": [_run_facts(run) for run in runs]},
            ],
        }
        yield f"{arm}/IOHprofiler_f{FUNCTION}_{problem}.json", json.dumps(description, indent=1) + "\n"
        yield f"{arm}/{data_file}", "".join(map(_block, runs))


def _run_facts(run: pd.DataFrame) -> dict[str, Any]:
    best = run["hypervolume"].to_numpy()
    reached = int(best.argmax())  # the first of equal ones
    return {
        "instance": int(run["seed"].iloc[0]) + 1,
        "evals": int(run["evaluation"].iloc[-1]),
        # the format has room for the solution; a front is none
        "best": {"evals": int(run["evaluation"].iloc[reached]), "y": float(best[reached]), "x": []},
    }


def _block(run: pd.DataFrame) -> str:
    lines = [" ".join(ATTRIBUTES)]
    columns = (run[name].tolist() for name in ("evaluation", "hypervolume", "charged"))
    # the shortest text that reads back to the same number
    lines += [f"{evaluation} {volume!r} {charged}" for evaluation, volume, charged in zip(*columns, strict=True)]
    return "\n".join(lines) + "\n"


def _plain(name: str) -> str:
    """Return a name of letters, digits, dots, hyphens and underscores, which every file system takes."""
    return re.sub(r"[^A-Za-z0-9.-]+", "_", name).strip("_.") or "problem"
