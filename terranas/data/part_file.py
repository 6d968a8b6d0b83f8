"""The bytes received so far of a file, and what they are a part of.

Beside ``<file>.part``, ``<file>.part.json`` keeps the address, the server's mark of the content and its size.
"""

from dataclasses import asdict, dataclass
from pathlib import Path

from terranas.core.errors import DataError
from terranas.core.files import read_json, write_json


@dataclass(frozen=True)
class PartState:
    """What a part file is a part of.

    Attributes:
        address: where the bytes come from.
        mark: strong ETag or Last-Modified of the content; empty where the server gives neither.
        total: size of the whole in bytes, or None where the server does not tell.
    """

    address: str
    mark: str
    total: int | None


class PartFile:
    """The bytes received so far of a file, and what they are a part of."""

    def __init__(self, target: Path) -> None:
        self.path = target.with_name(f"{target.name}.part")
        self._state_path = target.with_name(f"{target.name}.part.json")

    @property
    def size(self) -> int:
        """Bytes received so far."""
        return self.path.stat().st_size if self.path.exists() else 0

    @property
    def state(self) -> PartState | None:
        """What the bytes are a part of; None where there are none or nothing is known of them."""
        try:
            return PartState(**read_json(self._state_path)) if self.size else None
        except (FileNotFoundError, DataError, TypeError):
            return None

    def begin(self, state: PartState) -> None:
        """Start anew. The old bytes go first: no bytes may ever stand beside the mark of other ones."""
        self.path.write_bytes(b"")
        write_json(self._state_path, asdict(state))

    def discard(self) -> None:
        """Remove both files, the bytes first."""
        self.path.unlink(missing_ok=True)
        self._state_path.unlink(missing_ok=True)
