"""Importing the EO benchmark of E. Demir's master's thesis (TUM, 2023) from its published files.

450 cells of NAS-Bench-101, the visits of 30 walks, were trained once for 108 epochs on So2Sat LCZ42 and measured on an
A100. What the files call MACs are the parameters in millions; true MACs are computed here.
"""

import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terranas.benchmark.eo_hwnas_files import (
    EPOCHS,
    Measurement,
    PublishedFile,
    Training,
    Visit,
    read_measurements,
    read_trainings,
    read_walks,
)
from terranas.benchmark.imported import ImportedTable, Source
from terranas.benchmark.published import whole_counts
from terranas.benchmark.schema import BENCHMARK
from terranas.benchmark.space_index import SPACE, SPACE_SIZE, SpaceIndex, outside_space_error
from terranas.benchmark.validation import Check, compare, within
from terranas.core.errors import DataError
from terranas.sampling.schema import WALKS
from terranas.space.complexity import NetworkShape
from terranas.space.encodings import expanded_bits

logger = logging.getLogger(__name__)

DATASET = "So2Sat LCZ42"
DEVICE = "NVIDIA A100"
NETWORK = NetworkShape(bands=10, classes=17, image_size=32, stem_channels=128, stacks=3, cells_per_stack=3)
"""The network of the published trainings."""

STEPS_PER_EPOCH = 1_377
"""Optimiser steps: 352,366 training images in batches of 64 on each of 4 GPUs, rounded up."""

TEST_IMAGES = 24_188
"""Test images of So2Sat LCZ42. Every published test micro accuracy is a whole part of them; of 24,119, the images
of the validation split, 2 of 225 are, as chance has it."""

JOB_SECONDS = 6 * 3600
"""Time limit of the jobs that trained."""

A100_FLOPS = 312e12
"""Most floating-point operations per second that the maker states for dense matrices (bfloat16)."""

WALK_LENGTH = 15

SOURCE = Source(
    name="EO-HW-NAS",
    space=SPACE,
    space_size=SPACE_SIZE,
    licence="MIT",
    citation="E. Demir. Landscape Analysis for Multi-Objective Hardware-Aware Neural Architecture Search in Earth "
    "Observation Applications. Master's thesis, Technical University of Munich, 2023.",
    notes=(
        "What the files call MACs is the number of parameters in millions; macs is computed by terranas' closed form "
        "for 10 bands, 17 classes and 32x32 pixels.",
        "latency_ms is the mean, not the median, over the test batches of 64 images on one A100; it includes the copy "
        "from the host to the device, and a smaller last batch.",
        "checkpoint_bytes is the size of the checkpoint file, which holds more than the weights; model_bytes is not "
        "published.",
        "training_seconds is the sum over 108 epochs on four A100.",
        "Training and validation accuracies are those of the last epoch.",
        "Paths of checkpoints are left out.",
    ),
)

PICKLES = ("macro", "micro", "latency", "macs")
FILES = ("walks", "tests", *PICKLES)
"""Names of the six files in :func:`import_eo_hwnas`."""


@dataclass(frozen=True)
class _Published:
    """Content of the files, the measurements by hash."""

    visits: list[Visit]
    tests: dict[str, Measurement]
    pickles: dict[str, dict[str, Training]]


def import_eo_hwnas(files: Mapping[str, PublishedFile], index: SpaceIndex) -> tuple[ImportedTable, pd.DataFrame]:
    """Return the EO benchmark as a benchmark table, and its walks.

    A part of the published walks is welcome, as long as the files agree about the cells.

    Args:
        files: the six files by the names in ``FILES``.
        index: the search space.

    Returns:
        The table, and the walks as a table of the schema ``WALKS``.

    Raises:
        DataError: a file is damaged or none of the published ones, or a cell is not in the space.
    """
    published = _read(files)
    hashes = sorted(published.tests.keys() | set().union(*published.pickles.values()))
    rows = _rows(published, hashes, index, files)
    parameters, macs = index.complexity(rows, NETWORK)
    metrics = _metrics(published, hashes) | {"macs": macs}
    zeros = np.zeros(len(hashes), dtype=np.int64)
    table = index.table(rows, zeros + EPOCHS, zeros, metrics, dataset=DATASET, source=SOURCE.name, device=DEVICE)
    checks = (
        *_cell_checks(published, index),
        *_agreement_checks(published, hashes, parameters),
        *_unit_checks(published, hashes, macs),
    )
    walks = 1 + max(visit.walk for visit in published.visits)
    logger.info("%d cells of %d walks", len(hashes), walks)
    imported = ImportedTable(table, BENCHMARK, SOURCE, checks, {"cells": len(hashes), "walks": walks})
    return imported, _walks_table(published.visits, index)


