"""Draw how data flow from stage to stage, from the rules.

    snakemake all --rulegraph dot | python docs/generators/dataflow.py docs/images/dataflow.svg

Stages stand on a diagonal in the order in which the Snakefile includes them. What a stage writes leaves to the right; a
dot marks a stage below that reads it. The edges stand in the picture's metadata too, where a test reads them.
"""

import json
import re
import sys
from pathlib import Path
from xml.etree import ElementTree

import matplotlib as mpl
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from terranas.core.figures import COLOURS
from terranas.core.files import atomic_path

ROOT = Path(__file__).resolve().parents[2]
DESCRIPTION = "{http://purl.org/dc/elements/1.1/}description"
INPUTS = {
    "data": "images: a public set\nor a folder of one's own",
    "profiling": "a device: CPU or GPU",
    "benchmark": "published tables: NAS-Bench-101, ...",
}
"""What comes from outside the workflow, by the stage that reads it."""

INK, LINE, BOX = "#1c2733", "#5b6b7b", "#e8f1f8"
WIDTH, HEIGHT, STEP = 1.56, 0.6, 1.66


def stages() -> list[str]:
    """Return the stages in the order of the Snakefile's includes: each has a folder in the library."""
    included = re.findall(r'^include: "rules/(\w+)\.smk"$', (ROOT / "Snakefile").read_text(encoding="utf-8"), re.M)
    return [name for name in included if (ROOT / "terranas" / name).is_dir()]


def edges_of(dot: str) -> set[tuple[str, str]]:
    """Return which stage reads files of which other one, from a graph of rules in the dot language.

    Raises:
        ValueError: a rule belongs to no stage, or data flow against the order of the stages.
    """
    order = stages()
    rules = dict(re.findall(r'^\s*(\d+)\[label = "(\w+)', dot, re.M))
    of_rule = {number: name.partition("_")[0] for number, name in rules.items() if name not in ("all", *order)}
    if strange := sorted({rules[number] for number, stage in of_rule.items() if stage not in order}):
        raise ValueError(f"rules of no stage: {', '.join(strange)}; a rule's name begins with its stage")
    pairs = [(a, b) for a, b in re.findall(r"^\s*(\d+) -> (\d+)\s*$", dot, re.M) if a in of_rule and b in of_rule]
    edges = {(of_rule[a], of_rule[b]) for a, b in pairs if of_rule[a] != of_rule[b]}
    if against := sorted(edge for edge in edges if order.index(edge[0]) > order.index(edge[1])):
        raise ValueError(f"data flow backwards: {against}")
    return edges


def parsed_edges() -> set[tuple[str, str]]:
    """Return who reads the list of architectures while the rules are parsed, which no graph of rules shows."""
    common = {stage: ROOT / "rules" / "common" / f"{stage}.smk" for stage in stages()}
    readers = [s for s, file in common.items() if file.is_file() and re.search(r"\bARCHITECTURES\b", file.read_text())]
    return {("sampling", stage) for stage in readers}


def edges_in(picture: Path) -> dict[str, set[tuple[str, str]]]:
    """Return the edges that a picture was drawn with, by kind (``files``, ``parsed``)."""
    description = ElementTree.parse(picture).getroot().find(f".//{DESCRIPTION}")
    if description is None or description.text is None:
        raise ValueError(f"{picture}: holds no edges")
    return {kind: {(a, b) for a, b in edges} for kind, edges in json.loads(description.text).items()}


def draw(files: set[tuple[str, str]], parsed: set[tuple[str, str]], path: Path) -> None:
    """Draw the stages and write an SVG file.

    Args:
        files: stages that write and stages that read.
        parsed: the same for what is read while the rules are parsed.
        path: the file.
    """
    order = stages()
    count = len(order)
    with mpl.rc_context({"svg.hashsalt": "terranas", "font.family": "sans-serif"}):
        figure = plt.figure(figsize=(9.6, 5.8))
        axes = figure.add_axes((0, 0, 1, 1))
        for column, stage in enumerate(order):
            _connect(axes, order, column, files, parsed)
            _box(axes, column, stage)
        x, y = -1.0, -float(count - 2)
        axes.plot(x, y, "o", color=LINE, markersize=6)
        axes.text(x + 0.3, y, "reads files of", va="center", color=INK, fontsize=9)
        axes.plot(x, y - 0.5, "o", color=LINE, markerfacecolor="white", markersize=6)
        axes.text(x + 0.3, y - 0.5, "reads its list while the rules are parsed", va="center", color=INK, fontsize=9)
        axes.set_xlim(-WIDTH - 1.3, (count - 1) * STEP + WIDTH / 2 + 0.2)
        axes.set_ylim(-(count - 1) - 0.5, 0.5)
        axes.set_axis_off()
        edges = json.dumps({"files": sorted(files), "parsed": sorted(parsed)})
        metadata = {"Date": None, "Creator": None, "Title": "Data flow of the stages", "Description": edges}
        with atomic_path(path) as temporary:
            figure.savefig(temporary, format="svg", metadata=metadata, facecolor="white")
        plt.close(figure)


def _connect(
    axes: Axes, order: list[str], column: int, files: set[tuple[str, str]], parsed: set[tuple[str, str]]
) -> None:
    """Draw what a stage reads as a line from above, and what it writes as a line to the right."""
    stage, x, y = order[column], column * STEP, -float(column)
    readers = [order.index(b) for a, b in files | parsed if a == stage]
    if readers:
        axes.plot([x, max(readers) * STEP], [y, y], color=LINE, linewidth=1.1, zorder=1)
    sources = [order.index(a) for a, b in files | parsed if b == stage]
    if sources:
        top = y + HEIGHT / 2
        axes.plot([x, x], [-min(sources), top], color=LINE, linewidth=1.1, zorder=1)
        axes.plot(x, top + 0.06, marker="v", color=LINE, markersize=6, zorder=2)
    for source in sources:
        drawn = (order[source], stage) in files
        axes.plot(x, -source, "o", color=LINE, markerfacecolor=LINE if drawn else "white", markersize=6, zorder=3)


def _box(axes: Axes, column: int, stage: str) -> None:
    """Draw a stage, and what it takes from outside to its left."""
    x, y = column * STEP, -float(column)
    corner = (x - WIDTH / 2, y - HEIGHT / 2)
    box = FancyBboxPatch(
        corner, WIDTH, HEIGHT, boxstyle="round,pad=0,rounding_size=0.1", facecolor=BOX, edgecolor=COLOURS["blue"]
    )
    box.set_zorder(4)
    axes.add_patch(box)
    axes.text(x, y, stage, ha="center", va="center", fontsize=8.7, color=INK, zorder=5)
    if stage in INPUTS:
        head = x - WIDTH / 2
        axes.annotate(
            "", (head, y), (head - 0.35, y), arrowprops={"arrowstyle": "-|>", "color": COLOURS["vermilion"], "lw": 1.4}
        )
        axes.text(head - 0.42, y, INPUTS[stage], ha="right", va="center", fontsize=9, color="#9c3d00")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: snakemake all --rulegraph dot | python docs/generators/dataflow.py FILE.svg")
    draw(edges_of(sys.stdin.read()), parsed_edges(), Path(sys.argv[1]))
