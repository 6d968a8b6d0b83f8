"""The sections of the page, one function each, in data-flow order."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from terranas.benchmark.schema import metric_name
from terranas.comparison import findings as search_findings
from terranas.comparison import tabulation as search_tables
from terranas.core.formats import count, counted, halves, listed, percent, span
from terranas.core.page import Block, Listing, Picture, Section
from terranas.report import findings, tabulation, validation
from terranas.report.content import StudyResults
from terranas.report.pictures import picture
from terranas.space.drawing import draw_legend

BEST_SHOWN = 5
FRONT_SHOWN = 20

SEARCHED_NAMES = {
    "own": "a table of its own",
    "nasbench101": "NAS-Bench-101",
    "nasbench201": "NAS-Bench-201",
    "hw_nas_bench": "HW-NAS-Bench",
}
"""Names of the benchmarks that can be searched besides the one the study made."""

Figures = Mapping[str, bytes]


def all_sections(results: StudyResults, figures: Figures, searches: Sequence[Picture]) -> list[Section]:
    """Return the page's sections.

    Args:
        results: the study's tables.
        figures: PNG files by the name of the file without its ending.
        searches: figures of the searches with their texts.
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
        comparison(results, searches),
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
    own = results.config["search"]["benchmark"] == "study"
    numbers = [
        (f"{count(known.sum())} of {count(len(results.cells))}", "cells of the search space trained"),
        (percent(best), f"{metric_name(test)} of the architecture that is best on validation images"),
        (percent(majority), "of the test images belong to the largest class"),
        (count(len(front)), f"architectures on the Pareto front of the {'study' if own else 'searched benchmark'}"),
    ]
    if len(tests := _main_tests(results)):
        shown = f"{count(tests['significant'].sum())} of {count(len(tests))}"
        numbers.append((shown, f"tests of {search_findings.versus(results.pair)} significant"))
    return numbers


def limits(results: StudyResults) -> list[str]:
    """Return what a reader must know before trusting the numbers."""
    return [
        *findings.repeat_sentences(results.table),
        *search_findings.ceiling_sentences(results.searches.runs),
        *search_findings.start_sentences(results.searches.runs),
        *findings.scope_sentences(results.predicted),
        *search_findings.prefix_sentences(results.searches.tests),
    ]


def overview(results: StudyResults) -> Section:
    """Return what was run and what was found."""
    kind = results.config["search"]["benchmark"]
    searched = "it" if kind == "study" else f"{SEARCHED_NAMES[kind]} ({results.searched.dataset})"
    searches = results.searches
    goal = search_findings.goal(searches.objectives)
    sentences = [
        f"This study trained and measured cells of NAS-Bench-101 on the images '{results.benchmark.dataset}', put the "
        f"results into one tabular benchmark, and searched {searched} for architectures with {goal}. "
        f"{counted(len(searches.arms), 'arm')} searched with {counted(int(searches.runs['seed'].nunique()), 'seed')} "
        f"each; this page tells of {search_findings.versus(results.pair)} in detail.",
        *findings.training_sentences(results.table, results.cells),
        *_best(results),
        *findings.front_sentences(results.searched, results.objectives),
        *_tested(results),
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
        caption = f"The Pareto front of {names} on {results.searched.dataset}"
        if len(shown) < len(front):
            caption += f": {count(len(shown))} of its {count(len(front))} architectures, evenly spread"
        shown_names = [front[row] for row in shown]
        cells = None if results.searches_other_space else results.cells
        caption += "." if cells is None else f". {_READ_CELLS}"
        blocks.append(tabulation.architectures(caption, shown_names, results.searched, cells, results.objectives))
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
    own = results.config["surrogates"]["regressor"]
    sentences = [
        *findings.surrogate_sentences(results.scores, own),
        f"For the searches, surrogates trained on {sample} predicted the front of the space, "
        f"{counted(len(sizes), 'time')} from different samples; the predicted fronts hold {span(sizes, count)} "
        f"architectures (median {halves(float(sizes.median()))}).",
        *findings.scope_sentences(results.predicted),
    ]
    blocks: list[Block] = [
        tabulation.surrogate_scores(results.scores[results.scores["surrogate"] == own]),
        _picture(results, figures, "size_analysis"),
    ]
    return Section("surrogates", "Surrogates", sentences, blocks)


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
    return Section("search", "Search", sentences, [search_tables.search_ends(results.searches.runs)])


def comparison(results: StudyResults, searches: Sequence[Picture]) -> Section:
    """Return indicators and tests of the first pair of arms, and all arms in one table."""
    pair, study = results.pair, results.searches
    tests, objectives = study.tests_of(pair), study.objectives
    pictures = {picture.name: picture for picture in searches}
    sentences = [
        *_tested(results),
        *search_findings.thesis_details(study.conclusions, pair),
        *search_findings.difference_details(study.conclusions, pair),
        *search_findings.prefix_sentences(tests),
        *search_findings.repeated_sentences(study.runs),
        "All arms, all pairs and all figures stand on a page of their own: "
        f"comparison/{results.config['search']['benchmark']}/index.html.",
    ]
    blocks: list[Block] = [pictures["fronts"]]
    if len(tests):
        blocks.append(search_tables.effects(tests, pair, objectives))
    blocks += [pictures["violins"], search_tables.arms(study), pictures["anytime"]]
    if len(tests):
        blocks.append(search_tables.all_tests(tests, pair, objectives))
    return Section("comparison", "Comparison of the searches", sentences, blocks)


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


def _main_tests(results: StudyResults) -> pd.DataFrame:
    """Return the tests of the first pair of arms, but for those of the thesis's faulty indicators."""
    tests = results.searches.tests_of(results.pair)
    return tests[tests["family"] == "main"]


def _tested(results: StudyResults) -> list[str]:
    """Say what the tests of the first pair of arms show, and what that means for the thesis's conclusions."""
    study, pair = results.searches, results.pair
    return [
        *search_findings.verdict_sentences(_main_tests(results)),
        *search_findings.thesis_sentence(study.conclusions, pair, study.objectives),
        *search_findings.ahead_sentence(study.conclusions, pair, study.objectives),
    ]


def _best(results: StudyResults) -> list[str]:
    majority = findings.majority_share(results.class_counts, "test")
    return findings.best_sentences(results.benchmark, results.accuracy_metric, majority)


def _picture(results: StudyResults, figures: Figures, name: str) -> Picture:
    return picture(results, name, figures[name])