def _read(files: Mapping[str, PublishedFile]) -> _Published:
    visits = [visit for walk in read_walks(files["walks"]) for visit in walk]
    hash_of: dict[int, str] = {}
    for visit in visits:
        if hash_of.setdefault(visit.id, visit.hash) != visit.hash:
            raise DataError(f"{files['walks'].name} gives the architecture {visit.id} two hashes. Fetch it again.")
    measured = read_measurements(files["tests"])
    if unknown := sorted(measured.keys() - hash_of.keys()):
        raise DataError(
            f"{files['tests'].name} has {len(unknown):,} architectures that no walk of {files['walks'].name} visits, "
            f"the first one is {unknown[0]}, so that their cells are not known. Use the files of one publication."
        )
    return _Published(
        visits,
        {hash_of[number]: measurement for number, measurement in measured.items()},
        {name: read_trainings(files[name], shares=name in ("macro", "micro")) for name in PICKLES},
    )


def _rows(
    published: _Published, hashes: list[str], index: SpaceIndex, files: Mapping[str, PublishedFile]
) -> NDArray[np.int64]:
    """Return the row of each cell in the space, after checking that all cells are there and that graphs fit hashes."""
    named = {visit.hash: visit.id for visit in published.visits}
    everything = sorted({*named, *hashes})
    outside = [name for name in everything if index.row(name) is None]
    if outside:
        first = f"{outside[0][:40]!r}" + (f" (architecture {named[outside[0]]})" if outside[0] in named else "")
        raise outside_space_error("the EO benchmark", len(outside), first, len(everything), index)
    for part, drawings in _drawings(published).items():
        for name, adjacency, operations in drawings:
            try:
                index.require_graph(_row(index, name), adjacency, operations)
            except ValueError as error:
                raise DataError(f"{files[part].name}, {name}: {error}. Fetch the file again.") from error
    return np.array([_row(index, name) for name in hashes], dtype=np.int64)


def _drawings(published: _Published) -> dict[str, list[tuple[str, str, str]]]:
    """Return hash, adjacency and operations of every graph in each file that has graphs."""
    walks = [(visit.hash, visit.adjacency, visit.operations) for visit in published.visits]
    return {"walks": walks} | {
        part: [(name, entry.adjacency, entry.operations) for name, entry in entries.items()]
        for part, entries in published.pickles.items()
    }


def _row(index: SpaceIndex, architecture: str) -> int:
    row = index.row(architecture)
    assert row is not None, architecture
    return row


def _metrics(published: _Published, hashes: list[str]) -> dict[str, NDArray[np.float64]]:
    tests, pickles = published.tests, published.pickles
    metrics = {
        f"{split}_{mean}_accuracy": _values(pickles[mean], hashes, split)
        for mean in ("macro", "micro")
        for split in ("train", "validation")
    }
    return metrics | {
        "test_macro_accuracy": _values(tests, hashes, "macro_accuracy"),
        "test_micro_accuracy": _values(tests, hashes, "micro_accuracy"),
        "training_seconds": _values(pickles["micro"], hashes, "seconds"),
        "parameters": _values(tests, hashes, "parameters"),
        "latency_ms": _values(tests, hashes, "latency_ms"),
        "latency_std_ms": _values(tests, hashes, "latency_std_ms"),
        "checkpoint_bytes": np.round(1024 * _values(tests, hashes, "checkpoint_kib")),
    }


def _values(entries: Mapping[str, Any], hashes: list[str], field: str) -> NDArray[np.float64]:
    """Return a field of the entries of some cells, NaN for those without an entry."""
    return np.array([getattr(entries[name], field) if name in entries else np.nan for name in hashes], dtype=np.float64)


def _cell_checks(published: _Published, index: SpaceIndex) -> list[Check]:
    """Compare ids, drawings and walks with the search space."""
    visits = published.visits
    names = [visit.hash for visit in visits]
    rows = np.array([_row(index, name) for name in names], dtype=np.int64)
    drawings = [drawing for part in _drawings(published).values() for drawing in part]
    same = [index.is_published_drawing(_row(index, name), *graph) for name, *graph in drawings]
    walk = np.array([visit.walk for visit in visits])
    codes = expanded_bits(index.cells(rows))
    moves = np.flatnonzero(walk[1:] == walk[:-1]) + 1
    distance = np.bitwise_count(codes[moves] ^ codes[moves - 1]).sum(axis=1)
    lengths = np.bincount(walk)
    visited = Counter(names)
    return [
        compare("ids are the rank of the hash", [visit.id for visit in visits], index.ids[rows], names),
        compare("graphs are drawn as in the space", same, np.ones(len(same)), [name for name, *_ in drawings]),
        compare(
            f"walks have {WALK_LENGTH} cells",
            lengths,
            np.full(len(lengths), WALK_LENGTH),
            [f"walk {number}" for number in range(len(lengths))],
        ),
        compare("steps lead to Hamming distance 1", distance, np.ones(len(moves)), [names[move] for move in moves]),
        compare(
            "walks visit a cell once",
            [visited[name] for name in names],
            np.ones(len(names)),
            names,
        ),
    ]


