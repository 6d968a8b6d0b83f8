"""One search as bytes that the player's page reads with typed arrays.

A shard begins with the length of its header (uint32), then the header, JSON padded with blanks to a multiple of eight
bytes, then the arrays it names, each padded likewise: ``{"arrays": {name: [type, offset, length]}, ...}``, offsets
counted from the end of the header.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terranas.report.shards import array_bytes
from terranas.search.queue_record import LEFT_BY

START, PREDICTED, REPEATED = 1, 2, 4
"""Bits of an evaluation's flags; ``assets/player-search.js`` reads them."""

STILL = 2**32 - 1
"""Stands for the end of what had not ended when the search did."""

_WORD = 8


def search_shard(
    evaluations: pd.DataFrame,
    archive: pd.DataFrame,
    queue: pd.DataFrame,
    anytime: pd.DataFrame,
    objectives: Sequence[str],
) -> bytes:
    """Return a search as the content of a shard.

    Architectures that were ever in archive or queue are *members*: they have a name and all digits of their values. Of
    the others the page shows a point, and four bytes a value draw it.

    Args:
        evaluations: evaluations of one search in their order, schema ``search.evaluations``.
        archive: columns ``evaluation`` and ``left`` (:func:`terranas.report.player.archive_intervals`).
        queue: stays in the queue in their order, schema ``search.queue``.
        anytime: hypervolumes in the order of the evaluations, schema ``comparison.anytime``.
        objectives: names of the m objectives.
    """
    columns = ["architecture", "predicted", *objectives]
    entered = evaluations.iloc[archive["evaluation"].to_numpy() - 1]
    members = pd.concat([entered[columns], queue[columns]]).drop_duplicates("architecture")
    index = pd.Index(members["architecture"].astype(object))
    flags = START * evaluations["start"] + PREDICTED * evaluations["predicted"] + REPEATED * evaluations["repeated"]
    arrays: dict[str, NDArray[Any]] = {
        "values": evaluations[list(objectives)].to_numpy(dtype=np.float32).T,
        "flags": flags.to_numpy(dtype=np.uint8),
        "member_values": members[list(objectives)].to_numpy(dtype=np.float64).T,
        "member_predicted": members["predicted"].to_numpy(dtype=np.uint8),
        "archive_member": index.get_indexer(entered["architecture"].astype(object)).astype(np.uint32),
        "archive_entered": archive["evaluation"].to_numpy(dtype=np.uint32),
        "archive_left": archive["left"].to_numpy(dtype=np.uint32),
        "queue_member": index.get_indexer(queue["architecture"].astype(object)).astype(np.uint32),
        "queue_search": queue["search"].to_numpy(dtype=np.uint32),
        "queue_joined": queue["joined"].to_numpy(dtype=np.uint32),
        "queue_left": queue["left"].fillna(STILL).to_numpy(dtype=np.uint32),
        "queue_left_by": np.array([LEFT_BY.index(word) for word in queue["left_by"]], dtype=np.uint8),
        "volume_evaluation": anytime["evaluation"].to_numpy(dtype=np.uint32),
        "volume": anytime["hypervolume"].to_numpy(dtype=np.float64),
    }
    return packed(arrays, {"names": index.tolist()})


def packed(arrays: Mapping[str, NDArray[Any]], header: Mapping[str, Any]) -> bytes:
    """Return arrays and a header in the form that the module describes."""
    described: dict[str, tuple[str, int, int]] = {}
    body = bytearray()
    for name, array in arrays.items():
        described[name] = (array.dtype.name, len(body), array.size)
        body += _padded(array_bytes(array), b"\0")
    text = json.dumps({**header, "arrays": described}, ensure_ascii=True, separators=(",", ":")).encode("ascii")
    # the length itself is the first four bytes of the first word
    text += b" " * (-(len(text) + 4) % _WORD)
    return array_bytes(np.array([len(text)], dtype=np.uint32)) + text + bytes(body)


def _padded(content: bytes, filling: bytes) -> bytes:
    return content + filling * (-len(content) % _WORD)
