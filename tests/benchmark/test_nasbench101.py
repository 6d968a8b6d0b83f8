"""Importing NAS-Bench-101: framing, protobuf, repeats, partial files, damaged and hostile ones, and real records."""

import base64
import contextlib
import functools
import io
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terranas.benchmark.imported import ImportedTable, store_import
from terranas.benchmark.model_metrics import parse_model_metrics
from terranas.benchmark.nasbench101 import import_nasbench101
from terranas.benchmark.schema import BENCHMARK
from terranas.benchmark.space_index import SpaceIndex
from terranas.benchmark.tabular import TabularBenchmark
from terranas.benchmark.tfrecord import BLOCK_BYTES, MAX_RECORD_BYTES, count_blocks, masked_crc, read_blocks
from terranas.core.errors import DataError
from terranas.core.files import read_json
from terranas.core.tables import read_attributes, read_table
from terranas.space.cell import Cell
from terranas.space.complexity import CIFAR10_NETWORK, macs, parameters
from terranas.space.table import cells_table

from .checks import failed

NAN = float("nan")

CHAIN = Cell.from_strings("010001000", "input,conv3x3-bn-relu,output")
PLAIN = Cell.from_strings("0100", "input,output")
WIDE = Cell.from_strings("0110000100010000", "input,conv1x1-bn-relu,maxpool3x3,output")


# --- writing the published format, in the test's own words ---------------------------------------------------------


def framed(payload: bytes) -> bytes:
    length = struct.pack("<Q", len(payload))
    return length + struct.pack("<I", masked_crc(length)) + payload + struct.pack("<I", masked_crc(payload))


def varint(value: int) -> bytes:
    digits = []
    while value >= 128:
        digits.append(value % 128 + 128)
        value //= 128
    return bytes([*digits, value])


def evaluation(**values: float) -> bytes:
    names = ("current_epoch", "training_time", "train_accuracy", "validation_accuracy", "test_accuracy")
    body = b"".join(
        bytes([8 * (names.index(name) + 1) + 1]) + struct.pack("<d", value) for name, value in values.items()
    )
    return b"\x0a" + varint(len(body)) + body


def message(*evaluations: bytes, parameters: int | None = 1000, total: float = 12.5) -> bytes:
    counted = b"" if parameters is None else b"\x10" + varint(parameters)
    return b"".join(evaluations) + counted + b"\x19" + struct.pack("<d", total)


def row(cell: Cell, epochs: Any = 108, metrics: bytes = b"", **changes: Any) -> bytes:
    entry = {
        "hash": cell.hash,
        "epochs": epochs,
        "adjacency": cell.adjacency_string,
        "operations": cell.operations_string,
        "encoded": base64.b64encode(metrics or message(evaluation(validation_accuracy=0.9))).decode(),
    }
    return json.dumps(list((entry | changes).values())).encode()


@functools.cache
def space(max_vertices: int) -> SpaceIndex:
    return SpaceIndex(cells_table(max_vertices, 9, CIFAR10_NETWORK))


def imported(*payloads: bytes, max_vertices: int = 4) -> ImportedTable:
    file = io.BytesIO(b"".join(map(framed, payloads)))
    return import_nasbench101(file, "test.tfrecord", space(max_vertices))


# --- framing -------------------------------------------------------------------------------------------------------


def test_checksum_is_the_masked_castagnoli_crc() -> None:
    # RFC 3720, appendix B.4: the CRC-32C of 32 zero bytes is 8A9136AA; rotated by 15 bits it is 22 6C 15 6D
    rotated = (0x8A9136AA >> 15) | (0x8A9136AA << 17) & 0xFFFFFFFF
    assert masked_crc(bytes(32)) == (rotated + 0xA282EAD8) % 2**32


