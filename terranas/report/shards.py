"""Data of the report's pages as small scripts, the only files that a page opened from disk may load by itself.

A browser refuses ``fetch`` between files on disk, but not a ``<script>``. A shard is a script of one call that hands
its content over as text; ``assets/shards.js`` loads, unpacks and keeps it. The text holds 15 bits of the packed content
a character and the file is UTF-16 (its byte order mark says so to every browser), so that it takes 7 % more than the
packed bytes, where base64 takes 33 %.
"""

import gzip
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from terranas.core.files import atomic_path

FOLDER = "data"
"""Folder of the shards, beside the pages."""

DTYPES = ("uint8", "uint16", "uint32", "int32", "float32", "float64")
"""What JavaScript has typed arrays for and the pages use."""

BITS = 15
FIRST = 0x3000
"""A character holds 15 bits, as its distance from this one: no quote, no line end, no surrogate is among them."""


def write_shard(site: str | Path, name: str, content: bytes) -> int:
    """Write a shard and return its size in bytes.

    Equal content gives equal files.

    Args:
        site: folder of the pages.
        name: what the pages ask for, such as ``explorer/study/macs``: parts of letters, digits, ``_``, ``-``, ``.``.
        content: the bytes that ``terranas.load(name)`` gives as an ``ArrayBuffer``.

    Raises:
        ValueError: the name has another form.
    """
    parts = name.split("/")
    if not all(part and set(part) <= _ALLOWED and not part.startswith(".") for part in parts):
        raise ValueError(f"'{name}' is no name of a shard: letters, digits, '_', '-' and '.' in parts between '/'.")
    packed = gzip.compress(content, compresslevel=6, mtime=0)
    before, after = f'\ufeffterranas.shard("{name}", {len(packed)}, "', '");\n'
    path = Path(site) / FOLDER / f"{name}.js"
    with atomic_path(path) as temporary:
        temporary.write_bytes(before.encode("utf-16-le") + as_characters(packed) + after.encode("utf-16-le"))
    return path.stat().st_size


def as_characters(content: bytes) -> bytes:
    """Return bytes as UTF-16 text (little-endian) of 15 bits a character; the last one is filled up with zeros."""
    whole = np.zeros(-(-len(content) // BITS) * BITS, dtype=np.uint8)
    whole[: len(content)] = np.frombuffer(content, dtype=np.uint8)
    bits = np.unpackbits(whole).reshape(-1, BITS)
    worth = (1 << np.arange(BITS - 1, -1, -1)).astype(np.uint16)
    # a product of 0 or 1 and a power of two each, summed in place: a matrix product of integers would copy to int64
    units = np.full(len(bits), FIRST, dtype=np.uint16)
    for place in range(BITS):
        units += bits[:, place] * worth[place]
    return units[: -(-len(content) * 8 // BITS)].astype("<u2").tobytes()


def array_bytes(values: NDArray[np.generic]) -> bytes:
    """Return an array as little-endian bytes, the order that all browsers use.

    Raises:
        ValueError: JavaScript has no such typed array.
    """
    if values.dtype.name not in DTYPES:
        raise ValueError(f"No typed array of a page holds {values.dtype}; give one of {', '.join(DTYPES)}.")
    return np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<")).tobytes()


def plane_bytes(values: NDArray[np.generic]) -> bytes:
    """Return an array as planes: the first byte of every value, then the second one of every value, and so on.

    Bytes of equal worth resemble each other, so that they pack tighter. ``terranas.planes`` puts the values together.

    Raises:
        ValueError: JavaScript has no such typed array.
    """
    rows = np.frombuffer(array_bytes(values), dtype=np.uint8).reshape(-1, values.dtype.itemsize)
    return rows.T.tobytes()


_ALLOWED = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.")
