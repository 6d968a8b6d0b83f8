"""Finding many architectures by their keys at once."""

from collections.abc import Iterable, Sequence
from typing import Protocol

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

HASH_DIGITS = 32
_HEX_DIGITS = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)


class KeyIndex(Protocol):
    """Positions of architectures by their keys."""

    def __len__(self) -> int: ...

    def find(self, keys: Sequence[str]) -> NDArray[np.int64]:
        """Return the position of each key, shape (keys,); -1 for a key that is not there."""
        ...

    def names(self) -> list[str]:
        """Return all keys, ascending, which is the order of their positions."""
        ...


class HashIndex:
    """Keys that are MD5 hashes, kept as numbers: 16 bytes a key, found by binary search.

    As Python strings, 423,624 hashes take 34 MB (81 bytes each), and an index over them more.
    """

    def __init__(self, high: NDArray[np.uint64], low: NDArray[np.uint64]) -> None:
        """Index hashes.

        Args:
            high: numbers of the first 16 digits, shape (hashes,).
            low: numbers of the last 16 digits, shape (hashes,); hashes ascend and differ.
        """
        self._high, self._low = high, low

    def __len__(self) -> int:
        return len(self._high)

    def find(self, keys: Sequence[str]) -> NDArray[np.int64]:
        """Return the position of each hash, shape (keys,); -1 for one that is not there."""
        keys = list(keys)
        positions = np.full(len(keys), -1, dtype=np.int64)
        valid, joined = _as_bytes(keys)
        high, low = _numbers(joined)
        found = np.searchsorted(self._high, high)
        last = np.minimum(found, len(self._high) - 1)
        same = (self._high[last] == high) & (self._low[last] == low)
        # no two hashes of NAS-Bench-101 have equal first halves; a table that was made up may have some
        for row in np.flatnonzero((self._high[last] == high) & ~same):
            at = last[row] + np.flatnonzero(
                (self._high[last[row] :] == high[row]) & (self._low[last[row] :] == low[row])
            )
            last[row], same[row] = (at[0], True) if len(at) else (last[row], False)
        positions[valid] = np.where(same, last, -1)
        return positions

    def names(self) -> list[str]:
        """Return all hashes, ascending."""
        text = np.stack([self._high, self._low], axis=1).astype(">u8").tobytes().hex()
        return [text[start : start + HASH_DIGITS] for start in range(0, len(text), HASH_DIGITS)]


class NameIndex:
    """Keys that are any texts."""

    def __init__(self, names: Sequence[str]) -> None:
        """Index names that ascend and differ."""
        self._index = pd.Index(list(names), dtype=object)

    def __len__(self) -> int:
        return len(self._index)

    def find(self, keys: Sequence[str]) -> NDArray[np.int64]:
        """Return the position of each name, shape (keys,); -1 for one that is not there."""
        return np.asarray(self._index.get_indexer(pd.Index(list(keys), dtype=object)), dtype=np.int64)

    def names(self) -> list[str]:
        """Return all names, ascending."""
        return [str(name) for name in self._index]


def index_names(names: Sequence[str]) -> KeyIndex:
    """Return an index of keys that ascend and differ."""
    valid, joined = _as_bytes(list(names))
    return HashIndex(*_numbers(joined)) if len(names) and len(valid) == len(names) else NameIndex(names)


def index_sorted_hashes(pieces: Iterable[pa.Array]) -> tuple[HashIndex, NDArray[np.int32]] | None:
    """Return the index of a column of hashes that ascend, and the position of each row's hash in it.

    This is the order in which terranas writes tables: no hash is held as a text, and none twice.

    Args:
        pieces: the column, as Arrow arrays of large strings.

    Returns:
        None where the column holds other texts, or does not ascend.
    """
    highs, lows, positions = [], [], []
    count, last = 0, (np.uint64(0), np.uint64(0))
    for piece in pieces:
        offsets = np.frombuffer(piece.buffers()[1], dtype=np.int64)[piece.offset : piece.offset + len(piece) + 1]
        if (np.diff(offsets) != HASH_DIGITS).any():
            return None
        digits = np.frombuffer(piece.buffers()[2], dtype=np.uint8)[offsets[0] : offsets[-1]]
        # letters sort behind figures; upper-case ones are no hashes of ours
        if not np.isin(digits, _HEX_DIGITS).all():
            return None
        high, low = _numbers(bytes.fromhex(digits.tobytes().decode("ascii")))
        before_high, before_low = np.append(last[0], high[:-1]), np.append(last[1], low[:-1])
        new = (high != before_high) | (low != before_low)
        new[0] |= count == 0
        if not ((high > before_high) | ((high == before_high) & (low >= before_low))).all():
            return None
        positions.append((count - 1 + np.cumsum(new)).astype(np.int32))
        highs.append(high[new])
        lows.append(low[new])
        count += int(new.sum())
        last = high[-1], low[-1]
    if not count:
        return None
    position = np.concatenate(positions)
    positions.clear()  # both at once would double the peak
    return HashIndex(np.concatenate(highs), np.concatenate(lows)), position


def _as_bytes(keys: list[str]) -> tuple[NDArray[np.int64], bytes]:
    """Return which keys are 32 hex digits, and those decoded one after another."""
    if set(map(len, keys)) <= {HASH_DIGITS}:
        joined = "".join(keys)
        try:
            decoded = bytes.fromhex(joined)
        except ValueError:
            pass
        else:
            # fromhex takes capitals, and skips blanks, so that a key with one would shift all that follow
            if decoded.hex() == joined:
                return np.arange(len(keys)), decoded
    allowed = set("0123456789abcdef")
    valid = [row for row, key in enumerate(keys) if len(key) == HASH_DIGITS and allowed.issuperset(key)]
    return np.array(valid, dtype=np.int64), bytes.fromhex("".join(keys[row] for row in valid))


def _numbers(digests: bytes) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Return the upper and lower halves of 16-byte digests as numbers."""
    halves = np.frombuffer(digests, dtype=">u8").reshape(-1, 2).astype(np.uint64)
    return np.ascontiguousarray(halves[:, 0]), np.ascontiguousarray(halves[:, 1])
