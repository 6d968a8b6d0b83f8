"""A device's page: what it computes by hand, and that it says so for few and many architectures and conditions."""

import re
import runpy
from dataclasses import replace
from functools import cache
from html import unescape
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from terranas.core.errors import DataError
from terranas.core.page import Page, Picture, Table, page_template, render
from terranas.core.tables import write_table
from terranas.profiling import figures
from terranas.profiling.findings import (
    DeviceTables,
    Ranking,
    changes,
    compare,
    flagged,
    overhead_ms,
    rank_correlations,
    reference_drift,
    said_of_device,
    tables_by_device,
)
from terranas.profiling.formats import condition_name, short_time
from terranas.profiling.report import device_page
from terranas.profiling.schema import CONDITIONS, FLAGS, MEASUREMENTS, OUTCOMES, PROFILES
from terranas.profiling.sections import OUTCOME_WORDS
from terranas.profiling.settings import Condition

from .made_up import GPU, SWEEP, made_up, together

SCRIPT = Path(__file__).resolve().parents[2] / "workflow_scripts" / "profiling" / "report.py"
FULL = {"protocol": "full", "device": "cuda"}
FILE = "cuda_flagged.csv"


def page_of(tables: DeviceTables) -> Page:
    return device_page(tables.profiles, tables.conditions, tables.measurements, "Default study", FILE)


def text_of(page: Page) -> str:
    """Return the text alone, as it is read."""
    content = render(page, page_template())
    assert "<script" not in content
    return re.sub(r"[ \n]+", " ", unescape(re.sub(r"<[^>]*>", " ", content.split("<body>")[1]))).replace("\u202f", " ")


def blocks_of(page: Page, kind: type) -> list:
    return [block for section in page.sections for block in section.blocks if isinstance(block, kind)]


def test_rank_correlations_by_hand():
    found = Ranking.of(pd.Series([1.0, 2.0, np.nan, 3.0, 4.0]), pd.Series([10.0, 30.0, 1.0, 20.0, 40.0]))
    # one pair of neighbours out of six pairs is swapped: 1 - 6 * 2 / (4 * 15), and (5 - 1) / 6
    assert found.n == 4
    assert found.spearman == pytest.approx(0.8)
    assert found.kendall == pytest.approx(2 / 3)
    for undefined in ([1.0, 2.0], [3.0, 3.0, 3.0]):
        ranking = Ranking.of(pd.Series(undefined), pd.Series(undefined))
        assert ranking.n == len(undefined)
        assert np.isnan([ranking.spearman, ranking.kendall]).all()


def test_conditions_are_compared_on_the_same_architectures():
    tables = made_up(6, FULL | {"variants": ["plain", "folded"]})
    primary, folded = tables.primary, replace(tables.primary, variant="folded")
    table = tables.conditions.copy()
    of_folded = (table["variant"] == "folded") & (table["batch_size"] == 64)
    of_primary = (table["variant"] == "plain") & (table["batch_size"] == 64)
    plain = table[of_primary].set_index("hash")["images_per_second"]
    # every architecture 1.25 times as fast, but one that has no times when folded
    table.loc[of_folded, "images_per_second"] = 1.25 * plain[table.loc[of_folded, "hash"]].to_numpy()
    first = table.index[of_folded][0]
    table.loc[first, "outcome"] = "out_of_memory"
    found = compare(DeviceTables(tables.profiles, table, tables.measurements), folded, primary)
    assert found.ranking.n == 5
    assert [found.speed, found.low, found.high] == pytest.approx([1.25] * 3)


def test_changes_are_of_one_thing_at_a_time():
    tables = made_up(5, SWEEP)
    found = changes(tables)
    assert set(found) == {("precision", "bf16"), ("precision", "fp16"), ("variant", "folded")}
    for (name, value), by_size in found.items():
        assert set(by_size) == {1, 64, 256}
        for size, one in by_size.items():
            assert one.base == Condition(size, "fp32", "plain")
            assert one.condition == replace(one.base, **{name: value})


