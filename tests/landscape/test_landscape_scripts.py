"""The scripts of the stage one after the other, on a made-up study over all cells of at most 4 vertices."""

import json
import math
import re
import runpy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from terranas.benchmark.schema import BENCHMARK, METRICS
from terranas.benchmark.tabular import TabularBenchmark
from terranas.core.errors import DataError, TableError
from terranas.core.tables import read_table, write_table
from terranas.data.schema import CLASS_COUNTS
from terranas.landscape import graph_schema, schema
from terranas.landscape.conclusions import comparisons_of_tables
from terranas.landscape.feature_effects import strongest_effects
from terranas.landscape.footprint import optima_of_measures
from terranas.landscape.known import known_metrics, values_of_cells
from terranas.landscape.page import read_figures
from terranas.landscape.pairs import pairs_of_tables, spread_fidelities
from terranas.sampling.schema import WALKS
from terranas.space.complexity import NetworkShape
from terranas.space.neighbours import build_neighbours, summarise, write_graph
from terranas.space.schema import CELLS
from terranas.space.table import cells_table
from terranas.training.schema import CLASS_ACCURACIES

SCRIPTS = Path(__file__).resolve().parents[2] / "workflow_scripts" / "landscape"
SHAPE = NetworkShape(bands=2, classes=3, image_size=8, stem_channels=4, stacks=2, cells_per_stack=1)
NETWORK = {name: getattr(SHAPE, name) for name in ("stem_channels", "stacks", "cells_per_stack")}
IMAGE = {name: getattr(SHAPE, name) for name in ("bands", "classes", "image_size")}
ACCURACIES = ["validation_macro_accuracy", "validation_micro_accuracy"]
DRAWN = {"seed": 3, "resamples": 99}
COMPARED = ("footprint", "autocorrelation", "objectives", "correlations", "conclusions")


class Files(dict[str, Any]):
    """Named files, as Snakemake hands them to a script."""

    def __getattr__(self, name: str) -> Any:
        return self[name]


def benchmark_table(cells: pd.DataFrame, dataset: str, seed: int, fidelities: tuple[int, ...] = (1, 4)) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    parts = []
    for epochs in fidelities:
        table = pd.DataFrame({"hash": cells["hash"], "id": None, "epochs": epochs, "repeat": 0})
        table = table.assign(outcome="ok", dataset=dataset, source="terranas", device="Test CPU")
        for column in METRICS:
            table[column.name] = rng.uniform(0.2, 0.6, len(table))
        table[["macs", "parameters"]] = cells[["macs", "parameters"]].to_numpy()
        table[["model_bytes", "checkpoint_bytes", "activations"]] = 1e4
        parts.append(table)
    return BENCHMARK.validate(pd.concat(parts))


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """Return the files that earlier stages would leave."""
    folder = tmp_path_factory.mktemp("study")
    cells = cells_table(4, 9, SHAPE)
    graph = build_neighbours(cells, "edit_symmetric")
    files = Files(
        {name: folder / f"{name}.parquet" for name in ("cells", "table", "other", "walks", "class_counts", "classes")}
    )
    write_table(cells, files.cells, CELLS)
    files |= {"indptr": folder / "indptr.npy", "indices": folder / "indices.npy", "graph": folder / "graph.json"}
    write_graph(graph, summarise(graph, cells, "edit_symmetric"), files.indptr, files.indices, files.graph)
    write_table(benchmark_table(cells, "first images", 1), files.table, BENCHMARK)
    write_table(benchmark_table(cells.head(80), "other images", 2, (4,)), files.other, BENCHMARK)
    visits = [
        {"walk": walk, "step": step, "redraws": 0, "hash": cells["hash"][7 * walk + step], "id": None}
        for walk in range(8)
        for step in range(7)
    ]
    write_table(WALKS.from_rows(visits), files.walks, WALKS)
    splits = ("train", "validation", "test")
    names = [(split, index) for split in splits for index in range(3)]
    counts = [
        {
            "source": "synthetic",
            "split": split,
            "class_index": index,
            "class_name": f"class {index}",
            "count": 9 - index,
        }
        for split, index in names
    ]
    write_table(CLASS_COUNTS.from_rows(counts), files.class_counts, CLASS_COUNTS)
    rng = np.random.default_rng(5)
    classes = [
        {
            "hash": name,
            "source": "last",
            "epoch": 4,
            "split": split,
            "class_index": index,
            "images": 9,
            "correct": int(rng.integers(9)),
        }
        for name in cells["hash"].head(12)
        for split, index in names
    ]
    write_table(CLASS_ACCURACIES.from_rows(classes), files.classes, CLASS_ACCURACIES)
    return files


