"""Importer of a table of one's own: measured elsewhere, in any columns of the benchmark schema."""

import difflib
import io
import logging
import warnings
from functools import partial
from typing import BinaryIO

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terranas.benchmark.imported import ImportedTable, Source
from terranas.benchmark.published import checked_parquet, numbers
from terranas.benchmark.schema import BENCHMARK, METRICS
from terranas.benchmark.small_files import read_small
from terranas.benchmark.space_index import SpaceIndex, count_within
from terranas.core.errors import DataError
from terranas.space.complexity import NetworkShape

logger = logging.getLogger(__name__)

MAX_BYTES = 1 << 28
"""Larger files are refused; a row of every cell of NAS-Bench-101 with ten metrics takes 80 MB as text."""
NAMES = ("hash", "id")
"""Columns that name the architecture; a table has one of them."""
ABOUT = ("dataset", "epochs", "device")
"""Columns that may be left out: the images' name is then the file's, the fidelity 0, the device unknown."""
METRIC_NAMES = tuple(column.name for column in METRICS)
_MOST_EPOCHS = 1_000_000
_MOST_ROWS = 10_000_000
_ADVICE = "Correct the table (docs/tables.md describes it)."


def import_own(file: BinaryIO, name: str, index: SpaceIndex, shape: NetworkShape) -> ImportedTable:
    """Return a table of one's own as a benchmark table.

    A row is one training: its architecture (``hash``, or ``id``: the rank among all 423,624 hashes), what of
    ``dataset``, ``epochs`` and ``device`` is known, and any metrics of the benchmark schema in its units, empty where
    not known. Rows of one architecture, images, epochs and device are repeats, in their order; rows on several devices
    tell of the same trainings. Parameters and MACs that the table does not have are computed for the study's network.

    Args:
        file: a CSV file (UTF-8, with a header) or a parquet file.
        name: name of the file; its stem names the images where the table does not.
        index: the study's search space.
        shape: the study's network.

    Raises:
        DataError: the file cannot be read, has an unknown column, no metric, a value that is no number or out of
            range, a row without the name of its images where others have one, or an architecture that is not in the
            space.
    """
    rows = read_own(file, name)
    places = [f"row {number}" for number in range(len(rows))]
    where = _rows_of_space(rows, name, index, places)
    facts = {
        "dataset": _images(rows, name, places) if "dataset" in rows else name.rsplit(".", 1)[0],
        "epochs": _whole(rows, "epochs", places, name, _MOST_EPOCHS) if "epochs" in rows else 0,
        "device": rows["device"].astype("str").fillna("") if "device" in rows else "",
    }
    table = pd.DataFrame({"row": where, **facts}).astype({"epochs": "int64"})
    given = [metric for metric in METRIC_NAMES if metric in rows]
    for metric in given:
        column = BENCHMARK.column(metric)
        known = rows[metric].notna().to_numpy() & (rows[metric].astype("str").str.strip() != "").to_numpy()
        values = np.full(len(rows), np.nan)
        low = -np.inf if column.ge is None else column.ge
        high = np.inf if column.le is None else column.le
        kept = [places[row] for row in np.flatnonzero(known)]
        if known.any():
            values[known] = numbers(rows[known], metric, kept, name, ge=low, le=high, advice=_ADVICE)
        table[metric] = values
    computed = [metric for metric in ("parameters", "macs") if metric not in given]
    if computed:
        sizes = dict(zip(("parameters", "macs"), index.complexity(where, shape), strict=True))
        table = table.assign(**{metric: sizes[metric] for metric in computed})
    table = table.sort_values(["row", "dataset", "epochs", "device"], kind="stable", ignore_index=True)
    groups = [pd.factorize(table[column])[0] for column in ("row", "dataset", "epochs", "device")]
    repeats = count_within(*groups)
    where = table["row"].to_numpy(dtype=np.int64)
    metrics = {metric: table[metric].to_numpy(dtype=np.float64) for metric in (*given, *computed)}
    filled = index.table(where, table["epochs"].to_numpy(), repeats, metrics, dataset="", source=name)
    filled = filled.assign(dataset=table["dataset"].array, device=table["device"].array)
    logger.info(
        "%s: %d rows of %d architectures; computed: %s", name, len(rows), len(np.unique(where)), computed or "-"
    )
    notes = (f"Computed for the study's network: {', '.join(computed)}.",) if computed else ()
    source = Source(name, "NAS-Bench-101", len(index), "of its owner", "the owner of the table", notes)
    # ascending by key: devices and images of a cell stand in groups, repeats within them
    filled = filled.sort_values(list(BENCHMARK.key), kind="stable", ignore_index=True)
    return ImportedTable(filled, BENCHMARK, source, (), {"rows": len(rows)})


