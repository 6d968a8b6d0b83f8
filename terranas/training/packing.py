"""Which architectures share a job, and which of these jobs have to run again. No torch here.

A pack trains its architectures side by side (:mod:`terranas.training.pack`) and writes a receipt of what became of
each.
"""

from collections.abc import Collection, Mapping
from pathlib import Path

from terranas.core.errors import DataError
from terranas.core.files import read_json


def arrange(macs: Mapping[str, int], size: int, left_out: Collection[str]) -> list[list[str]]:
    """Return the architectures of each pack; those that take equally long stand together, so that none waits long.

    By MACs and not by the estimates, which become better once the images are prepared: packs must stay what they are.
    Hence, too, an architecture that is left out leaves a gap in its pack and does not move the others.

    Args:
        macs: multiply-accumulates by architecture.
        size: architectures of a pack.
        left_out: architectures that are not trained, since their failure was accepted.
    """
    order = sorted(macs, key=lambda name: (macs[name], name))
    whole = [order[start : start + size] for start in range(0, len(order), size)]
    return [[name for name in pack if name not in left_out] for pack in whole]


def forget_unfinished(folder: str | Path, accepted: Collection[str]) -> None:
    """Remove the receipts of packs that left a training unfinished, so that they run again and go on with it.

    Not while a run lasts: its other trainings and their retries are collected by the same receipt.

    Args:
        folder: folder of the receipts.
        accepted: architectures whose failure was accepted.
    """
    for receipt in Path(folder).glob("*.json"):
        try:
            outcomes = dict(read_json(receipt))
        except (DataError, TypeError, ValueError):
            outcomes = {receipt.name: "damaged"}
        if any(outcome != "finished" for name, outcome in outcomes.items() if name not in accepted):
            receipt.unlink()
