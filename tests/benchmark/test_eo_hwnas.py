"""Importing the EO benchmark: files in the published form over a small space, damaged ones, and the real ones."""

import copy
import functools
import io
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from terranas.benchmark.eo_hwnas import FILES, NETWORK, PICKLES, TEST_IMAGES, import_eo_hwnas
from terranas.benchmark.eo_hwnas_files import PublishedFile
from terranas.benchmark.imported import ImportedTable
from terranas.benchmark.schema import BENCHMARK
from terranas.benchmark.space_index import CELL_COLUMNS, SpaceIndex
from terranas.benchmark.tabular import TabularBenchmark
from terranas.core.errors import DataError
from terranas.core.files import read_json
from terranas.core.randomness import generator
from terranas.core.tables import read_table, write_table
from terranas.sampling.schema import WALKS
from terranas.sampling.walks import random_walks
from terranas.space.cell import Cell
from terranas.space.complexity import macs, parameters
from terranas.space.neighbours import build_neighbours
from terranas.space.schema import CELLS
from terranas.space.table import cells_table

from .checks import failed

NAMES = {
    "walks": "path_logs.json",
    "tests": "test_results_sampled_all_paths.json",
    "macro": "database_pickle_macro.pickle",
    "micro": "database_pickle_micro.pickle",
    "latency": "database_pickle_latency.pickle",
    "macs": "database_pickle_MACs.pickle",
}
SPLITS = ("train", "validation", "test")

Content = dict[str, Any]


# --- files in the published form, in the test's own words -----------------------------------------------------------


@functools.cache
def cells() -> pd.DataFrame:
    """Return a space of 2,532 cells whose ids are ranks, as in the whole one."""
    table = cells_table(5, 9, NETWORK)
    return table.assign(id=pd.array(range(len(table)), dtype="Int64"))


@functools.cache
def index() -> SpaceIndex:
    return SpaceIndex(cells())


def matrix(row: int) -> list[list[int]]:
    digits = [int(digit) for digit in cells()["adjacency"].iloc[row]]
    size = round(len(digits) ** 0.5)
    return [digits[start : start + size] for start in range(0, len(digits), size)]


@functools.cache
def published() -> Content:
    """Return the content of the six files for two walks of 15 cells; take :func:`changed` to alter it."""
    graph = build_neighbours(cells(), "hamming")
    rows = random_walks(graph, [generator(1, "test", walk) for walk in range(2)], steps=14, unique="study").rows
    table = cells()
    content: Content = {"walks": [], "tests": {}, **{name: {} for name in PICKLES}}
    for walk in rows.tolist():
        visits = []
        for step, row in enumerate(walk):
            name, count = str(table["hash"].iloc[row]), int(table["parameters"].iloc[row])
            operations = table["operations"].iloc[row].split(",")
            graph_of = {"module_adjacency": matrix(row), "module_operations": operations}
            visits.append({"id": row, "unique_hash": name, "step": step, **graph_of})
            share = (row % 97) / 97
            correct = round((0.5 + share / 9) * TEST_IMAGES) / TEST_IMAGES
            seconds, latency = 5000.0 + row, 7.0 + share
            content["tests"][f"arch_{row}"] = {
                "accuracy": {"micro": correct, "macro": 0.4 + share / 9},
                "avg_inference_time": latency,
                "std_inference_time": 0.1 + share / 9,
                "num_params": count,
                "arch_size": round((4 * count + 77_777) / 1024, 6),
                "MACs": f"{count / 1e6:.3f}M",
                "checkpoint_path": f"/somewhere/arch_{row}/epochs/epoch=107-step=148715.ckpt",
            }
            test = {
                "macro": 0.4 + share / 9,
                "micro": correct,
                "latency": latency,
                "macs": round(count / 1e6, 3),
            }
            for kind, value in test.items():
                is_cost = kind in ("latency", "macs")
                values = (value, value, value) if is_cost else (np.float64(0.9), np.float64(0.6), value)
                run = {f"final_{split}_accuracy": value for split, value in zip(SPLITS, values, strict=True)}
                run["final_training_time"] = np.float64(seconds)
                content[kind][name] = ({**graph_of, "trainable_parameters": count}, {108: [run]})
        content["walks"].append(visits)
    return content


def changed(change: Callable[[Content], object]) -> Content:
    content = copy.deepcopy(published())
    change(content)
    return content


