"""Sections of a device's page on latency, repeatability and flags."""

from dataclasses import astuple

import pandas as pd

from terranas.core.formats import count, counted, fixed, listed, percent, sentence, significant, span
from terranas.core.page import Block, Head, Picture, Section, Table
from terranas.profiling import figures, findings
from terranas.profiling.findings import DeviceTables
from terranas.profiling.formats import condition_name, ms, network_name, none_or, rate, setting
from terranas.profiling.schema import CONDITION, FLAGS

FLAGGED_SHOWN = 20
"""Records shown one by one; all of them stand in the table beside the page."""

OUTCOME_WORDS = {
    "out_of_memory": "ran out of memory",
    "not_finite": "gave values that are no finite numbers",
    "unsupported": "the device or torch cannot run this",
}


def latency(tables: DeviceTables) -> Section:
    """Return the distributions of latency and throughput."""
    if tables.timed.empty:
        return Section("latency", "Latency and throughput", ["No architecture has times in any condition."])
    rows, parts = [], []
    for condition in tables.measured_conditions:
        own = tables.of(condition)
        times, rates = own["latency_ms"], own["images_per_second"]
        rows.append(
            (
                condition_name(condition),
                count(len(own)),
                ms(times.median()),
                span(times.quantile([0.05, 0.95]), significant),
                rate(rates.median()),
                percent((own["latency_iqr_ms"] / times).median()),
                fixed((own["latency_p99_ms"] / times).median()),
            )
        )
        if len(own):
            parts.append(f"{condition_name(condition)} {ms(times.median())} ({span(times, significant)})")
    primary = tables.of(tables.primary)["latency_ms"]
    said = [
        f"In the primary condition ({condition_name(tables.primary)}), a batch takes {ms(primary.median())} in the "
        f"median of {counted(len(primary), 'architecture')}; the slowest takes "
        f"{fixed(primary.max() / primary.min(), 1)} times as long as the fastest."
        if len(primary)
        else f"No architecture has times in the primary condition ({condition_name(tables.primary)})."
    ]
    picture = Picture(
        "latency",
        figures.latency_distribution(tables),
        f"Distributions of latency and throughput by condition; median latency and range: {listed(parts)}.",
        "Every point is an architecture. Above the points: the median (black), the middle half (bar) and nine of ten "
        "(line). The primary condition, whose numbers enter the benchmark, is blue.",
    )
    heads = [Head("Condition", "text"), Head("Architectures"), Head("Latency, median"), Head("5 % to 95 % (ms)")]
    heads += [Head("Images per second"), Head("Spread of runs"), Head("99th percentile")]
    caption = (
        f"Latency ({tables.statistic} of the runs) and throughput by condition: medians over the architectures. "
        "Spread: interquartile range over median of an architecture's runs; 99th percentile: as a multiple of its "
        "latency."
    )
    return Section("latency", "Latency and throughput", said, [picture, Table(caption, heads, rows)])


def repeatability(tables: DeviceTables) -> Section:
    """Return how far sessions deviate from one another, and how the device drifted within them."""
    title = "Repeatability and drift"
    goal = float(tables.settings["variation_goal"])
    said, blocks = [], list[Block]()
    known = tables.timed.dropna(subset=["session_variation"])
    if known.empty:
        said.append(
            "No architecture has times of more than one session, so that nothing can be said on how far another "
            "session would deviate."
        )
    else:
        shares = {c: tables.of(c)["session_variation"].dropna() for c in tables.measured_conditions}
        parts = [
            f"{condition_name(c)} {percent(values.median())} ({percent((values <= goal).mean(), 0)} within the goal)"
            for c, values in shares.items()
            if len(values)
        ]
        said.append(
            f"Standard deviation over mean of the sessions' latencies: {percent(known['session_variation'].median())} "
            f"in the median over all records, {percent((known['session_variation'] <= goal).mean())} of them within "
            f"the goal of {setting(goal)}."
        )
        blocks.append(
            Picture(
                "variation",
                figures.session_variation(tables),
                f"Cumulative distributions of the sessions' variation with the goal of {setting(goal)}; medians: "
                f"{listed(parts)}.",
                "Share of architectures whose sessions deviate by at most so much. Each session is a process of its "
                "own; the standard deviation of so few values is itself uncertain, the distribution less so.",
            )
        )
    drift = findings.reference_drift(tables)
    if drift["step"].isna().all():
        said.append("No session has two measurements of the reference network, so that drift cannot be seen.")
        return Section("repeatability", title, said, blocks)
    tolerance = float(tables.settings["tolerances"]["drift"])
    change, jumps = (drift["relative"] - 1).abs(), int((drift["step"] > tolerance).sum())
    marked = none_or(int(drift["disturbed"].sum()), "measurement is", "measurements are")
    said.append(
        f"The {counted(len(drift), 'measurement')} of the reference network deviate from their session's median by "
        f"{percent(change.median())} in the median and {percent(change.max())} at most. "
        f"{sentence(none_or(jumps, 'change'))} from one to the next exceeded the tolerance of {setting(tolerance)}, "
        f"and {marked} flagged."
    )
    blocks.append(
        Picture(
            "drift",
            figures.drift(tables),
            f"Reference network over {counted(drift['session'].nunique(), 'session')}: largest change from a session's "
            f"median {percent(change.max())}, {counted(jumps, 'change')} beyond the tolerance of {setting(tolerance)}.",
            "The reference network is the same in all sessions and measured again and again: what changes is the "
            "device. Vertical lines divide sessions. Where it changed by more than the tolerance from one measurement "
            "to the next (red), what was measured between them was repeated and, if that did not help, flagged. "
            "Triangles at the edge stand for points beyond it.",
        )
    )
    return Section("repeatability", title, said, blocks)


