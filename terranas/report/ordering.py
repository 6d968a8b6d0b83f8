"""What a table's entries are sorted by: the number that a text begins with, whatever it is dressed in."""

import re
from collections.abc import Sequence

from terranas.core.formats import MINUS, SPACE
from terranas.core.page import Table

_NUMBER = re.compile(r"[<>≤≥]?\s*([-+]?(?:\d[\d,]*)?\.?\d+(?:e[-+]?\d+)?)\s*([kMG](?=B?(?:\s|$)))?", re.IGNORECASE)
_FACTORS = {"k": 1e3, "M": 1e6, "G": 1e9}


def sort_key(text: str) -> str:
    """Return the number that a text begins with (``1,234``, ``12.3 %``, ``< 0.001``, ``43.2 k``), empty without one."""
    match = _NUMBER.match(text.replace(MINUS, "-").replace(SPACE, " ").strip())
    if match is None:
        return ""
    return f"{float(match[1].replace(',', '')) * _FACTORS.get(match[2] or '', 1):.12g}"


def sort_keys(table: Table) -> Sequence[Sequence[str | None]]:
    """Return what each entry of a table is sorted by; None for texts, which are sorted as they stand."""
    numbers = [head.kind == "number" for head in table.heads]
    return [
        [sort_key(str(entry)) if number else None for number, entry in zip(numbers, row, strict=True)]
        for row in table.rows
    ]
