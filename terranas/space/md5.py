"""NAS-Bench-101's MD5 of many cells, compiled.

Hashing 423,624 cells takes some 24 million MD5 digests of short texts; through ``hashlib``, that
takes half a minute (benchmarks/README.md).
Here the texts of many cells are digested side by side, one in each lane of the processor's vectors. MD5 itself follows
Rivest, RFC 1321; the texts are those of :attr:`terranas.space.cell.Cell.hash`.

A text is kept in 64-bit words, first character in the lowest byte, and so is a hash: 32 hex digits, 4 words.
"""

import numba as nb
import numpy as np
from numpy.typing import NDArray

from terranas.space.batch import CellBatch

# RFC 1321, sections 3.3 and 3.4: the sine table and the initial state
_SINES = np.array([int(abs(np.sin(step + 1)) * 2**32) for step in range(64)], dtype=np.uint32)
_START = np.array([0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476], dtype=np.uint32)

# longest text: the list of 7 quoted hashes, 252 characters; with padding and length that is 5 blocks of 64 bytes
_MOST_BLOCKS = 5
_CELLS = 64  # digested side by side: enough lanes for any processor, and few enough for its cache


def cell_hashes(batch: CellBatch) -> list[str]:
    """Return the MD5 of each cell as 32 hex digits; equal to :attr:`terranas.space.cell.Cell.hash`.

    Args:
        batch: pruned cells.
    """
    digests = np.empty((len(batch), 4), dtype="<u4")
    for vertices, rows in batch.groups():
        digests[rows] = _digests(batch.adjacency[rows], batch.labels[rows], vertices)
    text = digests.tobytes().hex()
    return [text[start : start + 32] for start in range(0, len(text), 32)]


@nb.njit(cache=True, inline="always")
def _step(mixed, a, b, word, sine, rotation):  # type: ignore[no-untyped-def]
    """Return the new value of the register ``a`` after one step; sums of uint32 wrap around."""
    total = np.uint32(np.uint32(a + np.uint32(mixed)) + np.uint32(word + sine))
    turned = np.uint32(total << np.uint32(rotation)) | np.uint32(total >> np.uint32(32 - rotation))
    return np.uint32(b + np.uint32(turned))


@nb.njit(cache=True)
def _compress(words: NDArray[np.uint32], state: NDArray[np.uint32], lanes: int) -> None:
    """Take one block of 16 words into the state of each of the first lanes.

    Args:
        words: shape (16, at least lanes).
        state: shape (4, at least lanes).
        lanes: how many texts have this block.
    """
    # nothing in the body depends on another lane, and inner loops unroll: the compiler makes vectors of the lanes
    for lane in range(lanes):
        a, b, c, d = state[0, lane], state[1, lane], state[2, lane], state[3, lane]
        # four steps at a time: the four registers are back in their places, and rotations are constants
        for i in range(0, 16, 4):
            a = _step((b & c) | (~b & d), a, b, words[i, lane], _SINES[i], 7)
            d = _step((a & b) | (~a & c), d, a, words[i + 1, lane], _SINES[i + 1], 12)
            c = _step((d & a) | (~d & b), c, d, words[i + 2, lane], _SINES[i + 2], 17)
            b = _step((c & d) | (~c & a), b, c, words[i + 3, lane], _SINES[i + 3], 22)
        for i in range(0, 16, 4):
            a = _step((d & b) | (~d & c), a, b, words[(5 * i + 1) & 15, lane], _SINES[16 + i], 5)
            d = _step((c & a) | (~c & b), d, a, words[(5 * i + 6) & 15, lane], _SINES[17 + i], 9)
            c = _step((b & d) | (~b & a), c, d, words[(5 * i + 11) & 15, lane], _SINES[18 + i], 14)
            b = _step((a & c) | (~a & d), b, c, words[(5 * i) & 15, lane], _SINES[19 + i], 20)
        for i in range(0, 16, 4):
            a = _step(b ^ c ^ d, a, b, words[(3 * i + 5) & 15, lane], _SINES[32 + i], 4)
            d = _step(a ^ b ^ c, d, a, words[(3 * i + 8) & 15, lane], _SINES[33 + i], 11)
            c = _step(d ^ a ^ b, c, d, words[(3 * i + 11) & 15, lane], _SINES[34 + i], 16)
            b = _step(c ^ d ^ a, b, c, words[(3 * i + 14) & 15, lane], _SINES[35 + i], 23)
        for i in range(0, 16, 4):
            a = _step(c ^ (b | ~d), a, b, words[(7 * i) & 15, lane], _SINES[48 + i], 6)
            d = _step(b ^ (a | ~c), d, a, words[(7 * i + 7) & 15, lane], _SINES[49 + i], 10)
            c = _step(a ^ (d | ~b), c, d, words[(7 * i + 14) & 15, lane], _SINES[50 + i], 15)
            b = _step(d ^ (c | ~a), b, c, words[(7 * i + 21) & 15, lane], _SINES[51 + i], 21)
        state[0, lane] = np.uint32(state[0, lane] + a)
        state[1, lane] = np.uint32(state[1, lane] + b)
        state[2, lane] = np.uint32(state[2, lane] + c)
        state[3, lane] = np.uint32(state[3, lane] + d)


