"""The explorer of 423,624 architectures in chromium: time to the first view, megabytes, and time of a zoom.

    python benchmarks/explorer.py [--metrics 8] [--runs 5]

The table holds the whole space of NAS-Bench-101 with made-up metrics whose values are all different, the worst case for
packing, and the largest neighbour graph. The reference is a page that hands the same two columns as JSON to the same
chart library and lets it draw every point. Files come from the system's cache, and no GPU draws.
"""

import argparse
import json
import shutil
import statistics
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from measure import measured, seconds, table
from playwright.sync_api import Browser, sync_playwright

from terranas.benchmark.schema import METRICS, table_schema
from terranas.benchmark.tabular import TabularBenchmark
from terranas.core.tables import Column, TableSchema, write_table
from terranas.report.explorer import ExplorerSource, write_explorer
from terranas.report.shell import PageLink, Shell, copy_assets, render_template
from terranas.space.complexity import CIFAR10_NETWORK
from terranas.space.neighbours import build_neighbours, read_graph, summarise, write_graph
from terranas.space.schema import CELLS
from terranas.space.table import cells_table

GRAPH = "edit_symmetric"
GRAPH_FILES = ("indptr.npy", "indices.npy", "summary.json")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")
REFERENCE = """<!DOCTYPE html><meta charset="utf-8"><div id="plot" style="width: 976px; height: 594px"></div>
<script src="assets/vendor/echarts.min.js"></script><script src="values.js"></script>
<script>
const chart = echarts.init(document.getElementById("plot"));
const drawn = () => { chart.off("finished", drawn); performance.mark("explorer drawn"); };
chart.on("finished", drawn);
chart.setOption({animation: false, xAxis: {scale: true}, yAxis: {scale: true},
  series: [{type: "scatter", large: true, progressive: 0, symbolSize: 3, data: VALUES}]});
</script>"""
ZOOM = """(zoom) => new Promise((resolve) => {
  const plot = document.getElementById("plot");
  const chart = echarts.getInstanceByDom(plot);
  const start = performance.now();
  const done = () => { chart.off("finished", done); resolve(performance.now() - start); };
  chart.on("finished", done);
  if (zoom) chart.setOption(zoom);
  else plot.dispatchEvent(new KeyboardEvent("keydown", {key: "+"}));
})"""


def schema(metrics: int) -> TableSchema:
    """Return the schema of a table with so many metrics."""
    about = Column("id", "Int64", "rank of the hash", ge=0)
    key = Column("hash", "string", "architecture")
    return table_schema("benchmark.made_up", key, METRICS[:metrics], 1, (about,))


def make_tables(folder: Path, metrics: int) -> None:
    """Write the space, its neighbours and a table of made-up values."""
    cells = cells_table(7, 9, CIFAR10_NETWORK)
    write_table(cells, folder / "cells.parquet", CELLS)
    graph = build_neighbours(cells, GRAPH)
    write_graph(graph, summarise(graph, cells, GRAPH), *(folder / name for name in GRAPH_FILES))
    rng = np.random.default_rng(0)
    quality = np.log(cells["macs"].to_numpy(dtype=np.float64)) - 19
    values = {column.name: 1 / (1 + np.exp(-quality - rng.normal(size=len(cells)))) for column in METRICS[:metrics]}
    facts = {"dataset": "images", "epochs": 108, "repeat": 0, "device": "", "outcome": "ok", "source": "made up"}
    rows = pd.DataFrame({"hash": cells["hash"], "id": cells["id"], **facts, **values})
    write_table(rows, folder / "table.parquet", schema(metrics))


def write(folder: Path) -> dict[str, Any]:
    """Write the explorer and return its manifest."""
    cells = pd.read_parquet(folder / "cells.parquet")
    graph = read_graph(*(folder / name for name in GRAPH_FILES), cells)
    benchmark = TabularBenchmark.open(folder / "table.parquet")
    source = ExplorerSource("made_up", benchmark, cells, graph, GRAPH, None, benchmark.metrics[:2])
    return write_explorer(source, folder / "site")


def write_pages(folder: Path, manifest: dict[str, Any]) -> dict[str, Path]:
    """Write both pages and return them by name."""
    site = folder / "site"
    copy_assets(site)
    shell = Shell("Made up", "images", "", [PageLink("explorer.html", "Explorer")], "0")
    ours = site / "explorer.html"
    ours.write_text(render_template("explorer.html", shell, ours.name, manifest=manifest), encoding="utf-8")
    plain = folder / "plain"
    shutil.copytree(site / "assets" / "vendor", plain / "assets" / "vendor")
    values = TabularBenchmark.open(folder / "table.parquet").values(manifest["axes"])
    (plain / "values.js").write_text(f"const VALUES = {json.dumps(values.tolist())};", encoding="utf-8")
    (plain / "page.html").write_text(REFERENCE, encoding="utf-8")
    return {"ours": ours, "plain": plain / "page.html"}


def view(browser: Browser, page: Path, plain: bool) -> tuple[float, float, float]:
    """Return milliseconds to the first view, megabytes read until then, and milliseconds of a zoom."""
    opened = browser.new_page(viewport={"width": 1280, "height": 900})
    read: list[Path] = []
    opened.on("request", lambda request: read.append(Path(request.url.removeprefix("file://"))))
    opened.goto(page.as_uri())
    opened.wait_for_function("performance.getEntriesByName('explorer drawn').length")
    until = list(read)
    first = opened.evaluate("performance.getEntriesByName('explorer drawn')[0].startTime")
    if not plain:
        opened.wait_for_selector("body[data-ready]")
    zooms = []
    for step in range(5):
        share = 0.1 * (step + 1)
        option = {"xAxis": {"min": share / 2, "max": 1 - share / 2}, "yAxis": {"min": share / 2, "max": 1 - share / 2}}
        zooms.append(opened.evaluate(ZOOM, option if plain else None))
    opened.close()
    return first, sum(path.stat().st_size for path in until) / 1e6, statistics.median(zooms)


def main() -> None:
    """Print sizes and times."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--metrics", type=int, default=8, help="columns of made-up values")
    parser.add_argument("--runs", type=int, default=5, help="times that each page is opened, in turns")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place, sync_playwright() as playwright:
        folder = Path(place)
        make_tables(folder, options.metrics)
        writing = measured(write, folder, runs=1)
        pages = write_pages(folder, writing.result)
        program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
        browser = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in pages}
        for _ in range(options.runs):
            for name, page in pages.items():
                found[name].append(view(browser, page, name == "plain"))
        browser.close()
        middle = {name: np.median(taken, axis=0) for name, taken in found.items()}
        shards = sum(path.stat().st_size for path in (folder / "site" / "data").rglob("*.js"))
        rows = [
            ["first view", *(f"{middle[name][0]:.0f} ms" for name in pages)],
            ["read until then", *(f"{middle[name][1]:.1f} MB" for name in pages)],
            ["a zoom", *(f"{middle[name][2]:.0f} ms" for name in pages)],
        ]
        for row, part in zip(rows, range(3), strict=True):
            row.append(f"{middle['plain'][part] / middle['ours'][part]:.1f}")
        print(table(["what", "explorer", "plain", "ratio"], rows))
        print(f"\nall shards: {shards / 1e6:.1f} MB; written in {seconds(writing.seconds)}, ", end="")
        print(f"{writing.megabytes:.0f} MiB, {writing.before:.0f} of them before")


if __name__ == "__main__":
    main()
