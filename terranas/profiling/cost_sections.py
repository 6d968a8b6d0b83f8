"""Sections of a device's page on what costs depend on: computed sizes, conditions, energy and memory."""

import math
from collections.abc import Mapping, Sequence

import pandas as pd

from terranas.core.formats import (
    MISSING,
    SPACE,
    count,
    counted,
    fixed,
    listed,
    percent,
    scaled,
    sentence,
    significant,
    span,
)
from terranas.core.page import Block, Head, Picture, Section, Table
from terranas.profiling import figures, findings
from terranas.profiling.findings import SIZES, Comparison, DeviceTables, Ranking
from terranas.profiling.formats import VARIANT_NAMES, condition_name, correlation, network_name, rate

SWEPT_FROM = 3
"""Batch sizes from which on throughput is drawn over them."""

_SIZE_WORDS = {"macs": "MACs", "parameters": "parameters", "activations": "activations", "depth": "depth"}


def complexity(tables: DeviceTables) -> Section:
    """Return how well computed sizes stand in for the measured latency."""
    title = "Latency against computed cost"
    if tables.timed.empty:
        return Section("complexity", title, ["There are no latencies to compare."])
    found = findings.rank_correlations(tables)
    shown = figures.shown_panels(tables)
    rows = [
        (
            condition_name(condition),
            count(found[condition, "macs"].n),
            *(fixed(found[condition, size].spearman) for size in SIZES),
            fixed(found[condition, "macs"].kendall),
        )
        for condition in tables.measured_conditions
    ]
    parts = [
        f"{condition_name(c)} {correlation(found[c, 'macs'].spearman)} (n = {count(found[c, 'macs'].n)})" for c in shown
    ]
    primary = {size: found[tables.primary, size].spearman for size in SIZES}
    known = {size: value for size, value in primary.items() if not math.isnan(value)}
    said = []
    if known:
        best = max(known, key=lambda size: known[size])
        other = (
            "no other computed size does better"
            if best == "macs"
            else f"of the computed sizes, the highest correlation is that of {_SIZE_WORDS[best]} ({fixed(known[best])})"
        )
        said.append(
            "In the primary condition, MACs rank the architectures as the clock does with a Spearman correlation of "
            f"{fixed(primary['macs'])}; {other}."
        )
    else:
        said.append("In the primary condition, too few architectures differ for a rank correlation.")
    if len(shown) < len([c for c in tables.measured_conditions if len(tables.of(c))]):
        said.append(f"{len(shown)} of the conditions are drawn; the table has all.")
    picture = Picture(
        "complexity",
        figures.latency_against_macs(tables),
        f"Scatter plots of latency against MACs; Spearman's rank correlation: {listed(parts)}.",
        "Multiply-accumulates are computed from the cell (convolutions and the linear layer), latency is measured. "
        "Spearman's ρ and Kendall's τ are 1 where both rank all architectures alike.",
    )
    heads = [Head("Condition", "text"), Head("Architectures")]
    heads += [*(Head(f"{sentence(_SIZE_WORDS[size])}, ρ") for size in SIZES), Head("MACs, τ")]
    caption = "Rank correlation of latency with computed sizes: Spearman's ρ, and Kendall's τ for MACs."
    return Section("complexity", title, said, [picture, Table(caption, heads, rows)])


def energy_and_memory(tables: DeviceTables) -> Section:
    """Return measured energy and memory, as far as they are known."""
    timed = tables.timed
    has_energy, has_memory = timed["energy_mj"].notna().any(), timed["network_memory_bytes"].notna().any()
    is_host = bool((timed["baseline_memory_bytes"] > 0).any())
    said = []
    if has_energy:
        ratio = (timed["energy_mj"] / timed["energy_gross_mj"]).median()
        said.append(
            f"An idle device takes {significant(timed['idle_power_w'].median())}{SPACE}W in the median; without that, "
            f"{percent(ratio, 0)} of the energy remains. Both are kept."
        )
    else:
        said.append("No energy is known: none was to be read, or the device has no counter that can be read.")
    if has_memory:
        said.append(
            "Peak memory is the most that a process of its own had resident; what it had before it built the network "
            "is subtracted here, and both stand in the tables."
            if is_host
            else "Peak memory is that of torch's allocator; the CUDA context itself is not in it."
        )
    else:
        said.append("No peak memory is known.")
    own = tables.of(tables.primary)
    costs = [
        (name, words, unit)
        for name, words, unit in (
            ("energy_mj", "energy an image, without idle (mJ)", 1.0),
            ("network_memory_bytes", "peak memory (MB)", 1e6),
        )
        if own[name].notna().any()
    ]
    blocks: list[Block] = []
    if costs:
        parts = [
            f"{words} from {span(own[name] / unit, significant)}, Spearman correlation with MACs "
            f"{correlation(Ranking.of(own['macs'], own[name]).spearman)}"
            for name, words, unit in costs
        ]
        blocks.append(
            Picture(
                "costs",
                figures.costs_against_macs(tables, costs),
                f"Scatter plots against MACs in the primary condition: {listed(parts)}.",
                f"Measured costs other than time in the primary condition ({condition_name(tables.primary)}).",
            )
        )
    if has_energy or has_memory:
        blocks.append(_cost_table(tables, bool(has_energy)))
    return Section("costs", "Energy and memory", said, blocks)