def _agreement_checks(published: _Published, hashes: list[str], parameters: NDArray[np.float64]) -> list[Check]:
    """Compare the files with one another, and parameters with the closed form."""
    tests, pickles = published.tests, published.pickles
    every = {"walks": {visit.hash for visit in published.visits}, "tests": tests.keys()} | {
        f"{name} pickle": entries.keys() for name, entries in pickles.items()
    }
    checks = [
        compare(f"all cells are in the {name}", [key in keys for key in hashes], np.ones(len(hashes)), hashes)
        for name, keys in every.items()
    ]
    counted = _values(tests, hashes, "parameters")
    checks.append(compare("parameters equal the closed form", counted, parameters, hashes))
    for name, entries in pickles.items():
        published_parameters = _values(entries, hashes, "parameters")
        checks.append(
            compare(f"parameters of the {name} pickle equal the tests'", published_parameters, counted, hashes)
        )
    for name, field in (("macro", "macro_accuracy"), ("micro", "micro_accuracy"), ("latency", "latency_ms")):
        found, wanted = _values(pickles[name], hashes, "test"), _values(tests, hashes, field)
        checks.append(compare(f"the {name} pickle equals the tests", found, wanted, hashes))
    labels = {"tests": _values(tests, hashes, "macs_label")} | {
        f"{split} slot of the macs pickle": 1e6 * _values(pickles["macs"], hashes, split)
        for split in ("train", "validation", "test")
    }
    for name, found in labels.items():
        # three decimals of a million are published
        checks.append(compare(f"'MACs' of the {name} are parameters", found, counted, hashes, tolerance=500.001))
    seconds = _values(pickles["micro"], hashes, "seconds")
    for name in ("macro", "latency", "macs"):
        other = _values(pickles[name], hashes, "seconds")
        checks.append(compare(f"training time of the {name} pickle equals the micro pickle's", other, seconds, hashes))
    return checks


def _unit_checks(published: _Published, hashes: list[str], macs: NDArray[np.float64]) -> list[Check]:
    """Check what tells a wrong unit: bounds that only a wrong one breaks."""
    tests = published.tests
    kib, parameters = _values(tests, hashes, "checkpoint_kib"), _values(tests, hashes, "parameters")
    latency, spread = _values(tests, hashes, "latency_ms"), _values(tests, hashes, "latency_std_ms")
    seconds = _values(published.pickles["micro"], hashes, "seconds")
    steps = EPOCHS * STEPS_PER_EPOCH
    # forward and backward pass cost three forward passes; a MAC is two operations; each step sees 4 batches of 64
    fastest = steps * 3 * 2 * macs * 64 / A100_FLOPS
    return [
        compare(
            "the last epoch is 107", _values(tests, hashes, "last_epoch"), np.full(len(hashes), EPOCHS - 1), hashes
        ),
        compare(
            "the last step is 148,715", _values(tests, hashes, "last_step"), np.full(len(hashes), steps - 1), hashes
        ),
        whole_counts(
            "test micro accuracy counts whole images", _values(tests, hashes, "micro_accuracy"), TEST_IMAGES, hashes
        ),
        # six decimals of a KiB are published
        compare("checkpoints have whole bytes", 1024 * kib, np.round(1024 * kib), hashes, tolerance=6e-4),
        within("checkpoints hold 32-bit weights and little else", 256 * kib, parameters, 1.5 * parameters, hashes),
        within("a training lasts as long as GPUs and jobs allow", seconds, fastest, JOB_SECONDS, hashes),
        within("a forward pass takes at least what a GPU can", latency, 2e3 * 64 * macs / A100_FLOPS, np.inf, hashes),
        within("a forward pass is no slower than a training step", latency, 0, 1e3 * seconds / steps, hashes),
        within("latencies deviate by less than their mean", spread, 0, latency, hashes),
    ]


def _walks_table(visits: list[Visit], index: SpaceIndex) -> pd.DataFrame:
    rows = np.array([_row(index, visit.hash) for visit in visits], dtype=np.int64)
    return WALKS.validate(
        pd.DataFrame(
            {
                "walk": [visit.walk for visit in visits],
                "step": [visit.step for visit in visits],
                "redraws": 0,
                "hash": [visit.hash for visit in visits],
                "id": index.cells(rows)["id"].array,
            }
        )
    )