def flagged(tables: DeviceTables, file: str) -> Section:
    """Return the records with a flag, and those without times.

    Args:
        tables: of one device.
        file: name of the file that lists all of them.
    """
    records = tables.conditions
    marked = records[records["flags"] != ""]
    timeless = records[records["outcome"] != "ok"]
    title = "Flagged records"
    if marked.empty and timeless.empty:
        said = [f"None of {counted(len(records), 'record')} is flagged, and all have times."]
        return Section("flagged", title, said)
    lacking = f"{counted(len(timeless), 'record has', 'records have')} no times" if len(timeless) else "all have times"
    said = [
        f"{count(len(marked))} of {counted(len(records), 'record')} are flagged "
        f"({percent(len(marked) / len(records))}), and {lacking}. {file} beside this page lists all of them.",
    ]
    blocks: list[Block] = []
    if len(marked):
        rows = [(flag, sentence(meaning), *_share(marked, flag, len(records))) for flag, meaning in FLAGS.items()]
        heads = (Head("Flag", "text"), Head("What it means", "text"), Head("Records"), Head("Share"))
        blocks.append(Table("Records by flag; one can have several.", heads, [row for row in rows if row[2] != "0"]))
        blocks.append(_records(findings.flagged(marked), "flagged"))
    if len(timeless):
        counts = timeless.groupby([*CONDITION, "outcome"])["hash"].size().to_dict()
        lines = [
            (condition_name(condition), words, count(counts[key]))
            for condition in tables.measured_conditions
            for outcome, words in OUTCOME_WORDS.items()
            if (key := (*astuple(condition), outcome)) in counts
        ]
        columns = (Head("Condition", "text"), Head("Outcome", "text"), Head("Architectures"))
        blocks.append(Table("Records without times.", columns, lines))
    return Section("flagged", title, said, blocks)


def _share(marked: pd.DataFrame, flag: str, total: int) -> tuple[str, str]:
    number = sum(flag in findings.names_of(flags) for flags in marked["flags"])
    return count(number), percent(number / total)


def _records(rows: pd.DataFrame, word: str) -> Table:
    shown = rows.head(FLAGGED_SHOWN)
    lines = [
        (
            row["hash"],
            f"batch {row['batch_size']}, {network_name(row['precision'], row['variant'])}",
            sentence(row["meaning"]),
            ms(row["latency_ms"]),
            percent(row["session_variation"]),
            count(row["sessions"]),
            count(row["disturbed_sessions"]),
        )
        for _, row in shown.iterrows()
    ]
    heads = [Head("Architecture", "text"), Head("Condition", "text"), Head("What was wrong", "text"), Head("Latency")]
    heads += [Head("Variation"), Head("Sessions"), Head("Disturbed")]
    which = f"The {len(shown)} of {count(len(rows))} {word} records whose sessions deviate most"
    caption = which if len(rows) > len(shown) else f"All {word} records, those whose sessions deviate most first"
    return Table(f"{caption}.", heads, lines, folded=f"{sentence(counted(len(shown), word + ' record'))}, one by one")