@given(st.lists(st.integers(0, BLOCK_BYTES // 2), max_size=8))
@settings(max_examples=15, deadline=None)
def test_blocks_hold_every_record_once_with_its_place(sizes: list[int]) -> None:
    payloads = [bytes([index]) * size for index, size in enumerate(sizes)]
    file = io.BytesIO(b"".join(map(framed, payloads)))
    count = count_blocks(file)
    blocks = list(read_blocks(file, "test"))
    assert len(blocks) == count
    records = [record for block in blocks for record in block]
    assert [record.payload for record in records] == payloads
    assert [record.number for record in records] == list(range(len(sizes)))
    assert [record.offset for record in records] == [sum(sizes[:n]) + 16 * n for n in range(len(sizes))]
    for number, block in enumerate(blocks):
        assert all(record.offset // BLOCK_BYTES == number for record in block)


@pytest.mark.parametrize(
    ("start", "message_part"),
    [
        (0, "has a length that does not fit its checksum"),
        (8, "has a length that does not fit its checksum"),
        (12, "has content that does not fit its checksum"),
        (-1, "has content that does not fit its checksum"),
    ],
)
def test_a_flipped_bit_is_found(start: int, message_part: str) -> None:
    good, bad = framed(row(CHAIN)), bytearray(framed(row(PLAIN)))
    bad[start] ^= 1
    with pytest.raises(DataError, match=rf"Record 1 of name \(at byte {len(good)}\) {message_part}"):
        list(read_blocks(io.BytesIO(good + bytes(bad)), "name"))


@given(st.integers(1, len(framed(row(PLAIN))) - 1))
@settings(max_examples=25, deadline=None)
def test_a_file_cut_within_a_record_is_refused(length: int) -> None:
    good, cut = framed(row(CHAIN)), framed(row(PLAIN))[:length]
    with pytest.raises(DataError, match=rf"Record 1 of name \(at byte {len(good)}\) is cut off: "):
        list(read_blocks(io.BytesIO(good + cut), "name"))


def test_an_absurd_length_takes_no_memory() -> None:
    length = struct.pack("<Q", MAX_RECORD_BYTES + 1)
    with pytest.raises(DataError, match=r"says it is 16,777,217 bytes long; expected at most 16,777,216"):
        list(read_blocks(io.BytesIO(length + struct.pack("<I", masked_crc(length))), "name"))


# --- protobuf ------------------------------------------------------------------------------------------------------


def test_the_last_evaluation_is_the_final_one() -> None:
    first = evaluation(current_epoch=0, training_time=0.0, train_accuracy=0.1, validation_accuracy=0.1)
    last = evaluation(
        current_epoch=108, training_time=700.5, train_accuracy=1.0, validation_accuracy=0.93, test_accuracy=0.92
    )
    assert parse_model_metrics(message(first, last, parameters=2**31 - 1)) == (700.5, 1.0, 0.93, 0.92, 2**31 - 1, 12.5)


@given(
    st.lists(st.floats(0, 1), min_size=3, max_size=3),
    st.permutations(["current_epoch", "training_time", "train_accuracy", "validation_accuracy", "test_accuracy"]),
)
@settings(max_examples=50, deadline=None)
def test_the_order_of_fields_does_not_matter(shares: list[float], order: list[str]) -> None:
    values = dict(zip(["train_accuracy", "validation_accuracy", "test_accuracy"], shares, strict=True))
    values |= {"current_epoch": 36.0, "training_time": 9.0}
    shuffled = evaluation(**{name: values[name] for name in order})
    assert parse_model_metrics(message(shuffled)) == (9.0, *shares, 1000, 12.5)


def test_what_is_not_said_is_nan_and_unknown_fields_are_skipped() -> None:
    path = b"\x32" + varint(300) + b"x" * 300  # checkpoint_path
    unknown = b"\x38\x96\x01" + b"\x45" + b"abcd" + b"\x4a\x02hi"  # varint 7, 32 bits 8, bytes 9
    body = path + b"\x29" + struct.pack("<d", 0.5) + unknown
    found = parse_model_metrics(unknown + b"\x0a" + varint(len(body)) + body)
    np.testing.assert_array_equal(found, [NAN, NAN, NAN, 0.5, NAN, NAN])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no evaluation_data"),
        (message(parameters=5), "no evaluation_data"),
        (b"\x0a\x05abc", "reaches beyond its message"),
        (b"\x08\x01", "evaluation_data has wire type 0, expected 2"),
        (b"\x0a\x02\x10\x01", "field 2 of evaluation_data has wire type 0, expected 1"),
        (b"\x0a\x03\x11ab", "field 2 reaches beyond its message"),
        (b"\x12\x01a", "trainable_parameters has wire type 2, expected 0"),
        (b"\x10\x00", "trainable_parameters is 0, expected a positive int32"),
        (b"\x10" + b"\xff" * 9 + b"\x01", "expected a positive int32"),
        (b"\x10" + b"\xff" * 11, "longer than 10 bytes"),
        (b"\x80", "a number reaches beyond its message"),
        (b"\x00\x00", "field number 0"),
        (b"\x0b", "wire type 3, which this message does not use"),
        (message(evaluation(validation_accuracy=1.5)), "an accuracy lies outside of 0 to 1"),
        (message(evaluation(training_time=-1.0)), "expected a finite time of at least 0"),
        (message(evaluation(training_time=float("inf"))), "training_time is inf s, expected a finite time"),
        (message(evaluation()) + b"\x19" + struct.pack("<d", -2.0), "total_time is -2.0 s, expected a finite time"),
        (message(evaluation()) + b"\x18\x01", "total_time has wire type 0, expected 1"),
        (message(evaluation(validation_accuracy=58.6)), "expected shares, not per cent"),
    ],
)
def test_a_broken_message_is_refused_with_its_reason(content: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_model_metrics(content)


@given(st.binary(max_size=60))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_parsed_or_refused(content: bytes) -> None:
    with contextlib.suppress(ValueError):
        assert len(parse_model_metrics(content)) == 6


# --- rows ----------------------------------------------------------------------------------------------------------


def test_repeats_are_numbered_in_the_order_of_the_file_within_cell_and_epochs() -> None:
    def run(cell: Cell, epochs: int, accuracy: float) -> bytes:
        return row(cell, epochs, message(evaluation(validation_accuracy=accuracy)))

    result = imported(
        run(WIDE, 108, 0.1), run(CHAIN, 108, 0.2), run(WIDE, 4, 0.3), run(WIDE, 108, 0.4), run(WIDE, 108, 0.5)
    )
    found = {(r.hash, r.epochs, r.repeat): r.validation_micro_accuracy for r in result.table.itertuples()}
    assert found == {
        (WIDE.hash, 4, 0): 0.3,
        (WIDE.hash, 108, 0): 0.1,
        (WIDE.hash, 108, 1): 0.4,
        (WIDE.hash, 108, 2): 0.5,
        (CHAIN.hash, 108, 0): 0.2,
    }
    assert result.table["hash"].is_monotonic_increasing
    assert result.facts == {"records": 5, "cells": 2, "epochs": [4, 108]}
    assert (result.source.licence, result.source.space_size) == ("Apache-2.0", 423_624)
    assert "ICML 2019" in result.source.citation
    benchmark = TabularBenchmark(result.table)
    assert benchmark.values(["validation_micro_accuracy"], [WIDE.hash])[0, 0] == pytest.approx(1 / 3)


def test_columns_of_the_table(tmp_path: Path) -> None:
    final = evaluation(training_time=800.0, train_accuracy=1.0, validation_accuracy=0.9, test_accuracy=0.8)
    count = parameters(PLAIN, CIFAR10_NETWORK)
    result = imported(row(PLAIN, metrics=message(evaluation(validation_accuracy=0.1), final, parameters=count)))
    store_import(result, tmp_path / "t.parquet", tmp_path / "t.json", tolerate=True)
    attributes = read_attributes(tmp_path / "t.parquet")
    assert attributes == read_json(tmp_path / "t.json")["source"]
    assert attributes["name"] == "NAS-Bench-101"
    assert attributes["records"] == 1
    (only,) = read_table(tmp_path / "t.parquet", BENCHMARK).to_dict("records")
    expected = {
        "dataset": "CIFAR-10",
        "source": "NAS-Bench-101",
        "outcome": "ok",
        "device": "",
        "training_seconds": 800.0,
        "total_seconds": 12.5,
        "train_micro_accuracy": 1.0,
        "validation_micro_accuracy": 0.9,
        "test_micro_accuracy": 0.8,
        "parameters": count,
        "macs": macs(PLAIN, CIFAR10_NETWORK),
    }
    assert {name: only[name] for name in expected} == expected
    for name in ("train_loss", "validation_macro_accuracy", "test_macro_accuracy", "latency_ms", "model_bytes"):
        assert np.isnan(only[name])


def test_macs_are_those_of_the_published_network_for_cells_of_any_size() -> None:
    cells = [CHAIN, PLAIN, WIDE]
    table = imported(*map(row, cells)).table
    assert dict(zip(table["hash"], table["macs"], strict=True)) == {
        cell.hash: macs(cell, CIFAR10_NETWORK) for cell in cells
    }


def test_a_cell_drawn_otherwise_is_recognised_by_its_graph() -> None:
    mirrored = Cell.from_strings("0110000100010000", "input,maxpool3x3,conv1x1-bn-relu,output")
    assert mirrored != WIDE
    table = imported(row(mirrored), row(WIDE)).table
    assert table[["hash", "repeat"]].values.tolist() == [[WIDE.hash, 0], [WIDE.hash, 1]]


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"\xff\xfe", "it is no UTF-8 text from byte 0 on"),
        (b'["a", 1', "Expecting"),
        (b"[" * 100_000, "its lists and objects are nested too deeply"),
        (b"[" + b"9" * 5_000 + b"]", "a number has 5,000 digits"),
        (b'{"a": 1}', "expected a JSON list of 5 entries"),
        (b"[1, 2, 3]", "expected a JSON list of 5 entries"),
        (row(CHAIN, hash=7), "expected a text, got '7'"),
        (row(CHAIN, epochs="108"), "expected epochs from 1 to 10000, got 108"),
        (row(CHAIN, epochs=True), "expected epochs from 1 to 10000, got True"),
        (row(CHAIN, epochs=0), "expected epochs from 1 to 10000, got 0"),
        (row(CHAIN, epochs=10**30), "expected epochs"),
        (row(CHAIN, encoded="no base 64!"), "base64"),
        (row(CHAIN, encoded="ab"), "padding"),
        (row(CHAIN, metrics=message(parameters=5)), "no evaluation_data"),
        (row(CHAIN, adjacency=PLAIN.adjacency_string), "its graph is no valid cell"),
        (row(CHAIN, operations="input,maxpool3x3,output"), "its graph has the hash"),
    ],
)
def test_a_bad_row_is_named_with_its_place(payload: bytes, reason: str) -> None:
    good = row(PLAIN)
    with pytest.raises(DataError) as caught:
        imported(good, payload)
    text = str(caught.value)
    assert text.startswith(f"Record 1 of test.tfrecord (at byte {len(good) + 16}) is no row of NAS-Bench-101: ")
    assert reason in text