def as_bytes(content: Content) -> dict[str, bytes]:
    return {
        name: pickle.dumps(content[name]) if name in PICKLES else json.dumps(content[name]).encode() for name in FILES
    }


def imported(files: dict[str, bytes], space: SpaceIndex | None = None) -> tuple[ImportedTable, pd.DataFrame]:
    opened = {name: PublishedFile(io.BytesIO(files[name]), NAMES[name]) for name in FILES}
    return import_eo_hwnas(opened, space or index())


def refused(files: dict[str, bytes], space: SpaceIndex | None = None) -> str:
    with pytest.raises(DataError) as caught:
        imported(files, space)
    return str(caught.value)


def first(content: Content) -> tuple[str, str]:
    """Return the names of the first visit in the test results and in the pickles."""
    visit = content["walks"][0][0]
    return f"arch_{visit['id']}", visit["unique_hash"]


def run_of(content: Content, kind: str) -> dict[str, Any]:
    run: dict[str, Any] = content[kind][first(content)[1]][1][108][0]
    return run


def test_of(content: Content) -> dict[str, Any]:
    entry: dict[str, Any] = content["tests"][first(content)[0]]
    return entry


test_of.__test__ = False  # type: ignore[attr-defined]


# --- what is imported ----------------------------------------------------------------------------------------------


def test_files_as_published_agree_and_every_check_compares_something() -> None:
    result, walks = imported(as_bytes(published()))
    assert failed(result) == {}
    assert all(check.compared >= 2 for check in result.checks)
    assert len(result.table) == len(walks) == 30
    assert result.facts == {"cells": 30, "walks": 2}
    assert result.source.licence == "MIT"


def test_columns_of_the_table() -> None:
    content = published()
    result, _ = imported(as_bytes(content))
    table = BENCHMARK.validate(result.table)
    assert table["hash"].is_monotonic_increasing
    (name, key), visit = first(content), content["walks"][0][0]
    (row,) = table[table["hash"] == key].to_dict("records")
    cell = Cell(np.array(visit["module_adjacency"], dtype=np.uint8), visit["module_operations"])
    entry = content["tests"][name]
    expected = {
        "id": visit["id"],
        "dataset": "So2Sat LCZ42",
        "epochs": 108,
        "repeat": 0,
        "device": "NVIDIA A100",
        "outcome": "ok",
        "train_macro_accuracy": 0.9,
        "train_micro_accuracy": 0.9,
        "validation_macro_accuracy": 0.6,
        "validation_micro_accuracy": 0.6,
        "test_macro_accuracy": entry["accuracy"]["macro"],
        "test_micro_accuracy": entry["accuracy"]["micro"],
        "training_seconds": 5000.0 + visit["id"],
        "latency_ms": entry["avg_inference_time"],
        "latency_std_ms": entry["std_inference_time"],
        "parameters": parameters(cell, NETWORK),
        "macs": macs(cell, NETWORK),
        "checkpoint_bytes": 4 * parameters(cell, NETWORK) + 77_777,
    }
    assert {name: row[name] for name in expected} == expected
    for name in ("train_loss", "total_seconds", "model_bytes", "training_energy_kwh"):
        assert np.isnan(row[name])


def test_walks_keep_their_order() -> None:
    content = published()
    _, walks = imported(as_bytes(content))
    WALKS.validate(walks)
    visits = [visit for walk in content["walks"] for visit in walk]
    assert walks["hash"].tolist() == [visit["unique_hash"] for visit in visits]
    assert walks["id"].tolist() == [visit["id"] for visit in visits]
    assert walks["walk"].tolist() == [0] * 15 + [1] * 15
    assert walks["step"].tolist() == [*range(15)] * 2


def test_script(tmp_path: Path, run_import: Callable[..., None]) -> None:
    for name, content in as_bytes(published()).items():
        (tmp_path / NAMES[name]).write_bytes(content)
    write_table(cells(), tmp_path / "cells.parquet", CELLS)
    paths = {name: tmp_path / NAMES[name] for name in FILES} | {"cells": tmp_path / "cells.parquet"}
    outputs = {name: tmp_path / f"out_{name}" for name in ("table", "walks", "report")}
    run_import("eo_hwnas", input=paths, output=outputs)
    assert len(read_table(outputs["table"], BENCHMARK)) == 30
    assert len(read_table(outputs["walks"], WALKS)) == 30
    report = read_json(outputs["report"])
    assert all(check["passed"] for check in report["checks"])
    assert any("parameters" in note for note in report["source"]["notes"])
    assert TabularBenchmark.open(outputs["table"]).true_front(["test_micro_accuracy", "latency_ms"])


