"""The explorer in a real browser: what a reader clicks, and that it shows what the table holds."""

import csv
import itertools
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Browser, Page, expect

from terranas.benchmark.tabular import TabularBenchmark
from terranas.core.pareto import nondominated
from terranas.report.explorer import ExplorerSource, write_explorer
from terranas.report.shell import PageLink, Shell, copy_assets, render_template
from terranas.space.cell import Cell
from terranas.space.drawing import describe_cell, draw_cell

from ..report.explorer_tables import SPACE, large_source, small_source, small_table, with_failures

pytestmark = pytest.mark.browser

HOSTILE = '<img src=x onerror="document.title=1">'
X, Y = "macs", "validation_micro_accuracy"


@dataclass(frozen=True)
class Site:
    """An explorer on disk and what it was made from."""

    source: ExplorerSource
    address: str

    @property
    def benchmark(self) -> TabularBenchmark:
        return self.source.benchmark

    @property
    def values(self) -> pd.DataFrame:
        """Values of all columns of the benchmark by key."""
        names = self.benchmark.metrics
        return pd.DataFrame(self.benchmark.values(names), columns=names, index=self.benchmark.architectures)


def make_site(source: ExplorerSource, folder: Path) -> Site:
    manifest = write_explorer(source, folder)
    copy_assets(folder)
    file = f"explorer-{source.name}.html"
    shell = Shell("Study", HOSTILE, [PageLink("index.html", "Start"), PageLink(file, "Explorer")], "0.1")
    (folder / file).write_text(render_template("explorer.html", shell, file, manifest=manifest), encoding="utf-8")
    return Site(source, (folder / file).as_uri())


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """91 cells of which three trainings failed; the images have a hostile name."""
    return make_site(small_source(with_failures(small_table(HOSTILE), 3)), tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return make_site(large_source(), tmp_path_factory.mktemp("large"))


def opened(page: Page, site: Site, fragment: str = "") -> Page:
    page.goto(site.address + fragment)
    page.wait_for_selector("body[data-ready]", timeout=20_000)
    return page


def pixel(page: Page, x: float, y: float) -> tuple[float, float]:
    """Return where ECharts itself draws a point, in pixels of the window."""
    page.locator("#plot").scroll_into_view_if_needed()
    found = page.evaluate(
        """([x, y]) => {
            const plot = document.getElementById("plot");
            const at = echarts.getInstanceByDom(plot).convertToPixel({gridIndex: 0}, [x, y]);
            const frame = plot.getBoundingClientRect();
            return [at[0] + frame.left, at[1] + frame.top];
        }""",
        [x, y],
    )
    return found[0], found[1]


def drawn(page: Page, kind: str) -> list[list[float]]:
    """Return the points of all drawn series of a kind."""
    return page.evaluate(
        """(kind) => echarts.getInstanceByDom(document.getElementById("plot")).getOption().series
            .filter((series) => series.type === kind)
            .flatMap((series) => ArrayBuffer.isView(series.data)
                ? Array.from({length: series.data.length / 2}, (_, i) => [series.data[2 * i], series.data[2 * i + 1]])
                : Array.from(series.data, (point) => point.value || point))""",
        kind,
    )


def downloaded(page: Page) -> pd.DataFrame:
    with page.expect_download() as download:
        page.get_by_role("button", name="Download as CSV").click()
    head, *rows = csv.reader(Path(download.value.path()).read_text(encoding="utf-8").splitlines())
    numbers = [[float(text or "nan") for text in row[1:]] for row in rows]
    return pd.DataFrame(numbers, columns=head[1:], index=pd.Index([row[0] for row in rows], name=head[0]))


def test_all_points_and_the_front_are_drawn(page: Page, small: Site) -> None:
    opened(page, small)
    known = small.values[[X, Y]].dropna()
    assert sorted(drawn(page, "scatter")) == sorted(known.to_numpy().tolist())
    front = small.values.loc[small.benchmark.true_front([X, Y]), [X, Y]].sort_values(X)
    assert drawn(page, "line") == front.to_numpy().tolist()
    expect(page.locator("#status")).to_have_text(
        f"88 architectures shown of 91. 3 more have no value on one of the axes. {len(front)} on the front."
    )
    assert HOSTILE in page.locator("header").inner_text()


def test_a_click_shows_the_cell(page: Page, small: Site) -> None:
    opened(page, small)
    key = small.values[X].sort_values().index[-1]
    page.mouse.click(*pixel(page, *small.values.loc[key, [X, Y]]))
    expect(page.locator("#cell h2")).to_have_text(f"Cell {key}")
    assert f"cell={key}" in page.url
    entries = dict(row.split("\t") for row in page.locator("#cell table.values tbody tr").all_inner_texts())
    exact = float(small.values.loc[key, Y])
    assert float(entries["validation micro accuracy"]) == float(f"{exact:.6g}")
    assert page.locator("#cell table.values td").filter(
        has_text=entries["validation micro accuracy"]
    ).first.get_attribute("title") == repr(exact)
    assert entries["MACs"].replace(",", "").split("\u202f") == [f"{small.values.loc[key, X]:.0f}", "MAC"]


def test_every_cell_is_drawn_as_in_the_figures(page: Page, small: Site) -> None:
    opened(page, small)
    made = page.evaluate(
        """async () => {
            const {data, cell} = terranas.explorer;
            const drawn = {};
            for (let row = 0; row < data.manifest.rows; row++) {
                const svg = cell.drawGraph(await data.graph(row));
                const labels = [...svg.querySelectorAll("text")].map((text) => text.textContent).join();
                const path = svg.querySelector("path").getAttribute("d");
                const [words, frame] = ["aria-label", "viewBox"].map((name) => svg.getAttribute(name));
                drawn[await data.key(row)] = [path, words, frame, labels];
            }
            return drawn;
        }"""
    )
    assert small.source.cells is not None
    for row in small.source.cells.itertuples():
        cell = Cell.from_strings(row.adjacency, row.operations)
        path, words, frame, labels = made[row.hash]
        expected = str(draw_cell(cell))
        assert f'<path d="{path}"' in expected
        assert f'viewBox="{frame}"' in expected
        assert words == describe_cell(cell)
        assert labels.count(",") + 1 == cell.num_vertices


def test_neighbours_lead_to_neighbours(page: Page, small: Site) -> None:
    cells, graph = small.source.cells, small.source.graph
    assert cells is not None
    assert graph is not None
    failed = int(small.values[Y].isna().argmax())
    row = int(max(graph.neighbours(failed), key=lambda near: len(graph.neighbours(near))))
    opened(page, small, f"#cell={cells['hash'][row]}")
    links = page.locator("#cell .near a")
    expected = cells["hash"].iloc[graph.neighbours(row)]
    # the best first, those without a value last
    in_order = small.values.loc[expected, Y].sort_values(ascending=False, kind="stable").index
    assert [link.get_attribute("title") for link in links.all()] == in_order.tolist()
    name = links.first.get_attribute("title")
    links.first.click()
    expect(page.locator("#cell h2")).to_have_text(f"Cell {name}")
    expect(page.locator("#cell h2")).to_be_focused()
    page.go_back()
    expect(page.locator("#cell h2")).to_have_text(f"Cell {cells['hash'][row]}")


def test_the_walk_of_a_cell_is_drawn(page: Page, small: Site) -> None:
    walks = small.source.walks
    assert walks is not None
    visited = walks.loc[walks["walk"] == 1, "hash"]
    opened(page, small, f"#cell={visited.iloc[2]}")
    expect(page.locator("#cell .walks li")).to_contain_text(["step 2 of walk 1 (5 visits)"])
    page.get_by_role("button", name="Show walk 1").click()
    expect(page).to_have_url(re.compile("walk=1"))
    expected = small.values.loc[visited, [X, Y]].dropna().to_numpy().tolist()
    page.wait_for_function(
        """echarts.getInstanceByDom(document.getElementById("plot")).getOption().series
            .filter((series) => series.type === "line").length === 2"""
    )
    assert drawn(page, "line")[-len(expected) :] == expected


def test_filters_change_points_front_and_file(page: Page, small: Site) -> None:
    opened(page, small)
    page.select_option("#only-low-num_conv3x3", "1")
    page.select_option("#only-high-depth", "2")
    cells = small.source.cells
    assert cells is not None
    kept = cells.loc[(cells["num_conv3x3"] >= 1) & (cells["depth"] <= 2), "hash"]
    known = small.values.loc[kept, [X, Y]].dropna()
    expect(page.locator("#status")).to_contain_text(f"{len(known)} architectures shown of 91.")
    page.wait_for_timeout(100)
    mask = nondominated(known.to_numpy(), ["minimise", "maximise"])
    assert drawn(page, "line") == known[mask].sort_values(X).to_numpy().tolist()
    assert set(downloaded(page).index) == set(known.index)
    page.get_by_role("button", name="All architectures").click()
    expect(page.locator("#status")).to_contain_text("88 architectures shown of 91.")


def test_a_box_selects_for_table_and_file(page: Page, small: Site) -> None:
    opened(page, small)
    page.get_by_role("button", name="Select a box").click()
    known = small.values[[X, Y]].dropna()
    (low_x, high_x), (low_y, high_y) = (known[axis].quantile([0.25, 0.8]) for axis in (X, Y))
    page.mouse.move(*pixel(page, low_x, low_y))
    page.mouse.down()
    page.mouse.move(*pixel(page, (low_x + high_x) / 2, high_y))
    page.mouse.move(*pixel(page, high_x, high_y))
    page.mouse.up()
    expect(page).to_have_url(re.compile("box="))
    low_x, high_x, low_y, high_y = page.evaluate(
        "['x-low', 'x-high', 'y-low', 'y-high'].map((id) => Number(document.getElementById(id).value))"
    )
    inside = known[known[X].between(low_x, high_x) & known[Y].between(low_y, high_y)]
    assert 5 < len(inside) < 80
    expect(page.locator("#selection")).to_have_text(f"{len(inside)} architectures selected.")
    page.locator(f'#table th[data-key="{Y}"] button').click()
    expect(page.locator(f'#table th[data-key="{Y}"]')).to_have_attribute("aria-sort", "descending")
    shown = [link.get_attribute("title") for link in page.locator("#table tbody a").all()]
    assert shown == inside[Y].sort_values(ascending=False).index.tolist()

    file = downloaded(page)
    assert file.index.name == "hash"
    assert set(file.index) == set(inside.index)
    for metric in (X, Y, "latency_ms", "train_loss"):
        unit = small.benchmark.unit(metric)
        column = f"{metric} [{unit}]" if unit else metric
        assert np.array_equal(file[column], small.values.loc[file.index, metric])
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("#selection")).to_have_text("88 architectures shown.")


