"""Reading published tables of other search spaces: columns, keys and units, with errors that name the value."""

import csv
import io
import itertools
import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, BinaryIO

import numpy as np
import pandas as pd
import pyarrow
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from terranas.benchmark.small_files import MAX_BYTES, read_small
from terranas.benchmark.validation import Check, compare
from terranas.core.errors import DataError
from terranas.core.tables import TableSchema

_ADVICE = "Fetch the published file again (docs/tables.md describes it)."
_MAX_TEXT = 1_000
"""Bytes of a text in a published table; the longest name of an architecture has some 100."""
_MAX_PARTS = 10_000
"""Columns and groups of rows that a parquet file may describe."""
_NAMED = 5
"""Columns that a message names of each kind."""


def read_csv(file: BinaryIO, name: str, expected: Sequence[str], max_rows: int) -> pd.DataFrame:
    """Return a CSV file's columns, all as text: a code such as ``030121`` keeps its leading zero.

    Args:
        file: UTF-8, comma-separated, with a header.
        name: what to call the file in errors.
        expected: columns of the published file; the file may have them in another order.
        max_rows: most rows that a published file can have.

    Raises:
        DataError: the file is no such CSV file, has other columns, no rows or too many, or is too large.
    """
    content = read_small(file, name)
    header, rest = content.partition(b"\n")[::2]
    # names that are looked at before a reader takes them in cost no time, however many they are
    longest = sum(len(column) for column in expected) + 4 * len(expected)
    if len(header) > 2 * longest:
        raise DataError(f"{name} begins with a line of {len(header):,} bytes, expected the names of columns. {_ADVICE}")
    try:
        names = next(csv.reader([header.decode("utf-8-sig")], strict=True), [])
        _require_columns(names, expected, name)
        lines = csv.reader(io.StringIO(rest.decode("utf-8"), newline=""), strict=True)
        rows = list(itertools.islice(filter(None, lines), max_rows + 1))
    except (csv.Error, UnicodeDecodeError) as error:
        reason = "it is no UTF-8 text" if isinstance(error, UnicodeDecodeError) else str(error)
        raise DataError(f"{name} is no CSV file with a header ({reason}). {_ADVICE}") from error
    for number, row in enumerate(rows):
        if len(row) != len(names):
            raise DataError(
                f"{name} is no CSV file with a header: row {number} has {len(row):,} fields, expected {len(names)}. "
                f"{_ADVICE}"
            )
    _require_rows(len(rows), max_rows, name)
    return pd.DataFrame(rows, columns=names, dtype="str")


def read_parquet(file: BinaryIO, name: str, expected: Sequence[str], max_rows: int) -> pd.DataFrame:
    """Return the columns of a published parquet file; see :func:`checked_parquet`.

    Args:
        file: the parquet file.
        name: what to call it in errors.
        expected: columns of the published file; the file may have them in another order.
        max_rows: most rows that a published file can have.

    Raises:
        DataError: the file is no readable parquet file, has other columns, no rows or too many, or unpacks to more
            than numbers and short texts take.
    """
    content = read_small(file, name)
    return checked_parquet(content, name, lambda found: _require_columns(found, expected, name), max_rows)


def checked_parquet(
    content: bytes,
    name: str,
    require_columns: Callable[[list[str]], None],
    max_rows: int,
    *,
    max_bytes: int = MAX_BYTES,
    advice: str = _ADVICE,
) -> pd.DataFrame:
    """Return a parquet file's columns.

    The file says at its end what it holds. That is compared with what is expected before anything is unpacked.

    Args:
        content: the parquet file.
        name: what to call it in errors.
        require_columns: raises unless the columns have the names that are expected.
        max_rows: most rows that the file can have.
        max_bytes: most bytes that it may unpack to.
        advice: what to do about another file, for the errors.

    Raises:
        DataError: the file is no readable parquet file, has no rows or too many, or unpacks to more than numbers and
            short texts take.
    """
    packed = pyarrow.py_buffer(content)
    try:
        with _opened(packed) as described:
            require_columns(described.schema_arrow.names)
            groups = [described.metadata.row_group(number) for number in range(described.num_row_groups)]
            rows = max(described.metadata.num_rows, sum(group.num_rows for group in groups))
            _require_rows(rows, max_rows, name, advice)
            size = sum(group.total_byte_size for group in groups)
            kinds = {field.name: field.type for field in described.schema_arrow}
        if size > max_bytes:
            raise DataError(f"{name} unpacks to {size:,} bytes, expected at most {max_bytes:,}. {advice}")
        if nested := [column for column, kind in kinds.items() if pyarrow.types.is_nested(kind)]:
            raise DataError(f"{name} has lists in the column {nested[0]}, expected numbers or text. {advice}")
        # texts stay in the file's dictionaries, where each stands once, until their lengths are known
        with _opened(packed, read_dictionary=[column for column, kind in kinds.items() if _is_text(kind)]) as opened:
            table = opened.read(use_threads=False)
        for column in kinds:
            table = _with_short_texts(table, column, name, advice)
        return pd.DataFrame(table.to_pandas(ignore_metadata=True))
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"{name} is no readable parquet file ({error}). {advice}") from error