def run(script: str, inputs: Files, output: Files, *, wildcards: dict[str, str] | None = None, **params: Any) -> None:
    runpy.run_path(
        str(SCRIPTS / f"{script}.py"),
        init_globals={
            "snakemake": SimpleNamespace(
                input=inputs,
                output=Files({name: str(path) for name, path in output.items()}),
                params=Files(params),
                wildcards=SimpleNamespace(**(wildcards or {})),
                log=[],
            )
        },
    )


def figure_files(folder: Path, group: str, *names: str) -> Files:
    folder.mkdir(parents=True, exist_ok=True)
    kinds = ("png", "pdf", "svg", "csv")
    files = {f"{name}_{kind}": folder / f"{name}.{kind}" for name in names for kind in kinds}
    return Files(files | {"words": folder / f"{group}_words.json"})


def analyse(study: Files, folder: Path, table: Path) -> Files:
    """Run the scripts of one benchmark; return its tables."""
    made = Files(accuracies=folder / "accuracy_summary.csv")
    for name in ("distributions", "ruggedness", "rugged", "footprint", "features", "effects"):
        made[name] = folder / f"{name}.parquet"
    for name in ("optima", "components", "autocorrelation", "network", "nodes", "edges", "objectives", "pareto_optima"):
        made[name] = folder / "graph" / f"{name}.parquet"
    for name in ("hypervolume", "measures"):
        made[name] = folder / "graph" / f"{name}.parquet"
    (folder / "graph").mkdir(parents=True)
    source = Files(study | {"table": table})
    summary = Files(summary=made.accuracies, distributions=made.distributions)
    run("summary", source, summary, metrics=[*ACCURACIES, "macs"])
    run("ruggedness", source, Files(ruggedness=made.ruggedness, summary=made.rugged), metrics=ACCURACIES, **DRAWN)
    settings = {"walks": 20, "steps": 8, "tolerance": 0.0, "resamples": 99}
    costs = ["macs", "parameters", "validation_ssim"]  # the table does not have the last
    run("graph", source, made, metrics=[ACCURACIES[1], *costs], settings=settings, seed=3)
    related = pd.read_parquet(made.objectives)
    assert set(related["first"]) | set(related["second"]) == {ACCURACIES[1], "macs", "parameters"}
    given = Files(table=table, ruggedness=made.rugged, measures=made.measures)
    run("footprint", given, Files(footprint=made.footprint), fitness=ACCURACIES[1], **DRAWN)
    features = Files(correlations=made.features, effects=made.effects)
    run("features", source, features, metrics=ACCURACIES, network=NETWORK, image=IMAGE, **DRAWN)

    accuracy = figure_files(folder, "accuracy", "accuracy_distribution", "cost_distribution", "latency")
    run("accuracy_figures", source, accuracy, axis="macs")
    walks = Files(source | {"ruggedness": made.ruggedness, "summary": made.rugged})
    run("walk_figures", walks, figure_files(folder, "walk", "ruggedness", "single_walks"), metrics=ACCURACIES)
    basins = figure_files(folder / "graph", "graph", "basins", "local_optima_network")
    run("graph_figures", made, basins, wildcards={"neighbourhood": "graph"})
    effects = figure_files(folder, "feature", "feature_correlations", "feature_effects")
    run("feature_figures", Files(correlations=made.features, effects=made.effects), effects)
    return made


