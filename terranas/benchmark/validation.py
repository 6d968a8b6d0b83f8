"""Checking a table against what can be computed or counted, and describing what it holds."""

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from terranas.core.errors import DataError
from terranas.core.tables import TableSchema

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Check:
    """How far published values agree with expected ones.

    Attributes:
        name: what is compared with what, such as "parameters equal the closed form".
        compared: number of values compared; those not known on either side are left out.
        disagreeing: number of values farther apart than the tolerance.
        largest: largest difference (relative where the tolerance is); NaN when nothing was compared.
        tolerance: largest difference that still agrees.
        relative: whether differences are divided by the expected value.
        example: the value with the largest difference among those that disagree, in words; empty when all agree.
    """

    name: str
    compared: int
    disagreeing: int
    largest: float
    tolerance: float
    relative: bool
    example: str

    @property
    def passed(self) -> bool:
        """Whether no value disagrees."""
        return self.disagreeing == 0


class RowNames(Sequence[str]):
    """Names of the rows of a benchmark table for examples, each made when it is asked for."""

    def __init__(self, table: pd.DataFrame) -> None:
        """Name the rows of a table by its first column, epochs and repeat."""
        self._columns = [table.iloc[:, 0].array, table["epochs"].array, table["repeat"].array]

    def __len__(self) -> int:
        return len(self._columns[0])

    def __getitem__(self, index: Any) -> Any:
        """Return the name of a row."""
        key, epochs, repeat = (column[index] for column in self._columns)
        return f"{key} ({epochs} epochs, repeat {repeat})"


def compare(
    name: str,
    published: ArrayLike,
    expected: ArrayLike,
    keys: Sequence[str],
    *,
    tolerance: float = 0.0,
    relative: bool = False,
) -> Check:
    """Compare published values with expected ones, one by one.

    Args:
        name: what is compared with what.
        published: values of the table, shape (n,); NaN where not known.
        expected: values they should have, shape (n,); NaN where not known.
        keys: what to call each value in an example, n texts.
        tolerance: largest difference that still agrees.
        relative: whether to divide differences by the expected value.
    """
    found, wanted = np.asarray(published, dtype=np.float64), np.asarray(expected, dtype=np.float64)
    known = np.flatnonzero(~np.isnan(found) & ~np.isnan(wanted))
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        apart = np.abs(found[known] - wanted[known])
        # equal values agree, zero or infinite ones too
        apart = np.where(found[known] == wanted[known], 0.0, apart / np.abs(wanted[known]) if relative else apart)
    wrong = ~(apart <= tolerance)
    example = ""
    if wrong.any():
        worst = known[wrong][np.argmax(np.nan_to_num(apart[wrong], nan=np.inf))]
        example = f"{keys[worst]}: {found[worst]:.10g}, expected {wanted[worst]:.10g}"
    largest = float(apart.max()) if len(known) else float("nan")
    return Check(name, len(known), int(wrong.sum()), largest, tolerance, relative, example)


def within(name: str, published: ArrayLike, lowest: ArrayLike, highest: ArrayLike, keys: Sequence[str]) -> Check:
    """Check that published values lie between limits; what an example calls expected is the nearer limit.

    Args:
        name: what must lie where.
        published: values of the table, shape (n,); NaN where not known.
        lowest: smallest value allowed, one number or shape (n,); NaN where not known.
        highest: largest value allowed, likewise.
        keys: what to call each value in an example, n texts.
    """
    return compare(name, published, np.clip(np.asarray(published, dtype=np.float64), lowest, highest), keys)


def require_agreement(checks: Sequence[Check], source: str, *, tolerate: bool) -> None:
    """Raise when a check failed, or warn where that is to be tolerated.

    Args:
        checks: what was compared.
        source: name of the table in messages.
        tolerate: whether a failed check is only logged (``benchmark.disagreement: report``).

    Raises:
        DataError: a check failed and is not tolerated; the message names all that failed.
    """
    failed = [check for check in checks if not check.passed]
    if not failed:
        return
    sentences = "; ".join(
        f"'{check.name}' fails for {check.disagreeing:,} of {check.compared:,} values (tolerance {check.tolerance:g}"
        f"{' relative' if check.relative else ''}; {check.example})"
        for check in failed
    )
    if tolerate:
        logger.warning("%s disagrees with what was expected: %s", source, sentences)
        return
    raise DataError(
        f"{source} disagrees with what was expected: {sentences}. Fetch its files again; to import it all the same, "
        "set benchmark.disagreement to report."
    )


