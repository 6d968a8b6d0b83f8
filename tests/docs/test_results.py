"""docs/results.md is what the generator writes from the published files, where these are there."""

from pathlib import Path

import pandas as pd
import pytest

from terranas.report.published.inputs import DATA, RESULTS, Inputs
from terranas.report.published.page import topic_findings, topic_section
from terranas.report.published.texts import HOW

from .pages import ROOT, blocks

pytestmark = pytest.mark.docs

PAGE = "docs/results.md"


@pytest.fixture(scope="module")
def inputs(shared_data: Path) -> Inputs:
    return Inputs(shared_data, shared_data)


@pytest.mark.parametrize("topic", [topic for topic, studies in RESULTS.items() if not studies])
def test_what_needs_no_study_is_what_the_generator_writes(topic: str, inputs: Inputs) -> None:
    if absent := inputs.missing([topic]):
        pytest.skip(f"not among the data measured by others: {', '.join(path.name for path in absent)}")
    section = topic_section(topic, inputs, topic_findings(topic, inputs))
    assert section in (ROOT / PAGE).read_text(encoding="utf-8")


def test_the_snippet_makes_the_table_that_the_study_reads(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = next(name for name in DATA["landscape"] if name.endswith(".parquet"))
    if not (shared_data / name).is_file():
        pytest.skip(f"not among the data measured by others: {name}")
    (tmp_path / "data" / name).parent.mkdir(parents=True)
    (tmp_path / "data" / name).symlink_to(shared_data / name)
    (snippet,) = (block.text for block in blocks(PAGE) if block.language == "python")
    assert snippet in HOW
    monkeypatch.chdir(tmp_path)
    exec(snippet, {})
    table = pd.read_parquet("data/cifar10.parquet")
    assert list(table.columns) == ["id", "dataset", "epochs", "test_micro_accuracy"]
    assert table["id"].tolist() == list(range(423_624))
    assert table["test_micro_accuracy"].between(0, 1).all()
