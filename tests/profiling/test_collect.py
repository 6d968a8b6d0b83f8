"""What the sessions say together, against a plain recomputation; other devices, disagreement, energy, descriptions."""

import json
import math
import statistics
from collections import defaultdict
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terranas.core.errors import DataError
from terranas.profiling.collect import Collected, collect
from terranas.profiling.schema import CONDITIONS, FLAGS, MEASUREMENTS, OUTCOMES, PROFILES, SAMPLES, SIZES, TIMES
from terranas.profiling.statistics import summarise

from .scripted import content_of, size_of

A, B, C = ("a" * 32, "b" * 32, "c" * 32)
NAN = math.nan


def row_of(
    name: str = A,
    session: int = 0,
    samples: tuple[float, ...] = (1.0, 2.0, 3.0),
    *,
    flags: str = "",
    outcome: str = "ok",
    batch_size: int = 4,
    device_name: str = "Test CPU",
    role: str = "member",
    attempt: int = 0,
    is_accepted: bool = True,
    process: int = 0,
    energy: tuple[float, float, float] = (NAN, NAN, NAN),
    memory: tuple[float, float] = (NAN, NAN),
    statistic: Any = "median",
) -> dict[str, Any]:
    """Return a measurement with its samples; it has no sequence yet."""
    times = np.array(samples if outcome == "ok" else ())
    unknown = ("sm_clock_mhz", "temperature_c", "power_w", "foreign_load", "load_average")
    return {
        "device": "cpu",
        "device_name": device_name,
        "session": session,
        "block": 0,
        "process": process,
        "role": role,
        "hash": name,
        "batch_size": batch_size,
        "precision": "fp32",
        "variant": "plain",
        "attempt": attempt,
        "is_accepted": is_accepted,
        "outcome": outcome,
        "flags": flags,
        "runs": len(times),
        **summarise(times, batch_size, statistic),
        **dict(zip(("peak_memory_bytes", "baseline_memory_bytes"), memory, strict=True)),
        **dict(zip(("energy_mj", "energy_gross_mj", "idle_power_w"), energy, strict=True)),
        "started": 1.0,
        **dict.fromkeys(unknown, NAN),
        "samples": times.tolist(),
    }


def collected(
    *rows: dict[str, Any], descriptions: dict[tuple[int, int], Any] | None = None, **changes: Any
) -> Collected:
    """Return what is collected of rows that were measured in this order."""
    placed = [row | {"sequence": place} for place, row in enumerate(rows)]
    times = [
        {"session": row["session"], "sequence": row["sequence"], "run": run, "latency_ms": latency}
        for row in placed
        for run, latency in enumerate(row["samples"])
    ]
    sized = {(row["session"], row["hash"]) for row in placed if row["role"] == "member"}
    said = descriptions or {(row["session"], row["process"]): {"torch": "2.0"} for row in placed}
    return collect(
        MEASUREMENTS.from_rows([{name: row[name] for name in MEASUREMENTS.names} for row in placed]),
        SAMPLES.from_rows(times),
        pd.concat([SIZES.from_rows([{"hash": name, **vars(size_of(name))}]) for _, name in sorted(sized)]),
        [{"session": session, "process": process, "description": text} for (session, process), text in said.items()],
        content_of(**{"batch_sizes": [4], "sessions": 1} | changes),
    )


def record_of(found: Collected, name: str = A, device_name: str = "Test CPU", batch_size: int = 4) -> dict[str, Any]:
    table = found.conditions
    is_it = (table["hash"] == name) & (table["device_name"] == device_name) & (table["batch_size"] == batch_size)
    (record,) = table[is_it].to_dict("records")
    return {str(key): value for key, value in record.items()}


# --- sessions --------------------------------------------------------------------------------------------------------


def test_each_session_gives_as_many_runs_as_the_one_with_the_fewest() -> None:
    steady, scattered = row_of(samples=(1.0, 1.1, 1.0)), row_of(session=1, samples=(1.0, 3.0, 3.0, *[3.0] * 20))
    record = record_of(collected(steady, scattered, sessions=2))
    assert (record["runs"], record["latency_ms"]) == (6, 1.05)  # not 3, of which the second has more than all others
    assert record["session_variation"] == pytest.approx(statistics.stdev([1, 3]) / 2)