# --- files that disagree -------------------------------------------------------------------------------------------


def swap_steps(content: Content) -> None:
    """Let the last two cells of a walk change places."""
    walk = content["walks"][0]
    walk[-1], walk[-2] = walk[-2] | {"step": 14}, walk[-1] | {"step": 13}


def cut_walk(content: Content) -> None:
    """Remove the last cell of a walk from all files."""
    visit = content["walks"][0].pop()
    del content["tests"][f"arch_{visit['id']}"]
    for kind in PICKLES:
        del content[kind][visit["unique_hash"]]


def repeat_visit(content: Content) -> None:
    """Let a walk go to and fro, and leave the other cells out of all files."""
    walk = content["walks"][0]
    gone = walk[2:]
    walk[2:] = [walk[step % 2] | {"step": step} for step in range(2, 15)]
    for visit in gone:
        del content["tests"][f"arch_{visit['id']}"]
        for kind in PICKLES:
            del content[kind][visit["unique_hash"]]


@pytest.mark.parametrize(
    ("change", "names"),
    [
        (cut_walk, ["walks have 15 cells"]),
        (swap_steps, ["steps lead to Hamming distance 1"]),
        (lambda c: c["macro"].pop(first(c)[1]), ["all cells are in the macro pickle"]),
        (lambda c: c["tests"].pop(first(c)[0]), ["all cells are in the tests"]),
        (
            lambda c: c["micro"][first(c)[1]][0].update(trainable_parameters=5),
            ["parameters of the micro pickle equal the tests'"],
        ),
        (lambda c: run_of(c, "macro").update(final_test_accuracy=0.1), ["the macro pickle equals the tests"]),
        (lambda c: run_of(c, "micro").update(final_test_accuracy=0.1), ["the micro pickle equals the tests"]),
        (lambda c: run_of(c, "latency").update(final_test_accuracy=9.9), ["the latency pickle equals the tests"]),
        (lambda c: test_of(c).update(MACs="9.999M"), ["'MACs' of the tests are parameters"]),
        (lambda c: test_of(c).update(MACs="9.999K"), ["'MACs' of the tests are parameters"]),
        (
            lambda c: run_of(c, "macs").update(final_train_accuracy=1.5e3),
            ["'MACs' of the train slot of the macs pickle are parameters"],
        ),
        (
            lambda c: run_of(c, "latency").update(final_training_time=5.0),
            ["training time of the latency pickle equals the micro pickle's"],
        ),
        (lambda c: test_of(c).update(checkpoint_path="a/epoch=106-step=148715.ckpt"), ["the last epoch is 107"]),
        (lambda c: test_of(c).update(checkpoint_path="a/epoch=107-step=8715.ckpt"), ["the last step is 148,715"]),
        (lambda c: test_of(c).update(arch_size=test_of(c)["arch_size"] + 1 / 3000), ["checkpoints have whole bytes"]),
        (
            lambda c: test_of(c).update(arch_size=1024.0 * test_of(c)["arch_size"]),
            ["checkpoints have whole bytes", "checkpoints hold 32-bit weights and little else"],
        ),
        (
            lambda c: test_of(c)["accuracy"].update(micro=test_of(c)["accuracy"]["micro"] + 0.3 / TEST_IMAGES),
            ["the micro pickle equals the tests", "test micro accuracy counts whole images"],
        ),
        (lambda c: test_of(c).update(std_inference_time=99.0), ["latencies deviate by less than their mean"]),
    ],
)
def test_a_disagreement_is_found_once(change: Callable[[Content], object], names: list[str]) -> None:
    result, _ = imported(as_bytes(changed(change)))
    found = failed(result)
    assert list(found) == names
    assert set(found.values()) <= {1, 2}


def test_a_wrong_count_of_parameters_fails_all_that_is_compared_with_it() -> None:
    result, _ = imported(as_bytes(changed(lambda c: test_of(c).update(num_params=5))))
    assert len(failed(result)) == 10
    assert set(failed(result).values()) == {1}


def test_a_walk_that_comes_back_is_found() -> None:
    result, _ = imported(as_bytes(changed(repeat_visit)))
    assert failed(result) == {"walks visit a cell once": 15}


def times(content: Content, factor: float) -> None:
    """Give all training times in another unit."""
    for kind in PICKLES:
        for _, runs in content[kind].values():
            runs[108][0]["final_training_time"] *= factor


