"""The sections of the page, one function each, in data-flow order."""

from collections.abc import Mapping

import numpy as np

from terranas.benchmark.schema import metric_name
from terranas.core.formats import count, counted, halves, listed, percent, span
from terranas.core.page import Block, Listing, Picture, Section
from terranas.report import findings, tabulation, validation, verdict
from terranas.report.content import StudyResults
from terranas.report.pictures import picture
from terranas.space.drawing import draw_legend

BEST_SHOWN = 5
FRONT_SHOWN = 20

Figures = Mapping[str, bytes]


def all_sections(results: StudyResults, figures: Figures) -> list[Section]:
    """Return the page's sections.

    Args:
        results: the study's tables.
        figures: PNG files by the name of the file without its ending.
    """
    return [
        overview(results),
        space(results),
        data(results, figures),
        sampling(results),
        benchmark(results),
        tables(results),
        landscape(results, figures),
        surrogates(results, figures),
        search(results),
        comparison(results, figures),
        provenance(results),
    ]


def headline(results: StudyResults) -> list[tuple[str, str]]:
    """Return the few numbers that stand first on the page, each with what it is."""
    metric = results.accuracy_metric
    test = metric.replace("validation", "test")
    values = results.benchmark.values([metric, test])
    known = ~np.isnan(values[:, 0])
    best = float(values[np.nanargmax(values[:, 0]), 1]) if known.any() else float("nan")
    majority = findings.majority_share(results.class_counts, "test")
    front = results.searched.true_front(results.objectives)
    numbers = [
        (f"{count(known.sum())} of {count(len(results.cells))}", "cells of the search space trained"),
        (percent(best), f"{metric_name(test)} of the architecture that is best on validation images"),
        (percent(majority), "of the test images belong to the largest class"),
        (count(len(front)), "architectures on the true Pareto front"),
    ]
    if len(results.tests):
        shown = f"{count(results.tests['significant'].sum())} of {count(len(results.tests))}"
        numbers.append((shown, "tests between the two kinds of starts significant"))
    return numbers


def limits(results: StudyResults) -> list[str]:
    """Return what a reader must know before trusting the numbers."""
    return [
        *findings.repeat_sentences(results.table),
        *verdict.ceiling_sentences(results.runs),
        *findings.start_sentences(results.runs),
        *findings.scope_sentences(results.predicted),
        *verdict.prefix_sentences(results.tests),
    ]


def overview(results: StudyResults) -> Section:
    """Return what was run and what was found."""
    objectives = listed([metric_name(name) for name in results.objectives])
    searched = "it" if not results.searches_published_table else f"a published one ({results.searched.dataset})"
    seeds = results.runs["seed"].nunique()
    sentences = [
        f"This study trained and measured cells of NAS-Bench-101 on the images '{results.benchmark.dataset}', put the "
        f"results into one tabular benchmark, and searched {searched} for architectures with the best {objectives}. "
        f"Pareto local search started {counted(seeds, 'time')} from architectures that a surrogate had predicted to be "
        f"good, and as often from random ones.",
        *findings.training_sentences(results.table, results.cells),
        *_best(results),
        *findings.front_sentences(results.searched, results.objectives),
        verdict.verdict_sentence(results.tests),
        *verdict.indicator_sentences(results.tests),
    ]
    return Section("overview", "What came out", sentences)


def space(results: StudyResults) -> Section:
    """Return the search space."""
    blocks = [tabulation.cells_by_vertices(results.cells), tabulation.neighbour_graphs(results.graphs)]
    return Section("space", "Search space", findings.space_sentences(results.cells), blocks)


def data(results: StudyResults, figures: Figures) -> Section:
    """Return the images: splits, classes, imbalance."""
    sentences = findings.data_sentences(results.benchmark.dataset, results.manifest, results.class_counts)
    blocks: list[Block] = [
        tabulation.class_balance(results.class_counts),
        _picture(results, figures, "class_distribution"),
    ]
    return Section("data", "Images", sentences, blocks)


def sampling(results: StudyResults) -> Section:
    """Return the walks."""
    sentences = findings.sampling_sentences(results.walks, results.config["sampling"])
    return Section("sampling", "Sampling", sentences, [tabulation.walks_one_by_one(results.walks)])


def benchmark(results: StudyResults) -> Section:
    """Return the tabular benchmark: coverage, best cells, true Pareto front."""
    sentences = [
        *findings.training_sentences(results.table, results.cells),
        *_best(results),
        *findings.front_sentences(results.searched, results.objectives),
    ]
    blocks: list[Block] = [tabulation.failures(results.failures)] if results.failures else []
    blocks.append(draw_legend())
    metric = results.accuracy_metric
    values = results.benchmark.values([metric])[:, 0]
    order = np.argsort(-values, kind="stable")[: min(BEST_SHOWN, int((~np.isnan(values)).sum()))]
    if best := [results.benchmark.architectures[row] for row in order]:
        caption = f"The {counted(len(best), 'architecture')} with the best {metric_name(metric)}. {_READ_CELLS}"
        blocks.append(tabulation.architectures(caption, best, results.benchmark, results.cells, [metric]))
    if front := results.searched.true_front(results.objectives):
        cost = results.searched.values([results.objectives[1]], front)[:, 0]
        rows = np.argsort(cost, kind="stable")
        shown = rows[np.unique(np.linspace(0, len(front) - 1, FRONT_SHOWN).round().astype(int))]
        names = listed([metric_name(name) for name in results.objectives])
        caption = f"The true Pareto front of {names} on {results.searched.dataset}"
        if len(shown) < len(front):
            caption += f": {count(len(shown))} of its {count(len(front))} architectures, evenly spread"
        hashes = [front[row] for row in shown]
        caption += f". {_READ_CELLS}"
        blocks.append(tabulation.architectures(caption, hashes, results.searched, results.cells, results.objectives))
    return Section("benchmark", "Training, profiling and the benchmark", sentences, blocks)


