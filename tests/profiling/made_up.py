"""Tables as a device would leave them, drawn at random: launches, arithmetic, sessions that differ a little."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pandas as pd

from terranas.config import load_config
from terranas.profiling.findings import DeviceTables
from terranas.profiling.schema import CONDITIONS, FLAGS, MEASUREMENTS, PROFILES, TIMES
from terranas.profiling.settings import Agreement, Condition, Settings

NAN = float("nan")
START = 1.75e9
SIZES = ("parameters", "macs", "activations", "depth", "model_bytes", "checkpoint_bytes")
SPEED = {"fp32": 4.0, "tf32": 2.0, "bf16": 1.1, "fp16": 1.0}
"""Picoseconds a multiply-accumulate."""
GPU = "NVIDIA A100-SXM4-40GB"


def made_up(
    cells: int = 40,
    given: Mapping[str, Any] | None = None,
    *,
    seed: int = 0,
    device: str = "cuda",
    device_name: str = GPU,
    energy: bool = True,
    variation: float = 0.008,
    outcome: str | None = None,
    flag: str | None = None,
) -> DeviceTables:
    """Return the tables of one device.

    Args:
        cells: number of architectures.
        given: the section ``profiling`` of a study's settings.
        seed: of the draws.
        device: kind of device.
        device_name: its model.
        energy: whether it has a counter.
        variation: spread of the sessions' latencies.
        outcome: outcome of all conditions but where memory is too small; None: ok.
        flag: a flag that every record gets.
    """
    content = load_config({"profiling": dict(given or {})}).model_dump(mode="json")["profiling"]
    settings, asked = Settings.of_config(content), Agreement.of_config(content)
    rng = np.random.default_rng(seed)
    sizes = made_up_sizes(cells, np.random.default_rng(1))
    rows, conditions = [], []
    groups = np.array_split(np.arange(cells), 1 + cells // 150)
    sessions = [(part, group) for part in range(asked.sessions) for group in groups]
    latencies: dict[tuple[str, Condition], list[float]] = {}
    for session, (part, group) in enumerate(sessions):
        order = sizes.iloc[rng.permutation(group)]
        rows += session_rows(settings, session, order, part == 0 and energy, variation, outcome, rng, latencies)
    for (name, condition), found in latencies.items():
        row = sizes.loc[sizes["hash"] == name].iloc[0]
        conditions.append(record(settings, asked.goal, condition, row, found, energy, flag))
    base = {"device": device, "device_name": device_name}
    measured = pd.DataFrame(rows).assign(**base)
    table = CONDITIONS.from_rows([row | base for row in conditions])
    of_primary = table[
        [
            Condition(*entry) == settings.primary
            for entry in table[["batch_size", "precision", "variant"]].itertuples(index=False, name=None)
        ]
    ]
    common = {"cpu": "AMD EPYC 7543", "gpu": device_name, "driver": "550.54", "torch": "2.13.0", "governor": None}
    description = {"common": common, "sessions": {"0": {"load_average": 0.1}, "1": {"load_average": 0.3}}}
    profiles = of_primary.merge(sizes, on="hash").assign(
        protocol=settings.protocol,
        settings=json.dumps(content, sort_keys=True),
        description=json.dumps(description, sort_keys=True),
        threads=settings.threads,
        memory_format=settings.memory_format,
        weights=settings.weights,
    )
    return DeviceTables(PROFILES.validate(profiles), table, MEASUREMENTS.validate(measured))


def together(*devices: DeviceTables) -> DeviceTables:
    """Return one set of tables that holds several devices, whose sessions follow one another."""
    parts, first = [], 0
    for tables in devices:
        parts.append(tables.measurements.assign(session=tables.measurements["session"] + first))
        first = int(parts[-1]["session"].max()) + 1
    return replace(
        devices[0],
        profiles=pd.concat([tables.profiles for tables in devices], ignore_index=True),
        conditions=pd.concat([tables.conditions for tables in devices], ignore_index=True),
        measurements=pd.concat(parts, ignore_index=True),
    )


def made_up_sizes(cells: int, rng: np.random.Generator) -> pd.DataFrame:
    macs = np.exp(rng.normal(np.log(1.2e9), 0.55, cells)).astype(np.int64)
    parameters = (macs * np.exp(rng.normal(-5.0, 0.15, cells))).astype(np.int64)
    return pd.DataFrame(
        {
            "hash": [rng.bytes(16).hex() for _ in range(cells)],
            "macs": macs,
            "parameters": parameters,
            "activations": (2e6 * np.exp(rng.normal(0, 0.3, cells)) + macs / 1e3).astype(np.int64),
            "depth": rng.integers(11, 40, cells),
            "model_bytes": 4 * parameters,
            "checkpoint_bytes": 4 * parameters + 20_000,
        }
    )


def latency_of(macs: float, activations: float, condition: Condition) -> float:
    """Return milliseconds: the slower of launches and arithmetic, and the way of the feature maps."""
    launches = 0.8 if condition.is_graph else 2.6
    compute = condition.batch_size * macs * SPEED[condition.precision] * 1e-9
    moving = condition.batch_size * activations * (0.7 if condition.is_folded else 1.0) * 2e-8
    return float(launches + 0.1 * max(compute - launches, 0) + moving)


def session_rows(
    settings: Settings,
    session: int,
    members: pd.DataFrame,
    energy: bool,
    variation: float,
    outcome: str | None,
    rng: np.random.Generator,
    latencies: dict[tuple[str, Condition], list[float]],
) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    clock = START + 3600 * session

    def add(role: str, name: str, condition: Condition, value: float, **changed: Any) -> None:
        nonlocal clock
        fine = changed.get("outcome", "ok") == "ok"
        row = {
            "session": session,
            "sequence": len(rows),
            "block": changed.pop("block"),
            "process": 0,
            "role": role,
            "hash": name,
            **asdict(condition),
            "attempt": 0,
            "is_accepted": True,
            "outcome": "ok",
            "flags": "",
            "runs": settings.timed_runs if fine else 0,
            **times(value if fine else NAN, condition),
            **cost(value, energy and role == "member", fine),
            "started": clock,
            "sm_clock_mhz": 1410.0 - 15 * rng.integers(0, 2),
            "temperature_c": 42 + min(len(rows), 60) / 4,
            "power_w": 250 + 20 * rng.normal(),
            "foreign_load": NAN,
            "load_average": 1.0,
        }
        clock += 2.0
        rows.append(row | changed)

    def add_reference(block: int) -> None:
        nonlocal drift
        drift = 0.7 * drift + 0.006 * rng.normal()
        jump = 0.25 if session == 1 and block == 1 else 0.0
        value = latency_of(1e9, 3e6, settings.primary) * (1 + drift + jump + 0.003 * rng.normal())
        add("reference", "f" * 32, settings.primary, value, block=block, flags="throttled" if jump else "")

    drift = 0.0
    add("empty", "", settings.primary, 0.0045 + 0.0005 * rng.random(), block=0)
    for position, member in enumerate(members.itertuples()):
        block = position // settings.reference_every
        if position % settings.reference_every == 0:
            add_reference(block)
        for condition in settings.conditions:
            value = latency_of(member.macs, member.activations, condition)
            value *= np.exp(0.04 * np.random.default_rng(member.macs).normal())
            value *= 1 + drift + variation * rng.standard_t(4)
            found = outcome or ("out_of_memory" if condition.batch_size * member.macs > 6e11 else "ok")
            add("member", member.hash, condition, value, block=block, outcome=found)
            latencies.setdefault((member.hash, condition), []).append(value if found == "ok" else NAN)
            if found != "ok":
                latencies[member.hash, condition] = [NAN]
    add_reference((len(members) - 1) // settings.reference_every)
    return rows


def times(value: float, condition: Condition) -> dict[str, float]:
    factors = (1.0, 0.998, 1.003, 0.01, 1.012, 1.04, 1.002, 0.008)
    found = dict(zip(TIMES, (value * factor for factor in factors), strict=False))
    return found | {"images_per_second": 1e3 * condition.batch_size / value}


def cost(value: float, energy: bool, fine: bool) -> dict[str, float]:
    known = energy and fine
    return {
        "peak_memory_bytes": 3e8 + 5e7 * value if fine else NAN,
        "baseline_memory_bytes": 0.0 if fine else NAN,
        "energy_mj": 2.9 * value if known else NAN,
        "energy_gross_mj": 3.8 * value if known else NAN,
        "idle_power_w": 52.0 if known else NAN,
    }


def record(
    settings: Settings,
    goal: float,
    condition: Condition,
    row: pd.Series,
    found: Sequence[float],
    energy: bool,
    flag: str | None,
) -> dict[str, Any]:
    known = np.asarray(found)
    fine = not np.isnan(known).any()
    value = float(np.median(known))
    variation = float(known.std(ddof=1) / known.mean()) if len(known) > 1 and fine else NAN
    flags = {flag} if flag else set()
    if variation > goal:
        flags.add("varies")
    oom = condition.batch_size * row["macs"] > 6e11
    return {
        "hash": row["hash"],
        **asdict(condition),
        "outcome": "ok" if fine else "out_of_memory" if oom else "unsupported",
        "flags": ",".join(name for name in FLAGS if name in flags),
        "sessions": len(known) if fine else 0,
        "disturbed_sessions": int("foreign_load" in flags),
        "runs": len(known) * settings.timed_runs if fine else 0,
        "session_variation": variation,
        **times(value, condition),
        **cost(value, energy, fine),
    }


SWEEP: dict[str, Any] = {
    "protocol": "full",
    "device": "cuda",
    "batch_sizes": [64, 1, 256],
    "precisions": ["fp32", "bf16", "fp16"],
    "variants": ["plain", "folded"],
}