def test_numbers_select_without_a_mouse(page: Page, small: Site) -> None:
    opened(page, small)
    middle = float(small.values[X].median())
    page.fill("#x-low", repr(middle))
    page.press("#x-low", "Tab")
    known = small.values[[X, Y]].dropna()
    expect(page.locator("#selection")).to_have_text(f"{(known[X] >= middle).sum()} architectures selected.")
    page.get_by_role("button", name="Clear").click()
    page.check("#front-only")
    front = small.benchmark.true_front([X, Y])
    expect(page.locator("#selection")).to_have_text(f"{len(front)} architectures of the front shown.")
    assert [link.get_attribute("title") for link in page.locator("#table tbody a").all()] == front
    page.fill("#search-text", str(known.index[7])[:10])
    page.press("#search-text", "Enter")
    expect(page.locator("#cell h2")).to_have_text(f"Cell {known.index[7]}")
    expect(page.locator("#cell h2")).to_be_focused()
    page.fill("#search-text", "ffffffffffff")
    page.press("#search-text", "Enter")
    expect(page.locator("#search-result")).to_have_text("This table does not have it.")
    expect(page.locator("#cell")).to_be_hidden()


def state_of(page: Page) -> dict[str, object]:
    return {
        "form": page.evaluate(
            """[...document.querySelectorAll("select, input:not([type=search])")]
                .map((field) => [field.id, field.checked || field.value])"""
        ),
        "texts": [page.locator(f"#{part}").inner_text() for part in ("status", "legend", "selection", "cell", "table")],
        "points": drawn(page, "scatter"),
        "lines": drawn(page, "line"),
        "view": page.evaluate(
            """["xAxis", "yAxis"]
                .map((axis) => echarts.getInstanceByDom(document.getElementById("plot")).getOption()[axis][0])
                .map((axis) => [axis.type, axis.min, axis.max, axis.name])"""
        ),
    }