def _opened(packed: pyarrow.Buffer, **options: Any) -> pq.ParquetFile:
    limits = {"thrift_string_size_limit": 1 << 20, "thrift_container_size_limit": _MAX_PARTS}
    return pq.ParquetFile(pyarrow.BufferReader(packed), **limits, **options)


def _is_text(kind: pyarrow.DataType) -> bool:
    names = pyarrow.types
    return bool(
        names.is_string(kind) or names.is_large_string(kind) or names.is_binary(kind) or names.is_dictionary(kind)
    )


def _with_short_texts(table: pyarrow.Table, column: str, name: str, advice: str) -> pyarrow.Table:
    """Return a table whose texts in a column stand in its rows, after checking that they are short."""
    values = table.column(column)
    if not pyarrow.types.is_dictionary(values.type) or not _is_text(values.type.value_type):
        return table
    for chunk in values.chunks:
        longest = pc.max(pc.binary_length(chunk.dictionary)).as_py() or 0
        if longest > _MAX_TEXT:
            raise DataError(
                f"{name} has a text of {longest:,} bytes in the column {column}, expected at most {_MAX_TEXT:,}. "
                f"{advice}"
            )
    return table.set_column(table.column_names.index(column), column, values.cast(values.type.value_type))


def _require_columns(found: Sequence[str], expected: Sequence[str], name: str) -> None:
    """Check that a file has exactly the columns of the published one, in any order.

    Raises:
        DataError: columns are missing, unknown, or stand twice.
    """
    lots = {
        "missing": sorted(set(expected).difference(found), key=list(expected).index),
        "unknown": sorted(set(found).difference(expected)),
        "twice": sorted(column for column, count in Counter(found).items() if count > 1),
    }
    parts = []
    for word, lot in lots.items():
        shown = [column[:40] for column in lot[:_NAMED]] + [f"{len(lot) - _NAMED:,} more"] * (len(lot) > _NAMED)
        parts += [f"{word}: {', '.join(shown)}"] * bool(lot)
    if parts:
        raise DataError(f"{name} does not have the columns of the published file; {'; '.join(parts)}. {_ADVICE}")


def _require_rows(count: int, most: int, name: str, advice: str = _ADVICE) -> None:
    if not count:
        raise DataError(f"{name} has no rows; expected at least one architecture. {advice}")
    if count > most:
        raise DataError(f"{name} has more than {most:,} rows. {advice}")


def architecture_keys(table: pd.DataFrame, column: str, pattern: re.Pattern[str], hint: str, name: str) -> list[str]:
    """Return the architectures that the rows of a file are about.

    Args:
        table: columns of the file.
        column: the one that names architectures.
        pattern: what a whole name looks like.
        hint: what is expected, in words, for the error.
        name: what to call the file in errors.

    Raises:
        DataError: a name does not have the form, or stands twice.
    """
    keys = table[column].tolist()
    for row, key in enumerate(keys):
        if not isinstance(key, str) or not pattern.fullmatch(key):
            raise DataError(
                f"{name} names the architecture {str(key)[:120]!r} in row {row}; expected {hint}. {_ADVICE}"
            )
    require_unique(keys, "architecture", name)
    return keys


def require_unique(keys: Sequence[object], word: str, name: str) -> None:
    """Check that no two rows of a file are about the same thing.

    Raises:
        DataError: two are.
    """
    twice = pd.Series(list(keys)).duplicated()
    if twice.any():
        first = keys[int(twice.to_numpy().argmax())]
        raise DataError(
            f"{name} has {int(twice.sum()):,} rows too many: the {word} {first} stands in two of them. {_ADVICE}"
        )


