"""A device's page: how well it was measured, what it said, and what not to trust."""

import math
from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from terranas.core.formats import count, counted, listed, percent, span
from terranas.core.page import Page, Picture, Section
from terranas.profiling.cost_sections import compared_conditions, complexity, energy_and_memory
from terranas.profiling.findings import DeviceTables, names_of, overhead_ms, tables_by_device
from terranas.profiling.formats import condition_name, ms, rate, setting, short_time
from terranas.profiling.method_section import method
from terranas.profiling.schema import FLAGS
from terranas.profiling.sections import OUTCOME_WORDS, flagged, latency, repeatability

DISTURBANCES = ("throttled", "clock_changed", "foreign_load", "unsteady", "drift")
"""Flags that say that something else than the network had a part in its times."""

DISTURBED_SHARE = 0.25
"""Share of the records with such a flag from which on the page begins with a warning."""

NOTICEABLE_OVERHEAD = 0.01
"""Share of the fastest architecture's latency from which on what measuring takes is said to limit the numbers."""


def device_page(
    profiles: pd.DataFrame, conditions: pd.DataFrame, measurements: pd.DataFrame, title: str, flagged_file: str
) -> Page:
    """Return the page of a kind of device.

    Args:
        profiles: schema ``profiling.profiles``; several models of a device are kept apart.
        conditions: schema ``profiling.conditions``.
        measurements: schema ``profiling.measurements``, all sessions together.
        title: of the study.
        flagged_file: name of the file beside the page that lists all flagged records.

    Raises:
        DataError: there is no record at all.
    """
    devices = tables_by_device(profiles, conditions, measurements)
    names = listed([tables.name for tables in devices])
    alone = len(devices) == 1
    return Page(
        title=f"Device report: {title}",
        subject=names,
        subtitle=f"What {counted(conditions['hash'].nunique(), 'architecture')} cost on {names}",
        warning=" ".join(text for tables in devices if (text := _warning(tables))),
        headline=_headline(devices[0]) if alone else [entry for tables in devices for entry in _short(tables)],
        limits=[
            text if alone else f"{tables.name}: {text}" for tables in devices for text in _limits(tables, flagged_file)
        ],
        sections=[
            _overview(devices),
            *(
                section if alone else _named(section, tables.name, place)
                for place, tables in enumerate(devices)
                for section in _sections(tables, flagged_file)
            ),
        ],
    )


def _sections(tables: DeviceTables, flagged_file: str) -> list[Section]:
    made = (method, latency, repeatability, complexity, compared_conditions, energy_and_memory)
    return [*(section(tables) for section in made), flagged(tables, flagged_file)]


def _named(section: Section, device: str, place: int) -> Section:
    """Return the section of one of several devices, with its name and anchors of its own."""
    blocks = [
        replace(block, name=f"{block.name}-{place}") if isinstance(block, Picture) else block
        for block in section.blocks
    ]
    title = f"{device}: {section.title[:1].lower()}{section.title[1:]}"
    return replace(section, name=f"{section.name}-{place}", title=title, blocks=blocks)


def _headline(tables: DeviceTables) -> list[tuple[str, str]]:
    records, goal = tables.conditions, tables.settings["variation_goal"]
    timed = tables.of(tables.primary)
    variation = float(tables.timed["session_variation"].median())
    marked = int((records["flags"] != "").sum())
    return [
        (f"{count(len(timed))} of {count(len(tables.profiles))}", "architectures have times in the primary condition"),
        (
            count(tables.measurements["session"].nunique()),
            f"sessions, each a process of its own, in {counted(len(tables.measured_conditions), 'condition')}",
        ),
        (
            percent(variation),
            "variation between an architecture's sessions, "
            + ("not known here" if math.isnan(variation) else f"median; the goal is {setting(goal)}"),
        ),
        (f"{count(marked)} of {count(len(records))}", "records are flagged"),
        (short_time(overhead_ms(tables)), "a run of an empty network: what measuring itself takes"),
    ]


def _short(tables: DeviceTables) -> list[tuple[str, str]]:
    """Return the few numbers of one of several devices."""
    timed = tables.of(tables.primary)
    marked = int((tables.conditions["flags"] != "").sum())
    return [
        (f"{count(len(timed))} of {count(len(tables.profiles))}", f"architectures have times on {tables.name}"),
        (ms(float(timed["latency_ms"].median())), f"median latency on {tables.name}, {condition_name(tables.primary)}"),
        (f"{count(marked)} of {count(len(tables.conditions))}", f"records of {tables.name} are flagged"),
    ]