def tables(results: StudyResults) -> Section:
    """Return what the benchmark tables hold and how they were checked."""
    blocks: list[Block] = [validation.tables(results.validations), validation.ranges(results.validations)]
    if any(report["checks"] for report in results.validations.values()):
        blocks.append(validation.checks(results.validations))
    if any("source" in report for report in results.validations.values()):
        blocks.append(validation.origins(results.validations))
    return Section("tables", "Benchmark tables", validation.sentences(results.validations), blocks)


def landscape(results: StudyResults, figures: Figures) -> Section:
    """Return the fitness landscape: accuracies, latency, ruggedness."""
    blocks: list[Block] = [
        tabulation.accuracies(results.accuracy_summary),
        _picture(results, figures, "accuracy_distribution"),
        _picture(results, figures, "latency"),
        tabulation.ruggedness_by_metric(results.ruggedness),
        _picture(results, figures, "ruggedness"),
    ]
    sentences = [
        *findings.ruggedness_sentences(results.ruggedness),
        "All of the analysis, with local optima and footprint, stands on a page of its own: landscape/index.html.",
    ]
    return Section("landscape", "Fitness landscape", sentences, blocks)


def surrogates(results: StudyResults, figures: Figures) -> Section:
    """Return how well the surrogates predict."""
    sizes = results.predicted.groupby("seed").size()
    sample = counted(results.config["surrogates"]["training_sample"], "architecture")
    sentences = [
        *findings.surrogate_sentences(results.scores),
        f"For the searches, surrogates trained on {sample} predicted the front of the space, "
        f"{counted(len(sizes), 'time')} from different samples; the predicted fronts hold {span(sizes, count)} "
        f"architectures (median {halves(float(sizes.median()))}).",
        *findings.scope_sentences(results.predicted),
    ]
    blocks: list[Block] = [tabulation.surrogate_scores(results.scores), _picture(results, figures, "size_analysis")]
    return Section("surrogates", "Surrogates", sentences, blocks)


def search(results: StudyResults) -> Section:
    """Return how the searches went."""
    neighbourhood = findings.NEIGHBOURHOODS[results.config["search"]["neighbourhood"]]
    sentences = [
        "Pareto local search evaluates the neighbours of an architecture in its archive (two architectures are "
        f"neighbours when {neighbourhood}), keeps what nothing else dominates, and goes on from there. Each "
        "architecture is evaluated and counted once.",
        *findings.stop_sentences(results.runs),
        *findings.start_sentences(results.runs),
    ]
    return Section("search", "Search", sentences, [tabulation.search_ends(results.runs)])


def comparison(results: StudyResults, figures: Figures) -> Section:
    """Return indicators and tests of the two arms."""
    sentences = [
        *verdict.budget_sentences(results.tests),
        verdict.verdict_sentence(results.tests),
        *verdict.indicator_sentences(results.tests),
        *verdict.prefix_sentences(results.tests),
    ]
    blocks: list[Block] = [_picture(results, figures, "fronts")]
    if len(results.tests):
        blocks.append(tabulation.effects(results.tests))
    blocks += [_picture(results, figures, name) for name in ("violins", "anytime")]
    if len(results.tests):
        blocks.append(tabulation.all_tests(results.tests))
    return Section("comparison", "Comparison of the starts", sentences, blocks)


def provenance(results: StudyResults) -> Section:
    """Return what the study was made with, and how to make it again."""
    again = (
        "The effective configuration, every setting with its value, stands beside the results as config.yaml. With it, "
        "the same software"
    )
    again += "" if results.synthetic else ", the images that it names"
    sentences = [
        *findings.software_sentences(results.software),
        f"{again} and the command below, the study runs again. On the same kind of machine its tables come out the "
        "same, bit for bit, but for what is measured (times) and what follows from it.",
    ]
    blocks: list[Block] = [
        Listing(f"snakemake --configfile {results.config['results_dir']}/config.yaml"),
        tabulation.software(results.software),
        tabulation.checksums(results.manifest),
        Listing(results.config_text, folded="The effective configuration"),
    ]
    return Section("provenance", "Provenance", sentences, blocks)


_READ_CELLS = "Edges lead from left to right; cells are named by the first eight digits of their hash."


def _best(results: StudyResults) -> list[str]:
    majority = findings.majority_share(results.class_counts, "test")
    return findings.best_sentences(results.benchmark, results.accuracy_metric, majority)


def _picture(results: StudyResults, figures: Figures, name: str) -> Picture:
    return picture(results, name, figures[name])