def test_the_runs_of_all_sessions_are_pooled() -> None:
    found = collected(row_of(samples=(1.0, 2.0, 6.0)), row_of(session=1, samples=(2.5, 3.0, 2.0)), sessions=2)
    record = record_of(found)
    assert (record["outcome"], record["sessions"], record["disturbed_sessions"], record["runs"]) == ("ok", 2, 0, 6)
    assert record["latency_ms"] == 2.25  # of 1, 2, 2, 2.5, 3 and 6
    assert record["images_per_second"] == pytest.approx(4 / 2.25 * 1000)
    # the sessions' medians are 2 and 2.5
    assert record["session_variation"] == pytest.approx(statistics.stdev([2, 2.5]) / 2.25)
    assert record["flags"] == "varies"


def test_by_the_published_protocol_the_latency_is_the_mean() -> None:
    rows = [row_of(session=number, samples=(1.0, 2.0, 6.0 + number), statistic="mean") for number in range(2)]
    record = record_of(collected(*rows, sessions=2, protocol="published"))
    assert record["latency_ms"] == pytest.approx(19 / 6)
    assert record["session_variation"] == pytest.approx(statistics.stdev([3, 10 / 3]) / (19 / 6))


def test_disturbed_sessions_are_left_out_where_others_were_not() -> None:
    found = collected(row_of(), row_of(session=1, samples=(50.0,) * 3, flags="throttled"), sessions=2)
    record = record_of(found)
    assert record["latency_ms"] == 2
    assert (record["sessions"], record["disturbed_sessions"], record["flags"]) == (1, 1, "few_sessions")
    assert math.isnan(record["session_variation"])


def test_where_all_were_disturbed_all_are_used_and_say_so() -> None:
    rows = [row_of(flags="unsteady"), row_of(session=1, flags="throttled,drift"), row_of(session=2, flags="unsteady")]
    record = record_of(collected(*rows, sessions=3))
    assert (record["sessions"], record["disturbed_sessions"]) == (3, 3)
    assert record["flags"] == "throttled,unsteady,drift"


def test_only_accepted_measurements_of_members_count() -> None:
    record = record_of(
        collected(
            row_of(samples=(9.0,), role="reference"),
            row_of(samples=(8.0,), flags="throttled", is_accepted=False),
            row_of(attempt=1),
        )
    )
    assert (record["latency_ms"], record["runs"], record["flags"]) == (2.0, 3, "")


def test_mixed_outcomes() -> None:
    found = collected(
        row_of(outcome="out_of_memory"),
        row_of(session=1),
        row_of(session=2),
        row_of(B, outcome="out_of_memory", flags="foreign_load"),
        row_of(B, session=1, outcome="not_finite"),
        row_of(B, session=2, outcome="not_finite"),
        row_of(C, outcome="unsupported"),
        row_of(C, session=1, outcome="out_of_memory"),
        sessions=3,
    )
    record = record_of(found)
    assert (record["outcome"], record["sessions"], record["disturbed_sessions"]) == ("ok", 2, 1)
    assert record["flags"] == "few_sessions"
    lost = record_of(found, B)
    assert (lost["outcome"], lost["sessions"], lost["disturbed_sessions"]) == ("not_finite", 0, 1)
    assert lost["flags"] == "foreign_load"
    assert all(math.isnan(lost[name]) for name in (*TIMES, "session_variation"))
    assert record_of(found, C)["outcome"] == "out_of_memory", "of two equally frequent ones, the first in the schema"


def test_energy_comes_from_the_session_that_read_it() -> None:
    read = (5.0, 7.0, 1.0)
    record = record_of(collected(row_of(energy=read), row_of(session=1), sessions=2))
    assert (record["energy_mj"], record["energy_gross_mj"], record["idle_power_w"]) == read
    assert record["flags"] == ""
    # its measurement was disturbed: the times are left out, the energy is all there is, and is not taken silently
    record = record_of(collected(row_of(energy=read, flags="throttled"), row_of(session=1), sessions=2))
    assert (record["energy_mj"], record["sessions"], record["flags"]) == (5.0, 1, "throttled,few_sessions")
    # a later one that was not disturbed is better
    rows = [row_of(energy=read, flags="throttled"), row_of(session=1, energy=(4.0, 6.0, 1.0))]
    record = record_of(collected(*rows, sessions=2))
    assert (record["energy_mj"], record["flags"]) == (4.0, "few_sessions")
    assert math.isnan(record_of(collected(row_of()))["energy_mj"])


def test_the_highest_peak_counts_with_what_its_process_had_taken() -> None:
    rows = [row_of(memory=(10.0, 1.0)), row_of(session=1, memory=(12.0, 2.0), flags="drift"), row_of(session=2)]
    record = record_of(collected(*rows, sessions=3))
    assert (record["peak_memory_bytes"], record["baseline_memory_bytes"]) == (12.0, 2.0)


def test_variation_within_the_goal_is_no_flag() -> None:
    rows = [row_of(session=number, samples=(1.0 + 0.01 * number,) * 3) for number in range(3)]
    assert record_of(collected(*rows, sessions=3))["flags"] == ""


