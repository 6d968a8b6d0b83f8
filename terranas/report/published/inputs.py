"""Published files and finished studies, read when they are first asked for."""

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terranas.benchmark.eo_hwnas import NETWORK, import_eo_hwnas
from terranas.benchmark.eo_hwnas_files import PublishedFile
from terranas.benchmark.precheck import FILES_OF_TABLES
from terranas.benchmark.space_index import SPACE_SIZE, SpaceIndex
from terranas.benchmark.tabular import TabularBenchmark
from terranas.benchmark.validation import Check
from terranas.comparison.schema import INDICATORS, TESTS
from terranas.core.errors import DataError
from terranas.core.tables import read_table
from terranas.report.published.studies import NASBENCH201, PART, STUDIES, WHOLE, Study
from terranas.space.table import cells_table
from terranas.surrogates.schema import SCORES

EO_FILES = FILES_OF_TABLES["eo_hwnas"]
"""Published names of the files that :func:`~terranas.benchmark.eo_hwnas.import_eo_hwnas` reads."""

_EO = tuple(f"eo-hwnas/{name}" for name in EO_FILES.values())
_CIFAR10 = "nas-bench-101/cifar10_test_accuracy_108.parquet"
_EC_NAS = tuple(f"ec-nas/energy_{vertices}V9E.csv" for vertices in (4, 5))

DATA: Mapping[str, tuple[str, ...]] = {
    "space": (*_EO, _CIFAR10, *_EC_NAS),
    "landscape": (*_EO, _CIFAR10),
    "training": _EO,
    "surrogates": (),
    "searches": (),
}
"""Published files of each topic, below the folder of published data."""

_SURROGATES = "surrogates/{benchmark}/scores.parquet"
_COMPARISON = tuple(f"comparison/{{benchmark}}/{name}.parquet" for name in ("indicators", "tests"))
RESULTS: Mapping[str, tuple[tuple[Study, tuple[str, ...]], ...]] = {
    "space": (),
    "landscape": (),
    "training": (),
    "surrogates": ((PART, (_SURROGATES,)), (WHOLE, (_SURROGATES,))),
    "searches": ((PART, _COMPARISON), (WHOLE, _COMPARISON), (NASBENCH201, _COMPARISON[:1])),
}
"""Results of each topic, below the folder of a study."""


@dataclass(frozen=True)
class EoBenchmark:
    """The EO benchmark as its files give it.

    Attributes:
        benchmark: values of the cells.
        walks: schema ``sampling.walks``.
        checks: what the importer compared, by name.
        cells_of_publication: cells of the whole publication.
    """

    benchmark: TabularBenchmark
    walks: pd.DataFrame
    checks: Mapping[str, Check]
    cells_of_publication: int = 450

    @property
    def extent(self) -> str:
        """Say how much of the publication is at hand."""
        found = len(self.benchmark)
        walks = self.walks["walk"].nunique()
        part = "" if found == self.cells_of_publication else f" of {self.cells_of_publication}"
        return f"{found}{part} cells, {walks} walks"


class Inputs:
    """Published files in one folder, studies in another."""

    def __init__(self, data: str | Path, studies: str | Path) -> None:
        """Name the folders; files are read when they are asked for.

        Args:
            data: folder of published data, with the files of :data:`DATA`.
            studies: folder with one folder of results a study, named as in
                :data:`~terranas.report.published.studies.STUDIES`.
        """
        self.data = Path(data)
        self.studies = Path(studies)

    def missing(self, topics: Iterable[str]) -> list[Path]:
        """Return the files that some topics need and that are not there."""
        wanted = []
        for topic in topics:
            wanted += [self.data / name for name in DATA[topic]]
            for study, names in RESULTS[topic]:
                wanted += [self._result(study, name) for name in names]
        return [path for path in dict.fromkeys(wanted) if not path.is_file()]

    def require(self, topics: Iterable[str]) -> None:
        """Check that nothing that some topics need is missing.

        Raises:
            DataError: files are missing; all of them are named.
        """
        if absent := self.missing(topics):
            names = "\n  ".join(map(str, absent))
            raise DataError(
                f"{len(absent)} of the files that the page is made of are not there:\n  {names}\nExpected the "
                f"published files below --data and the results of {', '.join(study.name for study in STUDIES)} below "
                "--studies; docs/results.md says where the files come from and how to run the studies."
            )

    @cached_property
    def cells(self) -> pd.DataFrame:
        """All cells of NAS-Bench-101, enumerated here; parameters and MACs are those of the EO benchmark's network."""
        return cells_table(7, 9, NETWORK)

    @cached_property
    def eo(self) -> EoBenchmark:
        """The EO benchmark."""
        with ExitStack() as stack:
            opened = {
                key: PublishedFile(stack.enter_context((self.data / "eo-hwnas" / name).open("rb")), name)
                for key, name in EO_FILES.items()
            }
            imported, walks = import_eo_hwnas(opened, SpaceIndex(self.cells))
        checks = {check.name: check for check in imported.checks}
        return EoBenchmark(TabularBenchmark(imported.table), walks, checks)

    @cached_property
    def cifar10(self) -> pd.DataFrame:
        """``test_accuracy`` and ``flops`` of every cell on CIFAR-10; the row is the cell's id.

        Raises:
            DataError: the table has other rows or columns.
        """
        table = pd.read_parquet(self.data / _CIFAR10)
        columns = ("test_accuracy", "flops")
        if len(table) != SPACE_SIZE or not set(columns) <= set(table.columns):
            raise DataError(
                f"{_CIFAR10} has {len(table):,} rows and the columns {', '.join(map(str, table.columns))}; expected "
                f"{SPACE_SIZE:,} rows, one a cell, with {' and '.join(columns)}."
            )
        return table

    @cached_property
    def visits(self) -> NDArray[np.int64]:
        """Ids of the published walks, shape (walks, cells of a walk)."""
        ordered = self.eo.walks.sort_values(["walk", "step"])
        ids: NDArray[np.int64] = ordered["id"].to_numpy(dtype=np.int64).reshape(ordered["walk"].nunique(), -1)
        return ids

    def ec_nas_hashes(self, vertices: int) -> set[str]:
        """Return the cells in EC-NAS-Bench's file of cells of at most so many vertices."""
        return set(pd.read_csv(self.data / f"ec-nas/energy_{vertices}V9E.csv", usecols=["hash"])["hash"])

    def scores(self, study: Study) -> pd.DataFrame:
        """Return the surrogates' scores of a study, schema ``surrogates.scores``."""
        return read_table(self._result(study, _SURROGATES), SCORES)

    def indicators(self, study: Study) -> pd.DataFrame:
        """Return the indicators of a study's searches, schema ``comparison.indicators``."""
        return read_table(self._result(study, _COMPARISON[0]), INDICATORS)

    def tests(self, study: Study) -> pd.DataFrame:
        """Return the tests between a study's arms, schema ``comparison.tests``."""
        return read_table(self._result(study, _COMPARISON[1]), TESTS)

    def _result(self, study: Study, name: str) -> Path:
        return self.studies / study.name / name.format(benchmark=study.benchmark)
