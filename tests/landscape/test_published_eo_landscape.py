"""The landscape of the published EO benchmark, beside figures worked out of its raw files in other ways."""

import io
import json
import math
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.tsa.stattools import acf

from terranas.benchmark.eo_hwnas import FILES, import_eo_hwnas
from terranas.benchmark.eo_hwnas_files import PublishedFile
from terranas.benchmark.space_index import SpaceIndex
from terranas.benchmark.tabular import TabularBenchmark
from terranas.landscape.accuracy import summarise_accuracy
from terranas.landscape.conclusions import imbalance_comparisons, judge
from terranas.landscape.correlation import correlate
from terranas.landscape.footprint import footprint
from terranas.landscape.pairs import metric_pairs
from terranas.landscape.ruggedness import analyse_walks, summarise_ruggedness
from terranas.space.cell import Cell

NAMES = {
    "walks": "path_logs.json",
    "tests": "test_results_sampled_all_paths.json",
    "macro": "database_pickle_macro.pickle",
    "micro": "database_pickle_micro.pickle",
    "latency": "database_pickle_latency.pickle",
    "macs": "database_pickle_MACs.pickle",
}
MACRO, MICRO = "validation_macro_accuracy", "validation_micro_accuracy"


class NumbersOnly(pickle.Unpickler):
    """Loads numpy's numbers and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in (("numpy._core.multiarray", "scalar"), ("numpy.core.multiarray", "scalar")):
            return np._core.multiarray.scalar
        if (module, name) == ("numpy", "dtype"):
            return np.dtype
        raise pickle.UnpicklingError(f"{module}.{name}")


@pytest.fixture(scope="module")
def folder(shared_data: Path) -> Path:
    found = shared_data / "eo-hwnas"
    if not found.is_dir():
        pytest.skip("the published EO benchmark is not among the data measured by others")
    return found


@pytest.fixture(scope="module")
def raw(folder: Path) -> pd.DataFrame:
    """Return the last accuracies of each visit, read in this file's own way; NaN for cells of other walks."""
    walks = json.loads((folder / NAMES["walks"]).read_text())
    tests = json.loads((folder / NAMES["tests"]).read_text())
    trained = {kind: NumbersOnly(io.BytesIO((folder / NAMES[kind]).read_bytes())).load() for kind in ("macro", "micro")}
    rows = []
    for walk, visits in enumerate(walks):
        for step, visit in enumerate(visits):
            row = {"walk": walk, "step": step, "hash": visit["unique_hash"]}
            for kind, entries in trained.items():
                (run,) = entries[visit["unique_hash"]][1][108]
                row[f"validation_{kind}_accuracy"] = float(run["final_validation_accuracy"])
                row[f"test_{kind}_accuracy"] = tests[f"arch_{visit['id']}"]["accuracy"][kind]
            rows.append(row)
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def published(folder: Path) -> tuple[TabularBenchmark, pd.DataFrame]:
    files = {name: (folder / NAMES[name]).read_bytes() for name in FILES}
    visits = {visit["unique_hash"]: visit for walk in json.loads(files["walks"]) for visit in walk}
    names = sorted(visits)
    cells = [
        Cell(np.array(visits[name]["module_adjacency"], dtype=np.uint8), visits[name]["module_operations"])
        for name in names
    ]
    space = pd.DataFrame(
        {
            "id": pd.array([visits[name]["id"] for name in names], dtype="Int64"),
            "hash": names,
            "num_vertices": [cell.num_vertices for cell in cells],
            "adjacency": [cell.adjacency_string for cell in cells],
            "operations": [cell.operations_string for cell in cells],
        }
    )
    opened = {name: PublishedFile(io.BytesIO(content), NAMES[name]) for name, content in files.items()}
    imported, walks = import_eo_hwnas(opened, SpaceIndex(space))
    return TabularBenchmark(imported.table), walks


