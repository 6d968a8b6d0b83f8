"""Reading files that are expected to be small, JSON without what its parsers let pass."""

import json
import math
from typing import Any, BinaryIO

from terranas.core.errors import DataError

MAX_BYTES = 1 << 24
"""Larger files are refused before memory is taken for them; the largest published one read so far has 2.6 MB."""

_MAX_DIGITS = 300
"""Much longer whole numbers have no counterpart among floating-point ones, and take quadratic time to read."""


def read_small(file: BinaryIO, name: str, max_bytes: int = MAX_BYTES) -> bytes:
    """Return the content of a file that is expected to be small.

    Args:
        file: the file.
        name: what to call it in messages.
        max_bytes: most bytes it may have.

    Raises:
        DataError: it is too large.
    """
    content = file.read(max_bytes + 1)
    if len(content) > max_bytes:
        raise DataError(f"{name} has more than {max_bytes >> 20} MiB, expected a small table. Is it the right file?")
    return content


def load_json(file: BinaryIO, name: str) -> Any:
    """Return the content of a JSON file.

    Args:
        file: the file, UTF-8.
        name: what to call it in messages.

    Raises:
        DataError: it is no JSON, has an object with the same key twice, a number that is not finite, or is too large.
    """
    try:
        return decode_json(read_small(file, name))
    except ValueError as error:
        raise DataError(f"{name} is no valid JSON file ({error}). Fetch it again.") from error


def decode_json(content: bytes) -> Any:
    """Return what a JSON text says.

    Raises:
        ValueError: it is no JSON in UTF-8, has an object with the same key twice, a number that is not finite or has
            more than 300 digits, or is nested too deeply.
    """
    try:
        return _DECODER.decode(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ValueError(f"it is no UTF-8 text from byte {error.start:,} on") from error
    except RecursionError as error:
        raise ValueError("its lists and objects are nested too deeply") from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table: dict[str, Any] = {}
    for key, value in pairs:
        if key in table:
            raise ValueError(f"the key {key[:60]!r} stands twice in one object")
        table[key] = value
    return table


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON number")


def _whole(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:
        raise ValueError(f"a number has {len(digits):,} digits, expected at most {_MAX_DIGITS}")
    return int(digits)


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError(f"{digits[:40]} is too large for a number")
    return value


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_refuse, parse_int=_whole, parse_float=_finite)
