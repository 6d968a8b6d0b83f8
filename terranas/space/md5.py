"""NAS-Bench-101's MD5 of many cells, compiled.

Hashing 423,624 cells takes some 25 million MD5 digests of short texts; through ``hashlib`` that is more than a minute.
MD5 itself follows Rivest, RFC 1321; the texts hashed are those of :attr:`terranas.space.cell.Cell.hash`.
"""

import numba as nb
import numpy as np
from numpy.typing import NDArray

from terranas.space.batch import CellBatch

# RFC 1321, sections 3.3 and 3.4: the sine table and the initial state
_SINES = np.array([int(abs(np.sin(step + 1)) * 2**32) for step in range(64)], dtype=np.uint32)
_START = np.array([0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476], dtype=np.uint32)
_HEX = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)

# longest text: the list of 7 quoted hashes, 252 characters; with padding and length that is 5 blocks of 64 bytes
_BUFFER_BYTES = 320


def cell_hashes(batch: CellBatch) -> list[str]:
    """Return the MD5 of each cell as 32 hex digits; equal to :attr:`terranas.space.cell.Cell.hash`.

    Args:
        batch: pruned cells.
    """
    text = _digests(batch.adjacency, batch.labels, batch.num_vertices).tobytes().hex()
    return [text[start : start + 32] for start in range(0, len(text), 32)]


@nb.njit(cache=True, inline="always")
def _step(mixed, a, b, word, sine, rotation):  # type: ignore[no-untyped-def]
    """Return the new value of the register ``a`` after one step; sums of uint32 wrap around."""
    total = np.uint32(np.uint32(a + np.uint32(mixed)) + np.uint32(word + sine))
    turned = np.uint32(total << np.uint32(rotation)) | np.uint32(total >> np.uint32(32 - rotation))
    return np.uint32(b + np.uint32(turned))


@nb.njit(cache=True)
def _md5(buffer: NDArray[np.uint8], length: int, digest: NDArray[np.uint8]) -> None:
    """Write the MD5 of the first ``length`` bytes of ``buffer`` into ``digest`` (16 bytes); pads in the buffer."""
    blocks = (length + 8) // 64 + 1
    buffer[length] = 0x80
    for position in range(length + 1, blocks * 64 - 8):
        buffer[position] = 0
    bits = length * 8
    for position in range(8):
        buffer[blocks * 64 - 8 + position] = (bits >> (8 * position)) & 0xFF
    words = buffer.view(np.uint32)
    state_a, state_b, state_c, state_d = _START[0], _START[1], _START[2], _START[3]
    for block in range(blocks):
        word = words[block * 16 : block * 16 + 16]
        a, b, c, d = state_a, state_b, state_c, state_d
        # four steps at a time: the four registers are back in their places, and rotations are constants
        for i in range(0, 16, 4):
            a = _step((b & c) | (~b & d), a, b, word[i], _SINES[i], 7)
            d = _step((a & b) | (~a & c), d, a, word[i + 1], _SINES[i + 1], 12)
            c = _step((d & a) | (~d & b), c, d, word[i + 2], _SINES[i + 2], 17)
            b = _step((c & d) | (~c & a), b, c, word[i + 3], _SINES[i + 3], 22)
        for i in range(0, 16, 4):
            a = _step((d & b) | (~d & c), a, b, word[(5 * i + 1) & 15], _SINES[16 + i], 5)
            d = _step((c & a) | (~c & b), d, a, word[(5 * i + 6) & 15], _SINES[17 + i], 9)
            c = _step((b & d) | (~b & a), c, d, word[(5 * i + 11) & 15], _SINES[18 + i], 14)
            b = _step((a & c) | (~a & d), b, c, word[(5 * i) & 15], _SINES[19 + i], 20)
        for i in range(0, 16, 4):
            a = _step(b ^ c ^ d, a, b, word[(3 * i + 5) & 15], _SINES[32 + i], 4)
            d = _step(a ^ b ^ c, d, a, word[(3 * i + 8) & 15], _SINES[33 + i], 11)
            c = _step(d ^ a ^ b, c, d, word[(3 * i + 11) & 15], _SINES[34 + i], 16)
            b = _step(c ^ d ^ a, b, c, word[(3 * i + 14) & 15], _SINES[35 + i], 23)
        for i in range(0, 16, 4):
            a = _step(c ^ (b | ~d), a, b, word[(7 * i) & 15], _SINES[48 + i], 6)
            d = _step(b ^ (a | ~c), d, a, word[(7 * i + 7) & 15], _SINES[49 + i], 10)
            c = _step(a ^ (d | ~b), c, d, word[(7 * i + 14) & 15], _SINES[50 + i], 15)
            b = _step(d ^ (c | ~a), b, c, word[(7 * i + 21) & 15], _SINES[51 + i], 21)
        state_a = np.uint32(state_a + a)
        state_b = np.uint32(state_b + b)
        state_c = np.uint32(state_c + c)
        state_d = np.uint32(state_d + d)
    result = digest.view(np.uint32)
    result[0], result[1], result[2], result[3] = state_a, state_b, state_c, state_d


