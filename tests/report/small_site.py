"""The report of a small study: stand-in tables and figures, written as the workflow writes them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from terranas.comparison.page import comparison_page
from terranas.core.figures import write_csv
from terranas.core.page import Head, Page, Picture, Section, Table
from terranas.core.records import record_path
from terranas.core.tables import write_table
from terranas.data.schema import CLASS_COUNTS
from terranas.report.content import StudyResults
from terranas.report.origins import Origins
from terranas.report.runtimes import read_runtimes
from terranas.report.shell import copy_assets
from terranas.report.site import Site
from terranas.report.stages import Made, frame, ordered, stage_pages, with_sources

from ..comparison.study_tables import plateau_table
from .small_study import dummy_figure, study_results

FIGURES = ("fronts", "violins", "all_arms", "anytime")
FINGERPRINT = "0123456789abcdef"


@dataclass(frozen=True)
class SmallSite:
    """Where a report stands and what it was made of."""

    folder: Path
    study: Path
    metadata: Path
    results: StudyResults
    pages: list[str]


def write_small_site(place: Path, **changed: Any) -> SmallSite:
    """Write a study's files and its report.

    Args:
        place: an empty folder.
        changed: what :func:`study_results` takes.
    """
    study, metadata, folder = place / "results", place / "metadata", place / "report"
    for needed in (study, metadata, folder):
        needed.mkdir()
    made_up = study_results(**changed)
    config = {**made_up.config, "results_dir": str(study)}
    counts = study / "data" / "class_counts.parquet"
    write_table(made_up.class_counts, counts, CLASS_COUNTS)
    sources = {"class_counts": [str(counts)], "statuses": [str(study / "a.json"), str(study / "b.json")]}
    results = replace(made_up, config=config, sources=sources)
    write_record(metadata, counts, inputs=[str(study / "absent.npz")], study=study)
    made = stand_in_pages(results, study, metadata)
    pages = stage_pages(results, made, read_runtimes(study / "runtimes", metadata))
    copy_assets(folder)
    site = Site(folder, frame(results, ordered([page.link for page in pages])), str(study), Origins(metadata))
    for page in pages:
        site.write(page)
    return SmallSite(folder, study, metadata, results, [page.link.file for page in pages])


def stand_in_pages(results: StudyResults, study: Path, metadata: Path) -> Made:
    """Return pages and figures of other stages."""
    searches = [picture(study, f"comparison/study/{name}", metadata) for name in FIGURES]
    numbers = Table("Numbers.", [Head("Name", "text"), Head("Number")], [("a", "1,234"), ("b", "−5"), ("c", "43.2 k")])
    profiling = Page(
        title="Device report: a study",
        subject="a device",
        subtitle="What cells cost",
        warning="Foreign load disturbed the measurements.",
        headline=[("7 ms", "of a batch")],
        limits=["One session only."],
        sections=[Section("latency", "Latency", ["Measured."], [numbers, replace(searches[0], source="")])],
    )
    landscape = Page(
        "Landscape", "landscape", "", [], [Section("study", "Accuracies", [], [picture(study, "landscape/latency")])]
    )
    return Made(
        profiling=with_sources(profiling, str(study / "data" / "class_counts.parquet")),
        flagged=pd.DataFrame(),
        landscape=landscape,
        comparison=comparison_page(results.searches, searches, plateau_table(), None, title="A study", synthetic=False),
        classes=[picture(study, "landscape/study/class_distribution")],
        searches=searches,
        sizes=picture(study, "surrogates/study/size_analysis"),
    )


def picture(study: Path, stem: str, metadata: Path | None = None) -> Picture:
    """Return a figure that stands in all its formats below a study's folder."""
    path = study / f"{stem}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(dummy_figure(path.stem))
    for kind in ("pdf", "svg"):
        path.with_suffix(f".{kind}").write_text(f"stand-in {kind}")
    write_csv(pd.DataFrame({"x": [1, 2]}), path.with_suffix(".csv"))
    if metadata is not None:
        write_record(metadata, path, study=study)
    return Picture(path.stem, path.read_bytes(), f"Frame with 1 stand-in curve of {path.stem}.", "Stand-in.", str(path))


def write_record(metadata: Path, output: Path, *, study: Path, inputs: list[str] | None = None, **changed: Any) -> None:
    """Write what Snakemake notes of a job, and its benchmark file."""
    stage = output.relative_to(study).parts[0]
    content: Mapping[str, Any] = {
        "rule": f"{stage}_rule",
        "input": inputs or [],
        "params": ["'<b>a & b</b>'", f"'{FINGERPRINT}'", "30"],
        "code": "script",
        "log": [str(study / "logs" / stage / f"{output.stem}.log")],
        "input_checksums": {},
        "starttime": 1_700_000_000.0,
        "endtime": 1_700_000_065.0,
        "incomplete": False,
    }
    path = record_path(metadata, str(output))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({**content, **changed}))
    times = study / "runtimes" / stage / f"{output.stem}.tsv"
    times.parent.mkdir(parents=True, exist_ok=True)
    times.write_text("s\th:m:s\tmax_rss\tmean_load\tcpu_time\n65.5\t0:01:05\t512.25\t90.0\t61.0\n")
