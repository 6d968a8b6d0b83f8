"""Stand-in results of a small study: plausible tables that follow every schema the report reads."""

import io
import itertools
from dataclasses import replace
from functools import cache
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from terranas.benchmark.schema import BENCHMARK, METRICS
from terranas.benchmark.tabular import TabularBenchmark
from terranas.benchmark.validation import describe_table
from terranas.config.load import load_config
from terranas.core.figures import figure
from terranas.data.schema import CLASS_COUNTS, SPLITS
from terranas.landscape.schema import RUGGEDNESS
from terranas.report.content import StudyResults
from terranas.report.provenance import config_yaml
from terranas.sampling.schema import WALKS
from terranas.space.cell import OPERATIONS, Cell
from terranas.space.complexity import NetworkShape, macs, parameters
from terranas.space.neighbours import build_neighbours, summarise
from terranas.space.schema import CELLS
from terranas.surrogates.schema import PREDICTED_FRONTS, SCORES
from terranas.training.schema import EPOCHS
from terranas.training.status import Cost, TrainingStatus

from ..comparison.study_tables import OBJECTIVES, SEEDS, search_study
from ..training.statuses import scores, status


def study_results(
    *,
    title: str = "Default study",
    dataset: str = "synthetic So2Sat-layout images",
    source: str = "synthetic",
    class_names: list[str] | None = None,
    shift: float = 0.03,
    **tables: Any,
) -> StudyResults:
    """Return results of a study; ``shift`` is how much better the surrogate arm's hypervolume is on average."""
    rng = np.random.default_rng(7)
    settings: dict[str, Any] = {"report": {"title": title}, "data": {"name": dataset, "source": source}}
    if source != "synthetic":
        settings["data"]["path"] = "data/images.npz"
    config = load_config(settings).model_dump(mode="json")
    names = class_names or [f"class {letter}" for letter in "ABCDEFGHIJKLMNOPQ"]
    cells = cell_table()
    table = benchmark_table(cells, dataset, rng)
    given: dict[str, Any] = {
        "config": config,
        "config_text": config_yaml(config),
        "software": {
            "terranas": "0.1.0",
            "python": "CPython 3.11.7",
            "platform": "Linux x86_64",
            "packages": {"numpy": "2.4.6", "torch": None},
            "git": {"commit": "0123456789abcdef0123456789abcdef01234567", "dirty": False},
        },
        "manifest": manifest(source, names),
        "cells": cells,
        "graphs": [summarise(build_neighbours(cells, name), cells, name) for name in ("edit_symmetric", "hamming")],
        "walks": walk_table(cells, rng),
        "class_counts": class_count_table(names),
        "table": table,
        "validations": {"study": describe_table(table, BENCHMARK, len(cells), [])},
        "statuses": status_records(table),
        "epochs": epoch_table(cells["hash"].tolist()[:5], rng),
        "ruggedness": ruggedness_table(dataset, rng),
        "scores": score_table(dataset, rng),
        "predicted": predicted_table(cells, dataset, rng),
        "searched": TabularBenchmark(table),
        "searches": search_study(dataset, shift=shift),
    }
    return replace(StudyResults(**given), **tables)


def cell_table() -> pd.DataFrame:
    """Return all 91 cells of at most 4 vertices with their true complexity."""
    shape = NetworkShape(bands=10, classes=17, image_size=32, stem_channels=8, stacks=3, cells_per_stack=1)
    cells: dict[str, Cell] = {}
    for vertices in range(2, 5):
        pairs = list(itertools.combinations(range(vertices), 2))
        for edges in itertools.product((0, 1), repeat=len(pairs)):
            matrix = np.zeros((vertices, vertices), dtype=np.uint8)
            for (source, target), present in zip(pairs, edges, strict=True):
                matrix[source, target] = present
            if (matrix[:-1].sum(axis=1) == 0).any() or (matrix[:, 1:].sum(axis=0) == 0).any():
                continue
            for inner in itertools.product(OPERATIONS, repeat=vertices - 2):
                cell = Cell(matrix, ("input", *inner, "output"))
                cells.setdefault(cell.hash, cell)
    assert len(cells) == 91
    rows = [
        {
            "id": None,
            "hash": cell.hash,
            "num_vertices": cell.num_vertices,
            "num_edges": cell.num_edges,
            "adjacency": cell.adjacency_string,
            "operations": cell.operations_string,
            "depth": 1,
            "num_conv3x3": cell.operations.count(OPERATIONS[0]),
            "num_conv1x1": cell.operations.count(OPERATIONS[1]),
            "num_maxpool3x3": cell.operations.count(OPERATIONS[2]),
            "parameters": parameters(cell, shape),
            "macs": macs(cell, shape),
        }
        for cell in cells.values()
    ]
    return CELLS.from_rows(sorted(rows, key=lambda row: str(row["hash"])))