@nb.njit(cache=True)
def _put_hex(buffer: NDArray[np.uint8], position: int, digest: NDArray[np.uint8]) -> int:
    """Write a digest as 32 hex digits and return the position behind them."""
    for byte in range(16):
        buffer[position + 2 * byte] = _HEX[digest[byte] >> 4]
        buffer[position + 2 * byte + 1] = _HEX[digest[byte] & 15]
    return position + 32


@nb.njit(cache=True)
def _less(left: NDArray[np.uint8], right: NDArray[np.uint8]) -> bool:
    """Return whether a digest comes before another; hex digits sort as the bytes do."""
    for byte in range(16):
        if left[byte] != right[byte]:
            return bool(left[byte] < right[byte])
    return False


@nb.njit(cache=True)
def _sort(order: NDArray[np.int64], count: int, digests: NDArray[np.uint8]) -> None:
    """Sort the first ``count`` vertices of ``order`` by their digests (insertion sort: there are at most 7)."""
    for i in range(1, count):
        vertex = order[i]
        j = i
        while j > 0 and _less(digests[vertex], digests[order[j - 1]]):
            order[j] = order[j - 1]
            j -= 1
        order[j] = vertex


@nb.njit(cache=True)
def _put_start(buffer: NDArray[np.uint8], out_degree: int, in_degree: int, label: int) -> int:
    """Write the text ``(out_degree, in_degree, label)`` and return its length; all numbers have one digit."""
    length = 0
    buffer[length] = 40  # (
    buffer[length + 1] = 48 + out_degree
    buffer[length + 2] = 44  # comma
    buffer[length + 3] = 32  # space
    buffer[length + 4] = 48 + in_degree
    buffer[length + 5] = 44
    buffer[length + 6] = 32
    length += 7
    if label < 0:
        buffer[length] = 45  # minus
        length += 1
    buffer[length] = 48 + abs(label)
    buffer[length + 1] = 41  # )
    return length + 2


@nb.njit(cache=True)
def _put_neighbours(
    buffer: NDArray[np.uint8],
    position: int,
    edges: NDArray[np.uint8],
    vertices: int,
    digests: NDArray[np.uint8],
    order: NDArray[np.int64],
) -> int:
    """Write the sorted hashes of the vertices marked in ``edges`` and a bar; return the position behind it."""
    count = 0
    for other in range(vertices):
        if edges[other]:
            order[count] = other
            count += 1
    _sort(order, count, digests)
    for i in range(count):
        position = _put_hex(buffer, position, digests[order[i]])
    buffer[position] = 124  # |
    return position + 1


@nb.njit(cache=True)
def _digests(
    adjacency: NDArray[np.uint8], labels: NDArray[np.int8], num_vertices: NDArray[np.int64]
) -> NDArray[np.uint8]:
    """Return the MD5 of each cell, shape (cells, 16)."""
    cells = len(adjacency)
    result = np.empty((cells, 16), dtype=np.uint8)
    buffer = np.empty(_BUFFER_BYTES, dtype=np.uint8)
    order = np.empty(7, dtype=np.int64)
    old = np.empty((7, 16), dtype=np.uint8)
    new = np.empty((7, 16), dtype=np.uint8)
    for cell in range(cells):
        vertices = num_vertices[cell]
        matrix = adjacency[cell]
        for vertex in range(vertices):
            label = -1 if vertex == 0 else -2 if vertex == vertices - 1 else int(labels[cell, vertex - 1])
            length = _put_start(buffer, matrix[vertex].sum(), matrix[:, vertex].sum(), label)
            _md5(buffer, length, old[vertex])
        for _ in range(vertices):
            for vertex in range(vertices):
                length = _put_neighbours(buffer, 0, matrix[:, vertex], vertices, old, order)
                length = _put_neighbours(buffer, length, matrix[vertex], vertices, old, order)
                length = _put_hex(buffer, length, old[vertex])
                _md5(buffer, length, new[vertex])
            old, new = new, old
        for vertex in range(vertices):
            order[vertex] = vertex
        _sort(order, vertices, old)
        length = 0
        for i in range(vertices):
            buffer[length] = 91 if i == 0 else 32  # [ or space
            buffer[length + 1] = 39  # '
            length = _put_hex(buffer, length + 2, old[order[i]])
            buffer[length] = 39
            buffer[length + 1] = 93 if i == vertices - 1 else 44  # ] or comma
            length += 2
        _md5(buffer, length, result[cell])
    return result
