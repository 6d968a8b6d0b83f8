"""The claims of docs/results.md, and the page as it stands in the repository."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import typer
import yaml
from typer.testing import CliRunner

from terranas.config import load_config
from terranas.core.errors import DataError
from terranas.report.published.__main__ import main
from terranas.report.published.claim import Finding
from terranas.report.published.claims import CLAIMS, SIZES, SPEARMAN, TOPICS
from terranas.report.published.inputs import DATA, RESULTS, Inputs
from terranas.report.published.page import FINDINGS, markdown_table, summary_sentence
from terranas.report.published.pictures import PICTURES
from terranas.report.published.search_findings import ALPHA, pairs
from terranas.report.published.studies import PART, STUDIES, WHOLE, configuration
from terranas.report.published.texts import COMMAND, HOW, INTRODUCTION, SOURCES

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "results.md").read_text(encoding="utf-8")


def rows_of_claims() -> dict[str, list[str]]:
    found = {}
    for line in PAGE.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if re.fullmatch(r"[A-Z]\d+", cells[0]):
            found[cells[0]] = cells
    return found


def test_every_claim_has_a_place_a_value_and_one_way_to_be_answered() -> None:
    assert len({claim.id for claim in CLAIMS}) == len(CLAIMS)
    assert [claim.topic for claim in CLAIMS] == sorted((claim.topic for claim in CLAIMS), key=list(TOPICS).index)
    computed = {topic: [claim.id for claim in CLAIMS if claim.topic == topic and not claim.needs] for topic in TOPICS}
    assert {topic: list(FINDINGS[topic]) for topic in TOPICS} == computed
    for claim in CLAIMS:
        assert re.search(r"thesis, (table )?\d|\.json|\.csv|\.py|\.pickle|in the table", claim.place), claim.id
        assert claim.published, claim.id
        assert bool(claim.how) != bool(claim.needs), claim.id


def test_published_correlations_rise_from_first_to_last_size() -> None:
    for values in SPEARMAN.values():
        assert len(values) == len(SIZES)
        assert values[0] < values[SIZES.index(2000)] < values[-1]


def test_the_page_shows_every_claim_as_it_is_declared() -> None:
    rows, words = rows_of_claims(), " ".join(PAGE.split())
    assert list(rows) == [claim.id for claim in CLAIMS]
    for claim in CLAIMS:
        _, stated, published, ours, way, agreement = rows[claim.id]
        assert (stated, published) == (f"{claim.statement} ({claim.place})", claim.published)
        if claim.needs:
            assert (ours, way, agreement) == (f"not computed: needs {claim.needs}", "", "")
        else:
            assert ours
            assert re.match(r"\*\*(agrees|agrees in part|differs|contradicted)\*\*", agreement), claim.id
            assert f"- {claim.id}: {' '.join(claim.how.split())}" in words


def test_the_page_says_how_it_is_made_and_from_what() -> None:
    for text in (INTRODUCTION, HOW, SOURCES):
        assert text in PAGE
    assert [line[3:] for line in PAGE.splitlines() if line.startswith("## ")][: len(TOPICS)] == list(TOPICS.values())
    assert " ".join(PAGE.split()).count(COMMAND) == 1 + len(PICTURES)
    for name in PICTURES:
        assert f"](images/{name})" in PAGE
        assert 5_000 < (DOCS / "images" / name).stat().st_size < 60_000


@pytest.mark.parametrize("study", [PART, WHOLE], ids=lambda study: study.name)
def test_the_studies_on_the_page_are_valid(study) -> None:
    settings = load_config(yaml.safe_load(configuration(study)))
    assert settings.results_dir == f"results/{study.name}"
    assert settings.search.objectives == [study.accuracy, study.cost]
    assert settings.search.seeds == 30
    assert tuple(settings.surrogates.sizes) == SIZES


def test_tables_in_markdown_refuse_what_would_break_them() -> None:
    assert markdown_table([["a", "b"], ["1", "2"]]) == "| a | b |\n|---|---|\n| 1 | 2 |"
    with pytest.raises(ValueError, match=r"no '\|' and no line break, got 'x\|y'"):
        markdown_table([["a"], ["x|y"]])


def test_missing_files_are_all_named(tmp_path: Path) -> None:
    inputs = Inputs(tmp_path / "data", tmp_path / "results")
    with pytest.raises(DataError) as caught:
        inputs.require(TOPICS)
    wanted = {name for names in DATA.values() for name in names}
    wanted |= {
        f"{study.name}/{name.format(benchmark=study.benchmark)}"
        for parts in RESULTS.values()
        for study, names in parts
        for name in names
    }
    assert str(caught.value).startswith(f"{len(wanted)} of the files")
    assert all(name in str(caught.value) for name in wanted)
    assert inputs.missing(["training"]) == [tmp_path / "data" / name for name in DATA["training"]]


def test_the_command_ends_with_a_sentence(tmp_path: Path) -> None:
    app = typer.Typer()
    app.command()(main)
    options = [f"--data={tmp_path}", f"--studies={tmp_path}", f"--output={tmp_path / 'out'}"]
    result = CliRunner().invoke(app, options)
    assert result.exit_code == 1
    assert "terranas: " in result.output
    assert "path_logs.json" in result.output
    assert not (tmp_path / "out").exists()


def test_a_table_of_other_cells_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "nas-bench-101" / "cifar10_test_accuracy_108.parquet"
    path.parent.mkdir()
    pd.DataFrame({"test_accuracy": [0.9], "flops": [1]}).to_parquet(path)
    with pytest.raises(DataError, match="has 1 rows and the columns test_accuracy, flops; expected 423,624 rows"):
        _ = Inputs(tmp_path, tmp_path).cifar10


class MadeUp(Inputs):
    """Tests of four pairs of budgets, as if a study had been run."""

    def __init__(self, table: pd.DataFrame) -> None:
        self.table = table

    def tests(self, _study):
        return self.table


def made_up_tests(better: str, a12: list[float], p: list[float], p_holm: list[float]) -> MadeUp:
    """Return tests whose verdicts follow from A12 and p in the way of terranas.comparison."""
    first = np.array(a12) > 0.5 if better == "higher" else np.array(a12) < 0.5
    significant = np.array(p_holm) < ALPHA
    table = pd.DataFrame(
        {
            "first_arm": "surrogate",
            "second_arm": "random",
            "indicator": "best_training_seconds",
            "better": better,
            "first_budget": [2000, 500, 1000, 1500],
            "second_budget": [4000, 2500, 3000, 3500],
            "first_median": [4.0, 1.0, 2.0, 3.0],
            "second_median": [5.0, 5.0, 5.0, 5.0],
            "a12": a12,
            "p": p,
            "significant": significant,
            "favours": np.where(~significant, "neither", np.where(first, "surrogate", "random")),
        }
    )
    published = table.assign(first_arm="surrogate_published", second_arm="random_published")
    published["favours"] = [name if name == "neither" else f"{name}_published" for name in published["favours"]]
    return MadeUp(pd.concat([table, published]))


def test_verdicts_on_the_best_time_count_both_ways() -> None:
    inputs = made_up_tests("lower", [0.4, 0.1, 0.3, 0.9], [0.5, 0.0001, 0.03, 0.04], [1.0, 0.001, 0.2, 0.3])
    assert pairs(inputs, PART, ("surrogate", "random"), "best_training_seconds")["first_budget"].tolist() == [
        500,
        1000,
        1500,
        2000,
    ]
    finding = FINDINGS["searches"]["Q1"](inputs)
    assert finding.ours == (
        "1 of 4 pairs significant (2 without Holm's correction); medians 1.0 s and 5.0 s at 500 against 2,500"
    )
    assert finding.verdict == "agrees"
    assert finding.words.startswith("supported at 1 of 4 pairs in the right way")
    assert finding.words.endswith("(500 against 2,500)")


def test_a_significant_loss_contradicts() -> None:
    finding = FINDINGS["searches"]["Q1"](
        made_up_tests("lower", [0.9, 0.5, 0.5, 0.5], [0.001, 1, 1, 1], [0.01, 1, 1, 1])
    )
    assert finding.verdict == "contradicted"
    assert finding.words.startswith("contradicted at 1 of 4 pairs in the right way")
    assert "1 for the other side" in finding.ours


def test_the_summary_counts_what_the_page_shows() -> None:
    findings = {"S1": Finding("1", "agrees"), "S2": Finding("2", "agrees in part"), "S4": Finding("3", "contradicted")}
    assert summary_sentence(findings).startswith(
        f"In short: of {len(CLAIMS)} claims 3 are computed here, of which 1 agree, 1 agree in part and 1 are "
        "contradicted (S4). 4 need images or GPUs"
    )
    verdicts = [cells[-1].split("**")[1] for cells in rows_of_claims().values() if cells[-1]]
    assert f"{verdicts.count('agrees')} agree, {verdicts.count('agrees in part')} agree in part" in " ".join(
        PAGE.split()
    )


def test_each_study_has_a_name_of_its_own() -> None:
    assert len({study.name for study in STUDIES}) == len(STUDIES) == 3