def test_drift_puts_sessions_one_after_the_other():
    tables = made_up(30, FULL)
    measured = tables.measurements.copy()
    references = measured["role"] == "reference"
    measured.loc[references, "latency_ms"] = 10.0
    second = measured.index[references & (measured["session"] == 1)]
    measured.loc[second, "latency_ms"] = [10.0, 10.0, 12.0, 10.0]
    measured.loc[second, "flags"] = ["", "", "drift", ""]
    # the third session ran a year before the others
    measured.loc[measured["session"] == 2, "started"] -= 3e7
    found = reference_drift(DeviceTables(tables.profiles, tables.conditions, measured))
    assert found["session"].unique().tolist() == [2, 0, 1]
    assert found["started"].is_monotonic_increasing
    assert found["started"].iloc[0] < 60
    assert (found["started"] <= found["ends"]).all()
    one = found[found["session"] == 1]
    assert one["relative"].tolist() == pytest.approx([1, 1, 1.2, 1])
    assert one["step"].tolist() == pytest.approx([np.nan, 0, 0.2, 1 / 6], nan_ok=True)
    assert one["disturbed"].tolist() == [False, False, True, False]
    assert (found.loc[found["session"] != 1, "relative"] == 1).all()


def test_overhead_is_the_empty_networks_median():
    tables = made_up(12, FULL)
    measured = tables.measurements.copy()
    measured.loc[measured["role"] == "empty", "latency_ms"] = [0.004, 0.002, 0.003]
    tables = DeviceTables(tables.profiles, tables.conditions, measured)
    assert overhead_ms(tables) == 0.003
    assert short_time(overhead_ms(tables)) == "3.00\u202fµs"


def test_flagged_records_are_listed_with_words():
    tables = made_up(40, SWEEP)
    found = flagged(tables.conditions)
    wrong = (tables.conditions["flags"] != "") | (tables.conditions["outcome"] != "ok")
    assert len(found) == wrong.sum() > 0
    varies = found[found["flags"] == "varies"]
    assert set(varies["meaning"]) == {FLAGS["varies"]}
    assert varies["session_variation"].is_monotonic_decreasing
    two = flagged(tables.conditions.assign(flags="throttled,varies"))
    assert set(two["meaning"]) == {f"{FLAGS['throttled']}; {FLAGS['varies']}"}


def test_every_outcome_has_words():
    assert set(OUTCOME_WORDS) == set(OUTCOMES) - {"ok"}


def test_descriptions_of_all_sessions_are_put_together():
    texts = [
        '{"common": {"cpu": "A", "governor": null}, "sessions": {"0": {"load": 1}, "3": {"load": 2}}}',
        '{"common": {"cpu": "A", "load": 2}, "sessions": {"1": {"governor": "powersave"}}}',
    ]
    found = said_of_device(pd.DataFrame({"description": texts}))
    assert found == {"cpu": ["A"], "governor": ["powersave"], "load": [1, 2]}


CASES = {
    "quick, three cells": lambda: made_up(3, device="cpu", device_name="Processor", energy=False),
    "one cell": lambda: made_up(1),
    "full": lambda: made_up(30, FULL),
    "published": lambda: made_up(12, {"protocol": "published", "device": "cuda"}),
    "all flagged": lambda: made_up(8, FULL, flag="foreign_load"),
    "none ok": lambda: made_up(5, FULL, outcome="unsupported"),
    "18 conditions": lambda: made_up(9, SWEEP),
    "two models": lambda: together(made_up(10, FULL), made_up(10, FULL, device_name="NVIDIA H100", seed=2)),
}


@cache
def made(name: str) -> tuple[DeviceTables, Page]:
    tables = CASES[name]()
    return tables, page_of(tables)


@pytest.fixture(params=CASES)
def case(request):
    return request.param, *made(request.param)


def test_pages_are_whole(case):
    name, tables, page = case
    html = render(page, page_template())
    anchors = re.findall(r' id="([^"]*)"', html)
    assert len(set(anchors)) == len(anchors)
    assert "nan" not in text_of(page).lower()
    for picture in blocks_of(page, Picture):
        assert re.search(r"\d", picture.alt), picture.name
        assert "–" not in picture.alt, f"{picture.name} is drawn though its numbers are not known"
        pixels = np.asarray(Image.open(BytesIO(picture.png)).convert("L"))
        assert 600 < pixels.shape[1] <= 1900
        # something is drawn, and the margins are white
        assert pixels.min() < 100
        assert (pixels[:, -1] == 255).all()
    for table in blocks_of(page, Table):
        assert table.rows
        assert {len(row) for row in table.rows} == {len(table.heads)}
    models = tables.profiles["device_name"].nunique()
    assert len(page.sections) == 1 + 7 * models, name


