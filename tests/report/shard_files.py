"""Shards read back in plain Python, as ``assets/shards.js`` reads them."""

import gzip
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

SHARD = re.compile(r'\ufeffterranas\.shard\("([^"]+)", (\d+), "([^"]*)"\);\n')


def read_shard(site: Path, name: str) -> bytes:
    """Return the content of a shard."""
    found = SHARD.fullmatch((site / "data" / f"{name}.js").read_bytes().decode("utf-16-le"))
    assert found is not None, "the file is no call of one shard"
    assert found[1] == name
    bits = "".join(f"{ord(character) - 0x3000:015b}" for character in found[3])
    return gzip.decompress(bytes(int(bits[8 * place : 8 * place + 8], 2) for place in range(int(found[2]))))


def from_planes(content: bytes, dtype: str, count: int, start: int = 0) -> NDArray[Any]:
    """Return so many values whose bytes stand plane by plane from ``start`` on."""
    width = np.dtype(dtype).itemsize
    planes = np.frombuffer(content[start : start + count * width], dtype=np.uint8).reshape(width, count)
    return np.frombuffer(planes.T.tobytes(), dtype=f"<{np.dtype(dtype).str[1:]}")
