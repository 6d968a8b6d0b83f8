"""The page's tables: from tables for machines to tables for people, formatted and sorted."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from terranas.benchmark.schema import metric_name
from terranas.benchmark.tabular import TabularBenchmark
from terranas.core.formats import MISSING, count, counted, fixed, halves, percent, sentence, significant, span
from terranas.core.page import Head, Table
from terranas.data.schema import SPLITS
from terranas.report.formats import indicator_name, indicator_value, metric_error, metric_value, outcome_name, p_value
from terranas.report.verdict import A12_MEANING
from terranas.search.schema import ARM_NAMES, STOP_REASONS
from terranas.space.cell import Cell
from terranas.space.drawing import draw_cell
from terranas.training.status import TrainingStatus

CELL_METRICS = ("validation_micro_accuracy", "test_micro_accuracy", "macs", "parameters", "latency_ms")
"""Metrics shown of single architectures, besides those they were chosen by."""

STOP_NAMES = {
    "budget": "Spent the budget",
    "nothing_left_to_expand": "Nothing left to expand",
    "space_exhausted": "Exhausted the space",
}


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
    caption: str, hashes: Sequence[str], benchmark: TabularBenchmark, cells: pd.DataFrame, metrics: Sequence[str]
) -> Table:
    """Return architectures with their graphs and what the benchmark knows of them.

    Args:
        caption: the table's caption.
        hashes: architectures in the order of the rows.
        benchmark: where the values come from.
        cells: table of cells; an architecture it does not hold is named without a drawing.
        metrics: metrics shown first; those of :data:`CELL_METRICS` follow where the benchmark knows them.
    """
    tests = [name.replace("validation", "test") for name in metrics if name.startswith("validation")]
    names = list(dict.fromkeys([*metrics, *tests, *CELL_METRICS]))
    values = benchmark.values(names, hashes)
    known = [position for position in range(len(names)) if not np.isnan(values[:, position]).all()]
    graphs = cells[cells["hash"].isin(hashes)].set_index("hash")
    rows = []
    for row, name in enumerate(hashes):
        drawing: str | Markup = MISSING
        if name in graphs.index:
            drawing = draw_cell(
                Cell.from_strings(str(graphs.at[name, "adjacency"]), str(graphs.at[name, "operations"]))
            )
        rows.append((name[:8], drawing, *(metric_value(names[p], values[row, p]) for p in known)))
    heads = [Head("Cell", "text"), Head("Graph", "text"), *(Head(sentence(metric_name(names[p]))) for p in known)]
    return Table(caption, heads, rows)


def failures(statuses: Sequence[TrainingStatus]) -> Table:
    """Return the trainings without a full result and why."""
    rows = [
        (status.hash[:8], outcome_name(status.outcome), count(status.epochs), status.reason)
        for status in sorted(statuses, key=lambda status: status.hash)
    ]
    heads = (Head("Cell", "text"), Head("Outcome", "text"), Head("Finished epochs"), Head("Reason", "text"))
    folded = f"{sentence(counted(len(rows), 'training'))} without a full result, one by one"
    return Table("Trainings without a full result, and why.", heads, rows, folded=folded if len(rows) > 5 else "")


def accuracies(summary: pd.DataFrame) -> Table:
    """Return the landscape stage's summary of the accuracies, at the highest number of epochs."""
    highest = summary[summary["epochs"] == summary["epochs"].max()]
    rows = [
        (
            sentence(metric_name(f"{facts['split']}_{facts['metric']}")),
            count(facts["n"]),
            count(facts["left_out"]),
            percent(facts["mean"]),
            metric_error("accuracy", facts["std"]),
            percent(facts["min"]),
            percent(facts["median"]),
            percent(facts["max"]),
        )
        for facts in highest.to_dict("records")
    ]
    heads = (
        Head("Accuracy", "text"),
        Head("Architectures"),
        Head("Left out"),
        Head("Mean"),
        Head("Standard deviation"),
        Head("Smallest"),
        Head("Median"),
        Head("Largest"),
    )
    return Table(
        "Accuracies over the architectures at the highest number of epochs. Micro accuracy is the share of correct "
        "images, macro accuracy the mean of the class accuracies; trainings without a full result are left out.",
        heads,
        rows,
    )