def latencies(content: Content, factor: float) -> None:
    """Give all latencies in another unit."""
    for entry in content["tests"].values():
        entry["avg_inference_time"] *= factor
        entry["std_inference_time"] *= factor
    for _, runs in content["latency"].values():
        for split in SPLITS:
            runs[108][0][f"final_{split}_accuracy"] *= factor


@pytest.mark.parametrize(
    ("change", "names"),
    [
        (lambda c: times(c, 1 / 3600), "a training lasts as long as GPUs and jobs allow"),
        (lambda c: times(c, 1000.0), "a training lasts as long as GPUs and jobs allow"),
        (lambda c: latencies(c, 1e-3), "a forward pass takes at least what a GPU can"),
        (lambda c: latencies(c, 1e3), "a forward pass is no slower than a training step"),
    ],
)
def test_times_in_another_unit_are_found(change: Callable[[Content], object], names: str) -> None:
    result, _ = imported(as_bytes(changed(change)))
    assert failed(result)[names] == 30


# --- files that are damaged ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda c: test_of(c)["accuracy"].update(micro=58.6),
            "micro is 58.6, expected a share from 0 to 1, not per cent",
        ),
        (lambda c: run_of(c, "micro").update(final_train_accuracy=58.6), "expected a share from 0 to 1, not per cent"),
        (lambda c: run_of(c, "micro").update(final_train_accuracy=np.nan), "is no finite number of at least 0"),
        (lambda c: run_of(c, "micro").update(final_train_accuracy="high"), "is no finite number of at least 0"),
        (lambda c: run_of(c, "micro").update(final_training_time=-1.0), "is no finite number of at least 0"),
        (lambda c: run_of(c, "micro").update(more=1), "it has the unknown entry more"),
        (lambda c: run_of(c, "micro").pop("final_training_time"), "it lacks final_training_time"),
        (lambda c: c["micro"][first(c)[1]][1].update({36: []}), "it has the unknown entry 36"),
        (lambda c: c["micro"][first(c)[1]][1][108].append({}), "expected one training of 108 epochs"),
        (lambda c: c["micro"].update({first(c)[1]: 5}), "expected a pair of the cell and its trainings"),
        (lambda c: c["micro"].update({first(c)[1]: (5, {})}), "expected a table of names and values"),
        (lambda c: test_of(c).pop("MACs"), "it lacks MACs"),
        (lambda c: test_of(c).update(flops=1), "it has the unknown entry flops"),
        (lambda c: test_of(c).update(MACs="4.178G"), "MACs is '4.178G', expected a number such as '4.178M'"),
        (lambda c: test_of(c).update(MACs=4.178), "MACs is no text"),
        (lambda c: test_of(c).update(num_params=1.5), "num_params is no whole number"),
        (lambda c: test_of(c).update(num_params=True), "num_params is no whole number"),
        (lambda c: test_of(c).update(avg_inference_time=10**400), "a number has 401 digits, expected at most 300"),
        (lambda c: run_of(c, "micro").update(final_training_time=10**400), "is no finite number of at least 0"),
        (lambda c: test_of(c).update(checkpoint_path="last.ckpt"), "checkpoint_path does not end as in"),
        (lambda c: c["tests"].update(best={}), "has the entry 'best', expected names such as 'arch_1234'"),
        (
            lambda c: c["tests"].update({f"arch_0{first(c)[0][5:]}": test_of(c)}),
            "has two entries of the architecture",
        ),
        (lambda c: c["tests"].update(arch_423623=test_of(c)), "1 architectures that no walk of path_logs.json visits"),
        (lambda c: c["walks"][0][0].update(module_adjacency=[[0, 2], [0, 0]]), "other entries than 0 and 1"),
        (lambda c: c["walks"][0][0].update(module_adjacency=[[0, 1]]), "no list of 2 to 7 rows"),
        (lambda c: c["walks"][0][0].update(module_adjacency=[[0, 1], [0]]), "is no square matrix"),
        (lambda c: c["walks"][0][0].update(module_operations="input"), "module_operations is no list of texts"),
        (
            lambda c: c["walks"][0][0].update(module_operations=["input", "output"]),
            "2 operations need an adjacency string of 4 digits",
        ),
        (lambda c: c["walks"][0][0].update(unique_hash=c["walks"][0][1]["unique_hash"]), "its graph has the hash"),
        (lambda c: c["walks"][0][0].update(id=c["walks"][0][1]["id"]), "two hashes"),
        (lambda c: c["walks"][0][3].update(step=4), "visit 3 of walk 0: step is 4, expected 3"),
        (lambda c: c["walks"].append([]), "is no list of walks"),
        (lambda c: c.update(walks={}), "is no list of walks"),
        (lambda c: c.update(tests=[]), "has no entries by architecture"),
        (lambda c: c.update(latency=[]), "has no entries by architecture"),
    ],
)
def test_a_damaged_file_is_refused_with_its_reason(change: Callable[[Content], object], words: str) -> None:
    found = refused(as_bytes(changed(change)))
    assert words in found
    assert found.startswith(tuple(NAMES.values()))