@nb.njit(cache=True)
def _md5(texts: NDArray[np.uint64], blocks: NDArray[np.int64], count: int) -> NDArray[np.uint32]:
    """Return the MD5 of the first ``count`` texts, shape (count, 4).

    Args:
        texts: texts padded to whole blocks, shape (texts, 40).
        blocks: blocks of each text.
        count: how many texts to digest.
    """
    # texts of many blocks first, so that those with a further block are always the first lanes
    row_of = np.empty(count, dtype=np.int64)
    longer = np.zeros(_MOST_BLOCKS + 1, dtype=np.int64)
    lane = 0
    for length in range(_MOST_BLOCKS, 0, -1):
        longer[length] = lane
        for row in range(count):
            if blocks[row] == length:
                row_of[lane] = row
                lane += 1
    longer[0] = count
    state = np.empty((4, count), dtype=np.uint32)
    for register in range(4):
        state[register, :] = _START[register]
    words = np.empty((16, count), dtype=np.uint32)
    for block in range(_MOST_BLOCKS):
        for lane in range(longer[block]):
            for k in range(8):
                pair = texts[row_of[lane], 8 * block + k]
                words[2 * k, lane] = np.uint32(pair & np.uint64(0xFFFFFFFF))
                words[2 * k + 1, lane] = np.uint32(pair >> np.uint64(32))
        _compress(words, state, longer[block])
    result = np.empty((count, 4), dtype=np.uint32)
    for lane in range(count):
        for register in range(4):
            result[row_of[lane], register] = state[register, lane]
    return result


