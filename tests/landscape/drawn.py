"""What the tests of figures look at in a drawing."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.text import Text

from terranas.core.figures import save_figure
from terranas.landscape.figures import Drawing


def headline(drawn: Figure) -> str:
    """Return the lines above a figure as one."""
    return drawn.get_suptitle().replace("\n", " ")


def legend(drawn: Figure) -> list[str]:
    """Return the entries of the legends below a figure and below its parts."""
    return [text.get_text() for text in _legend_texts(drawn)]


def words_inside(drawn: Figure) -> str:
    """Return the words written into the frames."""
    return " ".join(text.get_text() for axes in drawn.axes for text in axes.texts).replace("\n", " ")


def overlapping_labels(drawn: Figure) -> list[tuple[str, str]]:
    """Return pairs of visible texts (tick labels, titles, entries, words) that cover each other."""
    drawn.canvas.draw()
    texts = [*drawn.texts, *_legend_texts(drawn)]  # the headline is one of them
    for axes in drawn.axes:
        if not axes.get_visible():
            continue
        texts += [axes.title, axes._left_title, axes._right_title, *axes.texts]
        if not axes.axison:
            continue
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            texts += [tick.label1 for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
        texts += [axes.xaxis.label, axes.yaxis.label]
    drawn_texts = [text for text in texts if text.get_text().strip() and text.get_visible()]
    boxes = [text.get_window_extent().shrunk(0.9, 0.8) for text in drawn_texts]
    return [
        (one.get_text(), other.get_text())
        for position, one in enumerate(drawn_texts)
        for distance, other in enumerate(drawn_texts[position + 1 :], start=1)
        if boxes[position].overlaps(boxes[position + distance])
    ]


def _legend_texts(drawn: Figure) -> list[Text]:
    return [text for part in (drawn, *drawn.subfigs) for found in part.legends for text in found.get_texts()]


def same_twice(draw: Callable[[], AbstractContextManager[Drawing]], folder: Path) -> pd.DataFrame:
    """Draw and save a figure twice, check that the files are equal, and return the numbers as read from the CSV."""
    files = []
    for _ in range(2):
        with draw() as drawing:
            files.append(saved(drawing, folder))
    assert files[0] == files[1]
    return pd.read_csv(folder / "figure.csv")


def saved(drawing: Drawing, folder: Path) -> dict[str, bytes]:
    """Return the files of a figure."""
    drawn, numbers = drawing
    files = {kind: folder / f"figure.{kind}" for kind in ("png", "pdf", "svg", "csv")}
    save_figure(drawn, dict(files), numbers)
    assert list(pd.read_csv(files["csv"]).columns) == list(numbers.columns)
    return {kind: path.read_bytes() for kind, path in files.items()}
