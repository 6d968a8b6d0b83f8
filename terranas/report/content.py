"""What a study brought (its tables) and what a page is made of (sections, tables, figures)."""

import base64
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, Literal

import pandas as pd
from markupsafe import Markup

from terranas.benchmark.tabular import TabularBenchmark
from terranas.core.errors import DataError
from terranas.training.status import TrainingStatus

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class StudyResults:
    """Everything the page is written from.

    Attributes:
        config: effective configuration as plain values.
        config_text: the same as YAML.
        software: what :func:`terranas.report.provenance.software_versions` returned.
        manifest: the data stage's manifest.
        cells: table of the schema ``space.cells``.
        graphs: summaries of the neighbour graphs the study used.
        walks: ``sampling.walks``.
        class_counts: ``data.class_counts``.
        table: ``benchmark.table`` of the study itself.
        validations: validation reports of all benchmark tables, the study's own among them, by name.
        failures: records of the trainings that gave no full result.
        accuracy_summary: the landscape stage's summary of the accuracies, for people.
        ruggedness: ``landscape.ruggedness``.
        scores: ``surrogates.scores``.
        predicted: ``surrogates.predicted_fronts``.
        searched_table: ``benchmark.table`` that was searched: the study's own or a published one.
        runs: ``search.runs`` of both arms.
        indicators: ``comparison.indicators``.
        tests: the comparison stage's table of tests.
    """

    config: Mapping[str, Any]
    config_text: str
    software: Mapping[str, Any]
    manifest: Mapping[str, Any]
    cells: pd.DataFrame
    graphs: Sequence[Mapping[str, Any]]
    walks: pd.DataFrame
    class_counts: pd.DataFrame
    table: pd.DataFrame
    validations: Mapping[str, Mapping[str, Any]]
    failures: Sequence[TrainingStatus]
    accuracy_summary: pd.DataFrame
    ruggedness: pd.DataFrame
    scores: pd.DataFrame
    predicted: pd.DataFrame
    searched_table: pd.DataFrame
    runs: pd.DataFrame
    indicators: pd.DataFrame
    tests: pd.DataFrame

    @cached_property
    def benchmark(self) -> TabularBenchmark:
        """The study's own benchmark."""
        return TabularBenchmark(self.table)

    @cached_property
    def searched(self) -> TabularBenchmark:
        """The benchmark that was searched."""
        return TabularBenchmark(self.searched_table)

    @property
    def synthetic(self) -> bool:
        """Whether the study's images were generated."""
        return bool(self.manifest["source"] == "synthetic")

    @property
    def searches_published_table(self) -> bool:
        """Whether surrogates and searches used a published benchmark instead of the study's own."""
        return bool(self.config["search"]["benchmark"] != "study")

    @property
    def objectives(self) -> list[str]:
        """Metrics that the searches optimised."""
        return list(self.config["search"]["objectives"])

    @property
    def accuracy_metric(self) -> str:
        """The accuracy by which architectures are ranked: an objective of the searches where one is an accuracy."""
        accuracies = [name for name in self.objectives if name.startswith("validation") and name.endswith("accuracy")]
        return [*accuracies, "validation_micro_accuracy"][0]


@dataclass(frozen=True)
class Head:
    """Head of a table's column.

    Attributes:
        text: what stands in the head.
        kind: ``number`` columns are set flush right, ``text`` columns flush left.
    """

    text: str
    kind: Literal["text", "number"] = "number"


@dataclass(frozen=True)
class Table:
    """A table for people; the first column names the row.

    Attributes:
        caption: what the table shows, in a sentence or two.
        heads: heads of the columns.
        rows: entries, one sequence a row; ``Markup`` entries are drawings.
        folded: what the button says that unfolds the table; empty for a table that is always shown.
    """

    kind: ClassVar[str] = "table"

    caption: str
    heads: Sequence[Head]
    rows: Sequence[Sequence[str | Markup]]
    folded: str = ""


@dataclass(frozen=True)
class Picture:
    """A figure of the page.

    Attributes:
        name: name of the file without its ending.
        png: content of the PNG file.
        alt: what is seen, with numbers, for those who do not see it.
        caption: what is shown and how it was computed.

    Raises:
        DataError: the content is no PNG file.
    """

    kind: ClassVar[str] = "picture"

    name: str
    png: bytes = field(repr=False)
    alt: str
    caption: str

    def __post_init__(self) -> None:
        if not self.png.startswith(PNG_SIGNATURE) or len(self.png) < 24 or 0 in self.size:
            raise DataError(
                f"The figure '{self.name}' is no PNG file (it starts with {self.png[:8]!r}). Remove it and run again."
            )

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels, from the file's header (PNG specification, section 11.2.1)."""
        width, height = struct.unpack(">II", self.png[16:24])
        return int(width), int(height)

    @property
    def uri(self) -> str:
        """The file as an address that carries its own content, so that the page needs no other file."""
        return f"data:image/png;base64,{base64.b64encode(self.png).decode('ascii')}"


@dataclass(frozen=True)
class Listing:
    """Text to be shown as it is: commands, files.

    Attributes:
        text: the text.
        folded: what the button says that unfolds it; empty for a text that is always shown.
    """

    kind: ClassVar[str] = "listing"

    text: str
    folded: str = ""


Block = Table | Picture | Listing | Markup
"""What a section is made of; ``Markup`` is drawn by the library itself."""


@dataclass(frozen=True)
class Section:
    """A section of the page.

    Attributes:
        name: identifier, used as anchor.
        title: heading.
        sentences: what is to be said first.
        blocks: tables, figures, listings and legends in their order.
    """

    name: str
    title: str
    sentences: Sequence[str]
    blocks: Sequence[Block] = ()
