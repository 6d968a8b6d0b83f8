"""The explorers of the benchmarks and the player of the searches, as pages of the report."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from terranas.benchmark.tabular import TabularBenchmark
from terranas.config.searching import OTHER_SPACES
from terranas.core.errors import TableError
from terranas.core.files import write_text
from terranas.core.tables import read_table
from terranas.report.content import StudyResults
from terranas.report.explorer import ExplorerSource, write_explorer
from terranas.report.player import read_player_source, write_player
from terranas.report.reading import Files
from terranas.report.shell import PageLink, Shell, render_template
from terranas.report.start import SEARCHED_NAMES
from terranas.sampling.schema import WALKS
from terranas.space.neighbours import read_graph

EXPLORE = "Explore"
EXPLORED_NAMES = {"study": "this study", "eo_hwnas": "published EO benchmark", **SEARCHED_NAMES}
"""Names of the benchmarks that can be explored."""


@dataclass(frozen=True)
class Interactive:
    """Pages that show every architecture and every evaluation.

    Attributes:
        results: the study's tables.
        files: paths by name: ``explored``, a benchmark's table each, and ``explored_walks``, the walks over each;
            ``indptr``, ``indices`` and ``graph`` (its summary) of the neighbour graph; ``evaluations``, ``queue`` and
            ``runs``, one an arm; ``anytime``; ``filled``, the table with predicted values where searches had one.
        explored: names of the benchmarks that have an explorer.
    """

    results: StudyResults
    files: Files
    explored: Sequence[str]

    @property
    def links(self) -> list[PageLink]:
        """The pages in the order of the list of pages."""
        explorers = [
            PageLink(_file(name), f"Explorer: {EXPLORED_NAMES[name]}", EXPLORE, "every architecture")
            for name in self.explored
        ]
        return [*explorers, PageLink("player.html", "Search player", EXPLORE, "searches, evaluation by evaluation")]

    def write(self, site: Path, shell: Shell) -> None:
        """Write the pages and their data.

        Args:
            site: folder of the pages.
            shell: the frame of the pages.

        Raises:
            TerranasError: a table is missing, damaged or of another version.
        """
        for place, name in enumerate(self.explored):
            manifest = write_explorer(self._explorer(place, name), site)
            _write(site, "explorer.html", shell, _file(name), manifest)
        _write(site, "player.html", shell, "player.html", self._player(site))

    def _explorer(self, place: int, name: str) -> ExplorerSource:
        searching = self.results.config["search"]
        searched = name == searching["benchmark"]
        benchmark = self.results.searched if searched else TabularBenchmark.open(self.files["explored"][place])
        drawn, files, cells = name not in OTHER_SPACES, self.files, self.results.cells
        return ExplorerSource(
            name=name,
            benchmark=benchmark,
            cells=cells if drawn else None,
            graph=read_graph(files["indptr"], files["indices"], files["graph"], cells) if drawn else None,
            neighbourhood=searching["neighbourhood"] if drawn else "",
            walks=read_table(files["explored_walks"][place], WALKS) if drawn else None,
            objectives=[metric for metric in self.results.objectives if _known(benchmark, metric)],
        )

    def _player(self, site: Path) -> dict[str, Any]:
        searched = self.results.config["search"]["benchmark"]
        filled = TabularBenchmark.open(self.files["filled"][0]) if self.files["filled"] else None
        source = read_player_source(
            {name: self.files[name] for name in ("evaluations", "queue", "runs")},
            self.files["anytime"],
            self.results.searched,
            filled,
            benchmark=searched,
            objectives=self.results.objectives,
            training_sample=self.results.searches.training_sample,
            explorer=_file(searched) if searched in self.explored else "",
        )
        return write_player(source, site)


def _file(benchmark: str) -> str:
    return f"explorer-{benchmark}.html"


def _write(site: Path, template: str, shell: Shell, file: str, manifest: dict[str, Any]) -> None:
    write_text(site / file, render_template(template, shell, file, manifest=manifest))


def _known(benchmark: TabularBenchmark, metric: str) -> bool:
    """Return whether a benchmark has a value of a metric at all."""
    try:
        return not np.isnan(benchmark.values([metric])).all()
    except TableError:  # no such metric, or nothing was measured on its device
        return False
