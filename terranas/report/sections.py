"""Sections of the stages' pages, one function each, in data-flow order."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from terranas.benchmark.schema import metric_name
from terranas.comparison import findings as search_findings
from terranas.comparison import tabulation as search_tables
from terranas.comparison.page import sourced
from terranas.core.formats import count, counted, halves, listed, span
from terranas.core.page import Block, Listing, Picture, Section, Table
from terranas.report import findings, tabulation, validation
from terranas.report.content import StudyResults
from terranas.space.drawing import draw_legend

BEST_SHOWN = 5
FRONT_SHOWN = 20


def space(results: StudyResults) -> Section:
    """Return the search space."""
    blocks = [
        _from(results, "cells", tabulation.cells_by_vertices(results.cells)),
        _from(results, "graphs", tabulation.neighbour_graphs(results.graphs)),
    ]
    return Section("space", "Cells and their neighbours", findings.space_sentences(results.cells), blocks)


def data(results: StudyResults, pictures: Sequence[Picture]) -> Section:
    """Return the images: splits, classes, imbalance, checksums.

    Args:
        results: the study's tables.
        pictures: figures of the classes.
    """
    sentences = findings.data_sentences(results.benchmark.dataset, results.manifest, results.class_counts)
    blocks: list[Block] = [
        _from(results, "class_counts", tabulation.class_balance(results.class_counts)),
        *pictures,
        _from(results, "manifest", tabulation.checksums(results.manifest)),
    ]
    return Section("data", "Splits and classes", sentences, blocks)


def sampling(results: StudyResults) -> Section:
    """Return the walks."""
    sentences = findings.sampling_sentences(results.walks, results.config["sampling"])
    walks = replace(tabulation.walks_one_by_one(results.walks), folded="")
    return Section("sampling", "Random walks", sentences, [_from(results, "walks", walks)])


def training(results: StudyResults) -> Section:
    """Return the trainings, one by one."""
    blocks: list[Block] = []
    if results.failures:
        blocks.append(_from(results, "statuses", tabulation.failures(results.failures)))
    blocks.append(_from(results, "statuses", tabulation.trainings(results.statuses)))
    sentences = findings.training_sentences(results.table, results.cells)
    return Section("training", "Trainings", sentences, blocks)


def benchmark(results: StudyResults) -> Section:
    """Return the tabular benchmark: coverage, best cells, true Pareto front."""
    majority = findings.majority_share(results.class_counts, "test")
    sentences = [
        *findings.best_sentences(results.benchmark, results.accuracy_metric, majority),
        *findings.front_sentences(results.searched, results.objectives),
    ]
    blocks: list[Block] = [draw_legend()]
    metric = results.accuracy_metric
    values = results.benchmark.values([metric])[:, 0]
    order = np.argsort(-values, kind="stable")[: min(BEST_SHOWN, int((~np.isnan(values)).sum()))]
    if best := [results.benchmark.architectures[row] for row in order]:
        caption = f"The {counted(len(best), 'architecture')} with the best {metric_name(metric)}. {_READ_CELLS}"
        table = tabulation.architectures(caption, best, results.benchmark, results.cells, [metric])
        blocks.append(_from(results, "table", table))
    if front := results.searched.true_front(results.objectives):
        cost = results.searched.values([results.objectives[1]], front)[:, 0]
        rows = np.argsort(cost, kind="stable")
        shown = rows[np.unique(np.linspace(0, len(front) - 1, FRONT_SHOWN).round().astype(int))]
        names = listed([metric_name(name) for name in results.objectives])
        caption = f"The Pareto front of {names} on {results.searched.dataset}"
        if len(shown) < len(front):
            caption += f": {count(len(shown))} of its {count(len(front))} architectures, evenly spread"
        shown_names = [front[row] for row in shown]
        cells = None if results.searches_other_space else results.cells
        caption += "." if cells is None else f". {_READ_CELLS}"
        table = tabulation.architectures(caption, shown_names, results.searched, cells, results.objectives)
        blocks.append(_from(results, "searched", table))
    return Section("benchmark", "The best architectures", sentences, blocks)


def tables(results: StudyResults) -> Section:
    """Return what the benchmark tables hold and how they were checked."""
    made = [validation.tables(results.validations), validation.ranges(results.validations)]
    if any(report["checks"] for report in results.validations.values()):
        made.append(validation.checks(results.validations))
    if any("source" in report for report in results.validations.values()):
        made.append(validation.origins(results.validations))
    blocks = [_from(results, "validations", table) for table in made]
    return Section("tables", "What the tables hold", validation.sentences(results.validations), blocks)


def surrogates(results: StudyResults, picture: Picture) -> Section:
    """Return how well the surrogates predict.

    Args:
        results: the study's tables.
        picture: figure of the scores by size of the training set.
    """
    sizes = results.predicted.groupby("seed").size()
    sample = counted(results.config["surrogates"]["training_sample"], "architecture")
    own = results.config["surrogates"]["regressor"]
    sentences = [
        *findings.surrogate_sentences(results.scores, own),
        f"For the searches, surrogates trained on {sample} predicted the front of the space, "
        f"{counted(len(sizes), 'time')} from different samples; the predicted fronts hold {span(sizes, count)} "
        f"architectures (median {halves(float(sizes.median()))}).",
        *findings.scope_sentences(results.predicted),
    ]
    scores = tabulation.surrogate_scores(results.scores[results.scores["surrogate"] == own])
    return Section("surrogates", "Scores", sentences, [picture, _from(results, "scores", scores)])


def search(results: StudyResults) -> Section:
    """Return how the searches went."""
    neighbours = findings.NEIGHBOURHOODS[results.config["search"]["neighbourhood"]]
    if results.searches_other_space:
        neighbours = "one operation differs"
    sentences = [
        *search_findings.searched_sentences(results.searches),
        "Pareto local search evaluates the neighbours of an architecture in its archive (two architectures are "
        f"neighbours when {neighbours}), keeps what nothing else dominates, and goes on from there. Each architecture "
        "is evaluated and counted once, but for the arms called the published way.",
        *search_findings.stop_sentences(results.searches.runs),
        *search_findings.start_sentences(results.searches.runs),
    ]
    ends = sourced(search_tables.search_ends(results.searches.runs), results.searches, "runs")
    return Section("search", "How the searches went", sentences, [ends])


def software(results: StudyResults) -> Section:
    """Return what the study was made with, and how to make it again."""
    again = (
        "The effective configuration, every setting with its value, stands beside the results as config.yaml. With it, "
        "the same software"
    )
    again += "" if results.synthetic else ", the images that it names"
    sentences = [
        *findings.software_sentences(results.software),
        f"{again} and the command below, the study runs again.",
    ]
    blocks: list[Block] = [
        Listing(f"snakemake --configfile {results.config['results_dir']}/config.yaml"),
        _from(results, "software", tabulation.software(results.software)),
        Listing(results.config_text, folded="The effective configuration"),
    ]
    return Section("software", "Software and configuration", sentences, blocks)


_READ_CELLS = "Edges lead from left to right; cells are named by the first eight digits of their hash."


def _from(results: StudyResults, name: str, table: Table) -> Table:
    """Return a table with the paths of the study's files that it was made from, where it was read from files."""
    return replace(table, sources=results.sources.get(name, ()))
