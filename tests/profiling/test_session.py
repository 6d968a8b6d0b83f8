"""Sessions by script: order, repetition, drift, and going on after being killed at any point."""

import json
import logging
import math
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terranas.core.errors import DataError, EnvironmentLackError
from terranas.core.processes import Process
from terranas.profiling.records import Measurement
from terranas.profiling.schema import MEASUREMENTS, SAMPLES, SIZES
from terranas.profiling.session import REFERENCE, SessionResult, measure_session
from terranas.profiling.settings import Condition, Settings
from terranas.profiling.store import RecordStore
from terranas.space.cell import Cell

from .scripted import (
    ENERGY,
    Killed,
    ScriptedMachine,
    ScriptedWorkbench,
    cells_of,
    measurement_of,
    settings_of,
    size_of,
)

CELLS = cells_of(5)
A, B, C, D, E = CELLS
SMALL, LARGE = Condition(1, "fp32", "plain"), Condition(64, "fp32", "plain")
REF = REFERENCE.hash
Script = Callable[[str, Condition, int], Measurement | None]


def run(
    bench: ScriptedWorkbench,
    store: RecordStore,
    chosen: Settings | None = None,
    cells: dict[str, Cell] = CELLS,
    machine: ScriptedMachine | None = None,
) -> SessionResult:
    return measure_session(cells, bench, chosen or settings_of(), 3, machine or ScriptedMachine(), store)


def script_of(times: dict[str, list[Measurement]]) -> Script:
    """Return a script with the measurements of each hash, the last one again and again."""
    return lambda name, _, earlier: times[name][min(earlier, len(times[name]) - 1)] if name in times else None


@pytest.fixture
def store(tmp_path: Path) -> RecordStore:
    return RecordStore(tmp_path / "_state" / "key" / "3")


# --- order -----------------------------------------------------------------------------------------------------------


def test_reference_measurements_stand_around_blocks_and_serve_both_neighbours(store: RecordStore) -> None:
    bench = ScriptedWorkbench()
    result = run(bench, store)
    assert [name for name, _ in bench.asked] == ["", REF, A, B, REF, C, D, REF, E, REF]
    table = result.tables.measurements
    assert table["role"].tolist() == ["empty", "reference"] + (["member"] * 2 + ["reference"]) * 2 + [
        "member",
        "reference",
    ]
    assert table["hash"].tolist() == [name for name, _ in bench.asked]
    assert table["block"].tolist() == [0] * 5 + [1] * 3 + [2] * 2
    assert table["sequence"].tolist() == list(range(10))
    assert table["is_accepted"].all()
    assert set(table["session"]) == {3}
    assert set(table["process"]) == set(table["attempt"]) == {0}
    assert set(table["device_name"]) == {"Test CPU"}
    assert table["flags"].eq("").all()
    assert bench.sized == result.tables.sizes["hash"].tolist() == list(CELLS)
    assert result.tables.sizes.set_index("hash").loc[C].to_dict() == vars(size_of(C))
    assert result.descriptions == [{"session": 3, "process": 0, "description": {"torch": "2.0", "load_average": 0.5}}]
    for table, schema in (
        (result.tables.measurements, MEASUREMENTS),
        (result.tables.samples, SAMPLES),
        (result.tables.sizes, SIZES),
    ):
        pd.testing.assert_frame_equal(schema.validate(table), table)


def test_each_condition_comes_equally_often_at_each_place(store: RecordStore) -> None:
    bench = ScriptedWorkbench()
    run(bench, store, settings_of(batch_sizes=[64, 1], reference_every=4), dict(list(CELLS.items())[:4]))
    members = [(name, condition) for name, condition in bench.asked if name in CELLS]
    assert members == [
        *((A, LARGE), (A, SMALL), (B, SMALL), (B, LARGE)),
        *((C, LARGE), (C, SMALL), (D, SMALL), (D, LARGE)),
    ]
    assert {condition for name, condition in bench.asked if name not in CELLS} == {LARGE}, "the primary condition"


def test_energy_is_read_for_members_in_the_primary_condition(store: RecordStore) -> None:
    table = run(ScriptedWorkbench(), store, settings_of(batch_sizes=[64, 1])).tables.measurements
    reads = (table["role"] == "member") & (table["batch_size"] == 64)
    np.testing.assert_array_equal(table["energy_mj"], np.where(reads, ENERGY.net_mj, math.nan))
    np.testing.assert_array_equal(table["energy_gross_mj"], np.where(reads, ENERGY.gross_mj, math.nan))
    np.testing.assert_array_equal(table["idle_power_w"], np.where(reads, 1.0, math.nan))


