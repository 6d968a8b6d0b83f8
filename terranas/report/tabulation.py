"""Tables of the report: from tables for machines to tables for people, formatted and sorted."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from terranas.benchmark.schema import metric_column, metric_name
from terranas.benchmark.tabular import TabularBenchmark
from terranas.core.formats import MISSING, count, counted, fixed, halves, percent, sentence, significant, span
from terranas.core.page import Head, Table
from terranas.data.schema import SPLITS
from terranas.report.formats import metric_error, metric_value, outcome_name
from terranas.space.cell import Cell
from terranas.space.drawing import draw_cell
from terranas.training.status import TrainingStatus

CELL_METRICS = ("validation_micro_accuracy", "test_micro_accuracy", "macs", "parameters", "latency_ms")
"""Metrics shown of single architectures, besides those they were chosen by."""


def cells_by_vertices(cells: pd.DataFrame) -> Table:
    """Return how many cells there are of each number of vertices, and how large their networks are."""
    rows = [
        (
            str(vertices),
            count(len(group)),
            span(group["num_edges"], count),
            span(group["parameters"], lambda value: metric_value("parameters", value)),
            span(group["macs"], lambda value: metric_value("macs", value)),
        )
        for vertices, group in cells.groupby("num_vertices")
    ]
    return Table(
        "Cells by number of vertices, input and output included. MACs are multiply-accumulates of the study's network "
        "for one image; convolutions and the linear layer count.",
        (Head("Vertices"), Head("Cells"), Head("Edges"), Head("Parameters"), Head("MACs")),
        rows,
    )


def neighbour_graphs(graphs: Sequence[Mapping[str, Any]]) -> Table:
    """Return how the neighbour graphs that the study used hang together."""
    rows = [
        (
            str(graph["neighbourhood"]),
            count(graph["edges"]),
            count(graph["isolated"]),
            count(graph["components"]),
            count(graph["largest_components"][0]),
            f"{halves(graph['degree']['median'])} ({count(graph['degree']['min'])} to {count(graph['degree']['max'])})",
        )
        for graph in graphs
    ]
    return Table(
        "Neighbour graphs that walks and searches follow. Edges are pairs of neighbours; isolated cells have none; a "
        "cell's degree is the number of neighbours it leads to (median, smallest and largest).",
        (
            Head("Neighbourhood", "text"),
            Head("Edges"),
            Head("Isolated cells"),
            Head("Components"),
            Head("Cells in the largest"),
            Head("Degree"),
        ),
        rows,
    )


def class_balance(class_counts: pd.DataFrame) -> Table:
    """Return the images of each split and how unequal its classes are."""
    rows = []
    for split in SPLITS:
        counts = class_counts.loc[class_counts["split"] == split, "count"]
        total = counts.sum()
        shares = [percent(float(number / total)) if total else MISSING for number in (counts.max(), counts.min())]
        ratio = f"{significant(counts.max() / counts.min(), 2)} : 1" if counts.min() > 0 else MISSING
        rows.append((sentence(split), count(total), count((counts > 0).sum()), *shares, ratio))
    heads = (
        Head("Split", "text"),
        Head("Images"),
        Head("Classes with images"),
        Head("Largest class"),
        Head("Smallest class"),
        Head("Largest to smallest"),
    )
    return Table("Images of each split, and how unequal the classes are.", heads, rows)


def walks_one_by_one(walks: pd.DataFrame) -> Table:
    """Return each walk's length and ends."""
    rows = [
        (
            str(walk),
            count(len(visits) - 1),
            count(visits["hash"].nunique()),
            visits["hash"].iloc[0][:8],
            visits["hash"].iloc[-1][:8],
        )
        for walk, visits in walks.sort_values(["walk", "step"]).groupby("walk")
    ]
    return Table(
        "The random walks; cells are named by the first eight digits of their hash.",
        (Head("Walk"), Head("Steps"), Head("Distinct cells"), Head("First cell", "text"), Head("Last cell", "text")),
        rows,
        folded=f"{sentence(counted(len(rows), 'walk'))}, one by one",
    )


def architectures(
    caption: str, names: Sequence[str], benchmark: TabularBenchmark, cells: pd.DataFrame | None, metrics: Sequence[str]
) -> Table:
    """Return architectures with their graphs and what the benchmark knows of them.

    Args:
        caption: the table's caption.
        names: architectures in the order of the rows.
        benchmark: where the values come from.
        cells: table of cells, in which architectures are looked up by their hash to be drawn; None where they are of
            another search space, whose names are written in full.
        metrics: metrics shown first; those of :data:`CELL_METRICS` follow where the benchmark knows them.
    """
    tests = [name.replace("validation", "test") for name in metrics if name.startswith("validation")]
    further = [name for name in (*tests, *CELL_METRICS) if _can_be_asked_for(benchmark, name)]
    shown = list(dict.fromkeys([*metrics, *further]))
    values = benchmark.values(shown, names)
    known = [position for position in range(len(shown)) if not np.isnan(values[:, position]).all()]
    units = {p: benchmark.unit(shown[p]) for p in known}
    drawings = None if cells is None else _drawings(cells, names)
    rows: list[list[str | Markup]] = []
    for row, name in enumerate(names):
        about = [name] if drawings is None else [name[:8], drawings.get(name, MISSING)]
        rows.append([*about, *(metric_value(shown[p], values[row, p], units[p]) for p in known)])
    heads = [Head("Cell", "text")] if drawings is None else [Head("Cell", "text"), Head("Graph", "text")]
    return Table(caption, [*heads, *(Head(sentence(metric_name(shown[p]))) for p in known)], rows)


