"""Reading TFRecord files without TensorFlow.

A record is framed as: length (8 bytes, little-endian), masked CRC-32C of those 8 bytes (4), the payload, masked
CRC-32C of the payload (4). Mask and framing: TensorFlow, ``tensorflow/core/lib/io/record_writer.h``.
"""

import os
import struct
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

import google_crc32c

from terranas.core.errors import DataError

BLOCK_BYTES = 1 << 20
MAX_RECORD_BYTES = 1 << 24
"""Longer records are refused before memory is taken for them."""

_HEADER = struct.Struct("<QI")
_FOOTER = struct.Struct("<I")
_MASK_DELTA = 0xA282EAD8


class Record(NamedTuple):
    """A record's number in the file (from 0), the offset of its first byte, and its payload."""

    number: int
    offset: int
    payload: bytes


def masked_crc(content: bytes) -> int:
    """Return the CRC-32C of ``content`` as TFRecord stores it: rotated right by 15 bits, plus a constant."""
    crc: int = google_crc32c.value(content)
    return ((crc >> 15 | crc << 17) + _MASK_DELTA) & 0xFFFFFFFF


def count_blocks(file: BinaryIO) -> int:
    """Return how many blocks :func:`read_blocks` will yield for a seekable file."""
    here = file.tell()
    size = file.seek(0, os.SEEK_END)
    file.seek(here)
    return -(-size // BLOCK_BYTES)


def read_blocks(file: BinaryIO, name: str) -> Iterator[list[Record]]:
    """Yield the records of a file, checked, those that start in the same MiB together (so that progress can be told).

    Args:
        file: seekable, at its start.
        name: what to call the file in errors.

    Raises:
        DataError: the file ends within a record, or a checksum does not fit.
    """
    number = offset = 0
    for block in range(count_blocks(file)):
        records: list[Record] = []
        while offset < (block + 1) * BLOCK_BYTES and (header := file.read(_HEADER.size)):
            payload = _read_payload(file, header, f"Record {number} of {name} (at byte {offset:,})")
            records.append(Record(number, offset, payload))
            number += 1
            offset += _HEADER.size + len(payload) + _FOOTER.size
        yield records


def _read_payload(file: BinaryIO, header: bytes, place: str) -> bytes:
    if len(header) < _HEADER.size:
        raise DataError(f"{place} is cut off: {len(header)} of 12 bytes of its header are there. {_ADVICE}")
    length, length_crc = _HEADER.unpack(header)
    if masked_crc(header[:8]) != length_crc:
        raise DataError(f"{place} has a length that does not fit its checksum. {_ADVICE}")
    if length > MAX_RECORD_BYTES:
        raise DataError(f"{place} says it is {length:,} bytes long; expected at most {MAX_RECORD_BYTES:,}. {_ADVICE}")
    payload = file.read(length)
    footer = file.read(_FOOTER.size)
    if len(payload) < length or len(footer) < _FOOTER.size:
        raise DataError(
            f"{place} is cut off: {len(payload) + len(footer):,} of the {length + 4:,} bytes after its header are "
            f"there. {_ADVICE}"
        )
    if masked_crc(payload) != _FOOTER.unpack(footer)[0]:
        raise DataError(f"{place} has content that does not fit its checksum. {_ADVICE}")
    return payload


_ADVICE = "The file is damaged or no TFRecord file; fetch it again."
