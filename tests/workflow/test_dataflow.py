"""The picture of the data flow shows what the rules say."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PICTURE = ROOT / "docs" / "images" / "dataflow.svg"


@pytest.fixture(scope="module")
def dataflow():
    spec = importlib.util.spec_from_file_location("dataflow", ROOT / "docs" / "generators" / "dataflow.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.workflow
def test_the_committed_picture_has_the_edges_of_the_rules(dataflow, finished):
    run = finished.snakemake("all", "--rulegraph", "dot", "--nolock")
    assert run.code == 0, run.output
    drawn = dataflow.edges_in(PICTURE)
    assert drawn == {"files": dataflow.edges_of(run.output), "parsed": dataflow.parsed_edges()}, (
        "snakemake all --rulegraph dot | python docs/generators/dataflow.py docs/images/dataflow.svg"
    )
    assert {stage for edge in drawn["files"] | drawn["parsed"] for stage in edge} == set(dataflow.stages())


def test_stages_stand_in_the_order_of_the_data_flow(dataflow):
    names = "space data sampling training profiling benchmark landscape surrogates search comparison report"
    assert dataflow.stages() == names.split()


def test_edges_within_a_stage_and_targets_are_left_out(dataflow):
    dot = '0[label = "all"];\n1[label = "search_run"];\n2[label = "space_cells"];\n3[label = "space_neighbours"];\n'
    assert dataflow.edges_of(dot + "1 -> 0\n2 -> 3\n3 -> 1\n") == {("space", "search")}


@pytest.mark.parametrize(
    ("edge", "message"), [("1 -> 2", "data flow backwards"), ("2 -> 3", "rules of no stage: draw_figure")]
)
def test_what_the_house_does_not_allow_is_told(dataflow, edge, message):
    dot = '1[label = "search_run"];\n2[label = "space_cells"];\n'
    dot += '3[label = "draw_figure"];\n' if "3" in edge else ""
    with pytest.raises(ValueError, match=message):
        dataflow.edges_of(dot + edge + "\n")


def test_a_drawn_picture_tells_its_edges(dataflow, tmp_path):
    files, parsed = {("space", "search"), ("data", "training")}, {("sampling", "training")}
    for name in ("one.svg", "two.svg"):
        dataflow.draw(files, parsed, tmp_path / name)
    assert dataflow.edges_in(tmp_path / "one.svg") == {"files": files, "parsed": parsed}
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()
    (tmp_path / "plain.svg").write_text("<svg/>")
    with pytest.raises(ValueError, match=r"plain\.svg: holds no edges"):
        dataflow.edges_in(tmp_path / "plain.svg")