def _can_be_asked_for(benchmark: TabularBenchmark, metric: str) -> bool:
    """Return whether a benchmark has a metric, and one device at most that it can be of."""
    if metric.partition("@")[0] not in benchmark.metrics:
        return False
    one_device = bool(benchmark.device) or not benchmark.devices
    return "@" in metric or one_device or not metric_column(metric).per_device


def _drawings(cells: pd.DataFrame, names: Sequence[str]) -> dict[str, Markup]:
    """Return drawings of the cells that a table holds, by hash."""
    rows = cells[cells["hash"].isin(names)].to_dict("records")
    return {row["hash"]: draw_cell(Cell.from_strings(str(row["adjacency"]), str(row["operations"]))) for row in rows}


def failures(statuses: Sequence[TrainingStatus]) -> Table:
    """Return the trainings without a full result and why."""
    rows = [
        (status.hash[:8], outcome_name(status.outcome), count(status.epochs), status.reason)
        for status in sorted(statuses, key=lambda status: status.hash)
    ]
    heads = (Head("Cell", "text"), Head("Outcome", "text"), Head("Finished epochs"), Head("Reason", "text"))
    folded = f"{sentence(counted(len(rows), 'training'))} without a full result, one by one"
    return Table("Trainings without a full result, and why.", heads, rows, folded=folded if len(rows) > 5 else "")


def trainings(statuses: Sequence[TrainingStatus]) -> Table:
    """Return all trainings: how each ended, what it reached and what it took."""
    memory = any(status.used is not None and status.used.device_mb for status in statuses)
    energy = any(status.energy_joule is not None for status in statuses)
    heads = [Head("Cell", "text"), Head("Outcome", "text"), Head("Epochs"), Head("Validation micro accuracy")]
    heads += [Head("Validation macro accuracy"), Head("Test micro accuracy"), Head("Test macro accuracy")]
    heads += [Head("Time [s]"), Head("Memory of the machine [MB]")]
    heads += [Head("Memory of a GPU [MB]")] * memory + [Head("Energy [kJ]")] * energy + [Head("Interruptions")]
    rows = []
    for status in sorted(statuses, key=lambda status: status.hash):
        used = status.used
        row = [status.hash[:8], status.outcome.replace("_", " "), count(status.epochs)]
        for scores in (status.validation, status.test):
            known = (math.nan, math.nan) if scores is None else (scores.micro_accuracy, scores.macro_accuracy)
            row += [percent(share, 2) for share in known]
        row += [f"{status.seconds:,.1f}", count(math.nan if used is None else used.host_mb)]
        row += [count(math.nan if used is None else used.device_mb)] * memory
        row += [MISSING if status.energy_joule is None else significant(status.energy_joule / 1e3)] * energy
        rows.append([*row, count(status.interruptions)])
    return Table(
        "All trainings: how each ended, what its network reached after the last epoch, and what it took. Cells are "
        "named by the first eight digits of their hash; an MB is a million bytes.",
        heads,
        rows,
    )


def surrogate_scores(scores: pd.DataFrame) -> Table:
    """Return the mean scores of one surrogate by objective and size of the training set."""
    rows = []
    for (objective, _), group in scores.groupby(["objective", "size"], sort=False):
        means = group[["spearman", "kendall", "mae", "r2"]].mean()
        rows.append(
            (
                sentence(metric_name(str(objective))),
                count(group["size"].iloc[0]),
                span(group["held_out"], count),
                fixed(means["spearman"]),
                span(group["spearman"], fixed),
                fixed(means["kendall"]),
                metric_error(str(objective), means["mae"]),
                fixed(means["r2"]),
            )
        )
    heads = (
        Head("Objective", "text"),
        Head("Trained on"),
        Head("Tested on"),
        Head("Spearman"),
        Head("Range"),
        Head("Kendall"),
        Head("Mean absolute error"),
        Head("R²"),
    )
    repeats = counted(scores["repeat"].nunique(), "random training set")
    return Table(
        f"Scores on held-out architectures, means over {repeats} of each size; the range is that of Spearman's "
        "correlation.",
        heads,
        rows,
    )


def software(versions: Mapping[str, Any]) -> Table:
    """Return the versions of the packages."""
    rows = [(name, version or "not installed") for name, version in versions["packages"].items()]
    return Table(
        "Versions of the packages.", (Head("Package", "text"), Head("Version", "text")), rows, folded="Packages"
    )


def checksums(manifest: Mapping[str, Any]) -> Table:
    """Return the checksums of the prepared arrays, by which equal images are known."""
    rows = [
        (sentence(split), manifest["splits"][split]["sha256_images"], manifest["splits"][split]["sha256_labels"])
        for split in SPLITS
    ]
    heads = (Head("Split", "text"), Head("Images", "text"), Head("Labels", "text"))
    return Table(
        "SHA-256 of the arrays that were trained and tested on.", heads, rows, folded="Checksums of the images"
    )
