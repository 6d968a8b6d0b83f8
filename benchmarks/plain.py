"""What the library does, once more in plain Python: the references that its speed is compared with.

One cell at a time, lists and dictionaries, hashlib and json: how published tools work, and how one would write it
down from the definitions. Tests hold the results of both together; here they are compared for speed.
"""

import base64
import hashlib
import json
import struct
from itertools import product
from pathlib import Path

import google_crc32c

OPERATIONS = ("conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3")

Matrix = list[list[int]]
PlainCell = tuple[Matrix, list[int]]
"""Adjacency matrix, and labels of the inner vertices."""


def parse(adjacency: str, operations: str) -> PlainCell:
    """Return the cell that a row of the table of cells describes."""
    names = operations.split(",")
    size = len(names)
    matrix = [[int(digit) for digit in adjacency[row * size : (row + 1) * size]] for row in range(size)]
    return matrix, [OPERATIONS.index(name) for name in names[1:-1]]


def cell_hash(cell: PlainCell) -> str:
    """Return a cell's MD5 as NAS-Bench-101 defines it."""
    matrix, labels = cell
    size = len(matrix)
    named = [-1, *labels, -2]
    incoming = [[source for source in range(size) if matrix[source][vertex]] for vertex in range(size)]
    outgoing = [[target for target in range(size) if matrix[vertex][target]] for vertex in range(size)]
    hashes = [_md5(str((len(outgoing[v]), len(incoming[v]), named[v]))) for v in range(size)]
    for _ in range(size):
        hashes = [
            _md5(
                "".join(sorted(hashes[source] for source in incoming[vertex]))
                + "|"
                + "".join(sorted(hashes[target] for target in outgoing[vertex]))
                + "|"
                + hashes[vertex]
            )
            for vertex in range(size)
        ]
    return _md5(str(sorted(hashes)))


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def enumerate_cells(max_vertices: int, max_edges: int = 9) -> dict[str, PlainCell]:
    """Return one cell of each isomorphism class by its hash, the first one met."""
    found: dict[str, PlainCell] = {}
    for size in range(2, max_vertices + 1):
        pairs = [(source, target) for target in range(size) for source in range(target)]
        for mask in range(1 << len(pairs)):
            if mask.bit_count() > max_edges:
                continue
            matrix = [[0] * size for _ in range(size)]
            for bit, (source, target) in enumerate(pairs):
                matrix[source][target] = mask >> bit & 1
            if not all(map(any, matrix[:-1])) or not all(
                any(row[vertex] for row in matrix) for vertex in range(1, size)
            ):
                continue
            for labels in product(range(3), repeat=size - 2):
                cell = (matrix, list(labels))
                found.setdefault(cell_hash(cell), cell)
    return found


def prune(cell: PlainCell) -> PlainCell | None:
    """Return a cell without vertices on no path from input to output; None where there is no path."""
    matrix, labels = cell
    size = len(matrix)
    forward, backward = {0}, {size - 1}
    for vertex in range(1, size):
        if any(matrix[source][vertex] and source in forward for source in range(vertex)):
            forward.add(vertex)
    for vertex in range(size - 2, -1, -1):
        if any(matrix[vertex][target] and target in backward for target in range(vertex + 1, size)):
            backward.add(vertex)
    kept = sorted(forward & backward)
    if 0 not in kept:
        return None
    inner = [labels[vertex - 1] for vertex in kept if 0 < vertex < size - 1]
    return [[matrix[source][target] for target in kept] for source in kept], inner


def edits(cell: PlainCell) -> list[PlainCell]:
    """Return the pruned cells one operation or one edge away."""
    matrix, labels = cell
    found = []
    for vertex, label in enumerate(labels):
        for other in range(3):
            if other != label:
                found.append((matrix, [*labels[:vertex], other, *labels[vertex + 1 :]]))
    for source in range(len(matrix)):
        for target in range(source + 1, len(matrix)):
            changed = [list(row) for row in matrix]
            changed[source][target] ^= 1
            found.append((changed, labels))
    pruned = [prune(one) for one in found if sum(map(sum, one[0])) <= 9]
    return [one for one in pruned if one is not None]


def edit_neighbours(cell: PlainCell, row_of: dict[str, int]) -> set[int]:
    """Return the rows of a cell's neighbours under ``edit``."""
    return {row for row in (row_of.get(cell_hash(one), -1) for one in edits(cell)) if row >= 0}


def fewer_edges(cell: PlainCell, row_of: dict[str, int]) -> set[int]:
    """Return the rows of the cells with one edge less on the same vertices: ``hamming_any`` in one direction."""
    matrix, labels = cell
    rows = set()
    for source in range(len(matrix)):
        for target in range(source + 1, len(matrix)):
            if matrix[source][target]:
                changed = [list(row) for row in matrix]
                changed[source][target] = 0
                pruned = prune((changed, labels))
                if pruned is not None and len(pruned[0]) == len(matrix):
                    rows.add(row_of[cell_hash(pruned)])
    return rows


