"""Importing NAS-Bench-Macro: closed forms against built networks, codes of one network, checks, and the real table."""

import io
import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from terranas.benchmark.imported import ImportedTable, store_import
from terranas.benchmark.nasbench_macro import SPACE_SIZE, complexity, import_nasbench_macro, network_of
from terranas.benchmark.tabular import TabularBenchmark
from terranas.core.errors import DataError

from .checks import failed

SAMPLE = ["00000000", "11111111", "22222222", "02012100", "12100212"]


# --- the published network, built plainly ---------------------------------------------------------------------------


def norm(before: int, after: int, kernel: int, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    convolution = nn.Conv2d(before, after, kernel, stride, kernel // 2, groups=groups, bias=False)
    return [convolution, nn.BatchNorm2d(after)]


def block(digit: str, before: int, after: int, stride: int) -> list[nn.Module]:
    if digit == "0":
        return norm(before, after, 1, stride) if stride == 2 else []
    expansion, kernel = {"1": (3, 3), "2": (6, 5)}[digit]
    hidden = expansion * before
    return [
        *norm(before, hidden, 1),
        nn.ReLU(),
        *norm(hidden, hidden, kernel, stride, groups=hidden),
        nn.ReLU(),
        *norm(hidden, after, 1),
    ]


def built(architecture: str) -> nn.Module:
    """Return the network without the sums around its blocks, which have neither weights nor multiplications."""
    layers = [*norm(3, 32, 3), nn.ReLU()]
    channels = 32
    for position, digit in enumerate(architecture):
        stride = 2 if position in (0, 2, 5) else 1
        layers += block(digit, channels, channels * stride, stride)
        channels *= stride
    layers += [*norm(channels, 1280, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1280, 10)]
    return nn.Sequential(*layers)


@pytest.mark.parametrize("architecture", SAMPLE)
def test_closed_forms_equal_the_built_network(architecture: str) -> None:
    with torch.device("meta"):
        network = built(architecture).eval()
        with FlopCounterMode(display=False) as counter:
            network(torch.empty(1, 3, 32, 32))
    parameters, macs = complexity([architecture])
    assert parameters[0] == sum(weights.numel() for weights in network.parameters())
    assert macs[0] == counter.get_total_flops() // 2


def test_codes_of_one_network() -> None:
    assert network_of("00000000") == "00000000"
    assert network_of("01012001") == "01012010"
    assert network_of("10201102") == "10210120"
    codes = ["".join(code) for code in itertools.product("012", repeat=8)]
    networks = {network_of(code) for code in codes}
    assert (len(codes), len(networks)) == (SPACE_SIZE, 3_969)
    assert all(network_of(network) == network for network in networks)
    for code in codes[::500]:
        assert complexity([code]) == complexity([network_of(code)])


# --- small files in the published form ------------------------------------------------------------------------------


def entry(architecture: str, runs: tuple[float, ...] = (90.5, 91.25, 90.75), **changes: Any) -> dict[str, Any]:
    parameters, macs = complexity([architecture])
    values = {
        "test_acc": list(runs),
        "mean_acc": float(np.mean(runs)),
        "std": float(np.std(runs)),
        "params": int(parameters[0]),
        "flops": int(macs[0]),
    }
    return {name: value for name, value in (values | changes).items() if value is not None}


def records(*architectures: str, **changes: Any) -> dict[str, Any]:
    return {architecture: entry(architecture, **changes) for architecture in architectures}


def imported(content: Any) -> ImportedTable:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return import_nasbench_macro(io.BytesIO(raw), "test.json")


def test_rows_of_a_small_file() -> None:
    result = imported(records("11111111", "00000000", "01000000"))
    assert failed(result) == {}
    table = result.table
    assert table["architecture"].tolist() == [name for name in ("00000000", "01000000", "11111111") for _ in range(3)]
    assert table["repeat"].tolist() == [0, 1, 2] * 3
    assert table["test_micro_accuracy"].tolist() == [0.905, 0.9125, 0.9075] * 3
    assert table["epochs"].unique().tolist() == [50]
    assert table.loc[0, "macs"] == complexity(["00000000"])[1][0]
    assert result.facts == {"networks": 3}


@pytest.mark.parametrize(
    ("changes", "check"),
    [
        ({"flops": 1_060_000_000}, "MACs equal the closed form"),
        ({"params": 1_000_000}, "parameters equal the closed form"),
        ({"mean_acc": 91.0}, "mean_acc is the mean of the runs"),
        ({"std": float(np.std([90.5, 91.25, 90.75], ddof=1))}, "std is the population's of the runs"),
        ({"runs": (90.505, 90.5, 90.5)}, "run 0 counts whole images"),
    ],
)
def test_checks_find_wrong_values(changes: dict[str, Any], check: str) -> None:
    assert list(failed(imported(records("11111111", **changes)))) == [check]


def test_codes_of_one_network_must_agree() -> None:
    content = records("10201102", "10210120")
    assert failed(imported(content)) == {}
    content["10201102"] = entry("10201102", runs=(90.5, 91.25, 90.0))
    assert list(failed(imported(content))) == ["run 2 is the same for all codes of a network"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"00000000": ', r"test\.json is no valid JSON file \(Expecting value"),
        (b"\xff\xfe", "is no valid JSON file"),
        (b"[" * 100_000, "is no valid JSON file"),
        ([], "is not NAS-Bench-Macro's file: expected an object with an entry for each architecture"),
        ({}, "expected an object with an entry for each architecture"),
        ({"00000000": [1]}, "the entry of '00000000' must have the fields test_acc"),
        ({"00000000": entry("00000000", flops=None)}, "must have the fields test_acc"),
        ({"00000000": entry("00000000", latency=1)}, "must have the fields test_acc"),
        (records("00000000", test_acc=[90.0, 91.0]), "must be a list of 3 accuracies"),
        (
            records("00000000", test_acc=[90.0, 91.0, "high"]),
            r"test_acc\[2\] of '00000000' must be a number, got 'high'",
        ),
        (records("00000000", params=True), "params of '00000000' must be a number"),
        (records("00000000", std=float("nan")), "NaN is no JSON number"),
        (records("00000000", params=1.5), r"'1\.5' in the column params for 00000000; expected a whole number"),
        (records("00000000", test_acc=[0.9, 0.91, 0.92]), "look like fractions"),
        (records("00000000", test_acc=[9000.0, 91.0, 92.0]), r"'9000\.0' in the column test_acc\[0\]"),
        ({"0000": entry("00000000")}, "'0000' in row 0; expected 8 digits from 0 to 2"),
        ({"00000003": entry("00000000")}, "'00000003' in row 0"),
    ],
)
def test_refused_files(content: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        imported(content)


def test_a_name_that_stands_twice() -> None:
    one = json.dumps(entry("00000000"))
    with pytest.raises(DataError, match="the key '00000000' stands twice"):
        imported(f'{{"00000000": {one}, "00000000": {one}}}'.encode())


def test_published_table(shared_data: Path, tmp_path: Path) -> None:
    path = shared_data / "nas-bench-macro" / "nas-bench-macro_cifar10.json"
    if not path.is_file():
        pytest.skip(f"NAS-Bench-Macro's file is not at {path}")
    with path.open("rb") as file:
        result = import_nasbench_macro(file, path.name)
    assert failed(result) == {}
    assert {check.compared for check in result.checks} == {SPACE_SIZE}
    assert result.facts == {"networks": 3_969}
    assert len(result.table) == 3 * SPACE_SIZE
    store_import(result, tmp_path / "table.parquet", tmp_path / "report.json")
    benchmark = TabularBenchmark.open(tmp_path / "table.parquet")
    assert len(benchmark) == SPACE_SIZE == benchmark.space_size
    # the best mean accuracy that the benchmark's paper reports
    assert round(float(benchmark.values(["test_micro_accuracy"]).max()), 4) == 0.9313