def ruggedness_by_metric(ruggedness: pd.DataFrame) -> Table:
    """Return the medians of the ruggedness table."""
    rows = []
    for metric, walks in ruggedness.groupby("metric", sort=False):
        known = walks["ruggedness"].dropna()
        rows.append(
            (
                sentence(metric_name(str(metric))),
                f"{count(len(known))} of {count(len(walks))}",
                fixed(walks["autocorrelation"].median()),
                fixed(known.median()),
                span(np.quantile(known, (0.25, 0.75)).tolist(), fixed) if len(known) else MISSING,
                fixed(walks["correlation_length"].median()),
                fixed(walks["ruggedness_published"].median()),
            )
        )
    heads = (
        Head("Metric", "text"),
        Head("Walks"),
        Head("Autocorrelation"),
        Head("Ruggedness"),
        Head("Middle half"),
        Head("Correlation length"),
        Head("As released"),
    )
    return Table(
        "Medians over the walks on which they are defined (the middle half: quartiles). Ruggedness is one over the "
        "lag-1 autocorrelation; the correlation length is −1 / ln |autocorrelation| (Weinberger 1990); 'as released' "
        "counts each walk's start twice, as the published study's code does.",
        heads,
        rows,
    )


def surrogate_scores(scores: pd.DataFrame) -> Table:
    """Return the mean scores of the surrogates by objective and size of the training set."""
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


def search_ends(runs: pd.DataFrame) -> Table:
    """Return how many searches of each arm and budget ended for which reason."""
    rows = []
    for (arm, _), group in runs.groupby(["arm", "budget"], sort=False):
        reasons = [count((group["stopped_by"] == reason).sum()) for reason in STOP_REASONS]
        evaluations = halves(float(group["evaluations"].median()))
        starts = span(group["starts"], count)
        budget = count(group["budget"].iloc[0])
        rows.append((sentence(ARM_NAMES[str(arm)]), budget, count(len(group)), starts, evaluations, *reasons))
    heads = [Head("Arm", "text"), Head("Budget"), Head("Searches"), Head("Starts"), Head("Median evaluations")]
    heads += [Head(STOP_NAMES[reason]) for reason in STOP_REASONS]
    return Table("The searches of each arm and budget, and why they ended.", heads, rows)


def effects(tests: pd.DataFrame) -> Table:
    """Return A12 of every indicator (rows) and pair of budgets (columns), with the arm a significant test favours."""
    pairs = list(tests[["surrogate_budget", "random_budget"]].drop_duplicates().itertuples(index=False, name=None))
    heads = [Head("Indicator", "text"), Head("Better", "text"), *(Head(f"{s:,} against {r:,}") for s, r in pairs)]
    rows = []
    for indicator, group in tests.groupby("indicator", sort=False):
        by_pair = group.set_index(["surrogate_budget", "random_budget"])
        entries = [_effect(by_pair.loc[pair]) if pair in by_pair.index else MISSING for pair in pairs]
        rows.append((sentence(indicator_name(str(indicator))), str(group["better"].iloc[0]), *entries))
    return Table(
        f"Effect sizes by pair of budgets (surrogate against random). {A12_MEANING} An arm is named where the test is "
        "significant after Holm's correction, as the one whose values are better.",
        heads,
        rows,
    )


def all_tests(tests: pd.DataFrame) -> Table:
    """Return every test with medians, p values and effect size."""
    rows = [
        (
            sentence(indicator_name(str(test["indicator"]))),
            f"{test['surrogate_budget']:,} / {test['random_budget']:,}",
            indicator_value(str(test["indicator"]), test["surrogate_median"]),
            indicator_value(str(test["indicator"]), test["random_median"]),
            p_value(test["p"]),
            p_value(test["p_holm"]),
            f"{fixed(test['a12'])} ({fixed(test['a12_low'])} to {fixed(test['a12_high'])})",
            str(test["favours"]),
        )
        for _, group in tests.groupby("indicator", sort=False)
        for test in group.to_dict("records")
    ]
    searches = span([*tests["surrogate_n"], *tests["random_n"]], count)
    heads = (
        Head("Indicator", "text"),
        Head("Budgets"),
        Head("Median, surrogate"),
        Head("Median, random"),
        Head("p"),
        Head("p (Holm)"),
        Head("A12 (interval)"),
        Head("Favours", "text"),
    )
    return Table(
        f"Two-sided Mann-Whitney tests of surrogate against random starts, {searches} searches each; intervals by "
        "percentile bootstrap.",
        heads,
        rows,
        folded=f"{sentence(counted(len(rows), 'test'))}, one by one",
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


def _effect(test: "pd.Series[float]") -> str:
    favours = str(test["favours"])
    return fixed(test["a12"]) if favours == "neither" else f"{fixed(test['a12'])} {favours}"
