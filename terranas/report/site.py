"""The report as one folder: pages, the files behind their figures and tables, styles and scripts."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
from markupsafe import Markup

from terranas.core.figures import FORMATS, write_csv
from terranas.core.files import write_text
from terranas.core.page import Block, Picture, Section, Table
from terranas.report.charts import Chart
from terranas.report.ordering import sort_keys
from terranas.report.origins import Origin, Origins
from terranas.report.shell import Shell, render_template
from terranas.report.stages import StagePage

FILES = "files"
"""Folder of the figures and tables, beside the pages; what was made for a page stands in ``shown``, a folder a page."""

LARGEST_CONVERTED = 1024 * 1024
"""Bytes of a parquet file that is written as CSV beside the pages."""


@dataclass(frozen=True)
class Shown:
    """A block of a page as its template needs it.

    Attributes:
        block: the block.
        name: its anchor, unique on the page.
        links: text and address of the files behind it.
        address: of a picture's file.
        order: what a table's entries are sorted by.
        origin: where it comes from; None where that is not known.
        others: how many further files it comes from that were made like the one of the origin.
    """

    block: Block | Chart
    name: str
    links: Sequence[tuple[str, str]] = ()
    address: str = ""
    order: Sequence[Sequence[str | None]] = field(default=(), repr=False)
    origin: Origin | None = None
    others: int = 0


@dataclass(frozen=True)
class ShownSection:
    """A section with its blocks; the fields are those of :class:`terranas.core.page.Section`."""

    name: str
    title: str
    sentences: Sequence[str]
    blocks: Sequence[Shown]


@dataclass(frozen=True)
class Site:
    """A report's folder while it is written.

    Attributes:
        folder: the folder.
        shell: the frame of its pages.
        results: folder of the study, as the rules spell it.
        origins: where files come from.
    """

    folder: Path
    shell: Shell
    results: str
    origins: Origins

    def write(self, page: StagePage) -> None:
        """Write a page and the files that it links to.

        Raises:
            OSError: a file cannot be read or written.
        """
        stem = Path(page.link.file).stem
        shown = [self._section(section, stem, page.charts.get(section.name)) for section in page.page.sections]
        template = "start.html" if page.link.file == "index.html" else "stage.html"
        content = {"page": page.page, "sections": shown, "charted": bool(page.charts)}
        html = render_template(template, self.shell, page.link.file, **content)
        write_text(self.folder / page.link.file, html)

    def _section(self, section: Section, page: str, chart: Chart | None) -> ShownSection:
        blocks = [] if chart is None else [self._chart(chart, page)]
        for number, block in enumerate(section.blocks, start=1):
            name = f"{section.name}-{number}"
            if isinstance(block, Table):
                blocks.append(self._table(block, page, name))
            elif isinstance(block, Picture):
                blocks.append(self._picture(block, page))
            else:
                blocks.append(Shown(block, name))
        return ShownSection(section.name, section.title, section.sentences, blocks)

    def _chart(self, chart: Chart, page: str) -> Shown:
        links = [("CSV", self._write_table(chart.numbers, page, chart.name))]
        return Shown(chart, f"chart-{chart.name}", links, origin=self._origin([chart.source]))

    def _table(self, table: Table, page: str, name: str) -> Shown:
        drawings = [all(isinstance(entry, Markup) for entry in column) for column in zip(*table.rows, strict=True)]
        kept = [place for place in range(len(table.heads)) if not (drawings and drawings[place])]
        rows = [[str(row[place]) for place in kept] for row in table.rows]
        numbers = pd.DataFrame(rows, columns=pd.Index([table.heads[place].text for place in kept]))
        links = [("CSV", self._write_table(numbers, page, name))]
        if len(table.sources) == 1 and (whole := self._as_csv(table.sources[0])):
            links.append(("CSV of the file behind it", whole))
        origin = self._origin(table.sources)
        return Shown(table, name, links, "", sort_keys(table), origin, max(len(table.sources) - 1, 0))

    def _picture(self, picture: Picture, page: str) -> Shown:
        name, origin = f"figure-{picture.name}", self._origin([picture.source])
        if Path(picture.source).suffix == ".png":
            links = [(kind.upper(), self._copy(path)) for kind, path in _formats(picture.source) if path.is_file()]
            return Shown(picture, name, links, links[0][1], origin=origin)
        # drawn for the page itself
        address = f"{FILES}/shown/{page}/{picture.name}.png"
        path = self.folder / address
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(picture.png)
        links = [("PNG", address)]
        if picture.source and (numbers := self._as_csv(picture.source)):
            links.append(("CSV", numbers))
        return Shown(picture, name, links, address, origin=origin)

    def _origin(self, sources: Sequence[str]) -> Origin | None:
        return self.origins.of(sources[0]) if sources and sources[0] else None

    def _write_table(self, table: pd.DataFrame, page: str, name: str) -> str:
        address = f"{FILES}/shown/{page}/{name}.csv"
        write_csv(table, self.folder / address)
        return address

    def _as_csv(self, source: str) -> str:
        """Return the address of a small table's file as CSV; empty where it is none or large."""
        path = Path(source)
        if path.suffix == ".csv":
            return self._copy(path)
        if path.suffix != ".parquet" or path.stat().st_size > LARGEST_CONVERTED:
            return ""
        address = self._address(path.with_suffix(".csv"))
        if not (self.folder / address).exists():
            write_csv(pd.read_parquet(path), self.folder / address)
        return address

    def _copy(self, path: Path) -> str:
        address = self._address(path)
        target = self.folder / address
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
        return address

    def _address(self, path: Path) -> str:
        """Return where a study's file stands below the pages: in the same place as below the study's folder."""
        below = path.relative_to(self.results) if path.is_relative_to(self.results) else Path(path.name)
        return (Path(FILES) / below).as_posix()


def _formats(png: str) -> list[tuple[str, Path]]:
    """Return the files of a figure and of its numbers by format, its PNG first."""
    return [(kind, Path(png).with_suffix(f".{kind}")) for kind in (*FORMATS, "csv")]