def test_the_scripts_make_all_tables_figures_and_the_page(study: Files, tmp_path: Path) -> None:
    tables = {"study": study.table, "nasbench101": study.other}
    made = {name: analyse(study, tmp_path / name, table) for name, table in tables.items()}
    across = Files({name: tmp_path / f"{name}.parquet" for name in ("correlations", "conclusions")})
    inputs = Files(tables=list(tables.values()), walks=[study.walks, study.walks])
    run("correlations", inputs, across, metrics=ACCURACIES, costs=["macs"], **DRAWN)
    run("conclusions", inputs, across, metrics=ACCURACIES, **DRAWN)
    unbalanced = Files(
        {
            name: tmp_path / f"{name}.parquet"
            for name in ("class_balance", "class_accuracy", "accuracy_gaps", "imbalance_correlations")
        }
    )
    run("imbalance", Files(study | {"classes": [study.classes]}), unbalanced, dataset="first images", **DRAWN)
    classes = Files(study | unbalanced | {"correlations": unbalanced.imbalance_correlations})
    imbalance = figure_files(tmp_path, "imbalance", "class_distribution", "class_accuracy", "accuracy_gap")
    run("imbalance_figures", classes, imbalance, dataset="first images")
    together = Files(
        across
        | {
            "footprints": [files.footprint for files in made.values()],
            "autocorrelations": [files.autocorrelation for files in made.values()],
            "measures": [files.measures for files in made.values()],
        }
    )
    comparison = figure_files(tmp_path, "comparison", *COMPARED)
    run("comparison_figures", together, comparison, neighbourhoods=["graph", "graph"])

    measures = read_table(made["study"].measures, graph_schema.GRAPH_MEASURES).set_index("measure")["value"]
    assert (measures["cells"], measures["unknown"]) == (91, 0)
    assert (
        read_table(made["nasbench101"].measures, graph_schema.GRAPH_MEASURES)["value"][1] == 11
    )  # of 91 cells 80 known
    footprint = read_table(made["study"].footprint, schema.FOOTPRINT).set_index("measure")
    assert footprint.loc["optima_exact", ["value", "method"]].tolist() == [measures["optima"], "exact count"]
    assert footprint.loc["optima", ["value", "method"]].tolist() == [measures["birthday_optima"], "birthday estimate"]
    other = read_table(made["nasbench101"].footprint, schema.FOOTPRINT).set_index("measure")
    assert other.loc["optima_exact", "reason"] == "not all cells are known"
    conclusions = read_table(across.conclusions, schema.CONCLUSIONS)
    assert {"walk", "architecture"} == set(conclusions["unit"])
    assert (conclusions["conclusion"] == "the landscape is more rugged than the other one").sum() == 4

    groups = {"comparison": comparison.words}
    for name in tables:
        groups |= {f"{name} {part}": tmp_path / name / f"{part}_words.json" for part in ("accuracy", "walk", "feature")}
        groups[f"{name} graph graph"] = tmp_path / name / "graph" / "graph_words.json"
    groups["imbalance"] = imbalance.words
    shown = {"comparison": {name: str(path) for name, path in across.items()}}
    for name, files in made.items():
        paths = {"accuracies": files.accuracies, "footprint": files.footprint, "ruggedness": files.rugged}
        shown[name] = {key: str(path) for key, path in paths.items()}
        shown[name] |= {f"{table} graph": str(files[table]) for table in ("measures", "objectives")}
    page = tmp_path / "index.html"
    words = Files(words=list(groups.values()))
    run("page", words, Files(page=page), groups=list(groups), tables=shown, title="A <b>study")
    text = page.read_text()
    assert "A &lt;b&gt;study" in text
    assert text.count("<img") == sum(len(json.loads(Path(path).read_text())) for path in groups.values())
    assert "first images" in text
    assert "other images" in text
    shown_text = re.sub(r'"data:image/png;base64,[^"]*"', "", text)
    assert not re.search(r"\b(nan|inf|None)\b", shown_text)
    assert text.count("Imbalance of the classes") > 0
    first = page.read_bytes()
    run("page", words, Files(page=page), groups=list(groups), tables=shown, title="A <b>study")
    assert page.read_bytes() == first
    # published tables alone have no classes
    del groups["imbalance"], shown["study"]
    words = Files(words=list(groups.values()))
    run("page", words, Files(page=page), groups=list(groups), tables=shown, title="A study")
    assert "Imbalance of the classes" not in page.read_text()


def test_cells_without_neighbours_are_analysed_as_far_as_that_goes(study: Files, tmp_path: Path) -> None:
    cells = read_table(study.cells, CELLS)
    graph = build_neighbours(cells, "edit_symmetric")
    apart = [0, next(row for row in range(1, len(cells)) if row not in graph.neighbours(0))]
    write_table(benchmark_table(cells.iloc[apart], "few images", 1), tmp_path / "table.parquet", BENCHMARK)
    made = analyse(study, tmp_path / "made", tmp_path / "table.parquet")
    measures = read_table(made.measures, graph_schema.GRAPH_MEASURES).set_index("measure")["value"]
    assert (measures["cells"], measures["isolated"], measures["optima"]) == (2, 2, 0)
    assert measures[["autocorrelation", "walk_autocorrelation", "birthday_optima"]].isna().all()
    assert read_table(made.autocorrelation, graph_schema.AUTOCORRELATION).empty
    texts = json.loads((tmp_path / "made" / "graph" / "graph_words.json").read_text())
    assert set(texts) == {"basins", "local_optima_network"}
    across = Files({name: tmp_path / f"{name}.parquet" for name in ("correlations", "conclusions")})
    inputs = Files(tables=[tmp_path / "table.parquet"], walks=[study.walks])
    run("correlations", inputs, across, metrics=ACCURACIES, costs=["macs"], **DRAWN)
    run("conclusions", inputs, across, metrics=ACCURACIES, **DRAWN)
    one = {"footprints": [made.footprint], "autocorrelations": [made.autocorrelation], "measures": [made.measures]}
    comparison = figure_files(tmp_path, "comparison", *COMPARED)
    run("comparison_figures", Files(across | one), comparison, neighbourhoods=["graph"])
    assert "No landscape has one" in json.loads(comparison.words.read_text())["autocorrelation"]["alt"]