def test_cells_outside_of_the_space_are_counted() -> None:
    with pytest.raises(DataError) as caught:
        imported(row(CHAIN), row(WIDE), row(PLAIN), row(WIDE), max_vertices=3)
    text = str(caught.value)
    assert "2 of the 4 entries of test.tfrecord name a cell that is none of the 7 it is looked up in" in text
    assert f"record 1 (at byte {len(framed(row(CHAIN)))}), '{WIDE.hash}'" in text
    assert "the table of all 423,624 cells" in text


def test_a_file_without_records_is_refused() -> None:
    with pytest.raises(DataError, match=r"test\.tfrecord holds no records"):
        imported()


# --- checks --------------------------------------------------------------------------------------------------------


def trained(
    cell: Cell, epochs: int = 108, run: int = 0, *, counted: int | None = None, total: float = NAN, **values: float
) -> bytes:
    usual = {"training_time": 20.0 * epochs + run, "validation_accuracy": 9000 / 9984, "test_accuracy": 8000 / 9984}
    count = parameters(cell, CIFAR10_NETWORK) if counted is None else counted
    return row(cell, epochs, message(evaluation(**(usual | values)), parameters=count, total=total))


def test_records_as_published_agree() -> None:
    cells, fidelities = (CHAIN, PLAIN, WIDE), (4, 12, 36, 108)
    runs = [trained(cell, epochs, run) for cell in cells for epochs in fidelities for run in range(3)]
    result = imported(*runs)
    assert failed(result) == {}
    compared = {check.name: check.compared for check in result.checks}
    assert compared["parameters equal the closed form"] == 36
    # of the 12 pairs of cell and fidelity, three have no lower fidelity
    assert compared["mean training time grows with the epochs"] == 9