def describe_table(
    table: pd.DataFrame, schema: TableSchema, space_size: int | None, checks: Sequence[Check]
) -> dict[str, Any]:
    """Return what a benchmark table holds, as plain values to store as JSON.

    Args:
        table: rows of the schema.
        schema: a schema made by :func:`terranas.benchmark.schema.table_schema`.
        space_size: architectures of the whole search space; None where it is not known.
        checks: what was compared.
    """
    key = schema.key[0]
    metrics = [column for column in schema.columns if column.direction is not None]
    unknown = {column.name for column in metrics if bool(table[column.name].isna().all())}
    # numbers rather than texts: a full table has more than a million rows
    architecture, names = pd.factorize(table[key])
    group = _joint_codes([architecture, *(pd.factorize(table[name])[0] for name in ("dataset", "epochs", "device"))])
    fidelities, of_fidelity = np.unique(table["epochs"].to_numpy(), return_inverse=True)
    runs = np.bincount(np.bincount(group))
    return {
        "rows": len(table),
        "architectures": len(names),
        "space_size": space_size,
        "coverage": len(names) / space_size if space_size else None,
        "datasets": _counts(table["dataset"]),
        "fidelities": {
            str(epochs): len(np.unique(architecture[of_fidelity == number]))
            for number, epochs in enumerate(fidelities.tolist())
        },
        "repeats": {str(repeats): int(count) for repeats, count in enumerate(runs) if count and repeats},
        "devices": _counts(table["device"]),
        "outcomes": _counts(table["outcome"]),
        # runs that agree in every metric: the same record twice, rather than a second training
        "identical_rows": _identical(group, [table[column.name] for column in metrics if column.name not in unknown]),
        "metrics": {
            column.name: _range(table[column.name]) | {"unit": column.unit, "direction": column.direction}
            for column in metrics
            if column.name not in unknown
        },
        "unknown_metrics": [column.name for column in metrics if column.name in unknown],
        "checks": [_as_plain(check) for check in checks],
    }


def _as_plain(check: Check) -> dict[str, Any]:
    """Return a check as JSON can hold it: without NaN and infinity."""
    return asdict(check) | {"passed": check.passed, "largest": check.largest if np.isfinite(check.largest) else None}


def _joint_codes(codes: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Return one number a row, from 0 without gaps, that is equal where all codes are."""
    joint = codes[0]
    for more in codes[1:]:
        joint = np.unique(joint * (more.max(initial=0) + 1) + more, return_inverse=True)[1]
    return joint


def _identical(group: NDArray[np.int64], columns: Sequence[pd.Series]) -> int:
    """Return how many rows repeat an earlier one of their group in every column; two NaN are equal."""
    digest = np.zeros(len(group), dtype=np.uint64)
    for column in columns:
        # a 64-bit hash of all values: of a million rows, two different ones meet with a probability below 1e-7
        hashed = pd.util.hash_array(column.to_numpy(dtype=np.float64, na_value=np.nan))
        digest = (digest ^ hashed) * np.uint64(0x9E3779B97F4A7C15)
    order = np.lexsort((digest, group))
    same = (group[order[1:]] == group[order[:-1]]) & (digest[order[1:]] == digest[order[:-1]])
    return int(same.sum())


def _counts(column: pd.Series) -> dict[str, int]:
    return {str(value): int(count) for value, count in column.value_counts().sort_index().items()}


def _range(column: pd.Series) -> dict[str, Any]:
    known = column.dropna()
    return {
        "known": len(known),
        "missing": len(column) - len(known),
        "min": float(known.min()),
        "median": float(known.median()),
        "max": float(known.max()),
    }
