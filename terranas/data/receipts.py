"""Receipts of downloads: what was fetched, from where, on which terms, and whether the file still is what they say.

The workflow reads receipts while it is parsed, so nothing heavy is imported here.
"""

from pathlib import Path

from terranas.core.errors import DataError
from terranas.core.files import read_json

FRESH = "fresh"
"""State of a download without a receipt."""


def file_of(receipt: str | Path) -> Path:
    """Return the file that a receipt, ``<file>.json``, stands for."""
    return Path(receipt).with_suffix("")


def download_state(receipt: str | Path) -> str:
    """Return a text that changes when a file no longer is what its receipt says, for the ``params`` of the rule.

    A receipt keeps the state that its job was given. As long as size and modification time of the file are those of the
    receipt, that state is returned, so nothing runs; otherwise another text is, so the job runs again, checks the
    file or fetches it, and keeps the new text. Costs one ``stat``; the content is not read.
    """
    try:
        content = read_json(receipt)
        date, state, described = str(content["date"]), str(content["state"]), (content["bytes"], content["modified"])
    except FileNotFoundError:
        return FRESH
    except (DataError, KeyError, TypeError):
        return f"unreadable receipt of {Path(receipt).stat().st_mtime_ns}"
    try:
        found = file_of(receipt).stat()
    except OSError:
        return f"no file for the receipt of {date}"
    if (found.st_size, found.st_mtime_ns) != described:
        return f"another file than in the receipt of {date}"
    return state
