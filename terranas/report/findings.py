"""Sentences that say what a study did and what came out, generated from its tables and never from expectations."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from terranas.benchmark.schema import metric_name
from terranas.benchmark.tabular import TabularBenchmark
from terranas.core.formats import count, counted, fixed, listed, percent, sentence, span
from terranas.data.schema import SPLITS
from terranas.report.formats import metric_value, outcome_name
from terranas.surrogates.figures import surrogate_words

NEIGHBOURHOODS = {
    "hamming": "one bit of the 17×17 encoding differs",
    "hamming_any": "one bit of the 17×17 encoding differs in some numbering of their vertices",
    "edit": "one operation changes or one edge comes or goes, unused vertices being dropped",
    "edit_symmetric": "one operation changes or one edge comes or goes, in either direction",
}


_RECORDS = "The record of each training and of each profile names the versions that it was made with itself."


def space_sentences(cells: pd.DataFrame) -> list[str]:
    """Say how many cells there are and how large their networks get."""
    parameters, macs = cells["parameters"], cells["macs"]
    return [
        f"The search space holds {counted(len(cells), 'cell')} of NAS-Bench-101 with at most "
        f"{int(cells['num_vertices'].max())} vertices and {int(cells['num_edges'].max())} edges.",
        f"The networks built from them have {span(parameters, count)} parameters and take "
        f"{span(macs, lambda value: metric_value('macs', value))} multiply-accumulates (MACs) for one image.",
    ]


def data_sentences(dataset: str, manifest: Mapping[str, Any], class_counts: pd.DataFrame) -> list[str]:
    """Say what the images are, how they are split and how unequal the classes are."""
    sizes = [f"{count(manifest['splits'][split]['images'])} {_split_verb(split)}" for split in SPLITS]
    lines = [
        f"The images are '{dataset}': {counted(manifest['bands'], 'band')}, {manifest['image_size']} × "
        f"{manifest['image_size']} pixels, {counted(manifest['classes'], 'class', 'classes')}; {listed(sizes)}."
    ]
    for split in ("train", "test"):
        counts = class_counts[class_counts["split"] == split].set_index("class_name")["count"]
        if counts.sum() == 0:
            continue
        largest, smallest = counts.idxmax(), counts.idxmin()
        line = (
            f"In the {_split_noun(split)} images the largest class is '{largest}' with "
            f"{percent(counts.max() / counts.sum())} and the smallest '{smallest}' with "
            f"{percent(counts.min() / counts.sum())}"
        )
        if split == "test":
            line += "; always answering the largest class would be right that often"
        lines.append(f"{line}.")
    return lines


def majority_share(class_counts: pd.DataFrame, split: str) -> float:
    """Return the share of a split's largest class: the micro accuracy of always answering it; NaN when empty."""
    counts = class_counts.loc[class_counts["split"] == split, "count"]
    return float(counts.max() / counts.sum()) if counts.sum() > 0 else float("nan")


def sampling_sentences(walks: pd.DataFrame, sampling: Mapping[str, Any]) -> list[str]:
    """Say how many walks there were, how long they are, and how many cells they saw."""
    visited = f"{counted(walks['hash'].nunique(), 'distinct cell')} in {counted(len(walks), 'visit')}"
    lines = [
        f"{counted(walks['walk'].nunique(), 'random walk')} of {counted(sampling['steps'], 'step')} saw {visited}; two "
        f"cells are neighbours when {NEIGHBOURHOODS[sampling['neighbourhood']]}."
    ]
    redraws = int(walks.groupby("walk")["redraws"].first().sum())
    lines.append(
        f"Walks were drawn again {counted(redraws, 'time')} because they got stuck or began at a cell visited before."
        if redraws
        else "No walk got stuck."
    )
    if sampling["architectures"] == "all":
        lines.append("All cells of the space are trained, whether a walk visits them or not.")
    else:
        lines.append("The cells that the walks visit are trained.")
    return lines


