"""How far latencies on this processor can be trusted: measured again, and beside torch's timer.

    python benchmarks/profiling.py [--threads 1] [--cells 12] [--study 91] [--rounds 5]

Four questions, each answered in processes of their own:

- order: architectures at least 1.5 times apart in MACs, measured twice by the quick protocol, in two processes and two
  orders. Kendall's tau between the two runs' latencies should be above 0.8.
- timer: a plain matrix product by the CPU device beside ``torch.utils.benchmark.Timer``, in turns within one process.
  The medians should be within 10 %.
- overhead: what a run of an empty network takes.
- study: the default study's architectures by the quick protocol, from the start of the process to its end, and how much
  of that is not timed runs. The goal is 60 s on two cores.

Run it on a machine that does nothing else: what others did meanwhile is printed as flags and repeated measurements.
"""

import platform
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from measure import measured, parser_of, seconds, show
from scipy.stats import kendalltau

from terranas.config import load_config
from terranas.core.randomness import generator
from terranas.profiling.devices import open_device
from terranas.profiling.measurement import Workbench
from terranas.profiling.session import measure_session
from terranas.profiling.settings import Settings
from terranas.profiling.store import RecordStore
from terranas.space.cell import Cell
from terranas.space.complexity import NetworkShape
from terranas.space.table import cells_table

APART = 1.5
"""Ratio of the MACs of two architectures next to each other in the comparison of orders."""

SPACED_NETWORK = NetworkShape(bands=10, classes=17, image_size=32, stem_channels=64, stacks=3, cells_per_stack=3)
"""Wide enough for 12 cells of at most 6 vertices that are so far apart; narrower ones differ by less."""

STUDY_NETWORK = NetworkShape(bands=10, classes=17, image_size=32, stem_channels=8, stacks=3, cells_per_stack=1)
"""That of the default study."""

TAU_GOAL, TIMER_GOAL, STUDY_GOAL = 0.8, 0.1, 60.0


def settings_of(threads: int, **changed: Any) -> Settings:
    """Return the quick protocol with changes."""
    config = load_config({"profiling": {"protocol": "quick", "threads": threads, **changed}})
    return Settings.of_config(config.model_dump(mode="json")["profiling"])


def spaced_cells(count: int, vertices: int = 6) -> list[tuple[str, str, int]]:
    """Return adjacency, operations and MACs of so many cells, each with at least 1.5 times the MACs of the one before.

    Args:
        count: cells wanted; fewer come where the space ends.
        vertices: largest number of vertices.
    """
    cells = cells_table(vertices, 9, SPACED_NETWORK).sort_values("macs")
    macs = cells["macs"].to_numpy()
    found, place = [], 0
    while place < len(cells) and len(found) < count:
        row = cells.iloc[place]
        found.append((str(row["adjacency"]), str(row["operations"]), int(row["macs"])))
        place = int(np.searchsorted(macs, APART * macs[place]))
    return found


def latencies(cells: list[tuple[str, str, int]], threads: int, batch: int, order: int) -> tuple[list[float], int]:
    """Measure cells in a random order; return their medians in ms, in the order given, and how many were flagged."""
    settings = settings_of(threads, batch_sizes=[batch])
    medians, flagged = {}, 0
    with Workbench(open_device("cpu", threads), SPACED_NETWORK, settings, 0, {}) as workbench:
        for place in generator(order, "benchmark.order").permutation(len(cells)).tolist():
            adjacency, operations, _ = cells[place]
            found = workbench.measure(Cell.from_strings(adjacency, operations), settings.primary)
            medians[place] = float(np.median(found.samples))
            flagged += bool(found.flags)
    return [medians[place] for place in range(len(cells))], flagged


def beside_timer(threads: int, size: int, rounds: int, least: float) -> tuple[float, float]:
    """Return the median seconds of a matrix product by the CPU device and by torch's timer, taken in turns.

    Args:
        threads: of torch.
        size: rows and columns of the matrices.
        rounds: turns of each.
        least: seconds that a turn takes at least.
    """
    from torch.utils.benchmark import Timer

    device = open_device("cpu", threads)
    drawing = torch.Generator().manual_seed(0)
    left, right = (torch.randn(size, size, generator=drawing) for _ in range(2))
    timer = Timer("left @ right", globals={"left": left, "right": right}, num_threads=threads)
    count = max(10, int(least / timer.timeit(10).median))
    ours, theirs = [], []
    with torch.inference_mode():
        for _ in range(rounds):
            ours.append(float(np.median(device.time_runs(lambda: left @ right, count))) / 1e3)
            theirs.append(timer.blocked_autorange(min_run_time=least).median)
    return statistics.median(ours), statistics.median(theirs)