def numbers(
    table: pd.DataFrame,
    column: str,
    keys: Sequence[str],
    name: str,
    *,
    ge: float = -np.inf,
    le: float = np.inf,
    unknown: float | None = None,
    whole: bool = False,
    advice: str = _ADVICE,
) -> NDArray[np.float64]:
    """Return a column of numbers, shape (rows,), all of them finite and in range.

    Args:
        table: columns of the file.
        column: name of the column.
        keys: what to call each row in errors.
        name: what to call the file in errors.
        ge: smallest value allowed.
        le: largest value allowed.
        unknown: number that stands for a value that is not known, which becomes NaN; None where all are known.
        whole: whether only whole numbers are allowed.
        advice: what to do about a wrong one, for the error.

    Raises:
        DataError: a value is no number, not finite or out of range; the message names the first one.
    """
    values, wrong = _as_numbers(table[column])
    wrong |= ~(np.isfinite(values) & (values >= ge) & (values <= le))
    if whole:
        wrong |= values != np.round(values)
    if unknown is not None:
        missing = values == unknown
        wrong &= ~missing
        values = np.where(missing, np.nan, values)
    if wrong.any():
        row = int(wrong.argmax())
        bounds = f" from {ge:g}" * bool(np.isfinite(ge)) + f" up to {le:g}" * bool(np.isfinite(le))
        raise DataError(
            f"{name} has {str(table[column].iloc[row])[:40]!r} in the column {column} for {keys[row]}; expected a "
            f"{'whole ' * whole}number{bounds}; {int(wrong.sum()):,} such values in all. {advice}"
        )
    return values


def _as_numbers(column: pd.Series) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the numbers of a column, NaN where there is none, and which entries are neither numbers nor text.

    Dates, truth values and durations are numbers to pandas; in a published table they are a mistake.
    """
    kind = column.dtype
    if pd.api.types.is_object_dtype(kind):
        other = np.array([type(value) not in (int, float, str) for value in column], dtype=np.bool_)
        column = column.where(~other)
    else:
        readable = (
            isinstance(kind, pd.StringDtype) or pd.api.types.is_integer_dtype(kind) or pd.api.types.is_float_dtype(kind)
        )
        other = np.full(len(column), not readable)
        column = column if readable else pd.Series(np.nan, index=column.index)
    return pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan), other


def fractions(table: pd.DataFrame, column: str, keys: Sequence[str], name: str) -> NDArray[np.float64]:
    """Return a column of percentages as fractions from 0 to 1, shape (rows,).

    Raises:
        DataError: a value is no percentage, or all are so small that they must be fractions already.
    """
    values = numbers(table, column, keys, name, ge=0, le=100)
    if values.max() <= 1:
        raise DataError(
            f"{name} has nothing above {values.max():.4g} in the column {column}; expected per cent (0 to 100), and "
            f"these look like fractions (0 to 1). {_ADVICE}"
        )
    return values / 100


def whole_counts(
    name: str, accuracies: NDArray[np.float64], images: int, keys: Sequence[str], *, runs: Sequence[int] = (1,)
) -> Check:
    """Compare accuracies with the nearest ones that a whole number of correct images gives.

    Args:
        name: what is compared.
        accuracies: fractions, shape (n,).
        images: images that were classified.
        keys: what to call each value, n texts.
        runs: numbers of runs that an accuracy may be the mean of.
    """
    counts = accuracies * images * int(np.lcm.reduce(np.asarray(runs)))
    # stored in single precision, whence the tolerance of a hundredth of an image
    return compare(name, counts, np.round(counts), keys, tolerance=0.01)


def to_rows(parts: Sequence[pd.DataFrame], schema: TableSchema) -> pd.DataFrame:
    """Return rows of a benchmark schema, ascending by its key.

    Args:
        parts: some columns of the schema each; numbers that a part does not have are not known, its trainings are ok
            and its device is empty unless it says otherwise.
        schema: schema of the table.

    Raises:
        TableError: the rows do not fit the schema.
    """
    table = pd.concat(parts, ignore_index=True).reindex(columns=schema.names)
    for column in ("device", "outcome"):
        table[column] = table[column].astype("str").fillna("" if column == "device" else "ok")
    key, *rest = schema.key
    # sorting codes of the few distinct texts is several times faster than sorting the texts
    codes = [pd.factorize(table[column], sort=True)[0] for column in (key, *rest)]
    return schema.validate(table.iloc[np.lexsort(codes[::-1])])