def test_metrics_without_values_are_left_out(study: Files) -> None:
    table = read_table(study.table, BENCHMARK)
    table["validation_macro_accuracy"] = math.nan
    benchmark = TabularBenchmark(table)
    assert known_metrics(benchmark, ACCURACIES) == ACCURACIES[1:]
    with pytest.raises(TableError, match="has no value of validation_macro_accuracy"):
        known_metrics(benchmark, ACCURACIES[:1])


def test_values_stand_where_their_cells_do(study: Files) -> None:
    benchmark = TabularBenchmark.open(study.other)
    hashes = read_table(study.cells, CELLS)["hash"].sample(frac=1, random_state=0)
    values = values_of_cells(benchmark, ["macs"], hashes)[:, 0]
    known = {name: benchmark.values(["macs"], [name])[0, 0] for name in benchmark.architectures}
    np.testing.assert_array_equal(values, [known.get(name, np.nan) for name in hashes])
    with pytest.raises(TableError, match="none of the 1 cells of the search space"):
        values_of_cells(benchmark, ["macs"], pd.Series(["f" * 32]))


def test_fidelities_are_spread() -> None:
    assert spread_fidelities([4, 12, 36, 108]) == [4, 12, 36, 108]
    chosen = spread_fidelities(list(range(1, 109)))
    assert (chosen[0], chosen[-1], len(chosen)) == (1, 108, 5)
    assert spread_fidelities(list(range(1, 8)), most=5)[-1] == 7


def test_pairs_of_tables_without_a_common_architecture(study: Files) -> None:
    cells = read_table(study.cells, CELLS)
    one = TabularBenchmark(benchmark_table(cells.head(40), "first images", 1, (4,)))
    other = TabularBenchmark(benchmark_table(cells.tail(40), "other images", 2, (4,)))
    pairs = pairs_of_tables([one, other], ACCURACIES, ["macs"])
    assert [(a.dataset, b.dataset) for a, b in pairs] == [("first images",) * 2] * 3 + [("other images",) * 2] * 3
    walks = read_table(study.walks, WALKS)
    found = comparisons_of_tables([one, other], [walks, walks], ACCURACIES, seed=0, resamples=99)
    assert {comparison.conclusion for comparison in found} == {
        "class imbalance makes micro accuracy exceed macro accuracy"
    }


def test_a_footprint_takes_an_estimate_where_cells_are_unknown() -> None:
    rows = [
        {"measure": name, "value": value, "low": low, "high": low, "cells": 9, "left_out": 0, "meaning": "-"}
        for name, value, low in (("unknown", 1, math.nan), ("optima", 3, math.nan), ("birthday_optima", 5, 4.0))
    ]
    measures = graph_schema.GRAPH_MEASURES.from_rows(rows)
    guess, exact = optima_of_measures(measures)
    assert (guess.value, guess.interval.low, guess.n, exact) == (5, 4, 9, None)
    measures.loc[0, "value"] = 0
    guess, exact = optima_of_measures(measures)
    assert exact is not None
    assert (guess.value, exact.value, exact.method) == (5, 3, "exact count")


def test_too_few_cells_have_no_effects(study: Files) -> None:
    cells = read_table(study.cells, CELLS).head(5)
    benchmark = TabularBenchmark(benchmark_table(cells, "first images", 1, (4,)))
    features = pd.DataFrame({"width": np.arange(5.0)}, index=cells["hash"])
    correlations = schema.FEATURE_CORRELATIONS.empty()
    assert strongest_effects(benchmark, ACCURACIES[1], features, correlations, seed=0).empty


def test_damaged_texts_are_told(tmp_path: Path) -> None:
    path = tmp_path / "a_words.json"
    path.write_text(json.dumps({"figure": {"alt": "only"}}))
    with pytest.raises(DataError, match="does not say what is seen in figures"):
        read_figures(path)
