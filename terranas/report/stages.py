"""The pages of the report: the start page, one page a stage, and what stands behind it all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pandas as pd

from terranas.core.page import Block, Page, Picture, Section, Table
from terranas.report import sections
from terranas.report.charts import Chart, learning_curves
from terranas.report.content import StudyResults
from terranas.report.runtimes import runtimes_section
from terranas.report.shell import PageLink, Shell
from terranas.report.start import start_page

SYNTHETIC_WARNING = (
    "The images of this study are synthetic: numbers show that the workflow works, not how networks perform on "
    "satellite images."
)

STAGE_PAGES = "Stages"
BEHIND = "Behind it"
ABOUT = {
    "space": "cells, their sizes and neighbours",
    "data": "splits, classes and their imbalance",
    "sampling": "random walks over the space",
    "training": "every training, learning curves",
    "profiling": "latency, memory and energy on the device",
    "benchmark": "best architectures, fronts, what the tables hold",
    "landscape": "accuracies, ruggedness, optima, correlations",
    "surrogates": "how well predictors rank architectures",
    "search": "how the searches went",
    "comparison": "indicators, tests, effect sizes of all arms",
    "runs": "what each rule took, software, configuration",
}
"""What the pages hold, in the words of the start page."""


@dataclass(frozen=True)
class StagePage:
    """A page of the report.

    Attributes:
        link: its file, title and group.
        page: its content.
        charts: charts by the name of the section that they stand in.
    """

    link: PageLink
    page: Page
    charts: Mapping[str, Chart] = field(default_factory=dict)


@dataclass(frozen=True)
class Made:
    """Pages and figures that other stages made.

    Attributes:
        profiling: the page on the device.
        flagged: all records of the device that are flagged.
        landscape: the page on the landscape.
        comparison: the page on the searches.
        classes: figures of the images' classes.
        searches: figures of the searches.
        sizes: figure of the surrogates' scores.
    """

    profiling: Page
    flagged: pd.DataFrame
    landscape: Page
    comparison: Page
    classes: Sequence[Picture]
    searches: Sequence[Picture]
    sizes: Picture


def ordered(links: Sequence[PageLink]) -> list[PageLink]:
    """Return the pages in the order of the list: what stands behind it all comes last."""
    return sorted(links, key=lambda link: link.group == BEHIND)


def frame(results: StudyResults, pages: Sequence[PageLink]) -> Shell:
    """Return the frame of the report's pages.

    Args:
        results: the study's tables.
        pages: all pages in the order of the list.
    """
    return Shell(
        title=results.config["report"]["title"],
        warning=SYNTHETIC_WARNING if results.synthetic else "",
        pages=pages,
        version=results.software["terranas"],
    )


def stage_pages(results: StudyResults, made: Made, jobs: pd.DataFrame) -> list[StagePage]:
    """Return the pages in the order of the list of pages.

    Args:
        results: the study's tables.
        made: pages and figures that other stages made.
        jobs: what :func:`terranas.report.runtimes.read_runtimes` returned.
    """
    figures = {picture.name: picture for picture in made.searches}
    curves = learning_curves(results.epochs, next(iter(results.sources.get("epochs", ())), ""))
    times, chart = runtimes_section(jobs)
    written: list[tuple[PageLink, Page | Sequence[Section], Chart | None]] = [
        (PageLink("index.html", "Start"), start_page(results, figures), None),
        (_link("space", "Search space"), [sections.space(results)], None),
        (_link("data", "Images"), [sections.data(results, made.classes)], None),
        (_link("sampling", "Sampling"), [sections.sampling(results)], None),
        (_link("training", "Training"), [sections.training(results)], curves),
        (_link("profiling", "Profiling"), made.profiling, None),
        (_link("benchmark", "Benchmark"), [sections.benchmark(results), sections.tables(results)], None),
        (_link("landscape", "Landscape"), made.landscape, None),
        (_link("surrogates", "Surrogates"), [sections.surrogates(results, made.sizes)], None),
        (_link("search", "Search"), [sections.search(results)], None),
        (_link("comparison", "Comparison"), made.comparison, None),
        (_link("runs", "Run times and provenance", BEHIND), [times, sections.software(results)], chart),
    ]
    return [_stage(link, content, drawn) for link, content, drawn in written]


def with_sources(page: Page, path: str, elsewhere: Mapping[str, str] | None = None) -> Page:
    """Return a page whose tables and figures come from one file, but for some of the figures.

    Args:
        page: a page that was made without reading a file.
        path: of the file.
        elsewhere: paths of the files of other figures, by name; the number of a device behind it is passed over.
    """
    others = {} if elsewhere is None else elsewhere
    parts = []
    for section in page.sections:
        blocks: list[Block] = []
        for block in section.blocks:
            if isinstance(block, Table):
                blocks.append(replace(block, sources=[path]))
            elif isinstance(block, Picture):
                blocks.append(replace(block, source=others.get(block.name.partition("-")[0], path)))
            else:
                blocks.append(block)
        parts.append(replace(section, blocks=blocks))
    return replace(page, sections=parts)


def _link(name: str, title: str, group: str = STAGE_PAGES) -> PageLink:
    return PageLink(f"{name}.html", title, group, ABOUT[name])


def _stage(link: PageLink, content: Page | Sequence[Section], chart: Chart | None) -> StagePage:
    """Return a page, made of sections where there is none yet; the chart stands in its first section."""
    page = content if isinstance(content, Page) else Page(link.title, link.title, "", [], content)
    return StagePage(link, page, {} if chart is None else {page.sections[0].name: chart})