def read_own(file: BinaryIO, name: str) -> pd.DataFrame:
    """Return the columns of a table of one's own, after looking at their names; values of a CSV file are still texts.

    Args:
        file: a CSV file (UTF-8, with a header) or a parquet file.
        name: name of the file.

    Raises:
        DataError: the file cannot be read, or its columns are not those of such a table.
    """
    content = read_small(file, name, MAX_BYTES)
    if content.startswith(b"PAR1"):
        check = partial(_require_columns, name=name)
        return checked_parquet(content, name, check, _MOST_ROWS, max_bytes=MAX_BYTES, advice=_ADVICE)
    try:
        _require_columns(list(pd.read_csv(io.BytesIO(content), nrows=0, dtype="str").columns), name)
        with warnings.catch_warnings():
            # more fields than names: pandas would take the first for names of rows, and shift the others
            warnings.simplefilter("error", pd.errors.ParserWarning)
            rows = pd.read_csv(
                io.BytesIO(content), dtype="str", keep_default_na=False, na_values=["", "nan", "NaN"], index_col=False
            )
    except (ValueError, pd.errors.ParserError, pd.errors.ParserWarning) as error:
        raise DataError(
            f"{name} is no readable table ({error}). Expected a CSV file with a header (UTF-8) or a parquet file."
        ) from error
    if rows.empty:
        raise DataError(f"{name} has no rows; expected at least one architecture.")
    return pd.DataFrame(rows)


def _require_columns(found: list[str], name: str) -> None:
    known = (*NAMES, *ABOUT, *METRIC_NAMES)
    advice = f"A table of your own has one of {' and '.join(NAMES)}, and any of: {', '.join((*ABOUT, *METRIC_NAMES))}."
    for column in found:
        if column not in known:
            near = difflib.get_close_matches(column, known, n=1, cutoff=0.5)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            raise DataError(f"{name} has the column '{column[:40]}', which is none of a benchmark.{hint} {advice}")
    if len(set(NAMES).intersection(found)) != 1:
        raise DataError(f"{name} must name its architectures by one of the columns {' or '.join(NAMES)}. {advice}")
    if not set(METRIC_NAMES).intersection(found):
        raise DataError(f"{name} has no metric. {advice}")
    if len(set(found)) < len(found):
        raise DataError(f"{name} has a column twice: {', '.join(found)}.")


def _rows_of_space(rows: pd.DataFrame, name: str, index: SpaceIndex, places: list[str]) -> NDArray[np.int64]:
    """Return the row of each architecture in the table of cells."""
    if "hash" in rows:
        found = [index.row(str(text)) for text in rows["hash"]]
        where = np.array([-1 if row is None else row for row in found], dtype=np.int64)
        shown = rows["hash"]
    else:
        if np.isnan(index.ids).any():
            raise DataError(
                f"{name} names its architectures by id, their rank among all 423,624; this study's space is smaller "
                "and has no ids. Name them by hash, or set space.max_vertices to 7 and space.max_edges to 9."
            )
        ids = _whole(rows, "id", places, name, np.iinfo(np.int32).max)
        where = np.where(ids < len(index), ids, -1)
        shown = rows["id"]
    outside = np.flatnonzero(where < 0)
    if len(outside):
        raise DataError(
            f"{len(outside):,} of the {len(rows):,} rows of {name} name a cell that is none of the {len(index):,} of "
            f"this study's space; the first one is {places[outside[0]]}, {str(shown.iloc[outside[0]])[:40]!r}. Leave "
            "these rows out, or set space.max_vertices and space.max_edges so that the space holds them."
        )
    return where


def _images(rows: pd.DataFrame, name: str, places: list[str]) -> pd.Series:
    """Return the name of the images of each row."""
    lacking = np.flatnonzero(rows["dataset"].isna() | (rows["dataset"].astype("str").str.strip() == ""))
    if len(lacking):
        raise DataError(
            f"{name} does not say which images {places[lacking[0]]} was measured on; {len(lacking):,} such rows in "
            "all. Fill in the column dataset, or leave it out where all rows are about the same images."
        )
    return rows["dataset"].astype("str")


def _whole(rows: pd.DataFrame, column: str, places: list[str], name: str, most: int) -> NDArray[np.int64]:
    """Return a column of whole numbers, all known."""
    return numbers(rows, column, places, name, ge=0, le=most, whole=True, advice=_ADVICE).astype(np.int64)