def test_a_link_restores_the_view(page: Page, small: Site) -> None:
    opened(page, small)
    page.select_option("#axis-x", "latency_ms")
    page.check("#log-x")
    page.select_option("#axis-y", "train_loss")
    page.select_option("#colour", "parameters")
    page.select_option("#only-low-num_vertices", "4")
    page.select_option("#walk", "0")
    page.fill("#y-high", "1.5")
    page.press("#y-high", "Tab")
    page.locator('#table th[data-key="train_loss"] button').click()
    page.get_by_role("button", name="Zoom in").click()
    page.fill("#search-text", small.benchmark.architectures[50])
    page.press("#search-text", "Enter")
    expect(page.locator("#cell h2")).to_be_focused()
    expect(page).to_have_url(re.compile("view="))
    page.wait_for_timeout(300)
    other = page.context.new_page()
    other.goto(page.url)
    other.wait_for_selector("body[data-ready]")
    other.wait_for_timeout(300)
    assert state_of(other) == state_of(page)
    assert other.locator("#plot").get_attribute("aria-label") == page.locator("#plot").get_attribute("aria-label")


def test_ticks_of_a_logarithmic_axis_are_few_and_inside(page: Page, small: Site) -> None:
    opened(page, small)
    for low, high in [(1e-3, 1e9), (0.3, 40), (2.1e6, 2.2e6), (7, 7.0001), (9e5, 1.1e6), (1e8, 7e9)]:
        ticks = page.evaluate("([low, high]) => terranas.explorer.points.logTicks(low, high)", [low, high])
        assert 3 <= len(ticks) <= 14, (low, high, ticks)
        assert ticks == sorted(ticks)
        assert low <= ticks[0] < ticks[-1] <= high
    assert page.evaluate("terranas.explorer.points.logTicks(0.3, 40)") == [0.5, 1, 2, 5, 10, 20]


