"""What jobs took."""

import pandas as pd
import pytest

from terranas.report.runtimes import read_runtimes, runtimes_section

from .small_site import write_record


@pytest.fixture
def study(tmp_path):
    for name in ("training/a", "training/b", "space/cells", "other/x"):
        path = tmp_path / "results" / f"{name}.csv"
        write_record(tmp_path / "meta", path, study=tmp_path / "results")
    return tmp_path


def test_jobs_are_read_with_their_rules(study):
    unrecorded = study / "results" / "runtimes" / "space" / "short.tsv"
    unrecorded.write_text("s\tmax_rss\tcpu_time\n0.2\tNA\tNA\n")
    (study / "results" / "runtimes" / "space" / "broken.tsv").write_text("no table")
    jobs = read_runtimes(study / "results" / "runtimes", study / "meta")
    assert jobs["rule"].tolist() == ["other_rule", "space_rule", "space", "training_rule", "training_rule"]
    assert jobs["wall_seconds"].sum() == pytest.approx(4 * 65.5 + 0.2)
    assert jobs["memory_mb"].isna().sum() == 1


def test_the_job_that_writes_the_pages_is_left_out(study):
    place = study / "results" / "runtimes" / "report"
    place.mkdir()
    for name in ("page", "provenance"):
        (place / f"{name}.tsv").write_text("s\tmax_rss\tcpu_time\n7\t1\t1\n")
    jobs = read_runtimes(study / "results" / "runtimes", study / "meta")
    assert jobs.loc[jobs["stage"] == "report", "wall_seconds"].tolist() == [7.0]


def test_stages_stand_in_the_order_the_data_flow(study):
    section, chart = runtimes_section(read_runtimes(study / "results" / "runtimes", study / "meta"))
    assert chart.data["categories"] == ["space", "training", "other"]
    assert chart.numbers["wall time [seconds]"].tolist() == [65.5, 131.0, 65.5]
    (table,) = section.blocks
    assert [row[:3] for row in table.rows] == [
        ("space_rule", "space", "1"),
        ("training_rule", "training", "2"),
        ("other_rule", "other", "1"),
    ]
    assert "training took 50" in section.sentences[0]


def test_nothing_was_measured(tmp_path):
    jobs = read_runtimes(tmp_path, tmp_path)
    section, chart = runtimes_section(jobs)
    assert chart is None
    assert section.sentences == ["No job left what it took."]


def test_jobs_too_short_to_be_looked_at():
    row = {"stage": "space", "rule": "r", "wall_seconds": 0.0, "cpu_seconds": float("nan"), "memory_mb": float("nan")}
    section, chart = runtimes_section(pd.DataFrame([row]))
    assert len(section.sentences) == 1
    wall, cpu, *_, memory = section.blocks[0].rows[0][3:]
    assert (wall, cpu, memory) == ("0.0", "–", "–")
    assert chart.data["series"][1]["values"] == [0.0]
