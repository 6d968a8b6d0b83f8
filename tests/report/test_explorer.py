import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from terranas.benchmark.schema import BENCHMARK
from terranas.benchmark.tabular import TabularBenchmark
from terranas.core.errors import TableError
from terranas.report.explorer import write_explorer
from terranas.report.explorer_cells import KEY_ROWS, NEIGHBOUR_ROWS, key_shards, neighbour_shards, packed_graphs
from terranas.report.explorer_columns import benchmark_columns, operation_columns, packed
from terranas.report.shell import PageLink, Shell, embedded, render_template
from terranas.space.cell import OPERATIONS, Cell
from terranas.space.neighbours import NeighbourGraph, build_neighbours

from .explorer_tables import OBJECTIVES, small_cells, small_source, small_table, with_failures
from .shard_files import from_planes, read_shard


def unpacked(facts, content, rows):
    if facts["width"] == 8:
        return from_planes(content, "f8", rows)
    levels = np.append(from_planes(content, "f8", facts["different"]), np.nan)
    return levels[from_planes(content, f"u{facts['width']}", rows, 8 * facts["different"])]


@pytest.fixture
def source():
    return small_source()


@given(arrays(np.float64, st.integers(1, 300), elements=st.floats(allow_nan=True, allow_infinity=True)))
def test_no_value_of_a_column_changes(values):
    facts, content = packed(values)
    assert np.array_equal(unpacked(facts, content, len(values)), values, equal_nan=True)
    assert facts["known"] == np.isfinite(values).sum() + np.isinf(values).sum()


@pytest.mark.parametrize(("different", "width"), [(255, 1), (256, 2), (65_535, 2), (65_536, 8)])
def test_few_values_become_positions(different, width):
    values = np.append(np.random.default_rng(0).permutation(np.arange(different) / 7), [np.nan, 0.0])
    facts, content = packed(values)
    assert facts["width"] == width
    assert facts["different"] == different
    assert np.array_equal(unpacked(facts, content, len(values)), values, equal_nan=True)


def test_levels_are_offered_where_they_are_few():
    assert packed(np.array([3.0, 1.0, np.nan, 3.0]))[0]["levels"] == [1.0, 3.0]
    assert packed(np.arange(17.0))[0]["levels"] == []
    assert packed(np.array([1.0, np.inf]))[0]["levels"] == []  # JSON has no infinity


def test_graphs_come_back():
    cells = small_cells()
    edges, operations = packed_graphs(cells, np.append(np.arange(len(cells)), -1))
    assert (edges[-1], operations[-1]) == (0, 0)
    for row, cell in enumerate(cells.itertuples()):
        vertices = int(edges[row]) >> 21
        matrix = np.zeros((vertices, vertices), dtype=np.uint8)
        for bit, (start, end) in enumerate(zip(*np.triu_indices(7, 1), strict=True)):
            if (int(edges[row]) >> bit) & 1:
                matrix[start, end] = 1
        inner = [OPERATIONS[(int(operations[row]) >> (2 * vertex)) & 3] for vertex in range(vertices - 2)]
        assert Cell(matrix, ("input", *inner, "output")).hash == cell.hash


def read_neighbours(content, rows):
    inside = from_planes(content, "u2", rows, 2 * rows)
    differences = from_planes(content, "u4", int(inside.sum()), 4 * rows)
    return from_planes(content, "u2", rows), [np.cumsum(part) for part in np.split(differences, np.cumsum(inside)[:-1])]


