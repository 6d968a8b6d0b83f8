"""Measuring: the quick protocol's record, its failures, and sessions that go on after being killed."""

import json
import runpy
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from terranas.core.errors import DataError
from terranas.core.tables import read_table
from terranas.profiling import NUMERICS_VERSION, protocol
from terranas.profiling.devices import CpuDevice
from terranas.profiling.protocol import TIMES, QuickProtocol, build_network, count_size, summarise_times
from terranas.profiling.schema import PROFILES
from terranas.profiling.session import RecordStore, measure_session
from terranas.space.cell import Cell
from terranas.space.complexity import NetworkShape, macs, parameters
from terranas.space.table import cells_table

SCRIPTS = Path(__file__).resolve().parents[2] / "workflow_scripts" / "profiling"
SHAPE = NetworkShape(bands=2, classes=3, image_size=8, stem_channels=4, stacks=2, cells_per_stack=1)
CELL = Cell.from_strings("0110000100010000", "input,conv3x3-bn-relu,maxpool3x3,output")
QUICK = QuickProtocol(batch_size=2, warmup_runs=1, timed_runs=4)


class FakeDevice(CpuDevice):
    """A processor whose clock is a script, and which can run out of memory."""

    def __init__(self, error: BaseException | None = None) -> None:
        super().__init__(threads=1)
        self.error = error

    def time_runs(self, run: Callable[[], object], count: int) -> NDArray[np.float64]:
        if self.error is not None:
            raise self.error
        super().time_runs(run, count)
        return np.arange(1.0, count + 1)

    def peak_memory_bytes(self) -> float:
        return 77.0


# --- protocol --------------------------------------------------------------------------------------------------------


def test_record_of_the_quick_protocol() -> None:
    record = QUICK.measure(CELL, SHAPE, FakeDevice(), seed=5)
    assert record["outcome"] == "ok"
    assert record["runs"] == 4
    assert record["latency_ms"] == 2.5  # of 1, 2, 3, 4 ms
    assert record["latency_iqr_ms"] == 1.5
    assert record["latency_p90_ms"] == pytest.approx(3.7)
    assert record["latency_mean_ms"] == 2.5
    assert record["latency_std_ms"] == pytest.approx(np.sqrt(5 / 3))
    assert record["images_per_second"] == 800  # two images in 2.5 ms
    assert record["peak_memory_bytes"] == 77
    assert record["parameters"] == parameters(CELL, SHAPE)
    assert record["macs"] == macs(CELL, SHAPE)


def test_a_real_processor_gives_finite_times() -> None:
    record = QUICK.measure(CELL, SHAPE, CpuDevice(threads=1), seed=5)
    assert all(np.isfinite(record[name]) and record[name] >= 0 for name in TIMES if name != "peak_memory_bytes")
    assert np.isnan(record["peak_memory_bytes"])


def test_the_network_runs_in_evaluation_mode_with_the_whole_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[Any, ...]] = []

    class Spy(nn.Module):
        def __init__(self, network: nn.Module) -> None:
            super().__init__()
            self.network = network

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            channels_last = images.is_contiguous(memory_format=torch.channels_last)
            seen.append((tuple(images.shape), self.training, torch.is_inference_mode_enabled(), channels_last))
            output: torch.Tensor = self.network(images)
            return output

    built = build_network
    monkeypatch.setattr(protocol, "build_network", lambda *arguments: Spy(built(*arguments)).eval())
    QUICK.measure(CELL, SHAPE, CpuDevice(threads=1), seed=5)
    # one run to count, one to warm up, four timed ones
    assert seen == [((1, 2, 8, 8), False, True, False)] + [((2, 2, 8, 8), False, True, True)] * 5


def test_counts_equal_the_closed_form_for_every_small_cell() -> None:
    for entry in cells_table(3, 9, SHAPE).itertuples():
        cell = Cell.from_strings(str(entry.adjacency), str(entry.operations))
        size = count_size(build_network(cell, SHAPE, 0), cell, SHAPE)
        assert (size["parameters"], size["macs"]) == (entry.parameters, entry.macs)