NEEDS = "a training lasts as long as the images and a TPU need"


@pytest.mark.parametrize(
    ("odd", "name"),
    [
        (trained(CHAIN, counted=1000), "parameters equal the closed form"),
        (trained(CHAIN, validation_accuracy=0.9), "validation accuracy counts whole images"),
        # hours, and milliseconds
        (trained(CHAIN, training_time=2160 / 3600), NEEDS),
        (trained(CHAIN, training_time=2160e3), NEEDS),
        (trained(CHAIN, total=2000.0), "training takes no longer than with evaluations"),
        (trained(CHAIN, total=2200e3), "evaluating takes no longer than the images need"),
        (trained(CHAIN, 36, training_time=15_000.0), "mean training time grows with the epochs"),
        (trained(CHAIN, 108, 1), "no record stands twice"),
        (trained(PLAIN, 108, 3), "a cell was trained at most 3 times at a fidelity"),
    ],
)
def test_a_record_that_disagrees_is_found(odd: bytes, name: str, tmp_path: Path) -> None:
    runs = [trained(PLAIN, 108, run) for run in range(3)] + [trained(CHAIN, 108, run) for run in (1, 2)]
    result = imported(*runs, odd)
    assert failed(result) == {name: 1}
    with pytest.raises(DataError, match=rf"'{name}' fails for 1 of ") as caught:
        store_import(result, tmp_path / "t.parquet", tmp_path / "t.json")
    assert (CHAIN.hash if name.split()[1] != "cell" else PLAIN.hash) in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_times_in_another_unit_are_found() -> None:
    times = [(cell, 20.0 * epochs, epochs) for cell in (CHAIN, PLAIN, WIDE) for epochs in (4, 108)]
    for factor in (1000, 1 / 1000, 1 / 3600):
        odd = [
            trained(cell, epochs, training_time=factor * seconds, total=factor * seconds * 1.1)
            for cell, seconds, epochs in times
        ]
        assert failed(imported(*odd))[NEEDS] == len(times)