def _overview(devices: Sequence[DeviceTables]) -> Section:
    said = []
    if len(devices) > 1:
        said.append(
            f"The sessions ran on {counted(len(devices), 'model')} of the device. Their numbers are never put "
            "together: each has sections of its own below, and profiling.device_name says whose records enter the "
            "benchmark."
        )
    for tables in devices:
        timed = tables.of(tables.primary)
        if len(timed) > 1:
            cost = (
                f"There, latencies go from {span(timed['latency_ms'], ms)}, with a median of "
                f"{ms(float(timed['latency_ms'].median()))}, and throughputs from "
                f"{span(timed['images_per_second'], rate)} images per second."
            )
        elif len(timed):
            cost = f"There, the latency is {ms(float(timed['latency_ms'].iloc[0]))}."
        else:
            cost = "There, no architecture has times."
        said.append(
            f"{tables.name} was measured by the {tables.protocol} protocol in "
            f"{counted(len(tables.measured_conditions), 'condition')}; the primary one, whose numbers enter the "
            f"benchmark, is {condition_name(tables.primary)}. {cost} {_overhead(tables)}"
        )
    return Section("overview", "Overview", said)


def _overhead(tables: DeviceTables) -> str:
    overhead, fastest = overhead_ms(tables), float(tables.timed["latency_ms"].min())
    if math.isnan(overhead):
        return "What measuring itself takes is not known, since no empty network was measured."
    beside = f": {percent(overhead / fastest, 2)} of the shortest latency here" if not math.isnan(fastest) else ""
    return f"A network that returns its input takes {short_time(overhead)} a run{beside}. It is not subtracted."


def _warning(tables: DeviceTables) -> str:
    """Return what must be read before any number of a device, or an empty text."""
    flags = tables.conditions["flags"]
    disturbed = sum(not set(DISTURBANCES).isdisjoint(names_of(names)) for names in flags)
    if disturbed < max(1, DISTURBED_SHARE * len(flags)):
        return ""
    return (
        f"{count(disturbed)} of {counted(len(flags), 'record')} of {tables.name} were disturbed (see the flags). "
        "Do not rely on these numbers: measure on a machine that does nothing else."
    )


def _limits(tables: DeviceTables, flagged_file: str) -> list[str]:
    said = [*_limits_of_protocol(tables), *_limits_of_records(tables, flagged_file)]
    overhead, fastest = overhead_ms(tables), float(tables.timed["latency_ms"].min())
    if overhead > NOTICEABLE_OVERHEAD * fastest:
        said.append(f"Measuring itself takes {percent(overhead / fastest)} of the shortest latency.")
    clocks = tables.measurements["sm_clock_mhz"].dropna()
    if len(clocks) and clocks.max() > (1 + tables.settings["tolerances"]["clock_change"]) * clocks.min():
        said.append(
            f"The GPU's clock was not the same throughout: from {span(clocks, count)} MHz under load. Locked clocks "
            "(docs/profiling.md) make times comparable."
        )
    return said


def _limits_of_protocol(tables: DeviceTables) -> list[str]:
    said = []
    if tables.protocol == "quick":
        said.append(
            "The quick protocol is for a first look: a short warm-up and few runs. It ranks architectures whose "
            "latencies lie well apart; use the full protocol for numbers to publish."
        )
    if tables.protocol == "published":
        said.append(
            "The published protocol times the copy of the input to the device along with the network, and takes the "
            "mean. Its numbers compare with the published table, not with those of the other protocols."
        )
    if tables.settings["sessions"] == 1:
        said.append(
            "Every architecture was measured in one session: nothing here says how far another process, or another "
            "day, would deviate."
        )
    if tables.timed["energy_mj"].isna().all():
        said.append("The energy is not known, and it is not estimated.")
    return said


def _limits_of_records(tables: DeviceTables, flagged_file: str) -> list[str]:
    said, records = [], tables.conditions
    for flag, meaning in FLAGS.items():
        number = sum(flag in names_of(flags) for flags in records["flags"])
        if number:
            said.append(
                f"{count(number)} of {counted(len(records), 'record')} ({percent(number / len(records))}) "
                f"{'is' if number == 1 else 'are'} flagged {flag}: {meaning}."
            )
    for outcome, words in OUTCOME_WORDS.items():
        number = int((records["outcome"] == outcome).sum())
        if number:
            said.append(f"{counted(number, 'record has', 'records have')} no times: {words} ({flagged_file}).")
    return said
