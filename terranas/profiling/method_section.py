"""The section of a device's page that says what was measured, how, and on what."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from terranas.core.formats import SPACE, count, counted, sentence, significant, span
from terranas.core.logs import format_duration
from terranas.core.page import Block, Head, Section, Table
from terranas.profiling import findings
from terranas.profiling.findings import DeviceTables
from terranas.profiling.formats import setting

_DEVICE_WORDS = {
    "cpu": "Processor",
    "gpu": "GPU",
    "cpu_quota": "Processors that the job may use",
    "governor": "Frequency governor",
    "load_average": "Load average",
    "memory_bytes": "Memory",
    "sm_clock_mhz": "Clock (MHz)",
    "sm_clock_max_mhz": "Highest clock (MHz)",
    "memory_clock_mhz": "Memory clock (MHz)",
    "memory_clock_max_mhz": "Highest memory clock (MHz)",
    "power_limit_w": "Power limit (W)",
    "cuda": "CUDA",
    "cudnn": "cuDNN",
    "torch": "torch",
    "terranas": "terranas",
    "is_edited": "Files of the commit were edited",
}

_STATES = (
    ("sm_clock_mhz", "Clock of the GPU under load (MHz)"),
    ("temperature_c", "Temperature of the GPU after it (°C)"),
    ("power_w", "Power of the GPU under load (W)"),
    ("foreign_load", "Processor cores that others kept busy"),
    ("load_average", "Load average over one minute"),
)


def method(tables: DeviceTables) -> Section:
    """Return what was measured, how, and on what."""
    measured, settings = tables.measurements, tables.settings
    roles = measured["role"].value_counts()
    repeated = int((measured["attempt"] > 0).sum())
    spans = measured.groupby("session")["started"].agg(np.ptp)
    said = [
        f"The {tables.protocol} protocol: warm-up of {_warm_up(settings)}, {_timed_runs(settings)}, each architecture "
        f"in {counted(settings['sessions'], 'session')}.",
        "A session is a process of its own that measures some architectures in random order. "
        f"{sentence(counted(len(spans), 'session'))} on {tables.name} made {count(len(measured))} measurements in "
        f"{format_duration(float(spans.sum()))}: {count(roles.get('member', 0))} of architectures, "
        f"{count(roles.get('reference', 0))} of the reference network between them and {count(roles.get('empty', 0))} "
        "of an empty network.",
        f"{sentence(counted(repeated, 'measurement'))} repeated an earlier one that was disturbed or had no times."
        if repeated
        else "No measurement had to be repeated.",
        f"The {tables.statistic} of the timed runs counts. "
        + (
            "The copy of the input to the device is part of each run, as in the published study."
            if tables.protocol == "published"
            else "The network is in evaluation mode, and its input lies on the device before the clock starts."
        ),
    ]
    killed = measured.loc[measured["process"] > 0, "session"].nunique()
    if killed:
        said.append(f"{sentence(counted(killed, 'session was', 'sessions were'))} interrupted and went on later.")
    blocks: list[Block] = [
        Table("Settings of the protocol.", _TWO, _setting_rows(settings), folded="All settings"),
        Table(
            "What the device and its software said of themselves.",
            _TWO,
            _device_rows(tables.profiles),
            folded="Device, driver and versions",
        ),
    ]
    states = [
        (words, *(significant(float(measured[name].quantile(share))) for share in (0, 0.5, 1)))
        for name, words in _STATES
        if measured[name].notna().any()
    ]
    if states:
        heads = (Head("During the measurements", "text"), Head("Least"), Head("Median"), Head("Most"))
        blocks.append(Table("State of the machine over all measurements.", heads, states))
    return Section("method", "What was measured, and how", said, blocks)


_TWO = (Head("What", "text"), Head("Value", "text"))


def _setting_rows(settings: Mapping[str, Any]) -> list[tuple[str, str]]:
    tolerances = settings["tolerances"]
    energy = settings["energy_seconds"]
    return [
        ("Protocol", settings["protocol"]),
        ("Batch sizes", ", ".join(map(str, settings["batch_sizes"]))),
        ("Precisions", ", ".join(settings["precisions"])),
        ("Variants", ", ".join(settings["variants"])),
        ("Order of feature maps in memory", settings["memory_format"]),
        ("Weights", "drawn at random" if settings["weights"] == "drawn" else "of the trained networks"),
        ("Threads of torch", str(settings["threads"])),
        ("Warm-up", _warm_up(settings)),
        ("Timed runs", _timed_runs(settings)),
        ("Sessions of an architecture", count(settings["sessions"])),
        ("Reference network", f"every {counted(settings['reference_every'], 'architecture')}"),
        ("Further attempts at a disturbed measurement", count(settings["repeats"])),
        ("Energy", f"read over {energy:g}{SPACE}s of runs" if energy else "not read"),
        ("Tolerance: change of the reference network", setting(tolerances["drift"])),
        ("Tolerance: interquartile range of the runs over their median", setting(tolerances["spread"])),
        ("Tolerance: change of the clock", setting(tolerances["clock_change"])),
        ("Tolerance: processor cores that others keep busy", f"{tolerances['foreign_load']:g}"),
        ("Goal: variation between sessions", setting(settings["variation_goal"])),
    ]


def _warm_up(settings: Mapping[str, Any]) -> str:
    seconds = f" and {settings['warmup_seconds']:g}{SPACE}s" if settings["warmup_seconds"] else ""
    return f"at least {counted(settings['warmup_runs'], 'run')}{seconds}"


def _timed_runs(settings: Mapping[str, Any]) -> str:
    if settings["max_runs"] == settings["timed_runs"]:
        return counted(settings["timed_runs"], "timed run")
    return (
        f"{count(settings['timed_runs'])} to {count(settings['max_runs'])} timed runs, until the median's 95{SPACE}% "
        f"interval is narrower than {setting(settings['interval_width'])} of it"
    )


def _device_rows(profiles: pd.DataFrame) -> list[tuple[str, str]]:
    rows = []
    for name, values in findings.said_of_device(profiles).items():
        if not values:
            text = "not known"
        elif all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
            text = span(values, lambda value: f"{value:,.10g}")
        else:
            words = [{True: "yes", False: "no"}.get(value, str(value)) for value in values]
            text = ", ".join(words) if len(words) <= 3 else f"{words[0]} and {len(words) - 1} others"
        rows.append((_DEVICE_WORDS.get(name, sentence(name.replace("_", " "))), text))
    return rows