def expanded(cell: PlainCell) -> list[int]:
    """Return the 289 entries of the 17x17 expanded adjacency matrix."""
    matrix, labels = cell
    first = {1: 1, 0: 6, 2: 11}  # 1x1 convolutions, 3x3 convolutions, poolings
    slots = [0]
    for label in labels:
        slots.append(first[label])
        first[label] += 1
    slots.append(16)
    entries = [0] * 289
    for source, row in enumerate(matrix):
        for target, edge in enumerate(row):
            if edge:
                entries[17 * slots[source] + slots[target]] = 1
    return entries


def bits(entries: list[int]) -> int:
    """Return entries of 0 and 1 as the bits of one number."""
    return sum(1 << position for position, entry in enumerate(entries) if entry)


def hamming_neighbours(code: int, row_of_code: dict[int, int]) -> set[int]:
    """Return the rows of the cells whose expanded matrix differs in one bit, trying every bit above the diagonal."""
    rows = set()
    for source in range(17):
        for target in range(17):
            row = row_of_code.get(code ^ (1 << (17 * source + target)))
            if row is not None:
                rows.add(row)
    return rows


def one_hot(cell: PlainCell) -> list[int]:
    """Return 21 edges of the 7-vertex matrix and 5 x 3 operations (NASLib's layout)."""
    matrix, labels = cell
    size = len(matrix)
    wide = [[0] * 7 for _ in range(7)]
    for source, row in enumerate(matrix):
        for target, edge in enumerate(row):
            wide[source][6 if target == size - 1 else target] |= edge
    edges = [wide[source][target] for source in range(7) for target in range(source + 1, 7)]
    order = (2, 0, 1)
    flags = [int(place < len(labels) and labels[place] == label) for place in range(5) for label in order]
    return edges + flags


def paths(cell: PlainCell) -> list[int]:
    """Return which of the 364 sequences of operations lie on a path from input to output."""
    matrix, labels = cell
    found = [0] * 364
    pending = [(0, 0, 1)]
    while pending:
        vertex, index, power = pending.pop()
        for target in range(vertex + 1, len(matrix)):
            if matrix[vertex][target]:
                if target == len(matrix) - 1:
                    found[index] = 1
                else:
                    pending.append((target, index + power * (labels[target - 1] + 1), 3 * power))
    return found


def read_nasbench101(path: Path) -> dict[str, tuple[dict[str, object], dict[int, list[dict[str, float]]]]]:
    """Return the content of a NAS-Bench-101 file as nested dictionaries, as its own reader does."""
    cells: dict[str, tuple[dict[str, object], dict[int, list[dict[str, float]]]]] = {}
    with path.open("rb") as file:
        while header := file.read(12):
            (length,) = struct.unpack_from("<Q", header)
            payload = file.read(length)
            (checksum,) = struct.unpack("<I", file.read(4))
            crc = google_crc32c.value(payload)
            if ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF != checksum:
                raise ValueError("checksum")
            name, epochs, adjacency, operations, metrics = json.loads(payload)
            size = int(len(adjacency) ** 0.5)
            fixed, computed = cells.setdefault(name, ({}, {}))
            evaluations, parameters = _message(base64.b64decode(metrics))
            if not fixed:
                fixed["module_adjacency"] = [
                    [int(digit) for digit in adjacency[row * size : (row + 1) * size]] for row in range(size)
                ]
                fixed["module_operations"] = operations.split(",")
                fixed["trainable_parameters"] = parameters
            half, final = evaluations[1], evaluations[2]
            computed.setdefault(epochs, []).append(
                {f"halfway_{key}": value for key, value in half.items()}
                | {f"final_{key}": value for key, value in final.items()}
            )
    return cells


def _message(content: bytes) -> tuple[list[dict[str, float]], int]:
    """Return evaluations and parameters of a ``ModelMetrics`` message."""
    names = {2: "training_time", 3: "train_accuracy", 4: "validation_accuracy", 5: "test_accuracy"}
    evaluations, parameters, position = [], 0, 0
    while position < len(content):
        tag = content[position]
        position += 1
        if tag & 7 == 2:
            end = position + 1 + content[position]
            inner = position + 1
            values = {}
            while inner < end:
                number = content[inner] >> 3
                (value,) = struct.unpack_from("<d", content, inner + 1)
                if number in names:
                    values[names[number]] = value
                inner += 9
            evaluations.append(values)
            position = end
        elif tag & 7 == 0:
            shift = 0
            while True:
                byte = content[position]
                position += 1
                parameters |= (byte & 127) << shift
                shift += 7
                if byte < 128:
                    break
        else:
            position += 8
    return evaluations, parameters
