"""Reading what earlier stages left on disk into what the report is written from."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from terranas.benchmark.schema import BENCHMARK
from terranas.benchmark.tabular import TabularBenchmark
from terranas.comparison.page import comparison_page
from terranas.comparison.study import SearchStudy, read_study
from terranas.core.files import read_json
from terranas.core.page import Page, Picture
from terranas.core.tables import read_table
from terranas.data.schema import CLASS_COUNTS
from terranas.landscape.page import landscape_page, read_figures
from terranas.landscape.schema import RUGGEDNESS
from terranas.profiling.findings import flagged
from terranas.profiling.report import device_page
from terranas.profiling.schema import CONDITIONS, MEASUREMENTS, PROFILES
from terranas.report.content import StudyResults
from terranas.report.pictures import size_analysis
from terranas.report.stages import Made, with_sources
from terranas.sampling.schema import WALKS
from terranas.space.schema import CELLS
from terranas.surrogates.schema import PREDICTED_FRONTS, SCORES
from terranas.training.schema import EPOCHS
from terranas.training.status import read_status

FLAGGED = "files/profiling/flagged.csv"
"""Where the report holds the list of all flagged records of the device."""

Files = Mapping[str, Any]
"""Paths by name of the input; those of several files are lists."""


def read_results(files: Files, dataset: str | None, study: Mapping[str, Any]) -> StudyResults:
    """Read the study's tables.

    Args:
        files: paths by the names of :class:`StudyResults`, with ``searched`` for the benchmark that was searched, the
            tables of :func:`terranas.comparison.study.read_study`, and ``config`` for the effective configuration.
        dataset: images of the searched benchmark; None where it has those of one set only.
        study: what is told of the searches besides their tables.

    Raises:
        TerranasError: a file is missing, damaged or of another version.
    """
    searched = TabularBenchmark.open(files["searched"], dataset=dataset)
    config_text = Path(files["config"]).read_text(encoding="utf-8")
    names = ["cells", "graphs", "walks", "class_counts", "manifest", "statuses", "epochs", "table", "scores"]
    names += ["searched", "software", "validations"]
    return StudyResults(
        config=yaml.safe_load(config_text),
        config_text=config_text,
        software=read_json(files["software"]),
        manifest=read_json(files["manifest"]),
        cells=read_table(files["cells"], CELLS),
        graphs=[read_json(path) for path in files["graphs"]],
        walks=read_table(files["walks"], WALKS),
        class_counts=read_table(files["class_counts"], CLASS_COUNTS),
        table=read_table(files["table"], BENCHMARK),
        validations={
            Path(path).name.removesuffix(".validation.json"): read_json(path) for path in files["validations"]
        },
        statuses=[read_status(path) for path in files["statuses"]],
        epochs=pd.concat([read_table(path, EPOCHS) for path in files["epochs"]], ignore_index=True),
        ruggedness=read_table(files["ruggedness"], RUGGEDNESS),
        scores=read_table(files["scores"], SCORES),
        predicted=read_table(files["predicted"], PREDICTED_FRONTS),
        searched=searched,
        searches=read_study(files, files["runs"], searched, **study),
        sources={name: _paths(files[name]) for name in names},
    )


def read_made(
    results: StudyResults, files: Files, groups: Sequence[str], tables: Mapping[str, Mapping[str, str]]
) -> Made:
    """Read the figures of other stages and make their pages.

    Args:
        results: the study's tables.
        files: paths by name: ``profiles``, ``conditions``, ``measurements``; ``landscape_words``, a file a group;
            ``class_words``; ``search_words``; ``plateau``, ``calibration``; ``size_figure``.
        groups: what each file of the landscape's figures is about.
        tables: paths of the landscape's tables (:func:`terranas.landscape.page.landscape_page`).

    Raises:
        TerranasError: a file is missing, damaged or of another version.
    """
    figures = {name: read_figures(Path(path)) for name, path in zip(groups, files["landscape_words"], strict=True)}
    title = results.config["report"]["title"]
    searches = [picture for path in files["search_words"] for picture in read_figures(Path(path))]
    conditions = read_table(files["conditions"][0], CONDITIONS)
    return Made(
        profiling=_device(files, conditions, title),
        flagged=flagged(conditions),
        landscape=replace(landscape_page(figures, tables, title), warning=""),  # the frame says it
        comparison=_comparison(results.searches, searches, files, title),
        classes=read_figures(Path(files["class_words"])),
        searches=searches,
        sizes=size_analysis(results, Path(files["size_figure"]).read_bytes(), str(files["size_figure"])),
    )


def prepared_checksums(manifest: Mapping[str, Any], path: str) -> dict[str, str]:
    """Return the checksums of the prepared images and labels by path, which would take long to compute again.

    Args:
        manifest: the data stage's manifest.
        path: of its file.
    """
    folder = Path(path).parent / "prepared"
    return {
        str(folder / f"{split}_{part}.npy"): about[f"sha256_{part}"]
        for split, about in manifest["splits"].items()
        for part in ("images", "labels")
    }


def _device(files: Files, conditions: pd.DataFrame, title: str) -> Page:
    measurements = pd.concat([read_table(path, MEASUREMENTS) for path in files["measurements"]], ignore_index=True)
    profiles = read_table(files["profiles"][0], PROFILES)
    page = device_page(profiles, conditions, measurements, title, FLAGGED)
    sizes = str(files["profiles"][0])  # latencies by condition have no sizes of networks
    elsewhere = {"complexity": sizes, "costs": sizes, "drift": str(files["measurements"][0])}
    return with_sources(page, str(files["conditions"][0]), elsewhere)


def _comparison(study: SearchStudy, pictures: Sequence[Picture], files: Files, title: str) -> Page:
    calibration = pd.read_csv(files["calibration"][0]) if files["calibration"] else None
    plateaus = pd.read_csv(files["plateau"])
    return comparison_page(study, pictures, plateaus, calibration, title=title, synthetic=False)  # the frame says it


def _paths(found: Any) -> list[str]:
    return [str(found)] if isinstance(found, str | Path) else [str(path) for path in found]
