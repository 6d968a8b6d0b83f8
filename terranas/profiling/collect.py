"""What all sessions say together of an architecture on a device.

Sessions that nothing disturbed are used where there is one, else all that have times, and then the record says what
disturbed them. Where some sessions have times and others do not, the record has the times, and the others count as
disturbed. Where none has times, the record says why: what most sessions say, and of several such reasons the one that
stands first in ``schema.OUTCOMES``. Records of different models of device never meet.

Times of the used sessions are put together, as many of each as the session with the fewest runs has.
"""

import json
import logging
import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terranas.core.errors import DataError
from terranas.core.formats import percent
from terranas.profiling.schema import CONDITION, CONDITIONS, FLAGS, OUTCOMES, PROFILES, SIZES
from terranas.profiling.settings import Agreement, Settings
from terranas.profiling.statistics import summarise

logger = logging.getLogger(__name__)

_RECORD = ["hash", "device", "device_name", *CONDITION]


@dataclass(frozen=True)
class Collected:
    """What the sessions say together.

    Attributes:
        profiles: table of the schema ``PROFILES``.
        conditions: table of the schema ``CONDITIONS``.
    """

    profiles: pd.DataFrame
    conditions: pd.DataFrame


def collect(
    measurements: pd.DataFrame,
    samples: pd.DataFrame,
    sizes: pd.DataFrame,
    descriptions: Sequence[Mapping[str, Any]],
    content: Mapping[str, Any],
) -> Collected:
    """Return one record an architecture, device and condition, and one an architecture and device.

    Args:
        measurements: those of all sessions (schema ``MEASUREMENTS``).
        samples: those of all sessions (schema ``SAMPLES``).
        sizes: those of all sessions (schema ``SIZES``, an architecture once for each of its sessions).
        descriptions: what the device said of itself, as :class:`terranas.profiling.session.SessionResult` has it.
        content: the ``profiling`` section of the study as plain built-ins.

    Raises:
        DataError: two sessions disagree on the size of an architecture.
    """
    settings, asked = Settings.of_config(content), Agreement.of_config(content)
    agreed = _agreed_sizes(sizes)
    accepted = measurements[(measurements["role"] == "member") & measurements["is_accepted"]]
    accepted = accepted.sort_values(["session", "sequence"])
    times = _times_of(samples, accepted)
    rows = [
        dict(zip(_RECORD, key, strict=True)) | _together(group, times, settings, asked)
        for key, group in accepted.groupby(_RECORD, sort=True)
    ]
    conditions = CONDITIONS.from_rows(rows)
    profiles = _profiles(conditions, accepted, agreed, descriptions, content)
    _report(conditions, asked)
    return Collected(profiles, conditions)


def _agreed_sizes(sizes: pd.DataFrame) -> pd.DataFrame:
    distinct = sizes.drop_duplicates()
    if not distinct["hash"].is_unique:
        twice = distinct.loc[distinct["hash"].duplicated(), "hash"].iloc[0]
        first, second = distinct[distinct["hash"] == twice].drop(columns="hash").head(2).to_dict("records")
        differing = [name for name in first if first[name] != second[name]]
        raise DataError(
            f"Two sessions disagree on the size of {twice}: "
            + ", ".join(f"{name} {first[name]} and {second[name]}" for name in differing)
            + ". Their networks are not the same: remove the sessions' files and measure again."
        )
    return SIZES.validate(distinct)


_Times = Mapping[Hashable, NDArray[np.float64]]


def _times_of(samples: pd.DataFrame, accepted: pd.DataFrame) -> _Times:
    """Return the times of accepted measurements by session and sequence."""
    places = accepted[["session", "sequence"]]
    ordered = samples.merge(places, on=["session", "sequence"]).sort_values(["session", "sequence", "run"])
    grouped = ordered.groupby(["session", "sequence"])["latency_ms"]
    return {place: group.to_numpy() for place, group in grouped}


def _together(group: pd.DataFrame, times: _Times, settings: Settings, asked: Agreement) -> dict[str, Any]:
    """Return what the accepted measurements of a record say together; one a session, ascending by session."""
    is_ok, is_clean = group["outcome"] == "ok", group["flags"] == ""
    used = group[is_ok & is_clean] if (is_ok & is_clean).any() else group[is_ok]
    usable = is_ok if is_ok.any() else ~is_ok
    places = zip(used["session"], used["sequence"], strict=True)
    measured = [times[place] for place in places]
    # a session whose runs scatter makes more of them, and would count for more than a steady one
    shortest = min(map(len, measured), default=0)
    pooled = np.concatenate([np.empty(0), *(samples[:shortest] for samples in measured)])
    latencies = used["latency_ms"].to_numpy()
    variation = float(latencies.std(ddof=1) / latencies.mean()) if len(used) > 1 else math.nan
    energy = _energy(used, group[is_ok])
    # what a record takes from a disturbed measurement, its energy included, it does not take silently
    flags = _flags_of(used if is_ok.any() else group) | _flags_of(energy)
    if is_ok.any() and len(used) < asked.sessions:
        flags |= {"few_sessions"}
    if variation > asked.goal:
        flags |= {"varies"}
    return {
        "outcome": "ok" if is_ok.any() else _reason(group["outcome"]),
        "flags": ",".join(flag for flag in FLAGS if flag in flags),
        "sessions": len(used),
        "disturbed_sessions": int((~(usable & is_clean)).sum()),
        "runs": len(pooled),
        "session_variation": variation,
        **summarise(pooled, int(group["batch_size"].iloc[0]), "mean" if settings.protocol == "published" else "median"),
        **_peak_memory(group),
        **{name: energy[name].iloc[0] if len(energy) else math.nan for name in _ENERGY},
    }