# --- records ---------------------------------------------------------------------------------------------------------


def test_records_of_other_models_of_device_are_kept_apart(caplog: pytest.LogCaptureFixture) -> None:
    found = collected(
        row_of(samples=(1.0,) * 3),
        row_of(session=1, samples=(9.0,) * 3, device_name="Other CPU"),
        row_of(session=2, samples=(1.0,) * 3),
        sessions=3,
    )
    assert found.profiles["device_name"].tolist() == ["Other CPU", "Test CPU"]
    assert found.profiles["latency_ms"].tolist() == [9.0, 1.0]
    assert found.profiles["sessions"].tolist() == [1, 2]
    assert found.profiles["flags"].tolist() == ["few_sessions", "few_sessions"]
    assert "The sessions ran on several models of device, kept apart: Other CPU, Test CPU" in caplog.messages


def test_profiles_are_the_records_of_the_primary_condition_with_sizes() -> None:
    found = collected(
        row_of(B, batch_size=1, samples=(9.0,) * 3),
        row_of(B),
        row_of(A, samples=(4.0,) * 3),
        row_of(A, batch_size=1, outcome="unsupported"),
        batch_sizes=[4, 1],
    )
    assert found.profiles["hash"].tolist() == [A, B]
    assert found.profiles["latency_ms"].tolist() == [4.0, 2.0]
    assert set(found.profiles["batch_size"]) == {4}
    assert found.conditions[["hash", "batch_size"]].values.tolist() == [[A, 1], [A, 4], [B, 1], [B, 4]]
    assert found.profiles.set_index("hash").loc[B, list(vars(size_of(B)))].to_dict() == vars(size_of(B))
    assert json.loads(found.profiles["settings"][0]) == content_of(batch_sizes=[4, 1])
    assert set(found.profiles["memory_format"]) == {"channels_last"}


def test_a_description_tells_what_the_sessions_share_and_what_not() -> None:
    said = {
        (0, 0): {"cpu": "Test CPU", "load": 0.1, "governor": None},
        (0, 1): {"cpu": "Test CPU", "load": 0.2, "governor": None},
        (1, 0): {"cpu": "Test CPU", "load": 0.3, "governor": None, "commit": "abc"},
    }
    found = collected(
        row_of(process=0), row_of(B, process=1), row_of(B, session=1), descriptions=said, sessions=1
    ).profiles.set_index("hash")
    shared = {"cpu": "Test CPU", "governor": None}
    assert json.loads(found.loc[A, "description"]) == {"common": shared | {"load": 0.1}, "sessions": {"0": {}}}
    assert json.loads(found.loc[B, "description"]) == {
        "common": shared,
        "sessions": {"0": {"load": 0.2}, "1": {"load": 0.3, "commit": "abc"}},
    }


def test_sizes_must_agree() -> None:
    sizes = [{"hash": A, **vars(size_of(A))}, {"hash": A, **vars(size_of(A)), "macs": 7}]
    with pytest.raises(DataError, match=rf"disagree on the size of {A}: macs {size_of(A).macs} and 7\. Their networks"):
        collect(
            MEASUREMENTS.from_rows([]),
            SAMPLES.from_rows([]),
            pd.concat([SIZES.from_rows([size]) for size in sizes]),
            [],
            content_of(),
        )


def test_nothing_measured_gives_empty_tables() -> None:
    empty = (MEASUREMENTS.empty(), SAMPLES.empty(), SIZES.empty())
    found = collect(*empty, [], content_of())
    pd.testing.assert_frame_equal(found.conditions, CONDITIONS.empty())
    pd.testing.assert_frame_equal(found.profiles, PROFILES.empty())