@pytest.mark.parametrize(
    "fragment",
    [
        "#x=nonsense&y=__proto__&box=1,2&view=a,b,c,d&walk=1e9",
        "#log=xy&view=-1,1,0,1&box=5,1,5,1",
        "#only.depth=9,1&only.macs=1,2&sort=-toString&%%%",
        "#view=-1e308,1e308,0,1",
        "#log=xy&view=1,1.0000000000000002,1,1.0000000000000002",
        "#view=0,1e-320,0,1&log=x",
    ],
)
def test_a_wrong_link_shows_the_first_view(page: Page, small: Site, fragment: str) -> None:
    opened(page, small, fragment)
    expect(page.locator("#status")).to_contain_text("88 architectures shown of 91.")


def test_the_skip_link_leaves_what_is_shown(page: Page, small: Site) -> None:
    opened(page, small, "#only.depth=3,3&x=latency_ms")
    before = state_of(page)
    page.focus(".skip")
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    expect(page).to_have_url(f"{small.address}#x=latency_ms&only.depth=3%2C3")
    assert state_of(page) == before


def test_what_a_logarithmic_axis_cannot_show_is_counted(page: Page, small: Site) -> None:
    opened(page, small, "#x=num_conv3x3&log=x")
    expect(page.locator("#status")).to_contain_text("no value that one of the axes can show")


def test_a_shard_that_was_cut_off_is_said(browser: Browser, tmp_path: Path) -> None:
    site = make_site(small_source(), tmp_path)
    shard = next((tmp_path / "data" / "explorer" / "study").glob("column-00.js"))
    shard.write_bytes(shard.read_bytes()[:200])
    page = browser.new_page()
    page.goto(f"{site.address}#x=train_loss")
    expect(page.locator("#status")).to_contain_text("column-00.js of this report cannot be read")
    page.close()


