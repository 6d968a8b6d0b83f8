"""Write a file in the format of NAS-Bench-101's TFRecord files, with made-up metrics: no training was ever run for it.

The cells, their hashes, parameters, framing, JSON and protobuf are as in the published files, so that importers can be
timed without them; accuracies, times and energies are drawn at random and mean nothing. The same arguments give the
same bytes.

    python benchmarks/make_nasbench101.py OUT [--cells N] [--repeats 3] [--epochs 108]
"""

import argparse
import base64
import json
import struct
from collections.abc import Iterator

import numpy as np

from terranas.benchmark.nasbench101 import EVALUATION_IMAGES
from terranas.benchmark.tfrecord import masked_crc
from terranas.core.files import atomic_path
from terranas.core.randomness import generator
from terranas.space.complexity import CIFAR10_NETWORK
from terranas.space.table import cells_table

_CRC = struct.Struct("<I")
_LENGTH = struct.Struct("<Q")
_EVALUATION = struct.Struct("<2sBdBdBdBdBd")
_TOTAL_TIME = struct.Struct("<Bd")


def main() -> None:
    """Write the file that the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("out", help="file to write")
    parser.add_argument("--cells", type=int, help="cells of the file, spread over the space (default: all 423,624)")
    parser.add_argument("--repeats", type=int, default=3, help="trainings of each cell (default: 3)")
    parser.add_argument("--epochs", type=int, default=108, help="epochs of each training (default: 108)")
    options = parser.parse_args()

    cells = cells_table(7, 9, CIFAR10_NETWORK)
    if options.cells is not None:
        cells = cells.iloc[np.linspace(0, len(cells) - 1, options.cells).astype(np.int64)]
    columns = (cells[name].tolist() for name in ("hash", "adjacency", "operations", "parameters", "macs"))
    architectures = list(zip(*columns, strict=True))
    rng = generator(0, "benchmarks.nasbench101")
    with atomic_path(options.out) as path, path.open("wb") as file:
        for repeat in range(options.repeats):
            draws = rng.random((len(architectures), 4))
            for architecture, draw in zip(architectures, draws.tolist(), strict=True):
                file.write(framed(row(architecture, options.epochs, draw)))
            print(f"{repeat + 1} of {options.repeats} repeats, {len(architectures):,} made-up records each", flush=True)


def framed(payload: bytes) -> bytes:
    """Return a payload with its length and the checksums of both, as TFRecord files hold it."""
    length = _LENGTH.pack(len(payload))
    return length + _CRC.pack(masked_crc(length)) + payload + _CRC.pack(masked_crc(payload))


def row(architecture: tuple[str, str, str, int, int], epochs: int, draw: list[float]) -> bytes:
    """Return the JSON row of one made-up training."""
    name, adjacency, operations, parameters, macs = architecture
    seconds = epochs * (2 + macs / 1e8) * (0.9 + 0.2 * draw[3])
    message = b"".join(evaluation(epochs, part, seconds, draw) for part in (0.0, 0.5, 1.0))
    message += b"\x10" + bytes(varint(parameters)) + _TOTAL_TIME.pack(0x19, 1.1 * seconds + 30)
    return json.dumps([name, epochs, adjacency, operations, base64.encodebytes(message).decode("ascii")]).encode(
        "ascii"
    )


def evaluation(epochs: int, part: float, seconds: float, draw: list[float]) -> bytes:
    """Return a made-up ``EvaluationData`` after part of the training: shares of the images evaluated, as published."""
    learnt = 1 - 0.9 / (1 + part * epochs / 4)
    shares = [round(learnt * (0.7 + 0.3 * share) * EVALUATION_IMAGES) / EVALUATION_IMAGES for share in draw[:3]]
    fields = (0x09, part * epochs, 0x11, part * seconds, 0x19, shares[0], 0x21, shares[1], 0x29, shares[2])
    return _EVALUATION.pack(b"\x0a\x2d", *fields)


def varint(value: int) -> Iterator[int]:
    """Yield the bytes of an unsigned integer in protobuf's variable length."""
    while value >= 0x80:
        yield value & 0x7F | 0x80
        value >>= 7
    yield value


if __name__ == "__main__":
    main()