_ENERGY = ("energy_mj", "energy_gross_mj", "idle_power_w")


def _energy(used: pd.DataFrame, timed: pd.DataFrame) -> pd.DataFrame:
    """Return the first measurement that read the energy, of those that are used if one of them did."""
    for rows in (used, timed):
        if (reading := rows[rows["energy_mj"].notna()]).shape[0]:
            return reading.head(1)
    return used.head(0)


def _peak_memory(group: pd.DataFrame) -> dict[str, float]:
    """Return the highest peak of the sessions, and what its process had taken before."""
    peaks = group["peak_memory_bytes"].to_numpy()
    if np.isnan(peaks).all():
        return {"peak_memory_bytes": math.nan, "baseline_memory_bytes": math.nan}
    highest = group.iloc[int(np.nanargmax(peaks))]
    return {name: float(highest[name]) for name in ("peak_memory_bytes", "baseline_memory_bytes")}


def _flags_of(rows: pd.DataFrame) -> frozenset[str]:
    return frozenset(flag for flags in rows["flags"] for flag in flags.split(",") if flag)


def _reason(outcomes: pd.Series) -> str:
    """Return the most frequent outcome; of several, the first in ``OUTCOMES``."""
    said = outcomes.tolist()
    return max(OUTCOMES, key=lambda outcome: (said.count(outcome), -OUTCOMES.index(outcome)))


def _profiles(
    conditions: pd.DataFrame,
    accepted: pd.DataFrame,
    sizes: pd.DataFrame,
    descriptions: Sequence[Mapping[str, Any]],
    content: Mapping[str, Any],
) -> pd.DataFrame:
    settings = Settings.of_config(content)
    primary = _is_primary(conditions, settings)
    said = {(entry["session"], entry["process"]): entry["description"] for entry in descriptions}
    of_primary = accepted[_is_primary(accepted, settings)]
    texts = {
        key: _description([(session, said[session, process]) for session, process in _processes(group)])
        for key, group in of_primary.groupby(["hash", "device", "device_name"])
    }
    table = conditions[primary].merge(sizes, on="hash", how="left", validate="many_to_one")
    keys = zip(table["hash"], table["device"], table["device_name"], strict=True)
    return PROFILES.validate(
        table.assign(
            protocol=settings.protocol,
            settings=json.dumps(dict(content), sort_keys=True),
            description=[texts[key] for key in keys],
            threads=settings.threads,
            memory_format=settings.memory_format,
            weights=settings.weights,
        )
    )


def _is_primary(table: pd.DataFrame, settings: Settings) -> NDArray[np.bool_]:
    return (table[CONDITION] == list(astuple(settings.primary))).all(axis=1).to_numpy(dtype=np.bool_)


def _processes(group: pd.DataFrame) -> list[tuple[int, int]]:
    return list(zip(group["session"].tolist(), group["process"].tolist(), strict=True))


def _description(said: Sequence[tuple[int, Mapping[str, Any]]]) -> str:
    """Return as JSON what a device said in the sessions of a record.

    ``common`` has what all of them say alike, ``sessions`` has the rest by session.
    """
    first = said[0][1]
    common = {
        name: value
        for name, value in first.items()
        if all(name in description and description[name] == value for _, description in said)
    }
    rest = {
        str(session): {name: value for name, value in description.items() if name not in common}
        for session, description in said
    }
    return json.dumps({"common": common, "sessions": rest}, sort_keys=True)


def _report(conditions: pd.DataFrame, asked: Agreement) -> None:
    """Log what came out: records, those without times, those that are flagged, and the sessions' agreement."""
    goal = percent(asked.goal)
    timeless, flagged = int((conditions["outcome"] != "ok").sum()), int((conditions["flags"] != "").sum())
    logger.info("%d records, %d of them without times, %d flagged", len(conditions), timeless, flagged)
    variations = conditions["session_variation"].dropna()
    if len(variations):
        above = int((variations > asked.goal).sum())
        text = "The sessions' latencies vary by %s in the median over the records (goal: %s); %d of %d are above it"
        logger.info(text, percent(float(variations.median())), goal, above, len(variations))
    models = sorted(set(conditions["device_name"]))
    if len(models) > 1:
        logger.warning("The sessions ran on several models of device, kept apart: %s", ", ".join(models))
