"""Removing a stage: what goes, what stays, and what is refused."""

import pytest

from terranas.core.errors import TerranasError
from terranas.inspection.removal import dependent_stages, plan_removal
from terranas.inspection.workflow import Job, StudyCall
from terranas.training import campaign_run


def job(rule, inputs, outputs):
    return Job(rule, tuple(inputs), tuple(outputs), (), {}, "")


JOBS = [
    job("report_page", ["c", "a"], ["r"]),
    job("comparison_tests", ["s"], ["c"]),
    job("search_run", ["b"], ["s"]),
    job("training_train", ["a"], ["t"]),
    job("space_cells", [], ["a"]),
    job("benchmark_study", ["t"], ["b"]),
]


@pytest.fixture
def call(tmp_path, monkeypatch):
    """A study of some files, in the current folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "study.yaml").write_text("results_dir: out\n")
    for name in (
        "training/h/weights.pt",
        "training/accepted.json",
        "logs/training/h.log",
        "search/live/j",
        "search/s/a",
    ):
        (tmp_path / "out" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "out" / name).write_bytes(b"12345")
    monkeypatch.setattr(StudyCall, "planned", lambda *_, **__: JOBS)
    return StudyCall.of(tmp_path / "study.yaml")


def test_dependents_are_found_through_several_files():
    assert dependent_stages(JOBS, "space") == ["training", "benchmark", "search", "comparison", "report"]
    assert dependent_stages(JOBS, "search") == ["comparison", "report"]
    assert dependent_stages(JOBS, "report") == []


def test_results_and_logs_go_and_what_no_rule_makes_stays(call, tmp_path):
    removal = plan_removal(call, "training")
    assert (removal.files, removal.size) == (2, 10)
    assert set(removal.kept) == {"accepted.json"}
    removal.carry_out()
    left = {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert left == {"training/accepted.json", "search/live/j", "search/s/a"}
    assert plan_removal(call, "training").paths == []


def test_what_stands_behind_a_link_stays(call, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "dear").write_text("x")
    (tmp_path / "out" / "search" / "link").symlink_to(tmp_path / "elsewhere")
    plan_removal(call, "search").carry_out()
    assert (tmp_path / "elsewhere" / "dear").exists()
    assert not (tmp_path / "out" / "search" / "link").is_symlink()
    (tmp_path / "out" / "space").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(TerranasError, match="by a link"):
        plan_removal(call, "space")
    (tmp_path / "out" / "runtimes").symlink_to(tmp_path)
    (tmp_path / "search").mkdir()
    with pytest.raises(TerranasError, match="by a link"):
        plan_removal(call, "search")


def test_a_results_folder_that_is_a_link_is_a_study_like_any_other(call, tmp_path):
    (tmp_path / "out").rename(tmp_path / "large_disk")
    (tmp_path / "out").symlink_to(tmp_path / "large_disk")
    plan_removal(call, "search").carry_out()
    assert not (tmp_path / "large_disk" / "search" / "s").exists()
    assert (tmp_path / "large_disk" / "training" / "h" / "weights.pt").exists()


def test_nothing_is_removed_while_snakemake_runs_or_may_run(call, tmp_path):
    campaign_run.announce("out", [])
    with pytest.raises(TerranasError, match="runs this study"):
        plan_removal(call, "search")
    campaign_run.withdraw("out")
    (tmp_path / ".snakemake" / "locks").mkdir(parents=True)
    (tmp_path / ".snakemake" / "locks" / "0.output.lock").write_text("out/a\n")
    with pytest.raises(TerranasError, match="lock is there"):
        plan_removal(call, "search")


@pytest.mark.parametrize("stage", ["logs", "..", "searches", ""])
def test_only_stages_can_be_removed(call, stage):
    with pytest.raises(TerranasError, match="is no stage"):
        plan_removal(call, stage)
