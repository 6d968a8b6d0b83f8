"""The figure of latency against a cost that is computed."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.ticker import FuncFormatter
from scipy.stats import spearmanr

from terranas.benchmark.schema import metric_name
from terranas.benchmark.tabular import TabularBenchmark
from terranas.core.figures import figure
from terranas.core.formats import counted, fixed, listed, span
from terranas.landscape.figures import (
    Drawing,
    Scale,
    Words,
    architectures,
    axis_name,
    headline,
    say,
    series_style,
    with_prefix,
    with_values,
)

_DENSE = 2_000
"""Dots above which they cover each other, so that they are drawn smaller."""


@contextmanager
def latency_against(benchmark: TabularBenchmark, axis: Literal["macs", "parameters"]) -> Iterator[Drawing]:
    """Draw latency against MACs or parameters, with Spearman's rank correlation.

    Args:
        benchmark: costs; latencies on several devices are drawn in one frame.
        axis: ``macs`` or ``parameters`` (which the published figure of the EO benchmark shows under the name MACs).

    Yields:
        The figure, and columns dataset, device, hash, the axis and latency_ms of the architectures that have both.
    """
    numbers = _latencies(benchmark, axis)
    known = numbers.dropna()
    devices = numbers["device"].unique().tolist()
    with figure(5.2, 4.2) as (drawn, axes):
        correlations = []
        for place, device in enumerate(devices):
            part = known[known["device"] == device]
            few = len(part) <= _DENSE
            axes.scatter(
                part[axis],
                part["latency_ms"],
                s=18 if few else 4,
                marker="osD^vP"[place % 6],
                color=series_style(place)["color"],
                alpha=0.6 if few else 0.25,
                linewidths=0,
                label=f"{device or 'no device'} (n = {len(part):,})",
                rasterized=not few,
            )
            correlations.append(_spearman(part, axis))
        axes.xaxis.set_major_formatter(FuncFormatter(with_prefix))
        axes.set_xlabel(axis_name(axis))
        axes.set_ylabel("latency of a batch (ms)")
        axes.set_ylim(bottom=0)
        axes.set_xlim(left=0)
        if known.empty:
            say(axes, f"no architecture has both\na latency and {metric_name(axis)}")
        axes.set_title(f"Spearman's rank correlation {', '.join(correlations)}")
        used = known["hash"].nunique()
        headline(
            drawn,
            f"Latency against {'multiply-accumulates (MACs)' if axis == 'macs' else axis_name(axis)}",
            f"networks for {benchmark.dataset}, on {', '.join(filter(None, devices)) or 'no device'}",
            architectures(used, len(benchmark) - used, "without a latency", plural=""),
        )
        if len(devices) > 1:
            drawn.legend(loc="outside lower center", ncols=2)
        yield drawn, known


def latency_words(benchmark: TabularBenchmark, axis: Literal["macs", "parameters"], measured: str = "") -> Words:
    """Return the texts of :func:`latency_against`.

    Args:
        benchmark: as for the figure.
        axis: as for the figure.
        measured: what was measured, such as "Median time of a forward pass of 64 images".
    """
    numbers = _latencies(benchmark, axis)
    known = numbers.dropna()
    name = metric_name(axis)
    if known.empty:
        text = f"no architecture of {len(benchmark):,} has both a latency and {name}"
        return f"An empty frame: {text}.", f"There is no latency to show: {text}."
    parts = []
    devices = [device for device in numbers["device"].unique() if device]
    for device in known["device"].unique().tolist():
        part = known[known["device"] == device]
        parts.append(
            (f"on {device} " if len(devices) > 1 else "")
            + f"{span(part['latency_ms'], Scale(1.0, 'ms').text)}, Spearman's rank "
            f"correlation {_spearman(part, axis)}"
        )
    return (
        f"Scatter plot of latency against {name} of {counted(known['hash'].nunique(), 'architecture')}; latency "
        f"{'; '.join(parts)}.",
        f"{measured or 'Time of a forward pass of a batch'}{f' on {listed(devices)}' if devices else ''} against "
        f"{axis_name(axis)}: {'; '.join(parts)}. A correlation of 1 would mean that the computed cost ranks "
        "architectures exactly as the clock does.",
    )


def _latencies(benchmark: TabularBenchmark, axis: str) -> pd.DataFrame:
    """Return latency and axis of each architecture on each device."""
    names = with_values(benchmark, "latency_ms")
    parts = []
    for name in names or ["latency_ms" if "latency_ms" in benchmark.metrics else ""]:
        present = [column for column in (axis, name) if column.partition("@")[0] in benchmark.metrics]
        values = dict(zip(present, benchmark.values(present).T, strict=True)) if present else {}
        parts.append(
            pd.DataFrame(
                {
                    "dataset": benchmark.dataset,
                    "device": name.partition("@")[2] or benchmark.device,
                    "hash": benchmark.architectures,
                    axis: values.get(axis, np.nan),
                    "latency_ms": values.get(name, np.nan),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def _spearman(known: pd.DataFrame, axis: str) -> str:
    if known[axis].nunique() < 2 or known["latency_ms"].nunique() < 2:
        return "undefined"
    return f"{fixed(float(spearmanr(known[axis], known['latency_ms']).statistic))} (n = {len(known):,})"
