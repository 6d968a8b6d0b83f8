"""What terranas finds beside the claims on search space and sampling."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from terranas.benchmark.validation import Check
from terranas.core.formats import count, fixed, percent, scaled
from terranas.report.published.claim import Finding, Verdict, agrees
from terranas.report.published.inputs import Inputs
from terranas.space.batch import CellBatch
from terranas.space.complexity import CIFAR10_NETWORK, complexity_of, vertex_channels
from terranas.space.neighbours import build_neighbours

POOLING = 2
"""Label of max-pooling, which normalises nothing."""


def cells_counted(inputs: Inputs) -> Finding:
    """Count all cells (S1)."""
    found = len(inputs.cells)
    return Finding(count(found), agrees(found == 423_624))


def small_cells_counted(inputs: Inputs) -> Finding:
    """Compare the cells of at most 4 and 5 vertices with those in EC-NAS-Bench's files (S2)."""
    vertices = inputs.cells["num_vertices"]
    ours = {most: set(inputs.cells["hash"][vertices <= most]) for most in (4, 5)}
    same = all(inputs.ec_nas_hashes(most) == hashes for most, hashes in ours.items())
    up_to = ", ".join(f"{most}: {count((vertices <= most).sum())}" for most in range(2, 8))
    return Finding(
        " and ".join(count(len(hashes)) for hashes in ours.values()) + f" (at most so many vertices: {up_to})",
        agrees(same),
        "hash for hash" if same else "the files name other cells",
    )


def walks_counted(inputs: Inputs) -> Finding:
    """Count the published visits and check their steps (S3)."""
    ids = inputs.visits
    unique = len(np.unique(ids))
    moves = inputs.eo.checks["steps lead to Hamming distance 1"]
    return Finding(
        f"{len(ids)} + {ids.shape[1] - 1} × {len(ids)} = {unique} different cells in the files at hand; "
        f"{moves.compared - moves.disagreeing} of {moves.compared} steps at distance 1",
        agrees(unique == ids.size and not moves.disagreeing),
        f"in the {len(ids)} walks at hand",
    )


def steps_by_id(inputs: Inputs) -> Finding:
    """Count the published steps that lead to the lowest id among the unvisited neighbours (S4)."""
    graph = build_neighbours(inputs.cells, "hamming")
    lowest, expected, steps = 0, 0.0, 0
    for walk in inputs.visits.tolist():
        visited = {walk[0]}
        for here, there in pairwise(walk):
            free = sorted(set(graph.neighbours(here).tolist()) - visited)
            lowest += free[0] == there
            expected += 1 / len(free)
            steps += 1
            visited.add(there)
    return Finding(
        "each unvisited neighbour is equally likely",
        "contradicted" if lowest > 2 * expected else "agrees",
        "the published walks were not drawn at random" if lowest > 2 * expected else "",
        f"{lowest} of {steps} published steps lead to the lowest id; random steps would do so {fixed(expected, 0)} "
        "times on average",
    )


def expandable_cells(inputs: Inputs) -> Finding:
    """Count the cells that searches can go on from (S5)."""
    vertices = inputs.cells["num_vertices"]
    everything, full = len(vertices), int((vertices == 7).sum())
    # input -> output alone has no operation to change and no edge to spare; every other cell has
    inner = int((vertices > 2).sum())
    return Finding(
        f"{count(everything)} predicted; {count(inner)} have neighbours",
        agrees(everything == 423_624),
        "but the released code cannot go on from "
        f"{count(everything - full)} of them ({percent(1 - full / everything)})",
        f"{count(full)} have neighbours",
    )


def parameters_compared(inputs: Inputs) -> Finding:
    """Compare published parameters with the closed form (S6)."""
    return Finding(*_compared(inputs.eo.checks["parameters equal the closed form"]))


def macs_compared(inputs: Inputs) -> Finding:
    """Compare the published MACs with parameters and with true MACs (S7)."""
    check = inputs.eo.checks["'MACs' of the tests are parameters"]
    macs, parameters = inputs.eo.benchmark.values(["macs", "parameters"]).T
    text = _compared(check)[0]
    return Finding(
        f"true MACs: {scaled(macs.mean())} on average, {scaled(macs.min())} to {scaled(macs.max())}",
        "contradicted",
        "it holds parameters" if not check.disagreeing else "it holds neither MACs nor parameters",
        f"parameters: {scaled(parameters.mean())} on average; {text}",
    )


def operations_compared(inputs: Inputs) -> Finding:
    """Compare NAS-Bench-101's FLOPs with the closed form (S8)."""
    batch = CellBatch.from_table(inputs.cells)
    _, macs = complexity_of(batch, CIFAR10_NETWORK)
    expected = macs + 2 * _normalised(batch)
    same = int((inputs.cifar10["flops"].to_numpy() == expected).sum())
    return Finding(f"{count(same)} of {count(len(batch))} equal", agrees(same == len(batch)))


def _normalised(batch: CellBatch) -> NDArray[np.int64]:
    """Return the elements that batch normalisation passes over in NAS-Bench-101's network, shape (cells,)."""
    shape = CIFAR10_NETWORK
    elements = np.full(len(batch), shape.image_size**2 * shape.stem_channels, dtype=np.int64)
    for vertices, rows in batch.groups():
        adjacency = batch.adjacency[rows, :vertices, :vertices]
        convolves = batch.labels[rows, : vertices - 2] != POOLING
        for stack in range(shape.stacks):
            widths = vertex_channels(adjacency, shape.stack_channels(stack))
            in_cell = (convolves * widths[:, 1:-1]).sum(axis=1) + (adjacency[:, 0] * widths).sum(axis=1)
            elements[rows] += shape.cells_per_stack * shape.stack_size(stack) ** 2 * in_cell
    return elements


def _compared(check: Check) -> tuple[str, Verdict]:
    return f"{count(check.compared - check.disagreeing)} of {count(check.compared)} equal", agrees(
        not check.disagreeing
    )


FINDINGS = {
    "S1": cells_counted,
    "S2": small_cells_counted,
    "S3": walks_counted,
    "S4": steps_by_id,
    "S5": expandable_cells,
    "S6": parameters_compared,
    "S7": macs_compared,
    "S8": operations_compared,
}
"""What is computed beside each claim of the topic."""