def failure_counts(table: pd.DataFrame) -> dict[str, int]:
    """Return how many trainings ended in each outcome but ``ok``; a training is a hash and repeat."""
    last = table.sort_values("epochs").groupby(["hash", "repeat"], sort=True)["outcome"].last()
    counts = last[last != "ok"].value_counts()
    return {str(outcome): int(counts[outcome]) for outcome in sorted(counts.index)}


def training_sentences(table: pd.DataFrame, cells: pd.DataFrame) -> list[str]:
    """Say how many architectures were trained, how much of the space that is, and what failed and why."""
    failed = failure_counts(table)
    trainings = len(table[["hash", "repeat"]].drop_duplicates())
    finished = table.loc[(table["outcome"] == "ok") & (table["epochs"] == table["epochs"].max()), "hash"].nunique()
    share = finished / len(cells)
    lines = [
        f"{counted(finished, 'architecture')} of {count(len(cells))} ({percent(share)} of the space) "
        f"{'is' if finished == 1 else 'are'} trained to {counted(int(table['epochs'].max()), 'epoch')}."
    ]
    if failed:
        reasons = listed([f"{count(number)} {outcome_name(outcome)}" for outcome, number in failed.items()])
        lines.append(
            f"{counted(sum(failed.values()), 'training')} of {count(trainings)} gave no full result: {reasons}. "
            "Those architectures are left out of everything below."
        )
    else:
        lines.append("No training failed.")
    return lines


def best_sentences(benchmark: TabularBenchmark, metric: str, majority: float) -> list[str]:
    """Say which accuracy the best architecture reaches, chosen by validation images and told on test images."""
    test = metric.replace("validation", "test")
    values = benchmark.values([metric, test])
    if np.isnan(values[:, 0]).all():
        return [f"No architecture has a {metric_name(metric)}, so there is no best one."]
    best = int(np.nanargmax(values[:, 0]))
    line = (
        f"The architecture with the best {metric_name(metric)} ({percent(values[best, 0])}) has "
        f"{percent(values[best, 1])} {metric_name(test)}"
    )
    if not np.isnan(majority) and test.endswith("micro_accuracy") and not np.isnan(values[best, 1]):
        better = "above" if values[best, 1] > majority else "not above"
        line += f", which is {better} the {percent(majority)} of always answering the largest class"
    return [f"{line} ({benchmark.architectures[best][:8]})."]


def front_sentences(benchmark: TabularBenchmark, objectives: Sequence[str]) -> list[str]:
    """Say how large the Pareto front of the benchmark's architectures is and what it spans."""
    front = benchmark.true_front(objectives)
    if not front:
        return [
            f"No architecture has values of {listed(list(map(metric_name, objectives)))}; there is no Pareto front."
        ]
    values = benchmark.values(objectives, front)
    units = [benchmark.unit(name) for name in objectives]
    spans = [
        f"{metric_name(name)} {metric_value(name, low, unit)} to {metric_value(name, high, unit)}"
        for name, unit, low, high in zip(objectives, units, values.min(axis=0), values.max(axis=0), strict=True)
    ]
    known = int((~np.isnan(benchmark.values(objectives)).any(axis=1)).sum())
    return [
        f"The Pareto front of {listed(list(map(metric_name, objectives)))} has "
        f"{counted(len(front), 'architecture')} of the {count(known)} with values: {listed(spans)}."
    ]


def ruggedness_sentences(ruggedness: pd.DataFrame) -> list[str]:
    """Say how rugged the landscape is along the walks, and for how many walks that is undefined."""
    lines = []
    for metric, rows in ruggedness.groupby("metric", sort=False):
        undefined = int(rows["ruggedness"].isna().sum())
        name = sentence(metric_name(str(metric)))
        if undefined == len(rows):
            lines.append(f"{name}: ruggedness is undefined on all {counted(len(rows), 'walk')}.")
            continue
        line = (
            f"{name}: the median ruggedness of {counted(len(rows) - undefined, 'walk')} is "
            f"{fixed(rows['ruggedness'].median())} (median lag-1 autocorrelation "
            f"{fixed(rows['autocorrelation'].median())})"
        )
        if undefined:
            line += f"; on {count(undefined)} of {count(len(rows))} walks it is undefined"
        lines.append(f"{line}.")
    return lines


