"""Reading published tables of other search spaces: columns, keys and units, with errors that name the value."""

import io
import re
from collections.abc import Sequence
from typing import BinaryIO

import numpy as np
import pandas as pd
import pyarrow
import pyarrow.parquet as pq
from numpy.typing import NDArray

from terranas.benchmark.small_files import read_small
from terranas.benchmark.validation import Check, compare
from terranas.core.errors import DataError
from terranas.core.tables import TableSchema

_ADVICE = "Fetch the published file again (docs/tables.md describes it)."


def read_csv(file: BinaryIO, name: str) -> pd.DataFrame:
    """Return a CSV file's columns, all as text: a code such as ``030121`` keeps its leading zero.

    Args:
        file: UTF-8, comma-separated, with a header.
        name: what to call the file in errors.

    Raises:
        DataError: the file is no such CSV file, or too large.
    """
    content = read_small(file, name)
    try:
        return pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False, encoding="utf-8")
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise DataError(f"{name} is no CSV file with a header ({str(error).strip()}). {_ADVICE}") from error


def read_parquet(file: BinaryIO, name: str) -> pd.DataFrame:
    """Return a parquet file's columns.

    Raises:
        DataError: the file is no readable parquet file.
    """
    try:
        return pd.DataFrame(pq.read_table(file).to_pandas(ignore_metadata=True))
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"{name} is no readable parquet file ({error}). {_ADVICE}") from error


def require_columns(table: pd.DataFrame, expected: Sequence[str], name: str) -> None:
    """Check that a file has exactly the columns of the published one, in any order, and at least a row.

    Raises:
        DataError: columns are missing or unknown, or there are no rows.
    """
    missing = [column for column in expected if column not in table.columns]
    unknown = [str(column) for column in table.columns if column not in expected]
    if missing or unknown:
        parts = [f"{word}: {', '.join(found)}" for word, found in (("missing", missing), ("unknown", unknown)) if found]
        raise DataError(f"{name} does not have the columns of the published file; {'; '.join(parts)}. {_ADVICE}")
    if table.empty:
        raise DataError(f"{name} has no rows; expected at least one architecture. {_ADVICE}")


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

    Raises:
        DataError: a value is no number, not finite or out of range; the message names the first one.
    """
    try:
        values = pd.to_numeric(table[column], errors="coerce").to_numpy(dtype=np.float64)
    except TypeError as error:
        raise DataError(f"{name} has no numbers in the column {column} ({error}). {_ADVICE}") from error
    wrong = ~(np.isfinite(values) & (values >= ge) & (values <= le))
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
            f"{'whole ' * whole}number{bounds}; {int(wrong.sum()):,} such values in all. {_ADVICE}"
        )
    return values


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