def test_golden_size_of_one_network() -> None:
    """When these numbers change, NUMERICS_VERSION of the stage must be raised."""
    size = count_size(build_network(CELL, SHAPE, 0), CELL, SHAPE)
    assert (NUMERICS_VERSION, size) == (1, {"parameters": 371, "macs": 10776, "model_bytes": 1700})


def test_a_network_that_differs_from_its_closed_form_is_a_defect() -> None:
    network = build_network(CELL, SHAPE, 0)
    with pytest.raises(RuntimeError, match=r"has \{'parameters': .*the closed form says"):
        count_size(network, CELL, NetworkShape(**{**vars(SHAPE), "stem_channels": 8}))


def test_weights_depend_on_seed_and_cell_only() -> None:
    def weights(seed: int) -> torch.Tensor:
        return torch.cat([value.flatten() for value in build_network(CELL, SHAPE, seed).parameters()])

    torch.manual_seed(1)
    state = torch.get_rng_state()
    first = weights(3)
    assert torch.equal(torch.get_rng_state(), state), "building a network moved torch's own random stream"
    torch.manual_seed(2)
    assert torch.equal(weights(3), first)
    assert not torch.equal(weights(4), first)


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        MemoryError(),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"),
    ],
)
def test_running_out_of_memory_gives_a_row_without_times(error: BaseException) -> None:
    record = QUICK.measure(CELL, SHAPE, FakeDevice(error), seed=0)
    assert (record["outcome"], record["runs"]) == ("out_of_memory", 0)
    assert all(np.isnan(record[name]) for name in TIMES)
    assert record["macs"] == macs(CELL, SHAPE)


def test_a_batch_beyond_the_address_space_is_out_of_memory() -> None:
    huge = QuickProtocol(batch_size=10**13, warmup_runs=1, timed_runs=3)
    assert huge.measure(CELL, SHAPE, CpuDevice(threads=1), seed=0)["outcome"] == "out_of_memory"


def test_other_errors_are_not_taken_for_a_lack_of_memory() -> None:
    with pytest.raises(RuntimeError, match="device-side assert"):
        QUICK.measure(CELL, SHAPE, FakeDevice(RuntimeError("CUDA error: device-side assert triggered")), seed=0)


