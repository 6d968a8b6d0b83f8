"""Accepting by hand that a training stays without a result, and taking it back.

A training that fails for reasons of the machine is retried and then stops everything that needs it. Whoever decides
to go on without it says so with ``terranas accept``; the reason stands in one small file, the training's rule reads
it, and the job then writes a failure row instead of training. ``terranas retract`` removes the entry, and the
next run trains the architecture again.
"""

import re
from pathlib import Path

from terranas.core.errors import DataError, TerranasError
from terranas.core.files import read_json, write_json

HASH = re.compile(r"[0-9a-f]{32}")


def read_accepted(path: str | Path) -> dict[str, str]:
    """Return the reasons of accepted failures by architecture hash; empty where the file does not exist.

    Raises:
        DataError: the file does not map hashes to reasons.
    """
    if not Path(path).exists():
        return {}
    content = read_json(path)
    if not isinstance(content, dict) or not all(
        HASH.fullmatch(key) and isinstance(reason, str) and reason for key, reason in content.items()
    ):
        raise DataError(f"{path} must map architecture hashes (32 hex digits) to reasons; it does not. Remove it.")
    return dict(content)


def accept(path: str | Path, architecture: str, reason: str) -> None:
    """Record that the training of an architecture is given up, and why.

    Raises:
        TerranasError: the hash is no hash, or the reason is empty.
    """
    if not HASH.fullmatch(architecture):
        raise TerranasError(f"'{architecture}' is no architecture hash; expected 32 hex digits.")
    if not reason.strip():
        raise TerranasError("A reason is needed to accept a failure; it stands in the results.")
    write_json(path, read_accepted(path) | {architecture: reason.strip()})


def retract(path: str | Path, architecture: str) -> None:
    """Take an acceptance back, so that the architecture is trained again.

    Raises:
        TerranasError: the architecture's failure was not accepted.
    """
    accepted = read_accepted(path)
    if architecture not in accepted:
        raise TerranasError(
            f"The failure of '{architecture}' is not accepted in {path}; there is nothing to take back."
        )
    del accepted[architecture]
    write_json(path, accepted)