def test_table_of_mean_accuracies(published: tuple[TabularBenchmark, pd.DataFrame], raw: pd.DataFrame) -> None:
    summary = summarise_accuracy(published[0]).set_index(["split", "metric"])
    for split in ("validation", "test"):
        for kind in ("macro", "micro"):
            values = raw[f"{split}_{kind}_accuracy"].tolist()
            row = summary.loc[(split, f"{kind}_accuracy")]
            assert row["n"] == len(values) == 225
            assert row["mean"] == pytest.approx(math.fsum(values) / 225)
            assert row["median"] == pytest.approx(sorted(values)[112])
    # published for all 30 walks: 41.13 % and 58.67 %; these are 15 of them
    assert summary.loc[("validation", "macro_accuracy"), "mean"] == pytest.approx(0.4113, abs=0.005)
    assert summary.loc[("validation", "micro_accuracy"), "mean"] == pytest.approx(0.5867, abs=0.002)


def test_ruggedness_of_the_walks(published: tuple[TabularBenchmark, pd.DataFrame], raw: pd.DataFrame) -> None:
    benchmark, walks = published
    table = analyse_walks(walks, benchmark, [MACRO, MICRO], seed=1)
    summary = summarise_ruggedness(table, seed=1).set_index(["metric", "variant"])
    for metric in (MACRO, MICRO):
        series = [part.sort_values("step")[metric].to_numpy() for _, part in raw.groupby("walk")]
        expected = np.array([acf(visits, nlags=1)[1] for visits in series])
        doubled = np.array([acf(np.append(visits[0], visits), nlags=1)[1] for visits in series])
        rows = table[table["metric"] == metric].sort_values("walk")
        np.testing.assert_allclose(rows["ruggedness"], 1 / expected)
        np.testing.assert_allclose(rows["ruggedness_published"], 1 / doubled)
        np.testing.assert_allclose(rows["correlation_length"], -1 / np.log(np.abs(expected)))
        for variant, correlations in (("defined", expected), ("published", doubled)):
            share = np.mean((1 / correlations >= 0) & (1 / correlations <= 5))
            assert summary.loc[(metric, variant), "share_0_to_5"] == pytest.approx(share)
            assert summary.loc[(metric, variant), "autocorrelation"] == pytest.approx(correlations.mean())
    # 15 visits say little: most intervals of a single walk hold 0
    assert (table["reason"] != "").mean() > 0.5
    assert not np.isinf(table.select_dtypes("number")).any(axis=None)
    # published for all 30 walks: .50 and .33
    assert summary.loc[(MACRO, "published"), "share_0_to_5"] == pytest.approx(0.5, abs=0.15)
    assert summary.loc[(MICRO, "published"), "share_0_to_5"] == pytest.approx(0.33, abs=0.15)


def test_macro_and_micro_accuracy_differ(published: tuple[TabularBenchmark, pd.DataFrame], raw: pd.DataFrame) -> None:
    table = judge(imbalance_comparisons(*published), seed=1)
    verdicts = table.groupby("unit")["verdict"].agg(set).to_dict()
    assert verdicts == {"architecture": {"described"}, "walk": {"supported"}}
    row = table[table["first"].str.contains(MICRO) & (table["unit"] == "walk")].iloc[0]
    gaps = raw.groupby("walk")[[MICRO, MACRO]].mean()
    assert row["p"] == pytest.approx(stats.wilcoxon(gaps[MICRO], gaps[MACRO]).pvalue)
    assert row["median_difference"] == pytest.approx((gaps[MICRO] - gaps[MACRO]).median())


def test_correlations_and_footprint(published: tuple[TabularBenchmark, pd.DataFrame], raw: pd.DataFrame) -> None:
    benchmark, _ = published
    pairs = metric_pairs(benchmark, ["test_macro_accuracy", "test_micro_accuracy"])
    table = correlate(pairs, seed=1).set_index("coefficient")
    values = raw["test_macro_accuracy"], raw["test_micro_accuracy"]
    assert table.loc["spearman", "statistic"] == pytest.approx(stats.spearmanr(*values).statistic)
    assert table.loc["kendall", "statistic"] == pytest.approx(stats.kendalltau(*values).statistic)
    found = footprint(benchmark, MACRO, seed=1, resamples=49).set_index("measure")
    assert found.loc["fitness_std", "value"] == pytest.approx(raw[MACRO].std())
    assert found.loc["positive_persistence", "reason"] == "one fidelity only: 108 epochs"