def test_swapped_pickles_are_found() -> None:
    files = as_bytes(published())
    assert "expected a share from 0 to 1" in refused(files | {"macro": files["latency"]})
    result, _ = imported(files | {"latency": files["macs"], "macs": files["latency"]})
    assert failed(result)["the latency pickle equals the tests"] == 30
    result, _ = imported(files | {"macro": files["micro"], "micro": files["macro"]})
    assert failed(result)["the macro pickle equals the tests"] == 30


def test_json_that_parsers_let_pass_is_refused() -> None:
    files = as_bytes(published())
    name = first(published())[0]
    doubled = files["tests"].replace(b"{", f'{{"{name}": {{}}, '.encode(), 1)
    assert f"the key '{name}' stands twice in one object" in refused(files | {"tests": doubled})
    endless = files["tests"].replace(b'"avg_inference_time": ', b'"avg_inference_time": NaN, "a": ', 1)
    assert "NaN is no JSON number" in refused(files | {"tests": endless})
    assert "is no valid JSON file" in refused(files | {"walks": files["walks"][:-9]})
    assert "is no valid JSON file" in refused(files | {"walks": b"[" * 100_000})
    assert "is no valid JSON file" in refused(files | {"walks": b"\xff\xfe"})


def test_a_hostile_pickle_is_refused_by_name(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    hostile = b"cbuiltins\neval\n(V__import__('pathlib').Path(" + repr(str(mark)).encode() + b").touch()\ntR."
    found = refused(as_bytes(published()) | {"macs": hostile})
    assert "database_pickle_MACs.pickle asks for the name 'eval' of the module 'builtins'" in found
    assert not mark.exists()
    assert "database_pickle_macro.pickle is damaged" in refused(as_bytes(published()) | {"macro": b""})


def test_a_smaller_space_is_named() -> None:
    small = SpaceIndex(cells_table(3, 9, NETWORK))
    found = refused(as_bytes(published()), small)
    assert "30 of the 30 entries of the EO benchmark name a cell that is none of the 7 it is looked up in" in found
    assert "the table of all 423,624 cells" in found


# --- the real files ------------------------------------------------------------------------------------------------


def test_real_files(shared_data: Path) -> None:
    files = {name: (shared_data / "eo-hwnas" / NAMES[name]).read_bytes() for name in FILES}
    visits = {visit["unique_hash"]: visit for walk in json.loads(files["walks"]) for visit in walk}
    graphs = [
        Cell(np.array(visits[name]["module_adjacency"], dtype=np.uint8), visits[name]["module_operations"])
        for name in sorted(visits)
    ]
    space = pd.DataFrame(
        {
            "id": pd.array([visits[name]["id"] for name in sorted(visits)], dtype="Int64"),
            "hash": sorted(visits),
            "num_vertices": [cell.num_vertices for cell in graphs],
            "adjacency": [cell.adjacency_string for cell in graphs],
            "operations": [cell.operations_string for cell in graphs],
        }
    )
    assert tuple(space.columns) == CELL_COLUMNS
    result, walks = imported(files, SpaceIndex(space))
    assert failed(result) == {}
    assert all(check.compared >= 15 for check in result.checks)
    table = BENCHMARK.validate(result.table)
    assert len(table) == len(walks) == 225
    assert result.facts == {"cells": 225, "walks": 15}
    assert table["parameters"].tolist() == [parameters(cell, NETWORK) for cell in graphs]
    assert table["macs"].tolist() == [macs(cell, NETWORK) for cell in graphs]
    # the ranges that are published for all 450
    assert table["training_seconds"].between(5_035, 17_087).all()
    assert table["latency_ms"].between(7.3, 22).all()
    assert table["checkpoint_bytes"].between(4 * table["parameters"], 4 * table["parameters"] + 500_000).all()