@given(data=st.data())
def test_neighbours_are_those_in_the_table(data):
    size = data.draw(st.integers(1, 12))
    matrix = data.draw(arrays(np.bool_, (size, size)))
    indptr = np.concatenate([[0], np.cumsum(matrix.sum(axis=1))]).astype(np.int64)
    graph = NeighbourGraph(indptr, np.nonzero(matrix)[1].astype(np.int32))
    chosen = sorted(data.draw(st.sets(st.integers(0, size - 1), min_size=1)))
    row_of = np.array(chosen, dtype=np.int64)
    row_of[data.draw(arrays(np.bool_, len(chosen)))] = -1  # the table of cells lacks some
    (content,) = neighbour_shards(graph, row_of)
    degree, found = read_neighbours(content, len(chosen))
    for row, cell in enumerate(row_of):
        expected = [other for other, target in enumerate(row_of) if cell >= 0 and target >= 0 and matrix[cell, target]]
        assert found[row].tolist() == expected
        assert degree[row] == (matrix[cell].sum() if cell >= 0 else 0)


def test_neighbours_of_many_cells_stand_in_several_shards():
    cells = NEIGHBOUR_ROWS + 10
    ring = NeighbourGraph(np.arange(cells + 1), np.roll(np.arange(cells, dtype=np.int32), -1))
    first, second = neighbour_shards(ring, np.arange(cells))
    assert [part.tolist() for part in read_neighbours(first, NEIGHBOUR_ROWS)[1]] == [
        [i + 1] for i in range(NEIGHBOUR_ROWS)
    ]
    assert read_neighbours(second, 10)[1][-1].tolist() == [0]


def test_keys_that_are_no_hashes_are_texts():
    keys = [f"|nor_conv_3x3~{number:05d}|" for number in range(KEY_ROWS + 2)]
    first, second = key_shards(keys, None)
    length = int.from_bytes(first[:4], "little")
    assert first[4 : 4 + length].decode().split("\n") == keys[:KEY_ROWS]
    assert second[4:].decode().split("\n") == keys[KEY_ROWS:]


def test_the_shards_hold_the_table(source, tmp_path):
    manifest = write_explorer(source, tmp_path)
    assert json.loads(json.dumps(manifest, allow_nan=False)) == manifest
    assert manifest["rows"] == 91
    assert manifest["axes"] == ["macs", "validation_micro_accuracy"]
    found = {
        column["key"]: unpacked(column, read_shard(tmp_path, column["shard"]), 91) for column in manifest["columns"]
    }
    ordered = small_table().sort_values("hash")
    for key in ("validation_micro_accuracy", "macs", "latency_ms", "train_loss"):
        assert np.array_equal(found[key], ordered[key])
    assert np.array_equal(found["num_conv3x3"], source.cells["num_conv3x3"])
    assert "inference_energy_mj" not in found  # no value is known
    assert "id" not in found  # cells of a smaller space have none
    keys = read_shard(tmp_path, "explorer/study/keys-00")
    hashes = np.frombuffer(keys[4 : 4 + 16 * 91], dtype=np.uint8).reshape(16, 91).T
    assert [row.tobytes().hex() for row in hashes] == list(ordered["hash"])
    visits = from_planes(read_shard(tmp_path, "explorer/study/walks"), "i4", manifest["visits"], 8 * manifest["visits"])
    assert ordered["hash"].to_numpy()[visits].tolist() == source.walks["hash"].tolist()
    assert manifest["heads"] == [ordered["hash"].iloc[0]]


def test_equal_tables_give_equal_files(source, tmp_path):
    files = []
    for site in ("one", "other"):
        write_explorer(source, tmp_path / site)
        files.append({p.relative_to(tmp_path / site): p.read_bytes() for p in (tmp_path / site).rglob("*.js")})
    assert files[0] == files[1]


def test_cells_that_the_study_does_not_know_have_neither_graph_nor_structure(source, tmp_path):
    few = source.cells.iloc[:60].reset_index(drop=True)
    manifest = write_explorer(replace(source, cells=few, graph=build_neighbours(few, "edit")), tmp_path)
    depth = next(column for column in manifest["columns"] if column["key"] == "depth")
    assert (manifest["rows"], depth["known"]) == (91, 60)
    keys = read_shard(tmp_path, "explorer/study/keys-00")
    edges = from_planes(keys, "u4", 91, 4 + 16 * 91)
    assert (edges > 0).tolist() == [True] * 60 + [False] * 31