def test_an_output_that_is_not_finite_gives_a_row_without_times(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(cell: Cell, shape: NetworkShape, seed: int) -> nn.Module:
        network = build_network(cell, shape, seed)
        nn.init.constant_(network.classifier.bias, float("inf"))
        return network

    monkeypatch.setattr(protocol, "build_network", broken)
    record = QUICK.measure(CELL, SHAPE, FakeDevice(), seed=0)
    assert (record["outcome"], record["runs"]) == ("not_finite", 0)
    assert all(np.isnan(record[name]) for name in TIMES)


def test_no_times_have_no_summary() -> None:
    assert set(summarise_times(np.empty(0), 4)) == set(TIMES) - {"peak_memory_bytes"}
    assert all(np.isnan(value) for value in summarise_times(np.empty(0), 4).values())


# --- sessions --------------------------------------------------------------------------------------------------------

SESSION = {
    "device": "cpu",
    "device_name": "Test CPU",
    "description": "{}",
    "protocol": "quick",
    "batch_size": 2,
    "threads": 1,
    "session": 3,
}
MEMBERS = [f"{number:032x}" for number in (4, 2, 9, 1)]


def measured(latency: float) -> dict[str, Any]:
    return {
        "outcome": "ok",
        "runs": 3,
        **dict.fromkeys(TIMES, latency),
        "peak_memory_bytes": float("nan"),
        "parameters": 1,
        "macs": 2,
        "model_bytes": 3,
    }


def test_a_killed_session_goes_on_where_it_was(tmp_path: Path) -> None:
    store = RecordStore(tmp_path / "_state" / "key" / "0")
    asked: list[str] = []

    def dies_at_the_third(member: str) -> dict[str, Any]:
        asked.append(member)
        if len(asked) == 3:
            raise KeyboardInterrupt
        return measured(float(len(asked)) / 3)

    with pytest.raises(KeyboardInterrupt):
        measure_session(MEMBERS, dies_at_the_third, SESSION, store)
    assert asked == MEMBERS[:3]
    table = measure_session(MEMBERS, lambda member: asked.append(member) or measured(9.0), SESSION, store)
    assert asked[3:] == MEMBERS[2:], "only what was not measured is measured again"
    assert table["hash"].tolist() == MEMBERS
    assert table["position"].tolist() == [0, 1, 2, 3]
    assert table["latency_ms"].tolist() == [1 / 3, 2 / 3, 9.0, 9.0]
    assert table["peak_memory_bytes"].isna().all()
    assert set(table["session"]) == {3}
    store.clear()
    assert list(tmp_path.iterdir()) == []


def test_clearing_leaves_other_sessions_alone(tmp_path: Path) -> None:
    stores = [RecordStore(tmp_path / "_state" / "key" / name) for name in "01"]
    for store in stores:
        measure_session(MEMBERS[:1], lambda _: measured(1.0), SESSION, store)
    stores[0].clear()
    assert stores[0].read(0) is None
    assert stores[1].read(0) is not None
    stores[0].clear()  # again, without harm


@pytest.mark.parametrize("content", ["[]", "{}", '{"hash": "a"}', "no JSON"])
def test_a_damaged_record_is_told(content: str, tmp_path: Path) -> None:
    (tmp_path / "000000.json").write_text(content)
    with pytest.raises(DataError, match=r"000000\.json .*Remove it and run again"):
        measure_session(MEMBERS, lambda _: measured(1.0), SESSION, RecordStore(tmp_path))


def snakemake_for(folder: Path, members: pd.DataFrame, **protocol_changes: Any) -> SimpleNamespace:
    return SimpleNamespace(
        params=SimpleNamespace(
            members=members[["hash", "adjacency", "operations"]].to_dict("records"),
            network={name: getattr(SHAPE, name) for name in ("stem_channels", "stacks", "cells_per_stack")},
            image={name: getattr(SHAPE, name) for name in ("bands", "classes", "image_size")},
            protocol={"protocol": "quick", "threads": 1, "batch_size": 2, "warmup_runs": 1, "timed_runs": 3}
            | protocol_changes,
            seed=0,
            numerics=1,
            state=str(folder),
        ),
        wildcards=SimpleNamespace(device="cpu", session="0"),
        output=SimpleNamespace(records=folder / "cpu" / "session_0.parquet", profiles=folder / "cpu.parquet"),
        input=SimpleNamespace(sessions=[folder / "cpu" / "session_0.parquet"]),
        log=[],
    )


def test_the_scripts_measure_and_collect(tmp_path: Path) -> None:
    cells = cells_table(3, 9, SHAPE)
    members = cells.sample(frac=1, random_state=0)
    snakemake = snakemake_for(tmp_path, members)
    runpy.run_path(str(SCRIPTS / "session.py"), init_globals={"snakemake": snakemake})
    assert not (tmp_path / "_state").exists()
    table = read_table(snakemake.output.records, PROFILES)
    assert table["hash"].tolist() == members["hash"].tolist()
    description = json.loads(table["description"][0])
    assert {"cpu", "torch", "threads", "load_average", "governor", "driver", "cuda"} <= set(description)
    runpy.run_path(str(SCRIPTS / "collect.py"), init_globals={"snakemake": snakemake})
    collected = read_table(snakemake.output.profiles, PROFILES)
    assert collected["hash"].tolist() == cells["hash"].tolist()
    assert collected["macs"].tolist() == cells["macs"].tolist()


def test_the_script_takes_up_only_records_of_equal_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cells = cells_table(3, 9, SHAPE)
    measured_batches: list[int] = []
    measure = QuickProtocol.measure

    def interrupted(self: QuickProtocol, *arguments: Any) -> dict[str, Any]:
        measured_batches.append(self.batch_size)
        if len(measured_batches) == 3:
            raise KeyboardInterrupt
        return measure(self, *arguments)

    monkeypatch.setattr(QuickProtocol, "measure", interrupted)
    for batch_size in (2, 4, 2):
        snakemake = snakemake_for(tmp_path, cells, batch_size=batch_size)
        try:
            runpy.run_path(str(SCRIPTS / "session.py"), init_globals={"snakemake": snakemake})
        except KeyboardInterrupt:
            assert not snakemake.output.records.exists()
    # two of seven and the interrupted one, all seven of the other settings, then the five that were missing
    assert measured_batches == [2] * 3 + [4] * 7 + [2] * 5