def test_keys_move_the_view(page: Page, small: Site) -> None:
    opened(page, small)
    before = state_of(page)["view"]
    page.focus("#plot")
    for key in ("+", "ArrowLeft", "ArrowUp"):
        page.keyboard.press(key)
        page.wait_for_timeout(50)
    assert state_of(page)["view"] != before
    page.keyboard.press("0")
    page.wait_for_timeout(50)
    assert state_of(page)["view"] == before


@pytest.mark.parametrize(("scheme", "width"), list(itertools.product(["light", "dark"], [1280, 390])))
def test_no_page_is_wider_than_its_window(page: Page, small: Site, scheme: str, width: int) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.set_viewport_size({"width": width, "height": 800})
    opened(page, small, f"#cell={small.benchmark.architectures[40]}&walk=1")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    # points stand out from the paper
    contrasts = page.evaluate(
        """() => {
            const style = getComputedStyle(document.documentElement);
            const light = (name) => {
                const digits = style.getPropertyValue(name).match(/[0-9a-f]{2}/gi);
                const parts = digits.map((part) => parseInt(part, 16) / 255);
                const [r, g, b] = parts.map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
                return 0.2126 * r + 0.7152 * g + 0.0722 * b;
            };
            const against = (name) => [light(name), light("--paper")].sort((a, b) => b - a);
            return ["--bin-3", "--bin-7", "--front", "--walk"].map(against).map(([a, b]) => (a + 0.05) / (b + 0.05));
        }"""
    )
    assert min(contrasts) > 3


def test_the_whole_space_is_drawn_filtered_and_searched(page: Page, large: Site) -> None:
    opened(page, large)
    expect(page.locator("#status")).to_contain_text(
        "423,524 architectures shown of 423,624. 100 more have no value on one of the axes."
    )
    # the front of all points, exactly
    found = page.evaluate(
        """async ([x, y]) => {
            const {data, points} = terranas.explorer;
            const [a, b] = await Promise.all([data.column(x), data.column(y)]);
            const {rows} = points.shown(a, b, {x: false, y: false}, []);
            return points.front(rows, a, b, {x: "minimise", y: "maximise"});
        }""",
        [X, Y],
    )
    values = large.benchmark.values([X, Y])
    assert sorted(found) == np.flatnonzero(nondominated(values, ["minimise", "maximise"])).tolist()
    assert drawn(page, "line") == values[found].tolist()
    # fewer dots than points, each of them a point of the table
    dots = drawn(page, "scatter")
    assert 1_000 < len(dots) < SPACE / 2
    assert {tuple(dot) for dot in dots} <= set(map(tuple, values.tolist()))
    page.fill("#search-text", large.benchmark.architectures[400_000])
    page.press("#search-text", "Enter")
    expect(page.locator("#cell h2")).to_have_text(f"Cell {large.benchmark.architectures[400_000]}")


def test_every_point_of_the_whole_space_stands_behind_a_dot(page: Page, large: Site) -> None:
    opened(page, large)
    counts = page.evaluate(
        """async ([x, y]) => {
            const {data, points} = terranas.explorer;
            const [a, b] = await Promise.all([data.column(x), data.column(y)]);
            const {rows} = points.shown(a, b, {x: true, y: false}, []);
            const [x0, x1] = points.extent(rows, a);
            const axes = [points.scale(x0 / 2, x1 * 2, true), points.scale(-0.1, 1.1, false)];
            const {count} = points.dots(rows, a, b, axes, 400, 300);
            return Array.from(count);
        }""",
        [X, Y],
    )
    values = large.benchmark.values([X, Y])
    known = values[~np.isnan(values).any(axis=1)]
    edges = [np.linspace(*np.log10([known[:, 0].min() / 2, known[:, 0].max() * 2]), 401), np.linspace(-0.1, 1.1, 301)]
    expected = np.histogram2d(np.log10(known[:, 0]), known[:, 1], bins=edges)[0]
    made = np.array(counts).reshape(300, 400).T
    assert made.sum() == len(known)
    # a point on the border of two squares may fall to either side
    assert np.abs(made - expected).sum() <= 20