def test_the_log_tells_how_well_the_sessions_agree(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    rows = [row_of(A, number, (1.0 + 0.01 * number,) * 3) for number in range(2)]
    rows += [row_of(B, number, (1.0 + number,) * 3) for number in range(2)]
    rows += [row_of(C, number, outcome="not_finite") for number in range(2)]
    collected(*rows, sessions=2)
    assert "3 records, 1 of them without times, 1 flagged" in caplog.messages
    variations = [statistics.stdev([1, 1.01]) / 1.005, statistics.stdev([1, 2]) / 1.5]
    text = f"vary by {100 * statistics.mean(variations):.1f}\u202f% in the median over the records (goal: 2.0\u202f%)"
    assert any(text in message and "1 of 2 are above it" in message for message in caplog.messages)


# --- recomputation ---------------------------------------------------------------------------------------------------

TIMED = st.lists(st.floats(0.5, 50, allow_nan=False), min_size=1, max_size=8).map(tuple)
ROWS = st.builds(
    row_of,
    st.sampled_from([A, B]),
    st.integers(0, 4),
    TIMED,
    flags=st.sampled_from(["", "", "throttled", "foreign_load,unsteady", "drift"]),
    outcome=st.sampled_from(["ok", "ok", "ok", *OUTCOMES]),
    batch_size=st.sampled_from([4, 1]),
    device_name=st.sampled_from(["Test CPU", "Other CPU"]),
    role=st.sampled_from(["member", "member", "reference"]),
    is_accepted=st.booleans(),
    energy=st.sampled_from([(NAN, NAN, NAN), (1.0, 2.0, 3.0), (4.0, 5.0, 6.0)]),
    memory=st.sampled_from([(NAN, NAN), (10.0, 1.0), (20.0, 3.0)]),
)


def one_accepted_a_session(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows without those that a session cannot leave: several devices, or two accepted ones of a kind."""
    device: dict[int, str] = {}
    seen: set[tuple[Any, ...]] = set()
    kept = []
    for row in rows:
        key = (row["session"], row["hash"], row["batch_size"])
        accepted = row["role"] == "member" and row["is_accepted"]
        if device.setdefault(row["session"], row["device_name"]) == row["device_name"] and key not in seen:
            kept.append(row)
            seen |= {key} if accepted else set()
    return kept


@settings(max_examples=25, deadline=None)
@given(
    rows=st.lists(ROWS, min_size=1, max_size=25).map(one_accepted_a_session),
    sessions=st.integers(1, 4),
    protocol=st.sampled_from(["full", "published"]),
)
def test_against_a_plain_recomputation(rows: list[dict[str, Any]], sessions: int, protocol: str) -> None:
    if not any(row["role"] == "member" for row in rows):
        return
    found = collected(*rows, sessions=sessions, protocol=protocol, batch_sizes=[4, 1])
    groups: dict[tuple[str, str, int], list[dict[str, Any]]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: row["session"]):
        if row["role"] == "member" and row["is_accepted"]:
            groups[row["hash"], row["device_name"], row["batch_size"]].append(row)
    assert len(found.conditions) == len(groups)
    assert len(found.profiles) == sum(batch_size == 4 for _, _, batch_size in groups)
    for (name, device_name, batch_size), group in groups.items():
        record = record_of(found, name, device_name, batch_size)
        good = [row for row in group if row["outcome"] == "ok"]
        clean = [row for row in good if not row["flags"]]
        used = clean or good
        fewest = min((len(row["samples"]) for row in used), default=0)
        pooled = [latency for row in used for latency in row["samples"][:fewest]]
        assert record["sessions"] == len(used)
        assert record["runs"] == len(pooled)
        disturbed = len(group) - len(clean) if good else sum(bool(row["flags"]) for row in group)
        assert record["disturbed_sessions"] == disturbed
        expected: set[str] = set()
        for row in used if good else group:
            expected |= set(filter(None, row["flags"].split(",")))
        reads = [row for row in used if row["energy_mj"] > 0] or [row for row in good if row["energy_mj"] > 0]
        if reads:
            expected |= set(filter(None, reads[0]["flags"].split(",")))
            assert record["energy_mj"] == reads[0]["energy_mj"]
            assert record["energy_gross_mj"] == reads[0]["energy_gross_mj"]
        else:
            assert math.isnan(record["energy_mj"])
        latencies = [row["latency_ms"] for row in used]
        if len(latencies) > 1:
            variation = statistics.stdev(latencies) / statistics.fmean(latencies)
            assert record["session_variation"] == pytest.approx(variation, abs=1e-12)
            expected |= {"varies"} if variation > 0.02 else set()
        if good:
            middle = statistics.fmean(pooled) if protocol == "published" else statistics.median(pooled)
            assert record["outcome"] == "ok"
            assert record["latency_ms"] == pytest.approx(middle)
            assert record["latency_mean_ms"] == pytest.approx(statistics.fmean(pooled))
            assert record["images_per_second"] == pytest.approx(1000 * batch_size / middle)
            expected |= {"few_sessions"} if len(used) < sessions else set()
        else:
            said = [row["outcome"] for row in group]
            assert said.count(record["outcome"]) == max(map(said.count, said))
            assert math.isnan(record["latency_ms"])
        assert record["flags"] == ",".join(flag for flag in FLAGS if flag in expected)
        peaks = [row["peak_memory_bytes"] for row in group if row["peak_memory_bytes"] > 0]
        assert record["peak_memory_bytes"] == max(peaks) if peaks else math.isnan(record["peak_memory_bytes"])
