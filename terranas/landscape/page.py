"""The page of the landscape analysis: every figure with what is said of it, and the tables behind the main numbers."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from terranas.benchmark.schema import metric_name
from terranas.core.errors import DataError
from terranas.core.files import read_json
from terranas.core.formats import MISSING, count, counted, fixed, listed, percent, significant
from terranas.core.page import Block, Head, Page, Picture, Section, Table
from terranas.core.tables import read_table
from terranas.landscape.graph_schema import GRAPH_MEASURES, OBJECTIVE_CORRELATION
from terranas.landscape.schema import CONCLUSIONS, CORRELATIONS, FOOTPRINT, RUGGEDNESS_SUMMARY

_NAMES = {
    "study": "The study's own benchmark",
    "own": "A table of one's own",
    "eo_hwnas": "Published EO benchmark",
    "nasbench101": "NAS-Bench-101",
}
_ORDER = ("footprint", "conclusions", "correlations", "autocorrelation", "objectives")
"""Figures that compare, in the order of the page."""

Tables = Mapping[str, Mapping[str, str]]
"""Path of each table that is shown, by section: ``comparison``, and a section a benchmark."""


def read_figures(path: Path) -> list[Picture]:
    """Return figures with their texts, which stand in one JSON file beside their PNG files.

    Raises:
        DataError: the file does not hold such texts, or a figure is no PNG file.
    """
    content = read_json(path)
    if not isinstance(content, dict) or not all({"alt", "caption"} <= set(texts) for texts in content.values()):
        raise DataError(f"{path} does not say what is seen in figures. Remove it and run again.")
    return [
        Picture(name, (png := path.with_name(f"{name}.png")).read_bytes(), texts["alt"], texts["caption"], str(png))
        for name, texts in content.items()
    ]


def landscape_page(figures: Mapping[str, Sequence[Picture]], tables: Tables, title: str) -> Page:
    """Return the page.

    Args:
        figures: by group: ``comparison``, ``<benchmark> accuracy``, ``<benchmark> walk``,
            ``<benchmark> graph <neighbourhood>``, ``<benchmark> feature`` and, of a study, ``imbalance``.
        tables: paths of tables.
        title: of the study.
    """
    benchmarks = [name for name in tables if name != "comparison"]
    conclusions = read_table(tables["comparison"]["conclusions"], CONCLUSIONS)
    correlations = read_table(tables["comparison"]["correlations"], CORRELATIONS)
    sections = [_comparison(figures["comparison"], conclusions, correlations, tables["comparison"])]
    headline = []
    for name in benchmarks:
        accuracies = pd.read_csv(tables[name]["accuracies"])
        sections.append(_benchmark(name, figures, tables[name], accuracies))
        dataset, number = str(accuracies["dataset"].iloc[0]), int(accuracies["n"].max())
        headline.append((count(number), f"architectures with accuracies on {dataset}"))
    if "imbalance" in figures:
        sections.append(Section("imbalance", "Imbalance of the classes", [], list(figures["imbalance"])))
    sound = _independent(conclusions)
    decided = sound[sound["verdict"] != "open"]
    headline.append(
        (
            f"{len(decided)} of {len(sound)}",
            "tests of the thesis's conclusions over independent pairs that decide (Holm)",
        )
    )
    datasets = listed([str(pd.read_csv(tables[name]["accuracies"])["dataset"].iloc[0]) for name in benchmarks])
    warning = ""
    if "synthetic" in datasets:
        warning = "The images of this study are synthetic: its numbers show that the analysis works, and nothing else."
    return Page(
        title=f"Landscape: {title}",
        subject="fitness landscape",
        subtitle=f"What the architectures on {datasets} look like as a fitness landscape",
        headline=headline,
        sections=sections,
        warning=warning,
    )


def _comparison(
    pictures: Sequence[Picture], conclusions: pd.DataFrame, correlations: pd.DataFrame, tables: Mapping[str, str]
) -> Section:
    pairs = correlations[correlations["first_dataset"] != correlations["second_dataset"]]
    sentences = [_verdicts(conclusions)]
    for row in pairs[pairs["coefficient"] == "spearman"].to_dict("records"):
        sentences.append(
            f"{_first_up(metric_name(row['first_metric']))} on {row['first_dataset']} and "
            f"{metric_name(row['second_metric'])} on {row['second_dataset']} of the same "
            f"{counted(row['n'], 'architecture')} have a rank correlation of {fixed(row['statistic'])}{_ends(row)}."
        )
    shown = sorted(pictures, key=lambda picture: _ORDER.index(picture.name))
    blocks: list[Block] = [
        *shown,
        replace(_conclusions_table(conclusions), sources=[tables["conclusions"]]),
        replace(_correlations_table(correlations), sources=[tables["correlations"]]),
    ]
    return Section("comparison", "All landscapes together", sentences, blocks)


def _independent(conclusions: pd.DataFrame) -> pd.DataFrame:
    """Return the comparisons whose pairs are independent, which alone can decide."""
    return conclusions[conclusions["verdict"] != "described"]


def _verdicts(conclusions: pd.DataFrame) -> str:
    sound = _independent(conclusions)
    if sound.empty:
        return "No conclusion of the thesis can be tested on these tables."
    numbers = sound["verdict"].value_counts()
    parts = [f"{count(number)} {'is' if number == 1 else 'are'} {verdict}" for verdict, number in numbers.items()]
    rest = len(conclusions) - len(sound)
    return (
        f"Of {counted(len(sound), 'comparison')} over independent pairs that restate conclusions of the thesis, "
        f"{listed(parts)} by Wilcoxon's signed-rank test after Holm."
        + (
            f" {counted(rest, 'further one is', 'further ones are')} over cells of the same walks, which are "
            f"not independent: {'it is' if rest == 1 else 'they are'} described, not tested."
            if rest
            else ""
        )
    )


def _conclusions_table(conclusions: pd.DataFrame) -> Table:
    heads = [Head("conclusion", "text"), Head("larger", "text"), Head("smaller", "text"), Head("of", "text")]
    heads += [Head("n"), Head("median difference"), Head("rank-biserial"), Head("p (Holm)"), Head("verdict", "text")]
    rows = [
        [
            row["conclusion"],
            f"{row['quantity']}: {row['first']}",
            row["second"],
            row["unit"],
            count(row["n"]),
            significant(row["median_difference"]),
            fixed(row["rank_biserial"]),
            significant(row["p_holm"], 2),
            row["verdict"] + (f" ({row['note']})" if row["note"] else ""),
        ]
        for row in conclusions.to_dict("records")
    ]
    return Table("Each comparison, its test and its effect size.", heads, rows, "Show all comparisons")


def _correlations_table(correlations: pd.DataFrame) -> Table:
    heads = [Head("first", "text"), Head("second", "text"), Head("coefficient", "text"), Head("n")]
    heads += [Head("value"), Head("95 % interval")]
    rows = [
        [
            f"{metric_name(row['first_metric'])}, {row['first_dataset']}, {row['first_epochs']} epochs",
            f"{metric_name(row['second_metric'])}, {row['second_dataset']}, {row['second_epochs']} epochs",
            row["coefficient"],
            count(row["n"]),
            fixed(row["statistic"]),
            _interval(row["statistic_low"], row["statistic_high"]),
        ]
        for row in correlations.to_dict("records")
    ]
    return Table("All rank correlations.", heads, rows, "Show all rank correlations")


def _benchmark(
    name: str, figures: Mapping[str, Sequence[Picture]], tables: Mapping[str, str], accuracies: pd.DataFrame
) -> Section:
    neighbourhoods = [key.removeprefix(f"{name} graph ") for key in figures if key.startswith(f"{name} graph ")]
    rugged = read_table(tables["ruggedness"], RUGGEDNESS_SUMMARY)
    footprint = read_table(tables["footprint"], FOOTPRINT)
    blocks: list[Block] = [
        replace(_accuracy_table(accuracies), sources=[tables["accuracies"]]),
        *figures[f"{name} accuracy"],
        *figures[f"{name} walk"],
        replace(_ruggedness_table(rugged), sources=[tables["ruggedness"]]),
        replace(_footprint_table(footprint), sources=[tables["footprint"]]),
    ]
    for neighbourhood in neighbourhoods:
        path = tables[f"measures {neighbourhood}"]
        blocks += figures[f"{name} graph {neighbourhood}"]
        blocks.append(replace(_measures_table(read_table(path, GRAPH_MEASURES), neighbourhood), sources=[path]))
    # which cells are near the front depends on no neighbourhood
    if neighbourhoods:
        path = tables[f"objectives {neighbourhoods[0]}"]
        blocks.append(replace(_objectives_table(read_table(path, OBJECTIVE_CORRELATION)), sources=[path]))
    blocks += figures[f"{name} feature"]
    last = accuracies[accuracies["epochs"] == accuracies["epochs"].max()]
    told = [
        f"{row['split']} {metric_name(row['metric'])} {percent(row['mean'], 2)}"
        for row in last.to_dict("records")
        if row["n"]
    ]
    dataset = str(accuracies["dataset"].iloc[0])
    epochs = counted(int(last["epochs"].iloc[0]), "epoch")
    sentences = [f"Mean accuracies on {dataset} after {epochs}: {listed(told)}."] if told else []
    return Section(name, f"{_NAMES[name]}: {dataset}", sentences, blocks)


def _accuracy_table(accuracies: pd.DataFrame) -> Table:
    heads = [Head("split", "text"), Head("metric", "text"), Head("epochs")]
    heads += [Head(text) for text in ("mean", "deviation", "least", "median", "most", "n", "left out")]
    rows = [
        [
            row["split"],
            metric_name(row["metric"]),
            count(row["epochs"]),
            *(percent(row[key], 2) for key in ("mean", "std", "min", "median", "max")),
            count(row["n"]),
            count(row["left_out"]),
        ]
        for row in accuracies.to_dict("records")
    ]
    caption = "Accuracies over the architectures (thesis of Demir, table 4.1)."
    return Table(caption, heads, rows, "Show the accuracies as a table")


def _ruggedness_table(summary: pd.DataFrame) -> Table:
    heads = [Head("metric", "text"), Head("variant", "text"), Head("walks"), Head("autocorrelation")]
    heads += [Head("95 % interval"), Head("ruggedness"), Head("correlation length"), Head("share in 0 to 5")]
    rows = [
        [
            metric_name(row["metric"]),
            row["variant"],
            count(row["walks"]),
            fixed(row["autocorrelation"]),
            _interval(row["autocorrelation_low"], row["autocorrelation_high"]),
            significant(row["ruggedness"]),
            significant(row["correlation_length"]),
            percent(row["share_0_to_5"], 0),
        ]
        for row in summary.to_dict("records")
    ]
    caption = (
        "Mean lag-1 autocorrelation along the walks; ruggedness is its inverse (thesis of Demir, Traoré et al. 2021), "
        "correlation length -1 / ln of its size (Weinberger 1990). Published: each start counted twice."
    )
    return Table(caption, heads, rows)


def _footprint_table(footprint: pd.DataFrame) -> Table:
    heads = [Head("measure", "text"), Head("epochs", "text"), Head("value"), Head("95 % interval"), Head("n")]
    heads.append(Head("remark", "text"))
    rows = [
        [
            row["measure"].replace("_", " ") + (f", {row['percent']} %" if row["percent"] else ""),
            str(row["to_epochs"])
            if row["from_epochs"] == row["to_epochs"]
            else f"{row['from_epochs']} to {row['to_epochs']}" + (", all between" if row["across"] == "all" else ""),
            significant(row["value"]),
            _interval(row["value_low"], row["value_high"]),
            count(row["n"]),
            row["reason"] or row["method"],
        ]
        for row in footprint.to_dict("records")
    ]
    caption = "Fitness Landscape Footprint (Traoré, Camero and Zhu 2021)."
    return Table(caption, heads, rows, "Show the footprint as a table")


def _measures_table(measures: pd.DataFrame, neighbourhood: str) -> Table:
    heads = [Head("what", "text"), Head("value"), Head("95 % interval"), Head("cells"), Head("left out")]
    rows = [
        [
            row["meaning"],
            significant(row["value"]) if row["value"] % 1 else count(row["value"]),
            _interval(row["low"], row["high"]),
            count(row["cells"]),
            count(row["left_out"]),
        ]
        for row in measures.to_dict("records")
    ]
    caption = f"Measures on the neighbour graph {neighbourhood}."
    return Table(caption, heads, rows, f"Show the measures on the graph {neighbourhood}")


def _objectives_table(related: pd.DataFrame) -> Table:
    heads = [Head("objectives", "text"), Head("among", "text"), Head("architectures"), Head("Spearman")]
    regions = {"all": "all architectures", "near_front": "those near the front"}
    rows = [
        [
            f"{metric_name(row['first'])} and {metric_name(row['second'])}",
            regions[row["region"]],
            count(row["cells"]),
            fixed(row["spearman"]),
        ]
        for row in related.to_dict("records")
    ]
    caption = (
        "Rank correlation of the objectives, both turned so that better is the same way: below 0 they conflict. Near "
        "the front are whole layers of non-dominated sorting until 1 % of the architectures are in; part of the "
        "conflict there comes from this choice."
    )
    return Table(caption, heads, rows)


def _interval(low: float, high: float) -> str:
    if math.isnan(low) and math.isnan(high):
        return MISSING
    return f"{significant(low)} to {significant(high)}"


def _ends(row: Mapping[Any, Any]) -> str:
    low, high = row["statistic_low"], row["statistic_high"]
    return "" if math.isnan(low) else f" (95 % interval {fixed(low)} to {fixed(high)})"


def _first_up(text: str) -> str:
    return text[:1].upper() + text[1:]