def test_pages_say_what_limits_them(case):
    name, tables, page = case
    limits = " ".join(page.limits)
    assert ("quick protocol" in limits) == (name in ("quick, three cells", "one cell"))
    assert ("one session" in limits) == (tables.profiles["protocol"].iloc[0] in ("quick", "published"))
    assert ("copy of the input" in limits) == (name == "published")
    assert ("energy is not known" in limits) == bool(tables.conditions["energy_mj"].isna().all())
    assert ("Do not rely on these numbers" in page.warning) == (name == "all flagged")
    for flag in FLAGS:
        assert (f"flagged {flag}: {FLAGS[flag]}" in limits) == tables.conditions["flags"].str.contains(flag).any()
    for outcome, words in OUTCOME_WORDS.items():
        assert (words in limits) == (tables.conditions["outcome"] == outcome).any()


def test_numbers_of_the_page():
    tables, page = made("full")
    text = text_of(page)
    assert f"A network that returns its input takes {short_time(overhead_ms(tables))}".replace("\u202f", " ") in text
    variation = tables.conditions["session_variation"]
    assert (
        "30 of 30 architectures have times" in text
        or "architectures have times in the primary condition 30 of 30" in text
    )
    assert f"{100 * variation.median():.1f} %" in text
    assert f"{int((tables.conditions['flags'] != '').sum())} of 60" in text
    macs = rank_correlations(tables)[tables.primary, "macs"]
    own = tables.of(tables.primary)
    assert macs.spearman == pytest.approx(own["macs"].rank().corr(own["latency_ms"].rank()))
    assert f"Spearman correlation of {macs.spearman:.2f}" in text
    assert "2 changes from one to the next exceeded the tolerance of 10 %, and 1 measurement is flagged" in text


def test_models_of_a_device_are_kept_apart():
    alone = [made_up(10, FULL), made_up(10, FULL, device_name="NVIDIA H100", seed=2)]
    assert set(alone[0].profiles["hash"]) == set(alone[1].profiles["hash"])
    both, page = made("two models")
    apart = tables_by_device(both.profiles, both.conditions, both.measurements)
    assert [tables.name for tables in apart] == [GPU, "NVIDIA H100"]
    for tables, own in zip(apart, alone, strict=True):
        pd.testing.assert_frame_equal(tables.timed, own.timed)
        assert tables.measurements["latency_ms"].equals(own.measurements["latency_ms"])
    scatters = [picture.png for picture in blocks_of(page, Picture) if picture.name.startswith("complexity")]
    assert scatters == [figures.latency_against_macs(tables) for tables in alone]
    assert "Their numbers are never put together" in text_of(page)


def test_panels_are_few_and_the_primary_one_is_among_them():
    tables, page = made("18 conditions")
    shown = figures.shown_panels(tables)
    assert len(shown) == figures.PANELS < len(tables.measured_conditions)
    assert tables.primary in shown
    assert {condition.precision for condition in shown} == {"fp32", "bf16", "fp16"}
    every = next(block for block in blocks_of(page, Table) if block.caption.startswith("Rank correlation"))
    assert [row[0] for row in every.rows] == [condition_name(condition) for condition in tables.measured_conditions]


def test_names_are_text_and_equal_tables_give_equal_pages():
    hostile = "<script>alert(1)</script>"
    tables = made_up(2, device_name=hostile)
    html = render(page_of(tables), page_template())
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert hostile not in html
    assert html == render(page_of(tables), page_template())


def test_no_record_at_all():
    with pytest.raises(DataError, match="no record of any device"):
        device_page(PROFILES.empty(), CONDITIONS.empty(), MEASUREMENTS.empty(), "Default study", FILE)


def test_the_script_writes_page_and_list(tmp_path):
    tables = made_up(2, FULL, flag="clock_changed")
    write_table(tables.profiles, tmp_path / "cuda.parquet", PROFILES)
    write_table(tables.conditions, tmp_path / "cuda_conditions.parquet", CONDITIONS)
    sessions = []
    for session, rows in tables.measurements.groupby("session"):
        sessions.append(tmp_path / f"session_{session}.parquet")
        write_table(rows, sessions[-1], MEASUREMENTS)
    given = SimpleNamespace(
        profiles=tmp_path / "cuda.parquet", conditions=tmp_path / "cuda_conditions.parquet", measurements=sessions
    )
    output = SimpleNamespace(page=tmp_path / "cuda_report.html", flagged=tmp_path / FILE)
    params = SimpleNamespace(title="Default study")
    snakemake = SimpleNamespace(input=given, output=output, params=params, log=[str(tmp_path / "log.txt")])
    runpy.run_path(str(SCRIPT), init_globals={"snakemake": snakemake})
    assert "Device report: Default study" in output.page.read_text(encoding="utf-8")
    listed = pd.read_csv(output.flagged, keep_default_na=False)
    assert len(listed) == len(tables.conditions)
    assert listed["meaning"].str.contains(FLAGS["clock_changed"]).all()
