"""The page of a search study: what was searched, what the tests say, every figure, and the tables behind it."""

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from terranas.comparison import findings, tabulation
from terranas.comparison.findings import JUDGED, versus
from terranas.comparison.study import SearchStudy, of_pair
from terranas.core.formats import count, fixed
from terranas.core.page import Block, Page, Picture, Section, Table

_GROUPS = {
    "pair": ("violins", "effects"),
    "arms": ("anytime", "anytime_arms", "all_arms", "rank_diagram"),
    "fronts": ("fronts", "attainment", "front_cells", "walk"),
}
"""Figures by the section they stand in, in their order."""


def comparison_page(
    study: SearchStudy,
    pictures: Sequence[Picture],
    plateaus: pd.DataFrame,
    calibration: pd.DataFrame | None,
    *,
    title: str,
    synthetic: bool,
) -> Page:
    """Return the page.

    Args:
        study: the searches, their indicators and tests.
        pictures: figures with their texts.
        plateaus: schema ``surrogates.plateaus``.
        calibration: schema ``surrogates.calibration``; None where no value is predicted.
        title: of the study.
        synthetic: whether the searched benchmark was trained on synthetic images.
    """
    sections = [
        _overview(study),
        _conclusions(study),
        _pair(study, pictures),
        _arms(study, pictures),
        _fronts(pictures),
        _searches(study),
        _surrogates(plateaus, calibration),
        _tests(study),
    ]
    return Page(
        title=f"Searches: {title}",
        subject="searches",
        subtitle=f"What searches for {findings.goal(study.objectives)} found on {study.dataset}",
        warning=(
            "The images of this study are synthetic: its numbers show that the comparison works, and nothing else."
            if synthetic
            else ""
        ),
        headline=_headline(study),
        limits=[
            *findings.ceiling_sentences(study.runs),
            *findings.start_sentences(study.runs),
            *findings.prefix_sentences(study.tests),
            *findings.repeated_sentences(study.runs),
        ],
        sections=[section for section in sections if section.sentences or section.blocks],
    )


def _headline(study: SearchStudy) -> list[tuple[str, str]]:
    numbers = [
        (count(len(study.arms)), f"arms, {count(study.runs['seed'].nunique())} seeds each"),
        (fixed(study.reference["reference_hypervolume"], 3), f"hypervolume of the {study.reference['reference']}"),
    ]
    main = study.tests[study.tests["family"] == "main"]
    if len(main):
        numbers.append((f"{count(main['significant'].sum())} of {count(len(main))}", "tests significant after Holm"))
    judged = of_pair(study.conclusions, study.pairs[0])
    judged = judged[judged["verdict"].isin(JUDGED)]
    if len(judged):
        supported = int((judged["verdict"] == "supported").sum())
        told = f"conclusions of the thesis supported, {versus(study.pairs[0])}"
        numbers.append((f"{count(supported)} of {count(len(judged))}", told))
    return numbers


def _overview(study: SearchStudy) -> Section:
    return Section("overview", "What was searched", findings.searched_sentences(study))


def _conclusions(study: SearchStudy) -> Section:
    sentences = findings.verdict_sentences(study.tests)
    table, objectives = study.conclusions, study.objectives
    blocks: list[Block] = []
    for pair in study.pairs:
        sentences += findings.thesis_sentence(table, pair, objectives)
        if findings.thesis_details(table, pair):
            blocks.append(sourced(tabulation.conclusions(table, pair, objectives), study, "conclusions"))
    for pair in study.pairs:
        sentences += findings.ahead_sentence(table, pair, objectives)
    for pair in study.pairs:
        sentences += findings.thesis_details(table, pair)
    return Section("conclusions", "What the tests say", sentences, blocks)


def _pair(study: SearchStudy, pictures: Sequence[Picture]) -> Section:
    blocks: list[Block] = [*_chosen(pictures, "pair")]
    for pair in study.pairs:
        if len(tests := study.tests_of(pair)):
            blocks.append(sourced(tabulation.effects(tests, pair, study.objectives), study, "tests"))
    sentences = [f"Tested against each other: {'; '.join(versus(pair) for pair in study.pairs)}."]
    for pair in study.pairs:
        sentences += findings.difference_details(study.conclusions, pair)
    return Section("pairs", "Pairs of arms", sentences, blocks)


def _arms(study: SearchStudy, pictures: Sequence[Picture]) -> Section:
    blocks: list[Block] = [sourced(tabulation.arms(study), study, "indicators"), *_chosen(pictures, "arms")]
    if len(study.ranks):
        blocks.append(sourced(tabulation.ranks(study.ranks, study.objectives), study, "ranks"))
    return Section("arms", "All arms", [], blocks)


def _fronts(pictures: Sequence[Picture]) -> Section:
    return Section("fronts", "Fronts and walks", [], _chosen(pictures, "fronts"))


def _searches(study: SearchStudy) -> Section:
    blocks = [sourced(tabulation.search_ends(study.runs), study, "runs")]
    return Section("searches", "How searches ended", findings.stop_sentences(study.runs), blocks)


def _surrogates(plateaus: pd.DataFrame, calibration: pd.DataFrame | None) -> Section:
    blocks: list[Block] = [tabulation.plateaus(plateaus)] if len(plateaus) else []
    if calibration is not None and len(calibration):
        blocks.append(tabulation.calibration(calibration))
    return Section("surrogates", "Surrogates", [], blocks)


def _tests(study: SearchStudy) -> Section:
    found = [(pair, study.tests_of(pair)) for pair in study.pairs]
    blocks = [
        sourced(tabulation.all_tests(tests, pair, study.objectives), study, "tests")
        for pair, tests in found
        if len(tests)
    ]
    return Section("tests", "All tests", [], blocks)


def sourced(table: Table, study: SearchStudy, name: str) -> Table:
    """Return a table with the paths of the study's files that it was made from, where it was read from files."""
    return replace(table, sources=study.sources.get(name, ()))


def _chosen(pictures: Sequence[Picture], group: str) -> list[Picture]:
    """Return the figures of a section in their order; those that no section names stand with the fronts."""
    named = {name for names in _GROUPS.values() for name in names}
    by_name = {picture.name: picture for picture in pictures}
    found = [by_name[name] for name in _GROUPS[group] if name in by_name]
    return found + [picture for picture in pictures if picture.name not in named] if group == "fronts" else found