@pytest.mark.parametrize(("protocol", "expected"), [("quick", 2.0), ("published", 3.0)])
def test_the_latency_is_the_median_and_as_published_the_mean(
    protocol: str, expected: float, store: RecordStore
) -> None:
    skewed = Measurement("ok", np.array([1.0, 6.0, 2.0]))
    result = run(ScriptedWorkbench(lambda *_: skewed), store, settings_of(protocol=protocol, batch_sizes=[6]))
    assert set(result.tables.measurements["latency_ms"]) == {expected}
    assert set(result.tables.measurements["images_per_second"]) == {6000 / expected}
    assert result.tables.samples["latency_ms"].tolist() == [1.0, 6.0, 2.0] * 10
    assert result.tables.samples["run"].tolist() == [0, 1, 2] * 10


# --- repetition ------------------------------------------------------------------------------------------------------


def attempts_of(result: SessionResult, name: str) -> list[tuple[int, str, bool]]:
    rows = result.tables.measurements[result.tables.measurements["hash"] == name]
    return list(zip(rows["attempt"].tolist(), rows["flags"].tolist(), rows["is_accepted"].tolist(), strict=True))


def test_what_was_disturbed_is_repeated_at_once_and_the_first_clean_attempt_counts(
    store: RecordStore, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    hot, clean = measurement_of(2.0, "throttled", "unsteady"), measurement_of(1.0)
    bench = ScriptedWorkbench(script_of({B: [hot, clean], D: [hot]}))
    result = run(bench, store, settings_of(repeats=2))
    assert [name for name, _ in bench.asked] == ["", REF, A, B, B, REF, C, D, D, D, REF, E, REF]
    flags = "throttled,unsteady"
    assert attempts_of(result, B) == [(0, flags, False), (1, "", True)]
    assert attempts_of(result, D) == [(0, flags, False), (1, flags, False), (2, flags, True)]
    assert "3 measurements were disturbed and repeated" in caplog.messages
    assert "1 of 10 measurements are flagged: throttled 1, unsteady 1" in caplog.messages


def test_flags_come_in_the_order_of_the_schema(store: RecordStore) -> None:
    bench = ScriptedWorkbench(lambda *_: measurement_of(1.0, "unsteady", "foreign_load", "throttled"))
    assert set(run(bench, store).tables.measurements["flags"]) == {"throttled,foreign_load,unsteady"}


def test_no_times_are_no_disturbance(store: RecordStore, caplog: pytest.LogCaptureFixture) -> None:
    bench = ScriptedWorkbench(script_of({B: [measurement_of(outcome="out_of_memory")]}))
    caplog.set_level(logging.INFO)
    result = run(bench, store)
    assert attempts_of(result, B) == [(0, "", True)]
    row = result.tables.measurements.set_index("hash").loc[B]
    assert (row["outcome"], row["runs"]) == ("out_of_memory", 0)
    assert math.isnan(row["latency_ms"])
    assert f"There are no times of {B} (batch 4, fp32, plain): out_of_memory" in caplog.messages
    assert "There are no times of 1 measurement: out_of_memory 1" in caplog.messages


# --- drift -----------------------------------------------------------------------------------------------------------


def references(*medians: float) -> list[Measurement]:
    return [measurement_of(median) for median in medians]


def test_a_machine_that_changes_within_a_block_has_it_measured_again(
    store: RecordStore, caplog: pytest.LogCaptureFixture
) -> None:
    bench = ScriptedWorkbench(script_of({REF: references(1.0, 1.5)}))
    result = run(bench, store)
    # the closing reference is measured twice before it is believed; the next blocks begin with what holds now
    assert [name for name, _ in bench.asked] == ["", REF, A, B, REF, REF, A, B, REF, C, D, REF, E, REF]
    assert attempts_of(result, A) == attempts_of(result, B) == [(0, "drift", False), (1, "", True)]
    assert attempts_of(result, C) == [(0, "", True)]
    assert attempts_of(result, REF) == [
        *((0, "", True), (0, "drift", False), (1, "drift", True)),
        *((0, "", True), (0, "", True), (0, "", True)),
    ]
    assert (
        "The reference network's time changed by +50.0 % over a block; 2 of its 2 measurements are repeated"
        in caplog.messages
    )


def test_without_attempts_left_drift_is_flagged(store: RecordStore) -> None:
    bench = ScriptedWorkbench(script_of({REF: references(1.0, 1.5)}))
    result = run(bench, store, settings_of(repeats=0))
    assert [name for name, _ in bench.asked] == ["", REF, A, B, REF, C, D, REF, E, REF]
    assert attempts_of(result, A) == attempts_of(result, B) == [(0, "drift", True)]
    assert attempts_of(result, C) == attempts_of(result, E) == [(0, "", True)]


def test_a_change_within_the_tolerance_is_none(store: RecordStore) -> None:
    bench = ScriptedWorkbench(script_of({REF: references(1.0, 1.09, 1.0, 0.91)}))
    assert run(bench, store).tables.measurements["flags"].eq("").all()


def test_an_outlier_among_the_references_condemns_no_neighbours(store: RecordStore) -> None:
    bench = ScriptedWorkbench(script_of({REF: references(1.0, 3.0, 1.0)}))
    result = run(bench, store)
    assert [name for name, _ in bench.asked] == ["", REF, A, B, REF, REF, C, D, REF, E, REF]
    assert attempts_of(result, REF)[:3] == [(0, "", True), (0, "drift", False), (1, "", True)]
    assert attempts_of(result, A) == [(0, "", True)]


def test_a_disturbed_reference_is_repeated(store: RecordStore) -> None:
    bench = ScriptedWorkbench(script_of({REF: [measurement_of(5.0, "foreign_load"), measurement_of(1.0)]}))
    result = run(bench, store)
    assert [name for name, _ in bench.asked] == ["", REF, REF, A, B, REF, C, D, REF, E, REF]
    assert attempts_of(result, A) == [(0, "", True)]


def test_a_machine_that_never_rests_costs_no_more_than_its_attempts(store: RecordStore) -> None:
    bench = ScriptedWorkbench(lambda name, _, earlier: measurement_of(1.3**earlier) if name == REF else None)
    result = run(bench, store, settings_of(repeats=2), dict(list(CELLS.items())[:2]))
    # three rounds of two members, each closed by three attempts at the reference
    assert Counter(name for name, _ in bench.asked) == {"": 1, REF: 1 + 3 * 3, A: 3, B: 3}
    assert attempts_of(result, B) == [(0, "drift", False), (1, "drift", False), (2, "drift", True)]


def test_attempts_spent_on_other_disturbances_are_not_left_for_drift(store: RecordStore) -> None:
    hot = measurement_of(1.0, "throttled")
    bench = ScriptedWorkbench(
        script_of({A: [hot, measurement_of()], B: [measurement_of(outcome="not_finite")], REF: references(1.0, 2.0)})
    )
    result = run(bench, store, settings_of(reference_every=3))
    assert attempts_of(result, A) == [(0, "throttled,drift", False), (1, "drift", True)]
    assert attempts_of(result, B) == [(0, "", True)], "what has no times does not drift"
    assert attempts_of(result, C) == [(0, "drift", False), (1, "", True)]


def test_a_reference_without_times_judges_nothing(store: RecordStore, caplog: pytest.LogCaptureFixture) -> None:
    lost = measurement_of(outcome="out_of_memory")
    bench = ScriptedWorkbench(script_of({REF: [measurement_of(1.0), lost, measurement_of(1.0)]}))
    result = run(bench, store)
    assert set(result.tables.measurements["flags"]) == {""}
    assert "There are no times of the reference network (batch 4, fp32, plain): out_of_memory" in caplog.messages
    # the reference before it still stands for how fast the machine was
    bench = ScriptedWorkbench(script_of({REF: [measurement_of(1.0), lost, measurement_of(2.0)]}))
    store.clear()
    result = run(bench, store, settings_of(repeats=0))
    assert attempts_of(result, C) == attempts_of(result, D) == [(0, "drift", True)]
    assert attempts_of(result, E) == [(0, "", True)]


FLAG_SETS = st.sampled_from([(), (), (), ("throttled",), ("foreign_load", "unsteady")])
MEASURED = st.builds(
    lambda median, flags, outcome: measurement_of(median, *flags, outcome=outcome),
    st.sampled_from([1.0, 1.0, 1.05, 1.3, 2.0]),
    FLAG_SETS,
    st.sampled_from(["ok"] * 9 + ["out_of_memory"]),
)


@settings(max_examples=20, deadline=None)
@given(
    script=st.lists(MEASURED, min_size=1, max_size=150),
    repeats=st.integers(0, 3),
    step=st.integers(1, 6),
    batches=st.sampled_from([[4], [64, 1]]),
)
def test_rules_that_hold_whatever_happens(
    script: list[Measurement],
    repeats: int,
    step: int,
    batches: list[int],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    bench = ScriptedWorkbench()
    bench.script = lambda *_: script[(len(bench.asked) - 1) % len(script)]
    chosen = settings_of(repeats=repeats, reference_every=step, batch_sizes=batches)
    result = run(bench, RecordStore(tmp_path_factory.mktemp("store") / "a" / "b" / "c"), chosen)
    table = result.tables.measurements
    assert len(table) == len(bench.asked)
    assert table["hash"].tolist() == [name for name, _ in bench.asked]
    counted = result.tables.samples.groupby("sequence").size().reindex(table["sequence"]).fillna(0)
    assert counted.tolist() == table["runs"].tolist()

    members = table[table["role"] == "member"]
    for _, attempts in members.groupby(["hash", "batch_size"]):
        assert attempts["attempt"].tolist() == list(range(len(attempts)))
        assert len(attempts) <= 1 + repeats
        clean = (attempts["flags"] == "").to_numpy()
        expected = int(np.argmax(clean)) if clean.any() else len(attempts) - 1
        assert attempts["is_accepted"].tolist() == [place == expected for place in range(len(attempts))]
    assert set(zip(members["hash"], members["batch_size"], strict=True)) == {(m, b) for m in CELLS for b in batches}
    # one closing reference a round, at most as many rounds as attempts, and the opening one
    assert (table["role"] == "reference").sum() <= (1 + repeats) * (1 + math.ceil(len(CELLS) / step) * (1 + repeats))
    assert (table["role"] == "empty").sum() <= 1 + repeats

    # between two accepted references, either all that has times drifted or nothing did
    known = math.nan
    accepted = table[(table["role"] == "reference") & table["is_accepted"]]
    medians = result.tables.samples.groupby("sequence")["latency_ms"].median()
    for before, after in pairwise(accepted["sequence"]):
        known = medians.get(before, known)
        drifts = abs(medians.get(after, math.nan) / known - 1) > 0.1 * (1 + 1e-12)
        between = table[(table["sequence"] > before) & (table["sequence"] < after) & (table["role"] == "member")]
        flagged = between["flags"].str.contains("drift")
        with_times = between["outcome"] == "ok"
        assert not flagged[~with_times].any()
        last = between.groupby(["hash", "batch_size"]).tail(1)
        timed_at_last = between["hash"].isin(last.loc[last["outcome"] == "ok", "hash"])
        if not drifts:
            assert not flagged.any()
        elif len(batches) == 1:
            assert flagged[with_times & timed_at_last].all()


# --- going on --------------------------------------------------------------------------------------------------------


def disturbed(name: str, _: Condition, earlier: int) -> Measurement | None:
    """Return what depends on nothing that another process does: B is throttled at first, the rest differs by name."""
    if name == B and earlier == 0:
        return measurement_of(3.0, "throttled")
    return measurement_of(1.0 + int(name[:2], 16) / 100) if name in CELLS else None


def comparable(result: SessionResult) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return what must not depend on interruptions: all of the members, with their times."""
    members = result.tables.measurements[result.tables.measurements["role"] == "member"]
    times = result.tables.samples.groupby("sequence")["latency_ms"].agg(list)
    members = members.assign(times=members["sequence"].map(times))
    return members.drop(columns=["process", "sequence"]).reset_index(drop=True), result.tables.sizes


CHOSEN = settings_of(batch_sizes=[64, 1])
CALLS = 1 + 1 + 2 * 5 + 2 + 3  # empty, opening, members, B's repetitions, closing


@pytest.mark.parametrize("call", range(CALLS))
def test_a_session_killed_anywhere_goes_on_where_it_was(call: int, tmp_path: Path) -> None:
    whole = run(ScriptedWorkbench(disturbed), RecordStore(tmp_path / "a" / "b" / "c"), CHOSEN)
    assert len(whole.tables.measurements) == CALLS
    store = RecordStore(tmp_path / "_state" / "key" / "3")
    dying = ScriptedWorkbench(disturbed, dies_at=call)
    with pytest.raises(Killed):
        run(dying, store, CHOSEN, machine=ScriptedMachine(said={"load_average": 1.0}))
    bench = ScriptedWorkbench(disturbed)
    result = run(bench, store, CHOSEN, machine=ScriptedMachine(said={"load_average": 2.0}))

    for found, expected in zip(comparable(result), comparable(whole), strict=True):
        pd.testing.assert_frame_equal(found, expected)
    blocks_kept = int(call >= 9) + int(call >= 14)
    kept = [A, B, C, D][: 2 * blocks_kept]
    assert not {name for name, _ in bench.asked} & set(kept)
    assert [name for name, _ in bench.asked][:2] == ([REF, C] if kept == [A, B] else [REF, E] if kept else ["", REF])
    table = result.tables.measurements
    assert table["sequence"].tolist() == list(range(len(table)))
    assert table["process"].tolist() == sorted(table["process"])
    assert set(table.loc[table["hash"].isin(kept), "process"]) <= {0}
    assert set(table.loc[~table["hash"].isin([*kept, REF, ""]), "process"]) == {1}
    loads = {entry["process"]: entry["description"]["load_average"] for entry in result.descriptions}
    assert loads == ({0: 1.0, 1: 2.0} if kept else {1: 2.0})
    assert len(table) == CALLS + (blocks_kept > 0), "only the reference that opens the rest is one more"

    again = run(ScriptedWorkbench(dies_at=0), store, CHOSEN)
    pd.testing.assert_frame_equal(again.tables.measurements, table)
    store.clear()
    assert not (tmp_path / "_state").exists()


def test_each_process_is_counted(store: RecordStore) -> None:
    for call in (2, 6, 4):
        with pytest.raises(Killed):
            run(ScriptedWorkbench(dies_at=call), store)
    result = run(ScriptedWorkbench(), store)
    assert result.tables.measurements["process"].tolist() == [1] * 5 + [2] * 4 + [3] * 3
    assert result.tables.measurements["sequence"].tolist() == list(range(12))


def test_the_next_process_waits_for_the_one_before_and_that_one_stops(store: RecordStore, tmp_path: Path) -> None:
    folder = tmp_path / "_state" / "key" / "3"
    waiting = "import sys; from pathlib import Path; from terranas.profiling.store import RecordStore\n"
    waiting += "print(RecordStore(Path(sys.argv[1])).begin())"
    started: list[subprocess.Popen[str]] = []

    def script(name: str, *_: Any) -> Measurement | None:
        if name == A:  # Snakemake was killed and called again while this session goes on
            started.append(
                subprocess.Popen([sys.executable, "-c", waiting, str(folder)], stdout=subprocess.PIPE, text=True)
            )
            while json.loads((folder / "processes.json").read_text())["processes"] < 2:
                time.sleep(0.02)
        return None

    try:
        with pytest.raises(EnvironmentLackError, match="Another process took this session over"):
            run(ScriptedWorkbench(script), store)
        assert store.read(0) is not None
        assert store.read(1) is None
        with pytest.raises(subprocess.TimeoutExpired):
            started[0].wait(1.0)  # this process is still there
    finally:
        for process in started:
            process.kill()
            process.communicate()
    # a process that is gone is waited for no longer
    assert store.begin() == 2


def test_a_process_waits_until_the_one_before_is_gone_and_then_begins(store: RecordStore, tmp_path: Path) -> None:
    folder = tmp_path / "_state" / "key" / "3"
    program = "import sys, time; from pathlib import Path; from terranas.profiling.store import RecordStore\n"
    program += "store = RecordStore(Path(sys.argv[1])); store.begin(); time.sleep(1); store.clear()"
    with subprocess.Popen([sys.executable, "-c", program, str(folder)]) as earlier:
        while not (folder / "processes.json").exists():
            time.sleep(0.02)
        assert store.begin() == 1
        assert earlier.wait(5) == 0
    assert (folder / "processes.json").exists(), "which the earlier one removed at its end"
    assert run(ScriptedWorkbench(), store).tables.measurements["process"].tolist() == [2] * 10


def test_a_block_whose_file_was_removed_is_measured_again(store: RecordStore, tmp_path: Path) -> None:
    whole = run(ScriptedWorkbench(), store)
    (tmp_path / "_state" / "key" / "3" / "block_000001.json").unlink()
    (tmp_path / "_state" / "key" / "3" / "processes.json").unlink()
    bench = ScriptedWorkbench()
    result = run(bench, store)
    assert [name for name, _ in bench.asked] == [REF, C, D, REF]
    assert result.tables.sizes["hash"].tolist() == whole.tables.sizes["hash"].tolist()
    assert set(result.tables.measurements.loc[result.tables.measurements["hash"].isin([C, D]), "process"]) == {1}


def test_a_reference_opens_each_stretch_of_missing_blocks(store: RecordStore, tmp_path: Path) -> None:
    run(ScriptedWorkbench(), store)
    for number in (0, 2):
        (tmp_path / "_state" / "key" / "3" / f"block_00000{number}.json").unlink()
    bench = ScriptedWorkbench()
    run(bench, store)
    assert [name for name, _ in bench.asked] == ["", REF, A, B, REF, REF, E, REF]


def test_clearing_leaves_other_sessions_alone(tmp_path: Path) -> None:
    stores = [RecordStore(tmp_path / "_state" / "key" / name) for name in "01"]
    for store in stores:
        run(ScriptedWorkbench(), store)
    stores[0].clear()
    assert stores[0].read(0) is None
    assert stores[1].read(0) is not None
    stores[0].clear()  # again, without harm


def damaged(folder: Path, change: Callable[[Any], Any]) -> None:
    path = folder / "block_000001.json"
    path.write_text(json.dumps(change(json.loads(path.read_text()))))


@pytest.mark.parametrize(
    "change",
    [
        lambda _: [],
        lambda _: {},
        lambda block: block | {"process": "0"},
        lambda block: block | {"rows": []},
        lambda block: block | {"rows": [], "samples": []},
        lambda block: block | {"sizes": []},
        lambda block: block | {"rows": [None]},
        lambda block: block | {"rows": block["rows"][:-1]},
        lambda block: block | {"rows": [row | {"role": "guest"} for row in block["rows"]]},
        lambda block: block | {"rows": [{"hash": "a"} | row | {"extra": 1} for row in block["rows"]]},
        lambda block: block | {"samples": block["samples"][:-1]},
        lambda block: block | {"samples": [samples[:-1] for samples in block["samples"]]},
        lambda block: block | {"samples": [["fast"] * 3 for _ in block["samples"]]},
        lambda block: block | {"samples": [5 for _ in block["samples"]]},
        lambda block: block | {"sizes": [{"hash": "a"}]},
        lambda block: block | {"sizes": block["sizes"][:-1]},
        lambda block: block | {"sizes": [7]},
    ],
)
def test_a_damaged_block_is_told(change: Callable[[Any], Any], store: RecordStore, tmp_path: Path) -> None:
    run(ScriptedWorkbench(), store)
    damaged(tmp_path / "_state" / "key" / "3", change)
    with pytest.raises(DataError, match=r"Remove the folder .*/_state/key/3 and run again; the session is measured"):
        run(ScriptedWorkbench(), store)


@pytest.mark.parametrize("name", ["block_000001.json", "processes.json"])
@pytest.mark.parametrize(
    "content",
    [
        "no JSON",
        "[]",
        '{"processes": 1}',
        '{"processes": 1, "last": {"pid": 1}}',
        *(
            json.dumps({"processes": number, "last": asdict(Process("host", "boot", 1, 1))})
            for number in ("2", 0, True)
        ),
    ],
)
def test_a_damaged_file_is_told(name: str, content: str, store: RecordStore, tmp_path: Path) -> None:
    with pytest.raises(Killed):
        run(ScriptedWorkbench(dies_at=5), store)
    (tmp_path / "_state" / "key" / "3" / name).write_text(content)
    with pytest.raises(DataError, match=rf"{name} .*[Rr]emove (the folder .*|it) and run again"):
        run(ScriptedWorkbench(), store)


def test_nan_is_null_on_disk(store: RecordStore, tmp_path: Path) -> None:
    run(ScriptedWorkbench(script_of({B: [measurement_of(outcome="unsupported")]})), store)
    text = (tmp_path / "_state" / "key" / "3" / "block_000000.json").read_text()
    assert "NaN" not in text
    assert json.loads(text)["rows"][3]["latency_ms"] is None
    block = store.read(0)
    assert block is not None
    assert math.isnan(block.rows[3]["latency_ms"])


def test_progress_tells_members_done(store: RecordStore, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    with pytest.raises(Killed):
        run(ScriptedWorkbench(dies_at=6), store)
    run(ScriptedWorkbench(), store)
    assert "2 of 5 architectures were measured before; going on" in caplog.messages
    assert any(message.startswith("Measuring on Test CPU: 3 done in") for message in caplog.messages)