def _cost_table(tables: DeviceTables, with_energy: bool) -> Table:
    heads = [Head("Condition", "text"), Head("Memory, median"), Head("Memory, most")]
    if with_energy:
        heads += [Head("With energy"), Head("Energy (mJ)"), Head("With idle (mJ)"), Head("Energy and latency, ρ")]
    rows = []
    for condition in tables.measured_conditions:
        own = tables.of(condition)
        memory, known = own["network_memory_bytes"], own.dropna(subset=["energy_mj"])
        row = [condition_name(condition), scaled(memory.median(), "B"), scaled(memory.max(), "B")]
        if with_energy:
            ranking = Ranking.of(known["latency_ms"], known["energy_mj"])
            energies = (known[name].median() for name in ("energy_mj", "energy_gross_mj"))
            row += [count(len(known)), *map(significant, energies), fixed(ranking.spearman)]
        rows.append(row)
    caption = "Peak memory by condition, over the architectures."
    if with_energy:
        caption = (
            "Peak memory and energy an image by condition: medians over the architectures, and how many have an "
            "energy; ρ is Spearman's rank correlation."
        )
    return Table(caption, heads, rows)


def compared_conditions(tables: DeviceTables) -> Section:
    """Return what batch size, precision, folding and graphs bring."""
    title = "Conditions compared"
    if len(tables.measured_conditions) == 1:
        return Section("conditions", title, [f"One condition was measured: {condition_name(tables.primary)}."])
    found = [findings.compare(tables, condition, tables.primary) for condition in tables.measured_conditions]
    rows = [
        (
            condition_name(one.condition) + (" (primary)" if one.condition == tables.primary else ""),
            count(one.ranking.n),
            fixed(one.speed),
            span((one.low, one.high), fixed),
            fixed(one.ranking.spearman),
        )
        for one in found
    ]
    heads = [Head("Condition", "text"), Head("Architectures"), Head("Throughput, times the primary")]
    heads += [Head("5 % to 95 %"), Head("Same ranking, ρ")]
    caption = (
        "Every condition beside the primary one, on the architectures that have times in both: median and spread of "
        "the throughputs' ratio, and Spearman's rank correlation of the latencies."
    )
    blocks: list[Block] = [Table(caption, heads, rows)]
    changes = findings.changes(tables)
    sizes = sorted({size for by_size in changes.values() for size in by_size})
    if len(sizes) > 1:
        blocks.append(_changes_table(tables, changes, sizes))
    own = tables.timed
    own = own[(own["precision"] == tables.primary.precision) & (own["variant"] == tables.primary.variant)]
    if own["batch_size"].nunique() >= SWEPT_FROM:
        blocks.append(_sweep(tables, own.groupby("batch_size")["images_per_second"].median()))
    others = [one for one in found if one.condition != tables.primary and not math.isnan(one.ranking.spearman)]
    said = [f"{sentence(counted(len(found), 'condition'))} were measured."]
    if others:
        lowest = min(others, key=lambda one: one.ranking.spearman)
        said.append(
            "The ranking of the architectures differs most from the primary condition's at "
            f"{condition_name(lowest.condition)}, with a Spearman correlation of {fixed(lowest.ranking.spearman)}."
        )
    return Section("conditions", title, said, blocks)


def _changes_table(
    tables: DeviceTables, changes: Mapping[tuple[str, str], Mapping[int, Comparison]], sizes: Sequence[int]
) -> Table:
    rows = []
    for (name, value), by_size in changes.items():
        entries = [
            f"{fixed(by_size[size].speed)} ({span((by_size[size].low, by_size[size].high), fixed)})"
            if size in by_size and by_size[size].ranking.n
            else MISSING
            for size in sizes
        ]
        base = str(getattr(tables.primary, name))
        rows.append((f"{VARIANT_NAMES.get(value, value)} instead of {VARIANT_NAMES.get(base, base)}", *entries))
    return Table(
        "What one change brings at each batch size, all else as in the primary condition: ratio of the throughputs, "
        "median (5 % to 95 %) over the architectures.",
        [Head("Change", "text"), *(Head(f"Batch {size}") for size in sizes)],
        rows,
    )


def _sweep(tables: DeviceTables, medians: pd.Series) -> Picture:
    parts = [f"{rate(value)} at batch {size}" for size, value in medians.items()]
    return Picture(
        "sweep",
        figures.batch_sweep(tables),
        "Throughput over batch size; median images per second, "
        f"{network_name(tables.primary.precision, tables.primary.variant)}: {listed(parts)}.",
        "Images per second by batch size: medians over the architectures, and the middle half around that of the "
        "primary precision and variant.",
    )