def benchmark_table(cells: pd.DataFrame, dataset: str, rng: np.random.Generator) -> pd.DataFrame:
    """Return a table with one training an architecture; heavier cells are somewhat more accurate."""
    weight = np.log(cells["macs"].to_numpy(dtype=np.float64))
    quality = (weight - weight.min()) / np.ptp(weight) * 0.25 + rng.normal(0.25, 0.05, len(cells))
    accuracies = {
        f"{split}_{kind}_accuracy": np.clip(quality + offset + rng.normal(0, 0.02, len(cells)), 0, 1)
        for split, offset in (("train", 0.1), ("validation", 0.0), ("test", -0.03))
        for kind in ("macro", "micro")
    }
    table = pd.DataFrame(
        {
            "hash": cells["hash"],
            "id": cells["id"],
            "epochs": 4,
            "repeat": 0,
            "outcome": "ok",
            "dataset": dataset,
            "source": "terranas",
            "device": "cpu",
            "train_loss": 2.0 - quality,
            "validation_loss": 2.2 - quality,
            **accuracies,
            "training_seconds": 2 + weight / 10,
            "parameters": cells["parameters"].astype("float64"),
            "macs": cells["macs"].astype("float64"),
            "activations": 16.0 * cells["parameters"],
            "latency_ms": 3 + cells["macs"] / 1e6 + rng.gamma(2, 0.2, len(cells)),
            "latency_std_ms": 0.1,
            "peak_memory_bytes": 5e7 + 8.0 * cells["macs"],
            "model_bytes": cells["parameters"] * 4.0,
            "checkpoint_bytes": cells["parameters"] * 4.0 + 2000,
        }
    )
    unknown = [column.name for column in METRICS if column.name not in table.columns]
    return BENCHMARK.validate(table.assign(**dict.fromkeys(unknown, np.nan)))


def failed(table: pd.DataFrame, outcomes: list[str]) -> pd.DataFrame:
    """Return the table with the first rows' trainings failed, one for each outcome."""
    sizes = ("parameters", "macs", "activations", "model_bytes", "checkpoint_bytes")
    trained = [column.name for column in METRICS if column.name not in sizes and not column.per_device]
    changed = table.copy()
    for row, outcome in enumerate(outcomes):
        changed.loc[row, "outcome"] = outcome
        changed.loc[row, trained] = np.nan
    return BENCHMARK.validate(changed)


def status_records(table: pd.DataFrame) -> list[TrainingStatus]:
    """Return the records of the trainings in a table, all of which gave a full result."""
    return [
        status(
            row["hash"],
            epochs=4,
            validation=scores(row["validation_micro_accuracy"], row["validation_macro_accuracy"]),
            test=scores(row["test_micro_accuracy"], row["test_macro_accuracy"]),
            used=Cost(seconds=row["training_seconds"], host_mb=1234.5, device_mb=0),
        )
        for row in table.to_dict("records")
    ]


def epoch_table(names: list[str], rng: np.random.Generator) -> pd.DataFrame:
    """Return accuracies that rise over four epochs."""
    other = {column.name: 1.0 for column in EPOCHS.columns if column.dtype == "float64"}
    rows = []
    for name, epoch in itertools.product(names, range(1, 5)):
        reached = {
            f"{split}_{kind}_accuracy": 0.1 * epoch + float(rng.uniform(0, 0.2))
            for split in ("train", "validation")
            for kind in ("macro", "micro")
        }
        rows.append({**other, **reached, "hash": name, "source": "synthetic", "epoch": epoch, "micro_batch": 8})
    return EPOCHS.from_rows(rows)


def failure(cell: str, outcome: Any, reason: str) -> TrainingStatus:
    """Return the record of a training that gave no full result."""
    return status(cell, outcome=outcome, reason=reason)