def overhead(threads: int) -> float:
    """Return the median seconds of a run of the empty network."""
    settings = settings_of(threads)
    with Workbench(open_device("cpu", threads), STUDY_NETWORK, settings, 0, {}) as workbench:
        return float(np.median(workbench.measure(None, settings.primary).samples)) / 1e3


def study(count: int, threads: int, folder: str) -> dict[str, float]:
    """Measure so many of the default study's architectures in one session; return how it went.

    Returns:
        Seconds of ``timed`` runs and of those before (``warmup``, from the medians), and the numbers of all
        ``measurements``, of ``repeated`` ones and of those kept although they are ``flagged``.
    """
    settings = settings_of(threads)
    rows = cells_table(4, 9, STUDY_NETWORK).head(count)
    cells = {row.hash: Cell.from_strings(row.adjacency, row.operations) for row in rows.itertuples()}
    device = open_device("cpu", threads)
    with Workbench(device, STUDY_NETWORK, settings, 0, {}) as workbench:
        result = measure_session(cells, workbench, settings, 0, device, RecordStore(Path(folder) / "records"))
    made = result.tables.measurements
    accepted = made["is_accepted"]
    return {
        "timed": result.tables.samples["latency_ms"].sum() / 1e3,
        "warmup": (made["latency_ms"] * settings.warmup_runs).sum() / 1e3,
        "measurements": len(made),
        "repeated": int((made["attempt"] > 0).sum()),
        "flagged": int((accepted & (made["flags"] != "")).sum()),
    }


def met(reached: bool) -> str:
    """Return whether a goal was met."""
    return "met" if reached else "not met"


def main() -> None:
    """Print one table."""
    parser = parser_of(__doc__)
    parser.add_argument("--threads", type=int, default=1, help="threads of torch")
    parser.add_argument("--cells", type=int, default=12, help="architectures whose order is compared")
    parser.add_argument("--vertices", type=int, default=6, help="largest number of vertices of these")
    parser.add_argument("--batch", type=int, default=4, help="images in a batch of these")
    parser.add_argument("--size", type=int, default=512, help="rows of the matrices")
    parser.add_argument("--rounds", type=int, default=5, help="turns of the matrix product")
    parser.add_argument("--least", type=float, default=0.5, help="seconds of each turn")
    parser.add_argument("--study", type=int, default=91, help="architectures of the default study to measure")
    options = parser.parse_args()
    threads = options.threads
    print(f"{platform.machine()}; torch {torch.__version__}, {threads} threads")

    cells = spaced_cells(options.cells, options.vertices)
    first, second = (measured(latencies, cells, threads, options.batch, run, runs=1).result for run in (0, 1))
    tau = float(kendalltau(first[0], second[0]).statistic)
    apart = max(abs(one / other - 1) for one, other in zip(first[0], second[0], strict=True))
    rows = [
        [
            f"order of {len(cells)} cells, Kendall's tau",
            f"{tau:.3f}",
            f"above {TAU_GOAL}: {met(tau > TAU_GOAL)}",
            f"{cells[0][2] / 1e6:.0f} to {cells[-1][2] / 1e6:.0f} MMAC, {min(first[0]):.2f} to {max(first[0]):.2f} ms; "
            f"medians up to {100 * apart:.0f} % apart; {first[1] + second[1]} of {2 * len(cells)} flagged",
        ]
    ]
    ours, theirs = measured(beside_timer, threads, options.size, options.rounds, options.least, runs=1).result
    rows.append(
        [
            f"matrix product of {options.size}, over torch's timer",
            f"{ours / theirs:.3f}",
            f"within {100 * TIMER_GOAL:.0f} %: {met(abs(ours / theirs - 1) <= TIMER_GOAL)}",
            f"{seconds(ours)} and {seconds(theirs)}",
        ]
    )
    rows.append(["empty network, a run", seconds(measured(overhead, threads, runs=1).result), "", ""])
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        found = measured(study, options.study, threads, folder, runs=1).result
        took = time.perf_counter() - start
    rows.append(
        [
            f"default study, {options.study} cells",
            seconds(took),
            f"under {STUDY_GOAL:.0f} s: {met(took < STUDY_GOAL)}",
            f"{100 * (1 - found['timed'] / took):.0f} % are not timed runs; timed runs {seconds(found['timed'])}, "
            f"warm-up {seconds(found['warmup'])}; {found['measurements']:.0f} measurements, {found['repeated']:.0f} "
            f"of them repeated ones, {found['flagged']:.0f} kept with a flag",
        ]
    )
    show(["what", "measured", "goal", "beside it"], rows, options.json)


if __name__ == "__main__":
    main()