def surrogate_sentences(scores: pd.DataFrame, own: str) -> list[str]:
    """Say how well surrogates rank held-out architectures, from the smallest to the largest training set.

    Args:
        scores: schema ``surrogates.scores``.
        own: the surrogate that the searches use; of the others one sentence tells.
    """
    lines = []
    for objective, rows in scores[scores["surrogate"] == own].groupby("objective", sort=False):
        means = rows.groupby("size")["spearman"].mean()
        name = sentence(metric_name(str(objective)))
        if means.isna().all():
            lines.append(f"{name}: the rank correlation is undefined for every training-set size.")
        elif len(means) == 1:
            lines.append(
                f"{name}: Spearman's rank correlation on held-out architectures is {fixed(means.iloc[0])} with "
                f"{counted(int(means.index[0]), 'training architecture')}."
            )
        else:
            lines.append(
                f"{name}: Spearman's rank correlation on held-out architectures goes from {fixed(means.iloc[0])} with "
                f"{count(means.index[0])} training architectures to {fixed(means.iloc[-1])} with "
                f"{count(means.index[-1])}."
            )
    return [*lines, *_other_surrogates(scores, own)]


def _other_surrogates(scores: pd.DataFrame, own: str) -> list[str]:
    """Say how the other surrogates rank at the largest size, and which is best there."""
    largest = scores[scores["size"] == scores["size"].max()]
    parts = []
    for objective, rows in largest.groupby("objective", sort=False):
        means = rows.groupby("surrogate", sort=False)["spearman"].mean().dropna()
        if len(means) > 1:
            told = [f"{surrogate_words(str(name))} {fixed(mean)}" for name, mean in means.items()]
            parts.append(f"{metric_name(str(objective))} {listed(told)}")
    if not parts or scores["surrogate"].nunique() < 2:
        return []
    return [
        f"The searches use {surrogate_words(own)}. Spearman's correlation with "
        f"{counted(int(scores['size'].max()), 'training architecture')} by surrogate: {'; '.join(parts)}."
    ]


def scope_sentences(predicted: pd.DataFrame) -> list[str]:
    """Say where a predicted front held no architecture with values, so that the known architectures' front served."""
    scopes = predicted.drop_duplicates("seed")["scope"]
    replaced = int((scopes == "known").sum())
    if not replaced:
        return []
    return [
        f"In {count(replaced)} of {counted(len(scopes), 'repetition')} no architecture on the predicted front of the "
        "space has values in the benchmark; the predicted front of the architectures with values served instead."
    ]


def repeat_sentences(table: pd.DataFrame) -> list[str]:
    """Say how far training noise is known."""
    repeats = table.groupby("hash")["repeat"].nunique()
    if repeats.max() == 1:
        return [
            "Each architecture was trained once, so a difference between two architectures includes the noise of "
            "training, whose size is not known here."
        ]
    return [f"Accuracies are means over {count(int(repeats.min()))} to {count(int(repeats.max()))} trainings."]


def software_sentences(software: Mapping[str, Any]) -> list[str]:
    """Say which version of the code stood in the folder when the record of the software was written."""
    line = f"The study was run with terranas {software['terranas']} on {software['python']}, {software['platform']}"
    git = software["git"]
    if git is None:
        lines = [f"{line}; the code did not stand in a git work tree, so its commit is not known."]
        return [*lines, _RECORDS]
    lines = [f"{line}, at commit {git['commit']}."]
    if git["dirty"]:
        lines.append("The code differed from that commit: the commit alone does not give the study again.")
    return [*lines, _RECORDS]


def _split_noun(split: str) -> str:
    return {"train": "training", "validation": "validation", "test": "test"}[split]


def _split_verb(split: str) -> str:
    return {"train": "train", "validation": "validate", "test": "test"}[split]