def test_each_device_and_each_fidelity_is_a_column():
    cpu = small_table()
    first = cpu.assign(epochs=2, latency_ms=np.nan, device="", validation_micro_accuracy=0.1)
    other = cpu.assign(device="gpu", latency_ms=1.0)
    other[[c.name for c in BENCHMARK.columns if c.direction and not c.per_device]] = np.nan
    table = BENCHMARK.validate(pd.concat([cpu, first, other], ignore_index=True))
    columns = {column.key: column for column in benchmark_columns(TabularBenchmark(table))}
    assert {key for key in columns if key.startswith("latency_ms")} == {"latency_ms@cpu", "latency_ms@gpu"}
    assert (columns["latency_ms@gpu"].values == 1).all()
    assert columns["latency_ms@cpu"].name == "latency on cpu"
    assert (columns["validation_micro_accuracy#2"].values == 0.1).all()
    assert columns["validation_micro_accuracy#2"].name == "validation micro accuracy at 2 epochs"
    assert "macs#2" not in columns  # it is the same at each fidelity


def test_operations_of_other_cells_are_counted():
    cells = ["|none~0|+|skip_connect~0|nor_conv_1x1~1|+|nor_conv_1x1~0|avg_pool_3x3~1|nor_conv_1x1~2|"]
    counts = {column.key: column.values.tolist() for column in operation_columns(cells)}
    assert counts == {
        "num_none": [1],
        "num_skip_connect": [1],
        "num_nor_conv_1x1": [3],
        "num_nor_conv_3x3": [0],
        "num_avg_pool_3x3": [1],
    }
    assert list(operation_columns([*cells, "another key"])) == []


def test_failed_trainings_are_marked(tmp_path):
    manifest = write_explorer(small_source(with_failures(small_table(), 2)), tmp_path)
    failed = next(column for column in manifest["columns"] if column["key"] == "failed")
    assert unpacked(failed, read_shard(tmp_path, failed["shard"]), 91).sum() == 2
    accuracy = next(column for column in manifest["columns"] if column["key"] == OBJECTIVES[0])
    assert accuracy["known"] == 89


def test_an_objective_without_values_is_named(source, tmp_path):
    with pytest.raises(
        TableError, match=r"'study' has no values of the objective 'training_co2_g'\. Known: train_loss"
    ):
        write_explorer(replace(source, objectives=("training_co2_g", "macs")), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_objective_on_one_of_several_devices_is_an_axis(source, tmp_path):
    cpu = small_table()
    other = cpu.assign(device="gpu", latency_ms=np.nan, inference_energy_mj=2.0)
    other[[c.name for c in BENCHMARK.columns if c.direction and not c.per_device]] = np.nan
    benchmark = TabularBenchmark(BENCHMARK.validate(pd.concat([cpu, other], ignore_index=True)))
    assert benchmark.device == ""
    objectives = ("validation_micro_accuracy", "inference_energy_mj")
    manifest = write_explorer(replace(source, benchmark=benchmark, objectives=objectives), tmp_path)
    assert manifest["axes"] == ["inference_energy_mj@gpu", "validation_micro_accuracy"]


def test_neighbours_need_their_cells(source, tmp_path):
    with pytest.raises(TableError, match="give the explorer that table too"):
        write_explorer(replace(source, cells=None), tmp_path)


def test_names_from_outside_are_escaped(tmp_path):
    name = '</script><img src=x onerror="alert(1)">'
    manifest = write_explorer(small_source(small_table(name)), tmp_path)
    shell = Shell("Study", name, [PageLink("explorer-study.html", "Explorer")], "1")
    page = render_template("explorer.html", shell, "explorer-study.html", manifest=manifest)
    assert "<img" not in page
    assert "&lt;/script&gt;&lt;img" in page
    assert str(embedded(manifest)) in page
