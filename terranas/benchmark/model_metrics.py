"""Reading NAS-Bench-101's ``ModelMetrics`` messages from protobuf's wire format.

The message and its fields (``nasbench/lib/model_metrics.proto``; wire format:
protobuf.dev/programming-guides/encoding):

=====================  ======  =========================================================
``ModelMetrics``       number  meaning
=====================  ======  =========================================================
evaluation_data        1       repeated ``EvaluationData``: start, half time and end
trainable_parameters   2       int32
total_time             3       double, seconds with evaluations
=====================  ======  =========================================================

``EvaluationData``: double current_epoch = 1, training_time = 2 (seconds), train_accuracy = 3, validation_accuracy = 4,
test_accuracy = 5, string checkpoint_path = 6. Two messages with six needed fields do not justify generated code and a
dependency on one version of protobuf's runtime.
"""

import struct
from collections.abc import Iterator
from math import inf, nan
from typing import NamedTuple

_VARINT, _FIXED64, _LENGTH_DELIMITED, _FIXED32 = 0, 1, 2, 5
_FIXED_BYTES = {_FIXED64: 8, _FIXED32: 4}
_DOUBLE = struct.Struct("<d")

# all five doubles and nothing else, as protobuf writes them where no checkpoint is named: read at one stroke
_USUAL = struct.Struct("<xdxdxdxdxd")
_USUAL_TAGS = bytes(number << 3 | _FIXED64 for number in range(1, 6))


class FinalMetrics(NamedTuple):
    """The last evaluation of a training, and what is said of the whole; NaN where the message does not say."""

    training_seconds: float
    train_accuracy: float
    validation_accuracy: float
    test_accuracy: float
    parameters: float
    total_seconds: float


def parse_model_metrics(message: bytes) -> FinalMetrics:
    """Return the last evaluation in a serialised ``ModelMetrics``.

    Raises:
        ValueError: the bytes are no such message, it has no evaluation, or a value is out of range.
    """
    final: tuple[int, int] | None = None
    parameters = total_seconds = nan
    for number, kind, start, end in _fields(message, 0, len(message)):
        if number == 1:
            _require(kind, _LENGTH_DELIMITED, "evaluation_data")
            final = start, end
        elif number == 2:
            _require(kind, _VARINT, "trainable_parameters")
            parameters = float(_varint(message, start, end)[0])
            if not 1 <= parameters < 1 << 31:
                raise ValueError(f"trainable_parameters is {parameters:.0f}, expected a positive int32")
        elif number == 3:
            _require(kind, _FIXED64, "total_time")
            total_seconds = _DOUBLE.unpack_from(message, start)[0]
    if final is None:
        raise ValueError("the message has no evaluation_data")
    found = FinalMetrics(*_evaluation(message, *final), parameters, total_seconds)
    _check_ranges(found)
    return found


def _evaluation(message: bytes, start: int, end: int) -> tuple[float, float, float, float]:
    """Return training time, training, validation and test accuracy of the ``EvaluationData`` between two positions."""
    if end - start == _USUAL.size and message[start:end:9] == _USUAL_TAGS:
        _, seconds, train, validation, test = _USUAL.unpack_from(message, start)
        return seconds, train, validation, test
    values = dict.fromkeys(range(1, 6), nan)
    for number, kind, position, _ in _fields(message, start, end):
        if number in values:
            _require(kind, _FIXED64, f"field {number} of evaluation_data")
            values[number] = _DOUBLE.unpack_from(message, position)[0]
    return values[2], values[3], values[4], values[5]


def _check_ranges(metrics: FinalMetrics) -> None:
    """Raise for impossible values; written so that NaN passes, which means not known."""
    training, train, validation, test, _, total = metrics
    for name, seconds in (("training_time", training), ("total_time", total)):
        if seconds < 0 or seconds == inf:
            raise ValueError(f"{name} is {seconds} s, expected a finite time of at least 0")
    if train < 0 or train > 1 or validation < 0 or validation > 1 or test < 0 or test > 1:
        raise ValueError(
            f"an accuracy lies outside of 0 to 1: {train}, {validation}, {test}; expected shares, not per cent"
        )


def _require(kind: int, expected: int, name: str) -> None:
    if kind != expected:
        raise ValueError(f"{name} has wire type {kind}, expected {expected}")


def _fields(buffer: bytes, position: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield number, wire type and the span (start, end) of each field's value between two positions."""
    while position < end:
        tag, position = _varint(buffer, position, end)
        number, kind = tag >> 3, tag & 7
        if number == 0:
            raise ValueError(f"field number 0 at byte {position}")
        start = position
        if kind == _VARINT:
            position = _varint(buffer, position, end)[1]
        elif kind == _LENGTH_DELIMITED:
            length, start = _varint(buffer, position, end)
            position = start + length
        elif kind in _FIXED_BYTES:
            position += _FIXED_BYTES[kind]
        else:
            raise ValueError(f"field {number} has wire type {kind}, which this message does not use")
        if position > end:
            raise ValueError(f"field {number} reaches beyond its message")
        yield number, kind, start, position


def _varint(buffer: bytes, position: int, end: int) -> tuple[int, int]:
    """Return an unsigned variable-length integer of at most 64 bits and the position behind it."""
    value = 0
    for shift in range(0, 70, 7):
        if position >= end:
            raise ValueError("a number reaches beyond its message")
        byte = buffer[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    raise ValueError("a number is longer than 10 bytes")
