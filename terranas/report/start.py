"""The start page: what was run, on what data, what was found, and how sure that is."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from terranas.benchmark.schema import metric_name
from terranas.comparison import findings as search_findings
from terranas.core.formats import count, counted, percent
from terranas.core.page import Page, Picture, Section
from terranas.report import findings, validation
from terranas.report.content import StudyResults

SEARCHED_NAMES = {
    "own": "a table from outside",
    "nasbench101": "NAS-Bench-101",
    "nasbench201": "NAS-Bench-201",
    "hw_nas_bench": "HW-NAS-Bench",
}
"""Names of the benchmarks that can be searched besides the one the study made."""

SHOWN = ("fronts", "anytime")
"""Figures of the searches that stand on the start page, where they were drawn."""


def start_page(results: StudyResults, figures: Mapping[str, Picture]) -> Page:
    """Return the start page.

    Args:
        results: the study's tables.
        figures: figures of the searches by name, some of which are shown.
    """
    shown = [figures[name] for name in SHOWN if name in figures]
    return Page(
        title=results.config["report"]["title"],
        subject=results.benchmark.dataset,
        subtitle=f"A study of neural architectures on {results.benchmark.dataset}",
        headline=headline(results),
        sections=[
            Section("run", "What was run", run_sentences(results)),
            Section(
                "images",
                "On what data",
                findings.data_sentences(results.benchmark.dataset, results.manifest, results.class_counts),
            ),
            Section("found", "What was found", found_sentences(results), shown),
            Section("landscape", "What the landscape is like", findings.ruggedness_sentences(results.ruggedness)),
            Section("surrogates", "How well surrogates predict", surrogate_sentences(results)),
            Section("sure", "How sure that is", sure_sentences(results)),
        ],
    )


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
        (
            count(len(front)),
            f"{'architecture' if len(front) == 1 else 'architectures'} on the Pareto front of the "
            f"{'study' if own else 'searched benchmark'}",
        ),
    ]
    if len(tests := _main_tests(results)):
        shown = f"{count(tests['significant'].sum())} of {count(len(tests))}"
        numbers.append((shown, f"tests of {search_findings.versus(results.pair)} significant"))
    return numbers


def run_sentences(results: StudyResults) -> list[str]:
    """Say what the study did."""
    kind = results.config["search"]["benchmark"]
    searched = "it" if kind == "study" else f"{SEARCHED_NAMES[kind]} ({results.searched.dataset})"
    searches = results.searches
    goal = search_findings.goal(searches.objectives)
    return [
        f"This study trained and measured cells of NAS-Bench-101 on the images '{results.benchmark.dataset}', put the "
        f"results into one tabular benchmark, and searched {searched} for architectures with {goal}.",
        *findings.training_sentences(results.table, results.cells),
        f"{counted(len(searches.arms), 'arm')} searched with {counted(int(searches.runs['seed'].nunique()), 'seed')} "
        f"each; this page tells of {search_findings.versus(results.pair)}, the page on the comparison of all.",
    ]


def found_sentences(results: StudyResults) -> list[str]:
    """Say what came out, the most asked for first."""
    majority = findings.majority_share(results.class_counts, "test")
    return [
        *findings.best_sentences(results.benchmark, results.accuracy_metric, majority),
        *findings.front_sentences(results.searched, results.objectives),
        *_tested(results),
    ]


def surrogate_sentences(results: StudyResults) -> list[str]:
    """Say how well the surrogates rank architectures they were not trained on."""
    return findings.surrogate_sentences(results.scores, results.config["surrogates"]["regressor"])


def sure_sentences(results: StudyResults) -> list[str]:
    """Say what a reader must know before trusting the numbers."""
    checks = validation.sentences(results.validations)[1:]
    return [
        *findings.repeat_sentences(results.table),
        *search_findings.ceiling_sentences(results.searches.runs),
        *search_findings.start_sentences(results.searches.runs),
        *findings.scope_sentences(results.predicted),
        *search_findings.prefix_sentences(results.searches.tests),
        *checks,
        "On the same kind of machine the study's tables come out the same again, bit for bit, but for what is measured "
        "(times, memory, energy) and what follows from it.",
    ]


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
