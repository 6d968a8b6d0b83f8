"""The terranas command."""

import json
from xml.etree import ElementTree

import pandas as pd
import pytest

from terranas.core.tables import write_table
from terranas.space.cell import Cell
from terranas.space.complexity import CIFAR10_NETWORK
from terranas.space.schema import CELLS
from terranas.space.table import cells_table
from terranas.training.status import write_status

from .training.statuses import scores, status

HASH = "0123456789abcdef" * 2
DONE = "fedcba9876543210" * 2
OTHER = "0" * 32
SCORES = scores(0.5, 0.5)
BEST = {"epoch": 1, "validation": SCORES, "test": SCORES}


@pytest.fixture
def run(command_line, tmp_path, monkeypatch):
    """Run the command in an empty folder with a study file; return (exit code, output, errors)."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "study.yaml").write_text("results_dir: out\n")
    (tmp_path / "out/sampling").mkdir(parents=True)
    (tmp_path / "out/sampling/architectures.csv").write_text(f"# list\nhash,id\n{HASH},1\n{DONE},2\n")
    (tmp_path / "out/training" / DONE).mkdir(parents=True)
    record = status(DONE, validation=SCORES, test=SCORES, best=BEST)
    write_status(record, tmp_path / "out/training" / DONE / "status.json")

    return command_line


def test_accept_list_and_retract(run, tmp_path):
    study = ("--configfile", "study.yaml")
    assert run("accept", HASH, "--reason", "node broke", *study)[0] == 0
    assert json.loads((tmp_path / "out/training/accepted.json").read_text()) == {HASH: "node broke"}
    assert run("accepted", *study)[1] == f"{HASH}  node broke\n"
    assert run("retract", HASH, *study)[0] == 0
    assert run("accepted", *study)[1] == ""
    code, _, errors = run("retract", HASH, *study)
    assert code == 1
    assert "nothing to take back" in errors


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("accept", "xyz", "--reason", "r", "--configfile", "study.yaml"), "'xyz' is none of the architectures"),
        (("accept", OTHER, "--reason", "r", "--configfile", "study.yaml"), "is none of the architectures"),
        (("accept", DONE, "--reason", "r", "--configfile", "study.yaml"), "there is no failure to accept"),
        (("accept", HASH, "--reason", " ", "--configfile", "study.yaml"), "A reason is needed"),
        (("config", "check", "none.yaml"), "none.yaml does not exist"),
    ],
)
def test_errors_are_one_sentence(run, arguments, message):
    code, _, errors = run(*arguments)
    assert code == 1
    assert message in errors
    assert "Traceback" not in errors


def test_a_file_with_something_else_in_place_of_the_acceptances_is_refused(run, tmp_path):
    (tmp_path / "out/training/accepted.json").write_text('{"not a hash": "x"}')
    code, _, errors = run("accepted", "--configfile", "study.yaml")
    assert code == 1
    assert "must map architecture hashes" in errors


def test_config_check_and_write(run):
    assert run("config", "check", "study.yaml")[1] == "study.yaml is valid; results go to out.\n"
    assert run("config", "write", "written")[0] == 0
    assert run("config", "check", "written/config.yaml")[0] == 0


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    """Write the table of all cells of at most four vertices."""
    path = tmp_path_factory.mktemp("cells") / "cells.parquet"
    table = cells_table(4, 9, CIFAR10_NETWORK)
    table["id"] = pd.array(range(91), dtype="Int64")
    write_table(table, path, CELLS)
    return path


SKIP = "011001000:input,conv3x3-bn-relu,output"


def test_a_cell_is_shown_by_its_graph_hash_and_id(run, cells):
    code, shown, _ = run("cell", "show", SKIP, "--cells", str(cells))
    assert code == 0
    lines = shown.splitlines()
    assert lines[:4] == [
        "Cell of 3 vertices and 3 edges",
        "  0 input           -> 1, 2",
        "  1 conv3x3-bn-relu -> 2",
        "  2 output",
    ]
    facts = dict(line.split() for line in lines[4:8])
    assert facts["hash"] == Cell.from_strings(*SKIP.split(":")).hash
    assert (facts["parameters"], facts["MACs"]) == ("11,051,402", "1,630,934,016")
    assert "CIFAR-10 network (3 bands, 10 classes, 32 pixels, 128 stem channels)" in lines[8]
    for name in (facts["hash"], facts["id"]):
        assert run("cell", "show", name, "--cells", str(cells))[1] == shown


def test_an_unpruned_cell_in_another_numbering_is_shown_as_given_and_as_listed(run, cells):
    # vertex 2 leads nowhere; of the others, the table may number the convolutions the other way round
    given = "input,conv1x1-bn-relu,maxpool3x3,conv3x3-bn-relu,output"
    _, shown, _ = run("cell", "show", f"01110{'00001'}{'00000'}{'00001'}{'00000'}:{given}", "--cells", str(cells))
    assert "2 maxpool3x3       (on no path from input to output)" in shown
    pruned, listed = shown.split("Pruned, since vertices on no path do no work:\n")[1].split(
        "As the table numbers it:\n"
    )
    assert pruned.splitlines()[2].split()[1] == "conv1x1-bn-relu"
    assert listed.splitlines()[2].split()[1] == "conv3x3-bn-relu"


def test_a_cell_that_the_table_lacks_is_shown_without_id(run, cells):
    chain = f"{'01000'}{'00100'}{'00010'}{'00001'}{'00000'}:input,maxpool3x3,maxpool3x3,maxpool3x3,output"
    code, shown, _ = run("cell", "show", chain, "--cells", str(cells))
    assert code == 0
    assert "id          not known from this table of cells" in shown


def test_a_cell_is_drawn(run, cells, tmp_path):
    assert "Drawn to cell.svg." in run("cell", "show", SKIP, "--cells", str(cells), "--svg", "cell.svg")[1]
    drawing = ElementTree.parse(tmp_path / "cell.svg").getroot()
    assert drawing.get("aria-label").startswith("Cell of 3 vertices")


def test_without_a_table_all_cells_are_enumerated(run, monkeypatch):
    asked = []
    monkeypatch.setattr(
        "terranas.space.table.cells_table", lambda *size: asked.append(size) or cells_table(3, 9, CIFAR10_NETWORK)
    )
    code, shown, errors = run("cell", "show", SKIP)
    assert code == 0
    assert asked == [(7, 9, CIFAR10_NETWORK)]
    assert "Enumerating all cells" in errors
    assert "Enumerating" not in shown


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("zz", "'zz' names no cell"),
        ("91", "has no id 91; its ids are 0 to 90"),
        (OTHER, f"does not hold the hash {OTHER}"),
        ("0110:input,output", "Edges must lead from lower to higher vertices"),
    ],
)
def test_a_wrong_name_of_a_cell_is_one_sentence(run, cells, what, message):
    code, shown, errors = run("cell", "show", what, "--cells", str(cells))
    assert (code, shown) == (1, "")
    assert message in errors
