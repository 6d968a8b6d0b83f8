"""The page on the searches."""

import io
import re
import runpy
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import matplotlib.pyplot as plt
import pytest

from terranas.benchmark.schema import BENCHMARK, METRICS
from terranas.comparison.page import comparison_page
from terranas.core.figures import figure, write_csv
from terranas.core.page import Picture, page_template, render
from terranas.core.tables import write_table
from terranas.search.schema import RUNS

from .study_tables import (
    Inputs,
    calibration_table,
    parameters_of,
    plateau_table,
    search_study,
    write_pictures,
    write_search_study,
)

ROOT = Path(__file__).resolve().parents[2]
FIGURES = (
    "walk",
    "violins",
    "rank_diagram",
    "fronts",
    "front_cells",
    "effects",
    "attainment",
    "anytime",
    "all_arms",
    "new",
)


@pytest.fixture(scope="module")
def pictures():
    with figure(3, 2) as (drawn, axes):
        axes.plot([0, 1])
        file = io.BytesIO()
        drawn.savefig(file, format="png")
    plt.close("all")
    return [Picture(name, file.getvalue(), f"What is seen of {name}.", f"Caption of {name}.") for name in FIGURES]


@pytest.fixture(scope="module")
def study():
    return search_study()


def page_of(study, pictures, *, calibration=None, synthetic=False, title="A study"):
    return comparison_page(study, pictures, plateau_table(), calibration, title=title, synthetic=synthetic)


def section(page, name):
    return next(section for section in page.sections if section.name == name)


def test_every_figure_stands_once_and_in_its_section(study, pictures):
    page = page_of(study, pictures)
    shown = {part.name: [block.name for block in part.blocks if isinstance(block, Picture)] for part in page.sections}
    assert shown["pairs"] == ["violins", "effects"]
    assert shown["arms"] == ["anytime", "all_arms", "rank_diagram"]
    # a figure that no section names is not lost
    assert shown["fronts"] == ["fronts", "attainment", "front_cells", "walk", "new"]
    assert sorted(name for names in shown.values() for name in names) == sorted(FIGURES)


def test_every_figure_of_the_workflow_has_a_section(study, pictures):
    names = re.search(r"COMPARISON_FIGURES = {(.*?)}", (ROOT / "rules" / "common" / "search.smk").read_text(), re.S)
    drawn = re.findall(r'"(\w+)": ', names[1])
    assert "anytime_arms" in drawn
    page = page_of(study, [replace(pictures[0], name=name) for name in [*drawn, "new"]])
    # what no section names comes last
    assert [block.name for block in section(page, "fronts").blocks][-2:] == ["walk", "new"]


def test_the_page_begins_with_what_was_searched_and_what_the_tests_say(study, pictures):
    page = page_of(study, pictures)
    assert [part.name for part in page.sections][:2] == ["overview", "conclusions"]
    assert section(page, "overview").sentences[0].startswith("4 arms searched for architectures with the highest ")
    said = section(page, "conclusions").sentences
    assert any(line.startswith("Conclusions of the thesis, surrogate starts against random starts") for line in said)
    assert set(study.conclusions.query("verdict == 'open'")["sentence"]) <= set(said)


def test_synthetic_images_are_named(study, pictures):
    assert page_of(study, pictures).warning == ""
    assert "images of this study are synthetic" in page_of(study, pictures, synthetic=True).warning


def test_calibration_stands_only_where_values_are_predicted(study, pictures):
    assert len(section(page_of(study, pictures), "surrogates").blocks) == 1
    assert len(section(page_of(study, pictures, calibration=calibration_table()), "surrogates").blocks) == 2
    nothing = calibration_table().iloc[:0]
    assert len(section(page_of(study, pictures, calibration=nothing), "surrogates").blocks) == 1


def test_a_study_without_tests_is_still_a_page(study, pictures):
    bare = replace(
        study, tests=study.tests.iloc[:0], ranks=study.ranks.iloc[:0], conclusions=study.conclusions.iloc[:0]
    )
    html = render(page_of(bare, pictures), page_template())
    assert "No test between arms could be made." in html
    assert 'id="tests"' not in html


def test_names_cannot_become_markup(pictures):
    evil = "<script>alert(1)</script>"
    html = render(page_of(search_study(evil), pictures, title=evil), page_template())
    assert "<script" not in html
    assert "&lt;script&gt;" in html


def run_page(folder, study, pictures, **changed):
    """Write a study as the workflow does and run the script of the page's rule."""
    table = {"hash": ["0" * 32], "id": [None], "epochs": 4, "repeat": 0, "outcome": "ok", "dataset": study.dataset}
    metrics = {column.name: 0.5 if column.name.endswith("accuracy") else 10.0 for column in METRICS}
    frame = BENCHMARK.empty().reindex([0]).assign(**table, source="terranas", device="", **metrics)
    write_table(frame, folder / "table.parquet", BENCHMARK)
    write_csv(plateau_table(), folder / "plateau.csv")
    write_csv(calibration_table(), folder / "calibration.csv")
    given = {
        "table": folder / "table.parquet",
        "plateau": folder / "plateau.csv",
        "calibration": [folder / "calibration.csv"],
        "words": [write_pictures(pictures, folder)],
        **write_search_study(study, folder),
    }
    params = {"title": "A study", "dataset": None, "study": parameters_of(study), "synthetic": True}
    runpy.run_path(
        str(ROOT / "workflow_scripts" / "comparison" / "page.py"),
        init_globals={
            "snakemake": SimpleNamespace(
                input=Inputs(**(given | changed)),
                params=SimpleNamespace(**params),
                output=SimpleNamespace(page=folder / "index.html"),
                log=[],
            )
        },
    )
    return (folder / "index.html").read_text(encoding="utf-8")


def test_the_script_writes_the_same_page_from_files(tmp_path, study, pictures):
    told = page_of(study, pictures, calibration=calibration_table(), synthetic=True)
    assert run_page(tmp_path, study, pictures) == render(told, page_template())


def test_the_script_takes_a_study_that_predicts_nothing(tmp_path, study, pictures):
    html = run_page(tmp_path, study, pictures, calibration=[])
    assert "prediction intervals" not in re.sub(r"base64,[A-Za-z0-9+/=]+", "", html)


def test_the_script_names_a_table_of_an_older_version(tmp_path, study, pictures, capsys):
    write_table(study.runs, tmp_path / "old.parquet", replace(RUNS, version=1))
    with pytest.raises(SystemExit):
        run_page(tmp_path, study, pictures, runs=[tmp_path / "old.parquet"])
    assert "expected search.runs version 2" in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "index.html").exists()
