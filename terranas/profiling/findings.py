"""What the tables of a device say: repeatability, drift, rank correlations, what each choice of a condition brings."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, get_args

import numpy as np
import pandas as pd
from scipy.stats import kendalltau, spearmanr

from terranas.core.errors import DataError
from terranas.profiling.schema import CONDITION, FLAGS
from terranas.profiling.settings import Condition, Precision, Variant

SIZES = ("macs", "parameters", "activations", "depth")
"""Computed sizes that a latency is compared with."""

_ORDERS = {"precision": get_args(Precision), "variant": get_args(Variant)}


@dataclass(frozen=True)
class DeviceTables:
    """What was measured on one model of a device.

    Attributes:
        profiles: schema ``profiling.profiles``.
        conditions: schema ``profiling.conditions``.
        measurements: schema ``profiling.measurements``, all sessions together.
    """

    profiles: pd.DataFrame
    conditions: pd.DataFrame
    measurements: pd.DataFrame

    @property
    def name(self) -> str:
        """Model of the device."""
        return str(self.profiles["device_name"].iloc[0])

    @property
    def kind(self) -> str:
        """Kind of the device."""
        return str(self.profiles["device"].iloc[0])

    @property
    def protocol(self) -> str:
        """Name of the measuring protocol."""
        return str(self.profiles["protocol"].iloc[0])

    @property
    def statistic(self) -> str:
        """Which statistic of the timed runs the latency is."""
        return "mean" if self.protocol == "published" else "median"

    @cached_property
    def settings(self) -> dict[str, Any]:
        """Settings of the protocol, as the records hold them."""
        return dict(json.loads(self.profiles["settings"].iloc[0]))

    @property
    def primary(self) -> Condition:
        """The condition whose numbers enter the benchmark."""
        return _condition_of(self.profiles[CONDITION].iloc[0])

    @cached_property
    def measured_conditions(self) -> list[Condition]:
        """All conditions, by precision, variant and batch size."""
        found = self.conditions[CONDITION].drop_duplicates()
        return sorted((_condition_of(row) for _, row in found.iterrows()), key=_order)

    @cached_property
    def timed(self) -> pd.DataFrame:
        """Rows of the conditions that have times, with the sizes of their networks.

        A further column, ``network_memory_bytes``, has the peak memory without what the process took before.
        """
        known = self.conditions[self.conditions["outcome"] == "ok"]
        sized = known.merge(self.profiles[["hash", *SIZES]], on="hash", how="left", validate="many_to_one")
        return sized.assign(network_memory_bytes=sized["peak_memory_bytes"] - sized["baseline_memory_bytes"])

    def of(self, condition: Condition) -> pd.DataFrame:
        """Return the rows of :attr:`timed` of a condition."""
        return self.timed[_is(self.timed, condition)]


def tables_by_device(
    profiles: pd.DataFrame, conditions: pd.DataFrame, measurements: pd.DataFrame
) -> list[DeviceTables]:
    """Return the tables of each model of a device, by name; numbers of two models are never put together.

    Args:
        profiles: schema ``profiling.profiles``.
        conditions: schema ``profiling.conditions``.
        measurements: schema ``profiling.measurements``, all sessions together.

    Raises:
        DataError: there is no record at all.
    """
    if profiles.empty:
        raise DataError("There is no record of any device to report on; expected one an architecture. Measure first.")
    models = profiles[["device", "device_name"]].drop_duplicates().sort_values(["device_name", "device"])
    return [
        DeviceTables(
            *(
                table[(table["device"] == kind) & (table["device_name"] == name)].reset_index(drop=True)
                for table in (profiles, conditions, measurements)
            )
        )
        for kind, name in models.itertuples(index=False, name=None)
    ]


def overhead_ms(tables: DeviceTables) -> float:
    """Return what measuring itself takes of a run: the median time of a network that returns its input."""
    empty = tables.measurements[(tables.measurements["role"] == "empty") & (tables.measurements["outcome"] == "ok")]
    return float(empty["latency_ms"].median())


@dataclass(frozen=True)
class Ranking:
    """How well one value of some architectures ranks them as another does.

    Attributes:
        n: architectures with both values.
        spearman: Spearman's rank correlation; NaN where fewer than three architectures or constant values leave it
            undefined.
        kendall: Kendall's tau-b, likewise.
    """

    n: int
    spearman: float
    kendall: float

    @classmethod
    def of(cls, first: pd.Series, second: pd.Series) -> "Ranking":
        """Return the ranking of values that belong together by place; pairs with a NaN do not count."""
        known = first.notna().to_numpy() & second.notna().to_numpy()
        left, right = first.to_numpy()[known], second.to_numpy()[known]
        if len(left) < 3 or np.ptp(left) == 0 or np.ptp(right) == 0:
            return cls(len(left), math.nan, math.nan)
        return cls(len(left), float(spearmanr(left, right).statistic), float(kendalltau(left, right).statistic))


def rank_correlations(tables: DeviceTables, value: str = "latency_ms") -> dict[tuple[Condition, str], Ranking]:
    """Return how well computed sizes rank architectures by a measured value, by condition and size of :data:`SIZES`.

    Args:
        tables: of one device.
        value: column of the conditions.
    """
    return {
        (condition, size): Ranking.of(tables.of(condition)[size], tables.of(condition)[value])
        for condition in tables.measured_conditions
        for size in SIZES
    }


@dataclass(frozen=True)
class Comparison:
    """One condition beside another, on the architectures that have times in both.

    Attributes:
        condition: what is compared.
        base: what it is compared with.
        speed: median of the throughputs' ratio; NaN without architectures.
        low: its 5 % quantile.
        high: its 95 % quantile.
        ranking: of the latencies.
    """

    condition: Condition
    base: Condition
    speed: float
    low: float
    high: float
    ranking: Ranking


def compare(tables: DeviceTables, condition: Condition, base: Condition) -> Comparison:
    """Return how a condition compares with another."""
    columns = ["hash", "latency_ms", "images_per_second"]
    pairs = tables.of(condition)[columns].merge(tables.of(base)[columns], on="hash", suffixes=("", "_base"))
    ratios = pairs["images_per_second"] / pairs["images_per_second_base"]
    low, speed, high = (float(ratios.quantile(share)) for share in (0.05, 0.5, 0.95))
    return Comparison(condition, base, speed, low, high, Ranking.of(pairs["latency_ms"], pairs["latency_ms_base"]))


def changes(tables: DeviceTables) -> dict[tuple[str, str], dict[int, Comparison]]:
    """Return what another precision or variant than the primary condition's brings, all else equal.

    Returns:
        Comparisons by what changes (``precision`` or ``variant``) and its value, and by batch size.
    """
    found: dict[tuple[str, str], dict[int, Comparison]] = {}
    for condition in tables.measured_conditions:
        base = replace(tables.primary, batch_size=condition.batch_size)
        differing = [name for name in ("precision", "variant") if getattr(condition, name) != getattr(base, name)]
        if len(differing) == 1 and base in tables.measured_conditions:
            change = differing[0], str(getattr(condition, differing[0]))
            found.setdefault(change, {})[condition.batch_size] = compare(tables, condition, base)
    return found


def reference_drift(tables: DeviceTables) -> pd.DataFrame:
    """Return the measurements of the reference network, over the time of the sessions put one after the other.

    Returns:
        One row a measurement with times, in the primary condition: session, started (seconds from the first session's
        beginning, without the time between sessions), ends (of the session, on that clock), relative (latency over the
        median of the session's measurements), step (relative change since the one before; NaN for a session's first),
        disturbed (whether it has a flag itself).
    """
    parts = []
    elapsed = 0.0
    for session in _by_start(tables.measurements):
        own = tables.measurements[tables.measurements["session"] == session]
        begin, took = own["started"].min(), float(np.ptp(own["started"]))
        known = own[(own["role"] == "reference") & (own["outcome"] == "ok") & _is(own, tables.primary)]
        references = known.sort_values("sequence")
        part = pd.DataFrame(
            {
                "session": session,
                "started": elapsed + references["started"] - begin,
                "ends": elapsed + took,
                "relative": references["latency_ms"] / references["latency_ms"].median(),
                "step": references["latency_ms"].pct_change().abs(),
                "disturbed": references["flags"] != "",
            }
        )
        parts.append(part)
        elapsed += took
    return pd.concat(parts, ignore_index=True)


def flagged(conditions: pd.DataFrame) -> pd.DataFrame:
    """Return the records with a flag or without times, and what their flags mean.

    Args:
        conditions: schema ``profiling.conditions``.

    Returns:
        A table for people, those whose sessions deviate most first: the columns that name a record, outcome, flags,
        their meaning, latency, its variation over sessions, and how many sessions there were.
    """
    chosen = conditions[(conditions["flags"] != "") | (conditions["outcome"] != "ok")].copy()
    chosen["meaning"] = ["; ".join(FLAGS[name] for name in names_of(flags)) for flags in chosen["flags"]]
    columns = ["hash", "device", "device_name", *CONDITION, "outcome", "flags", "meaning", "latency_ms"]
    columns += ["session_variation", "sessions", "disturbed_sessions"]
    return chosen[columns].sort_values(["session_variation", "hash", *CONDITION], ascending=[False, *[True] * 4])


def names_of(flags: str) -> list[str]:
    """Return the names in a column of flags."""
    return [name for name in flags.split(",") if name]


def said_of_device(profiles: pd.DataFrame) -> dict[str, list[Any]]:
    """Return the values that a device told of itself, by name, each distinct value once.

    Args:
        profiles: schema ``profiling.profiles``; descriptions hold what all sessions of a record say alike under
            ``common``, and the rest by session under ``sessions``.
    """
    found: dict[str, list[Any]] = {}
    for text in dict.fromkeys(profiles["description"]):
        description = json.loads(text)
        for part in (description.get("common", {}), *description.get("sessions", {}).values()):
            for name, value in part.items():
                values = found.setdefault(name, [])
                if value is not None and value not in values:
                    values.append(value)
    return found


def _by_start(measurements: pd.DataFrame) -> Sequence[int]:
    return [int(session) for session in measurements.groupby("session")["started"].min().sort_values().index]


def _is(table: pd.DataFrame, condition: Condition) -> "pd.Series[bool]":
    return pd.Series(
        (table["batch_size"] == condition.batch_size)
        & (table["precision"] == condition.precision)
        & (table["variant"] == condition.variant)
    )


def _condition_of(row: "pd.Series[Any]") -> Condition:
    return Condition(int(row["batch_size"]), row["precision"], row["variant"])


def _order(condition: Condition) -> tuple[int, int, int]:
    return (
        _ORDERS["precision"].index(condition.precision),
        _ORDERS["variant"].index(condition.variant),
        condition.batch_size,
    )
