"""The report's pages in a real browser: sorting, filtering, zooming, provenance, by mouse and by keyboard."""

import io
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

from ..report.small_site import SmallSite, write_small_site

pytestmark = pytest.mark.browser

WIDE = 1280
NARROW = 390


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> SmallSite:
    """The report of a small study whose names try to become markup."""
    evil = "<img src=x onerror=alert(1)>"
    return write_small_site(tmp_path_factory.mktemp("study"), title=evil, dataset=f"{evil} synthetic")


def address(site: SmallSite, name: str) -> str:
    return (site.folder / f"{name}.html").as_uri()


def column(page: Page, table: str, place: int) -> Locator:
    """Return the visible cells of a column."""
    rows = page.locator(f"table[aria-labelledby='{table}'] tbody tr:visible")
    return rows.locator(f":nth-child({place})")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_all_pages_load_and_fit(page: Page, site: SmallSite, width: int, scheme: str) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    for file in site.pages:
        page.goto((site.folder / file).as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= width, file
        paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert paper == ("rgb(255, 255, 255)" if scheme == "light" else "rgb(18, 22, 28)")


def test_the_list_of_pages_leads_everywhere(page: Page, site: SmallSite) -> None:
    page.goto(address(site, "index"))
    expect(page.locator("h1")).to_have_text("<img src=x onerror=alert(1)>")
    page.get_by_role("navigation", name="Pages of the report").get_by_role("link", name="Training").click()
    expect(page.locator("h1")).to_have_text("Training")
    expect(page.locator("[aria-current=page]")).to_have_text("Training")


def test_tables_sort_by_number_and_by_keyboard(page: Page, site: SmallSite) -> None:
    page.goto(address(site, "profiling"))
    head = page.get_by_role("button", name="Number")
    head.click()
    expect(page.locator("th[aria-sort]")).to_have_attribute("aria-sort", "ascending")
    expect(column(page, "latency-1", 2)).to_have_text(["−5", "1,234", "43.2 k"])
    head.press("Enter")
    expect(page.locator("th[aria-sort]")).to_have_attribute("aria-sort", "descending")
    expect(column(page, "latency-1", 2)).to_have_text(["43.2 k", "1,234", "−5"])


def test_rows_are_filtered_before_and_after_sorting(page: Page, site: SmallSite) -> None:
    page.goto(address(site, "training"))
    names = column(page, "training-1", 1)
    expect(names).to_have_count(91)
    wanted = names.all_inner_texts()[40]
    page.get_by_label("Filter rows").fill(f"{wanted} OK")
    expect(names).to_have_text([wanted])
    expect(page.locator(".filter output")).to_have_text("1 of 91 rows")
    shares = page.locator("table[aria-labelledby='training-1'] tbody td:nth-child(6)")
    ascending = sorted(shares.all_text_contents(), key=lambda text: float(text.split()[0].rstrip("%")))
    page.get_by_role("button", name="Test micro accuracy").click()
    expect(shares).to_have_text(ascending)
    expect(names).to_have_text([wanted])
    page.get_by_label("Filter rows").fill("")
    expect(names).to_have_count(91)


def test_a_figure_is_enlarged_by_keyboard_and_gives_the_focus_back(page: Page, site: SmallSite) -> None:
    page.goto(address(site, "landscape"))
    link = page.locator("#figure-latency a.zoom")
    link.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Enlarged figure")
    expect(dialog).to_be_visible()
    image = dialog.get_by_role("img")
    expect(image).to_have_attribute("alt", "Frame with 1 stand-in curve of latency.")
    before = image.bounding_box()
    page.keyboard.press("+")
    page.keyboard.press("ArrowLeft")
    page.wait_for_function(
        "width => document.querySelector('dialog img').getBoundingClientRect().width > 1.2 * width",
        arg=before["width"],
    )
    page.keyboard.press("0")
    page.wait_for_function(
        "width => Math.abs(document.querySelector('dialog img').getBoundingClientRect().width - width) < 2",
        arg=before["width"],
    )
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(link).to_be_focused()


def test_a_figure_is_enlarged_by_mouse(page: Page, site: SmallSite) -> None:
    page.goto(address(site, "landscape"))
    page.locator("#figure-latency a.zoom").click()
    dialog = page.get_by_role("dialog", name="Enlarged figure")
    image = dialog.get_by_role("img")
    width = image.bounding_box()["width"]
    dialog.get_by_role("button", name="Zoom in").click()
    image.hover()
    page.mouse.wheel(0, -300)
    page.wait_for_function(
        "width => document.querySelector('dialog img').getBoundingClientRect().width > 1.4 * width", arg=width
    )
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_be_hidden()
    expect(page.locator("dialog img")).to_have_count(0)


def test_provenance_opens_by_keyboard(page: Page, site: SmallSite) -> None:
    page.goto(address(site, "comparison"))
    details = page.locator("#figure-violins details.origin")
    details.locator("summary").press("Enter")
    expect(details.get_by_text("comparison_rule")).to_be_visible()
    expect(details.get_by_text("0123456789abcdef")).to_be_visible()
    expect(details.get_by_text("'<b>a & b</b>'")).to_be_visible()


def test_files_behind_a_figure_are_handed_out(browser: Browser, site: SmallSite) -> None:
    context = browser.new_context(accept_downloads=True)
    page = context.new_page()  # of its own: the browser counts what becomes a download as a page that failed to load
    page.goto(address(site, "landscape"))
    with page.expect_download() as waiting:
        page.locator("#figure-latency").get_by_role("link", name="CSV").click()
    assert Path(waiting.value.path()).read_text() == "x\n1\n2\n"
    context.close()


def colours(page: Page) -> set[tuple[int, ...]]:
    """Return the colours of the chart of the run times."""
    shot = Image.open(io.BytesIO(page.locator("#chart-runtimes .chart").screenshot())).convert("RGB")
    return {colour for _, colour in shot.getcolors(shot.width * shot.height)}


def test_charts_are_drawn_in_the_colours_of_the_page(page: Page, site: SmallSite) -> None:
    page.goto(address(site, "runs"))
    expect(page.locator("#chart-runtimes canvas")).to_be_visible()
    assert {(0, 114, 178), (230, 159, 0), (255, 255, 255)} <= colours(page)
    page.emulate_media(color_scheme="dark")
    assert {(86, 180, 233), (18, 22, 28)} <= colours(page)
    assert (0, 114, 178) not in colours(page)


def test_pages_are_read_without_scripts(browser: Browser, site: SmallSite) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address(site, "training"))
    expect(column(page, "training-1", 1)).to_have_count(91)
    expect(page.get_by_text("medians of 5 trainings")).to_be_visible()
    page.goto(address(site, "landscape"))
    page.locator("#figure-latency a.zoom").click()
    assert page.url.endswith("files/landscape/latency.png")
    context.close()
