"""What the study's jobs took: wall time, CPU time and memory, by stage and rule, from Snakemake's benchmark files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from terranas.core.formats import MISSING, count, counted, fixed, listed, percent, significant
from terranas.core.logs import format_duration
from terranas.core.page import Head, Section, Table
from terranas.core.records import read_resources, records
from terranas.core.stages import STAGES
from terranas.report.charts import Chart
from terranas.report.origins import runtimes_path

OWN = "report/page.tsv"
"""Benchmark file of the job that writes the pages: what stands there is of the time before."""

_COLUMNS = ("stage", "rule", "wall_seconds", "cpu_seconds", "memory_mb")


def read_runtimes(folder: Path, metadata: Path) -> pd.DataFrame:
    """Return what each job took that left a benchmark file, but for the one that writes the pages.

    Args:
        folder: ``<results>/runtimes``, in it one folder a stage.
        metadata: Snakemake's folder ``.snakemake/metadata``, which says the rule of each job.

    Returns:
        One row a job: ``stage``, ``rule`` (the stage where no record names it), ``wall_seconds``, ``cpu_seconds`` and
        ``memory_mb``, NaN where a job was too short to be looked at.
    """
    paths = sorted(path for path in folder.rglob("*.tsv") if path.relative_to(folder).as_posix() != OWN)
    rules = {}
    for record in records(metadata):
        path = runtimes_path(record)
        if path is not None and path.is_relative_to(folder):
            rules[path] = record.rule
    rows: list[tuple[Any, ...]] = []
    for path in paths:
        used = read_resources(path)
        if used is not None:
            stage = path.relative_to(folder).parts[0]
            rows.append((stage, rules.get(path, stage), used.wall_seconds, used.cpu_seconds, used.memory_mb))
    kinds = {"stage": "object", "rule": "object", "wall_seconds": "float64", "cpu_seconds": "float64"}
    return pd.DataFrame(rows, columns=list(_COLUMNS)).astype(kinds | {"memory_mb": "float64"})


def runtimes_section(jobs: pd.DataFrame) -> tuple[Section, Chart | None]:
    """Return what is said of the jobs, with the chart of the stages; no chart where no job left its time."""
    if jobs.empty:
        return Section("runtimes", "Run times", ["No job left what it took."]), None
    by_stage = jobs.groupby("stage")[["wall_seconds", "cpu_seconds"]].sum()
    order = [stage for stage in STAGES if stage in by_stage.index]
    order += sorted(str(stage) for stage in by_stage.index if stage not in STAGES)
    by_stage = by_stage.loc[order]
    total = by_stage["wall_seconds"].sum()
    longest = str(by_stage["wall_seconds"].idxmax())
    share = by_stage["wall_seconds"].max() / total if total else float("nan")
    measured = jobs.dropna(subset="memory_mb").sort_values("memory_mb")
    sentences = [
        f"{counted(len(jobs), 'job')} took {format_duration(total)} of wall time and "
        f"{format_duration(by_stage['cpu_seconds'].sum())} of CPU time together; {longest} took "
        f"{percent(share, 0)} of the wall time. Jobs that ran side by side count in full, so this is more than one "
        "waited. All of it is measured and differs from run to run. Jobs of earlier settings count while their files "
        "stand in the study's folder; the job that wrote this page does not."
    ]
    if len(measured):
        rule, most = measured["rule"].iloc[-1], measured["memory_mb"].iloc[-1]
        sentences.append(f"The largest job ({rule}) held {count(most)} MiB of memory at its peak.")
    told = listed([f"{stage} {format_duration(seconds)}" for stage, seconds in by_stage["wall_seconds"].items()])
    chart = Chart(
        name="runtimes",
        kind="bars",
        alt=f"Bars of wall and CPU time by stage. Wall time: {told}.",
        caption="Wall time and CPU time of all jobs of each stage, summed. Jobs that ran side by side count in full.",
        data=_chart_data(by_stage),
    )
    return Section("runtimes", "Run times", sentences, [_rules_table(jobs, order)]), chart


def _chart_data(by_stage: pd.DataFrame) -> Mapping[str, Any]:
    series = [
        {"name": name, "values": [round(float(value), 3) for value in by_stage[column]]}
        for name, column in (("wall time", "wall_seconds"), ("CPU time", "cpu_seconds"))
    ]
    return {"categories": list(by_stage.index), "unit": "seconds", "series": series}


def _rules_table(jobs: pd.DataFrame, order: list[str]) -> Table:
    heads = [Head("Rule", "text"), Head("Stage", "text"), Head("Jobs"), Head("Wall time, sum [s]")]
    heads += [Head("CPU time, sum [s]"), Head("Wall time, median [s]"), Head("Wall time, longest [s]")]
    heads.append(Head("Memory, most [MiB]"))
    rows = []
    grouped = {(str(stage), str(rule)): group for (stage, rule), group in jobs.groupby(["stage", "rule"])}
    for (stage, rule), group in sorted(grouped.items(), key=lambda item: order.index(item[0][0])):
        wall = group["wall_seconds"]
        memory = group["memory_mb"].max()
        cpu = group["cpu_seconds"].sum(min_count=1)
        numbers = [fixed(value, 1) for value in (wall.sum(), cpu, wall.median(), wall.max())]
        rows.append((rule, stage, count(len(group)), *numbers, MISSING if pd.isna(memory) else significant(memory, 4)))
    return Table(
        "What the jobs of each rule took, as Snakemake measured it. Memory is the most resident memory of a job's "
        "processes together; a job under a few seconds may have been looked at too late.",
        heads,
        rows,
    )