@nb.njit(cache=True)
def _spell(digest: NDArray[np.uint32], digits: NDArray[np.uint64]) -> None:
    """Write a digest of 4 words as 32 hex digits into 4 words."""
    for k in range(4):
        word = np.uint64(digest[k])
        # the higher half of a byte is the first digit; then each half moves to a byte of its own
        word = ((word & np.uint64(0x0F0F0F0F)) << np.uint64(4)) | ((word >> np.uint64(4)) & np.uint64(0x0F0F0F0F))
        word = (word | (word << np.uint64(16))) & np.uint64(0x0000FFFF0000FFFF)
        word = (word | (word << np.uint64(8))) & np.uint64(0x00FF00FF00FF00FF)
        word = (word | (word << np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
        # digits follow on "0" (0x30); from 10 on letters do, which begin 39 places higher than the digits end
        letters = ((word + np.uint64(0x0606060606060606)) >> np.uint64(4)) & np.uint64(0x0101010101010101)
        digits[k] = word + np.uint64(0x3030303030303030) + letters * np.uint64(39)


@nb.njit(cache=True)
def _put(texts: NDArray[np.uint64], row: int, position: int, digits: NDArray[np.uint64], vertex: int) -> int:
    """Write a vertex's hex digits behind what stands before ``position`` of a text; return the position behind them."""
    word, shift = position >> 3, np.uint64(8 * (position & 7))
    if shift == 0:
        for k in range(4):
            texts[row, word + k] = digits[vertex, k]
    else:
        before = texts[row, word]
        for k in range(4):
            texts[row, word + k] = before | (digits[vertex, k] << shift)
            before = digits[vertex, k] >> (np.uint64(64) - shift)
        texts[row, word + 4] = before
    return position + 32


@nb.njit(cache=True)
def _put_byte(texts: NDArray[np.uint64], row: int, position: int, byte: int) -> int:
    """Write one character behind what stands before ``position`` of a text; return the position behind it."""
    word, shift = position >> 3, np.uint64(8 * (position & 7))
    before = texts[row, word] if shift else np.uint64(0)
    texts[row, word] = before | (np.uint64(byte) << shift)
    return position + 1


@nb.njit(cache=True)
def _pad(texts: NDArray[np.uint64], row: int, length: int) -> int:
    """Fill up a text as MD5 does and return its number of blocks."""
    blocks = (length + 8) // 64 + 1
    _put_byte(texts, row, length, 0x80)
    for word in range((length >> 3) + 1, 8 * blocks - 1):
        texts[row, word] = 0
    texts[row, 8 * blocks - 1] = 8 * length
    return blocks


@nb.njit(cache=True)
def _put_start(texts: NDArray[np.uint64], row: int, out_degree: int, in_degree: int, label: int) -> int:
    """Write the text ``(out_degree, in_degree, label)`` and return its length; all numbers have one digit."""
    length = 0
    # ( digit comma space digit comma space minus digit )
    for byte in (40, 48 + out_degree, 44, 32, 48 + in_degree, 44, 32, 45, 48 + abs(label), 41):
        if byte != 45 or label < 0:
            length = _put_byte(texts, row, length, byte)
    return length


@nb.njit(cache=True)
def _order(digests: NDArray[np.uint32], digits: NDArray[np.uint64], order: NDArray[np.int64]) -> None:
    """Write the digests of all vertices as digits, and each cell's vertices in the order of their digits.

    Args:
        digests: shape (cells * vertices, 4).
        digits: gets hex digits, shape (at least cells * vertices, 4).
        order: gets vertices, shape (cells, vertices).
    """
    cells, vertices = order.shape
    for cell in range(cells):
        first = cell * vertices
        for vertex in range(vertices):
            _spell(digests[first + vertex], digits[first + vertex])
            # insertion sort: there are at most 7
            place = vertex
            while place > 0 and _before(digits[first + vertex], digits[first + order[cell, place - 1]]):
                order[cell, place] = order[cell, place - 1]
                place -= 1
            order[cell, place] = vertex


@nb.njit(cache=True)
def _before(left: NDArray[np.uint64], right: NDArray[np.uint64]) -> bool:
    """Return whether some hex digits come before others."""
    for k in range(4):
        differing = left[k] ^ right[k]
        if differing:
            # the lowest bit that differs lies in the first character that does
            character = np.uint64(0xFF)
            while not differing & character:
                character <<= np.uint64(8)
            return bool((left[k] & character) < (right[k] & character))
    return False


@nb.njit(cache=True)
def _digests(adjacency: NDArray[np.uint8], labels: NDArray[np.int8], vertices: int) -> NDArray[np.uint32]:
    """Return the MD5 of cells with equally many vertices, shape (cells, 4)."""
    result = np.empty((len(adjacency), 4), dtype=np.uint32)
    texts = np.zeros((_CELLS * vertices, 8 * _MOST_BLOCKS), dtype=np.uint64)
    blocks = np.empty(_CELLS * vertices, dtype=np.int64)
    digits = np.empty((_CELLS * vertices, 4), dtype=np.uint64)
    order = np.empty((_CELLS, vertices), dtype=np.int64)
    for start in range(0, len(adjacency), _CELLS):
        cells = min(_CELLS, len(adjacency) - start)
        for cell in range(cells):
            matrix = adjacency[start + cell]
            for vertex in range(vertices):
                label = -1 if vertex == 0 else -2 if vertex == vertices - 1 else int(labels[start + cell, vertex - 1])
                row = cell * vertices + vertex
                length = _put_start(texts, row, matrix[vertex].sum(), matrix[:, vertex].sum(), label)
                blocks[row] = _pad(texts, row, length)
        for _ in range(vertices):
            _order(_md5(texts, blocks, cells * vertices), digits, order[:cells])
            for cell in range(cells):
                first = cell * vertices
                for vertex in range(vertices):
                    row, length = first + vertex, 0
                    for place in range(vertices):
                        if adjacency[start + cell, order[cell, place], vertex]:
                            length = _put(texts, row, length, digits, first + order[cell, place])
                    length = _put_byte(texts, row, length, 124)  # |
                    for place in range(vertices):
                        if adjacency[start + cell, vertex, order[cell, place]]:
                            length = _put(texts, row, length, digits, first + order[cell, place])
                    length = _put_byte(texts, row, length, 124)
                    length = _put(texts, row, length, digits, row)
                    blocks[row] = _pad(texts, row, length)
        _order(_md5(texts, blocks, cells * vertices), digits, order[:cells])
        for cell in range(cells):
            length = 0
            for place in range(vertices):
                length = _put_byte(texts, cell, length, 91 if place == 0 else 32)  # [ or space
                length = _put_byte(texts, cell, length, 39)  # '
                length = _put(texts, cell, length, digits, cell * vertices + order[cell, place])
                length = _put_byte(texts, cell, length, 39)
                length = _put_byte(texts, cell, length, 93 if place == vertices - 1 else 44)  # ] or comma
            blocks[cell] = _pad(texts, cell, length)
        result[start : start + cells] = _md5(texts, blocks, cells)
    return result
