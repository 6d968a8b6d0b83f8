"""Files of IOHprofiler, read back by a strict reader of the format."""

import json
from pathlib import PurePosixPath

import pandas as pd
import pytest

from terranas.comparison.iohprofiler import iohprofiler_files
from terranas.comparison.schema import ANYTIME


def anytime() -> pd.DataFrame:
    rows = [
        ("random", 0, 1, 0.1),
        ("random", 0, 7, 0.30000000000000004),
        ("random", 0, 20, 0.30000000000000004),
        ("random", 3, 1, 0.0),
        ("random", 3, 15, 0.0),
        ("surrogate", 0, 1, 1e-7),
    ]
    table = pd.DataFrame(rows, columns=["arm", "seed", "evaluation", "hypervolume"]).assign(dataset="So2Sat / LCZ42")
    return ANYTIME.validate(table.assign(charged=table["evaluation"] + 2000 * (table["arm"] == "surrogate")))


def files() -> dict[str, str]:
    return dict(iohprofiler_files(anytime(), dimension=289, facts={"objectives": "accuracy, MACs"}))


def read_runs(text: str, attributes: list[str]) -> list[list[dict[str, float]]]:
    """Return the blocks of a data file; every block repeats the header, counters ascend from 1 within it."""
    assert text.endswith("\n")
    runs: list[list[dict[str, float]]] = []
    for line in text.splitlines():
        words = line.split(" ")
        assert len(words) == len(attributes)
        if words == attributes:
            runs.append([])
            continue
        row = dict(zip(attributes, map(float, words), strict=True))
        assert (row["evaluations"] == 1) == (not runs[-1])
        assert not runs[-1] or row["evaluations"] > runs[-1][-1]["evaluations"]
        runs[-1].append(row)
    return runs


def read_experiments() -> dict[str, list[tuple[dict[str, object], list[dict[str, float]]]]]:
    """Return of each algorithm the facts and the rows of its runs."""
    found = {}
    written = files()
    for name, text in written.items():
        if not name.endswith(".json"):
            continue
        meta = json.loads(text)
        required = {"version", "suite", "function_id", "function_name", "maximization", "algorithm", "attributes"}
        assert required | {"scenarios"} <= set(meta)
        assert meta["version"] >= "1.0.0"
        assert meta["maximization"] is True
        assert PurePosixPath(name).name == f"IOHprofiler_f{meta['function_id']}_{meta['function_name']}.json"
        (scenario,) = meta["scenarios"]
        data_file = str(PurePosixPath(name).parent / scenario["path"])
        assert data_file.endswith(f"_DIM{scenario['dimension']}.dat")
        runs = read_runs(written[data_file], meta["attributes"])
        found[meta["algorithm"]["name"]] = list(zip(scenario["runs"], runs, strict=True))
    return found


def test_every_number_comes_back() -> None:
    experiments = read_experiments()
    rows = [
        (arm, facts["instance"] - 1, int(row["evaluations"]), row["raw_y"], int(row["charged"]))
        for arm, runs in experiments.items()
        for facts, run in runs
        for row in run
    ]
    expected = anytime()[["arm", "seed", "evaluation", "hypervolume", "charged"]]
    assert rows == list(expected.itertuples(index=False, name=None))


def test_meta_data_agree_with_the_rows() -> None:
    for runs in read_experiments().values():
        for facts, run in runs:
            assert facts["evals"] == run[-1]["evaluations"]
            best = max(row["raw_y"] for row in run)
            assert facts["best"]["y"] == best
            assert facts["best"]["evals"] == next(row["evaluations"] for row in run if row["raw_y"] == best)
            assert set(facts["best"]) == {"evals", "y", "x"}


def test_names_suit_every_file_system() -> None:
    assert sorted(files()) == [
        "random/IOHprofiler_f1_So2Sat_LCZ42.json",
        "random/data_f1_So2Sat_LCZ42/IOHprofiler_f1_DIM289.dat",
        "surrogate/IOHprofiler_f1_So2Sat_LCZ42.json",
        "surrogate/data_f1_So2Sat_LCZ42/IOHprofiler_f1_DIM289.dat",
    ]
    meta = json.loads(files()["surrogate/IOHprofiler_f1_So2Sat_LCZ42.json"])
    assert meta["algorithm"] == {"name": "surrogate", "info": "surrogate starts"}
    assert meta["experiment_attributes"] == [{"objectives": "accuracy, MACs"}]


def test_rows_in_any_order_give_the_same_files() -> None:
    shuffled = anytime().sample(frac=1, random_state=0)
    assert dict(iohprofiler_files(shuffled, dimension=289, facts={"objectives": "accuracy, MACs"})) == files()


@pytest.mark.parametrize("dimension", [0, 65_536])
def test_dimension_must_fit(dimension: int) -> None:
    with pytest.raises(ValueError, match="must be 1 to 65,535"):
        list(iohprofiler_files(anytime(), dimension=dimension, facts={}))


def test_runs_must_start_at_one() -> None:
    late = anytime().query("evaluation > 1 or arm == 'surrogate'")
    with pytest.raises(ValueError, match="arm random does not start with evaluation 1"):
        list(iohprofiler_files(late, dimension=3, facts={}))
