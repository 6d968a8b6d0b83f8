"""Reading files that are expected to be small, JSON without what its parsers let pass."""

import json
from typing import Any, BinaryIO

from terranas.core.errors import DataError

MAX_BYTES = 1 << 24
"""Larger files are refused before memory is taken for them; the largest published one read so far has 1.2 MB."""


def read_small(file: BinaryIO, name: str) -> bytes:
    """Return the content of a file that is expected to be small.

    Args:
        file: the file.
        name: what to call it in messages.

    Raises:
        DataError: it is too large.
    """
    content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise DataError(f"{name} has more than {MAX_BYTES >> 20} MiB, expected a small table. Is it the right file?")
    return content


def load_json(file: BinaryIO, name: str) -> Any:
    """Return the content of a JSON file.

    Args:
        file: the file, UTF-8.
        name: what to call it in messages.

    Raises:
        DataError: it is no JSON, has an object with the same key twice, a NaN or infinity, or is too large.
    """
    content = read_small(file, name)
    try:
        return json.loads(content.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{name} is no valid JSON file ({error}). Fetch it again.") from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table: dict[str, Any] = {}
    for key, value in pairs:
        if key in table:
            raise ValueError(f"the key {key[:60]!r} stands twice in one object")
        table[key] = value
    return table


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON number")