def test_a_file_joined_with_itself_is_found() -> None:
    once = [trained(cell) for cell in (CHAIN, PLAIN, WIDE)]
    assert failed(imported(*once, *once)) == {"no record stands twice": 3}
    # without a time, equal accuracies of a few repeats are chance, those of all are not
    untimed = [
        [trained(CHAIN, training_time=NAN, validation_accuracy=correct / 9984) for correct in (9000, 9001, 9000)],
        [trained(PLAIN, training_time=NAN, validation_accuracy=correct / 9984) for correct in (9000, 9002, 9003)],
    ]
    assert failed(imported(*untimed[0], *untimed[1])) == {}
    assert failed(imported(untimed[0][0], untimed[0][0], untimed[1][0])) == {"no record stands twice": 1}


# --- real records --------------------------------------------------------------------------------------------------


def test_real_records(shared_data: Path) -> None:
    path = shared_data / "nas-bench-101" / "nasbench_real_subset.tfrecord"
    with path.open("rb") as file:
        rows = [json.loads(record.payload) for block in read_blocks(file, "real") for record in block]
    assert len(rows) == 79_840
    drawn = {entry[0]: Cell.from_strings(entry[2], entry[3]) for entry in rows[:400]}
    assert all(cell.hash == name for name, cell in drawn.items())

    named = {entry[0]: (entry[2], entry[3]) for entry in rows}
    cells = pd.DataFrame(
        {"id": pd.array([None] * len(named), dtype="Int64"), "hash": sorted(named)}
        | {
            name: [named[architecture][position] for architecture in sorted(named)]
            for position, name in enumerate(("adjacency", "operations"))
        }
    )
    cells["num_vertices"] = cells["operations"].str.count(",") + 1
    with path.open("rb") as file:
        result = import_nasbench101(file, path.name, SpaceIndex(cells))
    assert result.facts == {"records": 79_840, "cells": 19_960, "epochs": [4, 12, 36, 108]}
    assert failed(result) == {}
    compared = {check.name: check.compared for check in result.checks}
    assert compared["parameters equal the closed form"] == 79_840
    assert compared["validation accuracy counts whole images"] == 79_840
    assert compared["test accuracy counts whole images"] == 19_960
    assert compared[NEEDS] == compared["training takes no longer than with evaluations"] == 19_960
    table = result.table
    assert len(table) == 79_840
    assert table["repeat"].eq(0).all()
    assert table["validation_micro_accuracy"].notna().all()
    assert table["train_micro_accuracy"].isna().all()
    # only the last fidelity has a time and a test accuracy in these records
    assert table["test_micro_accuracy"].notna().equals(table["epochs"] == 108)
    assert table["training_seconds"].notna().equals(table["epochs"] == 108)
    final = table[table["epochs"] == 108].set_index("hash")
    for name, cell in drawn.items():
        assert final.loc[name, "parameters"] == parameters(cell, CIFAR10_NETWORK)
    assert TabularBenchmark(table).true_front(["test_micro_accuracy", "training_seconds"])