def manifest(source: str, class_names: list[str]) -> dict[str, Any]:
    sizes = {"train": 640, "validation": 320, "test": 320}
    return {
        "source": source,
        "bands": 10,
        "classes": len(class_names),
        "class_names": class_names,
        "image_size": 32,
        "splits": {
            split: {"images": size, "sha256_images": f"{size:064x}", "sha256_labels": f"{size + 1:064x}"}
            for split, size in sizes.items()
        },
    }


def class_count_table(names: list[str]) -> pd.DataFrame:
    shares = {split: np.geomspace(1, ratio, len(names)) for split, ratio in zip(SPLITS, (12, 20, 20), strict=True)}
    rows = [
        {
            "source": "synthetic",
            "split": split,
            "class_index": index,
            "class_name": name,
            "count": round(size * float(shares[split][index] / shares[split].sum())),
        }
        for split, size in (("train", 640), ("validation", 320), ("test", 320))
        for index, name in enumerate(names)
    ]
    return CLASS_COUNTS.from_rows(rows)


def walk_table(cells: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    rows = [
        {"walk": walk, "step": step, "redraws": walk % 2, "hash": name, "id": None}
        for walk in range(6)
        for step, name in enumerate(rng.choice(cells["hash"].to_numpy(dtype=object), 5, replace=False))
    ]
    return WALKS.from_rows(rows)


def ruggedness_table(dataset: str, rng: np.random.Generator) -> pd.DataFrame:
    rows = []
    for walk, metric in itertools.product(range(6), ("validation_macro_accuracy", "validation_micro_accuracy")):
        rho = np.nan if walk == 5 and metric.endswith("micro_accuracy") else float(rng.uniform(-0.5, 0.8))
        rows.append(
            {
                "walk": walk,
                "metric": metric,
                "dataset": dataset,
                "visits": 5,
                "autocorrelation": rho,
                "ruggedness": 1 / rho,
                "correlation_length": -1 / np.log(abs(rho)),
                "autocorrelation_published": rho + 0.05,
                "ruggedness_published": 1 / (rho + 0.05),
                "correlation_length_published": -1 / np.log(abs(rho + 0.05)),
                "confidence": 0.95,
                "reason": "",
                **{name: np.nan for name in RUGGEDNESS.names if name.endswith(("_low", "_high"))},
            }
        )
    return RUGGEDNESS.from_rows(rows)


def score_table(dataset: str, rng: np.random.Generator) -> pd.DataFrame:
    rows = []
    surrogates = ("xgboost", "nearest_neighbours")
    for surrogate, objective, size, repeat in itertools.product(surrogates, OBJECTIVES, (15, 25, 35, 45), range(5)):
        rank = 1 - 4 / size - float(rng.uniform(0, 0.2))
        scale = 0.05 if objective.endswith("accuracy") else 4e5
        rows.append(
            {
                "dataset": dataset,
                "surrogate": surrogate,
                "encoding": "adjacency_one_hot",
                "objective": objective,
                "size": size,
                "repeat": repeat,
                "held_out": 91 - size,
                "spearman": rank,
                "kendall": rank * 0.8,
                "pearson": rank,
                "mae": scale * (1.1 - rank),
                "rmse": scale * (1.3 - rank),
                "r2": rank**2,
                "fit_seconds": 0.02,
                "predict_seconds": 0.001,
            }
        )
    return SCORES.from_rows(rows)


def predicted_table(cells: pd.DataFrame, dataset: str, rng: np.random.Generator) -> pd.DataFrame:
    rows = []
    for seed in range(SEEDS):
        for name in rng.choice(cells["hash"].to_numpy(dtype=object), int(rng.integers(3, 9)), replace=False):
            values = {"validation_micro_accuracy": 0.4, "macs": 1e6}
            rows.append({"dataset": dataset, "seed": seed, "architecture": name, "scope": "space", **values})
    return PREDICTED_FRONTS.from_rows(rows)


@cache
def dummy_figure(name: str) -> bytes:
    """Return a PNG file with something drawn in it."""
    with figure(6.3, 3.2) as (drawn, axes):
        axes.plot(np.sin(np.arange(40) / 5 + len(name)))
        axes.set_title(f"{name.replace('_', ' ')} – stand-in")
        file = io.BytesIO()
        drawn.savefig(file, format="png")
    plt.close("all")
    return file.getvalue()
