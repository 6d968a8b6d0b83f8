"""Data of the report's pages as small scripts, the only files that a page opened from disk may load by itself.

A browser refuses ``fetch`` between files on disk, but not a ``<script>``. A shard is a script of one call that hands
its content over as text; ``assets/shards.js`` loads, unpacks and keeps it.
"""

import base64
import gzip
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from terranas.core.files import write_text

FOLDER = "data"
"""Folder of the shards, beside the pages."""

DTYPES = ("uint8", "uint16", "uint32", "int32", "float32", "float64")
"""What JavaScript has typed arrays for and the pages use."""


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
    packed = base64.b64encode(gzip.compress(content, compresslevel=6, mtime=0)).decode("ascii")
    path = Path(site) / FOLDER / f"{name}.js"
    write_text(path, f'terranas.shard("{name}", "{packed}");\n')
    return path.stat().st_size


def array_bytes(values: NDArray[np.generic]) -> bytes:
    """Return an array as little-endian bytes, the order that all browsers use.

    Raises:
        ValueError: JavaScript has no such typed array.
    """
    if values.dtype.name not in DTYPES:
        raise ValueError(f"No typed array of a page holds {values.dtype}; give one of {', '.join(DTYPES)}.")
    return np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<")).tobytes()


_ALLOWED = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.")
