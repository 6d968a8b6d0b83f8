"""The search player in a browser: what it shows at any evaluation is what the tables of the searches say."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from terranas.report.player import PlayerSource, write_player
from terranas.report.shell import PageLink, Shell, copy_assets, render_template
from terranas.search.arms import ARM_NAMES

from ..report.player_study import SAMPLE, archive_after, of_search, player_source, queue_after, volume_after

pytestmark = pytest.mark.browser

PAGES = [PageLink("index.html", "Overview"), PageLink("player.html", "Search player")]


def make_site(folder: Path, source: PlayerSource) -> Path:
    """Write the player's page with its shards."""
    manifest = write_player(source, folder)
    copy_assets(folder)
    shell = Shell("A study", "", PAGES, "0.1.0")
    page = folder / "player.html"
    page.write_text(render_template("player.html", shell, "player.html", manifest=manifest), encoding="utf-8")
    return page


@pytest.fixture(scope="module")
def source() -> PlayerSource:
    return player_source(explorer="explorer-own.html")


@pytest.fixture(scope="module")
def address(source: PlayerSource, tmp_path_factory: pytest.TempPathFactory) -> str:
    return make_site(tmp_path_factory.mktemp("player"), source).as_uri()


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> str:
    return make_site(tmp_path_factory.mktemp("three"), player_source(3)).as_uri()


def opened(page: Page, address: str, **state: Any) -> Page:
    """Open the player in a state and wait until it shows something."""
    page.goto(f"{address}#{'&'.join(f'{key}={value}' for key, value in state.items())}")
    page.locator("#player").wait_for(state="visible")
    expect(page.locator("#position-label")).to_contain_text(" of ")
    return page


def count(page: Page, side: int, name: str) -> str:
    """Return a number of a panel as its text."""
    return page.locator("#panels .panel").nth(side).locator(f"[data-count={name}]").inner_text()


def listed(page: Page, side: int) -> list[list[str]]:
    """Return the rows of an archive's table: full name of the architecture, then the cells."""
    rows = page.locator("#members .panel").nth(side).locator("tbody tr")
    return rows.evaluate_all(
        "rows => rows.map(row => [row.querySelector('[title]').title, ...[...row.cells].map(cell => cell.innerText)])"
    )


def position(page: Page) -> int:
    return int(page.locator("#position").input_value())


def wait_until(page: Page, fits: Callable[[int], bool]) -> None:
    """Wait for a position of the cursor; the page forbids the strings that Playwright would evaluate in it."""
    for _ in range(200):
        if fits(position(page)):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"the cursor stayed at {position(page)}")


def require_shown(page: Page, side: int, source: PlayerSource, arm: str, seed: int, at: int) -> None:
    """Compare a panel and its table with what the tables of the searches say."""
    own = of_search(source.evaluations, arm, seed)
    queue = of_search(source.queue, arm, seed)
    expected, waiting = archive_after(own, at, len(source.objectives)), queue_after(queue, at, len(own))
    assert count(page, side, "evaluations").startswith(f"{at} of {len(own)}")
    assert count(page, side, "archive") == str(len(expected))
    assert count(page, side, "queue") == (str(len(waiting)) if len(queue) else "none: it has no queue")
    volume = volume_after(of_search(source.anytime, arm, seed), at)
    assert count(page, side, "hypervolume").startswith(f"{volume:.5f}" if at else "–")
    rows = listed(page, side)
    assert {row[0] for row in rows} == expected
    assert len(rows) == len(expected)
    if len(queue):
        assert {row[0] for row in rows if row[-1] == "waits"} == expected & set(waiting)
    values = own.drop_duplicates("architecture").set_index("architecture")
    for row in rows:
        assert row[2] == f"{100 * values.loc[row[0], 'test_micro_accuracy']:.2f}"
        assert row[2 + len(source.objectives)] == str(values.loc[row[0], "evaluation"])


@pytest.mark.parametrize(
    ("first", "second", "seed"),
    [("sample", "random", 0), ("restarts", "random_published", 1), ("nsga2", "random_search", 1)],
)
def test_any_evaluation_of_two_methods_is_shown_as_the_tables_say(
    page: Page, address: str, source: PlayerSource, first: str, second: str, seed: int
) -> None:
    for at in (1, 2, 7, 19, 50, 77, 10**6):
        opened(page, address, a=first, b=second, seed=seed, at=at, cost="own")
        for side, arm in enumerate((first, second)):
            size = len(of_search(source.evaluations, arm, seed))
            require_shown(page, side, source, arm, seed, min(at, size))
            assert page.locator("#panels h2").nth(side).inner_text() == ARM_NAMES[arm]
    assert page.locator("#panels .ended").first.inner_text().startswith("Ended: ")
    assert not page.locator("#failed").inner_text()


def test_training_samples_are_charged_on_the_shared_axis(page: Page, address: str, source: PlayerSource) -> None:
    opened(page, address, a="sample", b="random", seed=0, at=20)
    assert "the 30 architectures of the training sample come first" in page.locator(".event").first.inner_text()
    require_shown(page, 1, source, "random", 0, 20)
    opened(page, address, a="sample", b="random", seed=0, at=SAMPLE + 11)
    require_shown(page, 0, source, "sample", 0, 11)
    assert count(page, 0, "evaluations").endswith("and 30 charged")
    page.select_option("#cost", "own")
    require_shown(page, 0, source, "sample", 0, min(SAMPLE + 11, len(of_search(source.evaluations, "sample", 0))))


def test_every_way_of_stepping_moves_the_cursor(page: Page, address: str, source: PlayerSource) -> None:
    opened(page, address, a="random", b="nsga2", seed=0, at=30, cost="own")
    page.click("#forward")
    assert position(page) == 31
    page.click("#back")
    page.click("#back")
    assert position(page) == 29
    changes = {
        at
        for arm in ("random", "nsga2")
        for own in [of_search(source.evaluations, arm, 0)]
        for at in range(1, len(own) + 1)
        if archive_after(own, at, 2) != archive_after(own, at - 1, 2)
    }
    page.click("#next-change")
    assert position(page) == min(at for at in changes if at > 29)
    page.click("#previous-change")
    page.click("#previous-change")
    assert position(page) == sorted(at for at in changes if at <= 29)[-1 if 29 not in changes else -2]
    page.locator("#player").focus()
    before = position(page)
    moves: list[tuple[str, Callable[[int], int]]] = [
        ("ArrowRight", lambda at: at + 1),
        ("Shift+ArrowRight", lambda at: at + 10),
        ("ArrowLeft", lambda at: at - 1),
        ("End", lambda _: 120),
        ("PageUp", lambda at: at - 100),
        ("PageDown", lambda at: at + 100),
        ("Home", lambda _: 1),
        ("ArrowLeft", lambda at: at),
        ("n", lambda _: min(at for at in changes if at > 1)),
        ("p", lambda _: 1),
    ]
    for key, moved in moves:
        page.keyboard.press(key)
        before = moved(before)
        assert position(page) == before, key
    page.locator("#position").fill("63")
    for side, arm in enumerate(("random", "nsga2")):
        require_shown(page, side, source, arm, 0, 63)
    box = page.locator("#volume").bounding_box()
    assert box is not None
    page.locator("#volume").click(position={"x": 66 + (box["width"] - 78) / 2, "y": box["height"] / 2})
    assert abs(position(page) - 60) <= 1


def test_playing_goes_to_the_end_and_can_be_stopped(page: Page, address: str, source: PlayerSource) -> None:
    opened(page, address, a="random", b="none", seed=1, at=1)
    end = len(of_search(source.evaluations, "random", 1))
    page.select_option("#speed", "10")
    page.locator("#player").focus()
    page.keyboard.press(" ")
    expect(page.locator("#play")).to_have_text("Pause")
    wait_until(page, lambda at: at > 2)
    assert page.locator("#said").inner_text() == ""
    page.keyboard.press(" ")
    expect(page.locator("#play")).to_have_text("Play")
    stopped = position(page)
    require_shown(page, 0, source, "random", 1, stopped)
    assert f"random starts: {stopped} of {end} evaluations, archive " in page.locator("#said").inner_text()
    assert f"at={stopped}" in page.url
    page.select_option("#speed", "1000")
    page.click("#play")
    wait_until(page, lambda at: at == end)
    expect(page.locator("#play")).to_have_text("Play")
    require_shown(page, 0, source, "random", 1, end)
    page.click("#play")  # from the beginning again
    wait_until(page, lambda at: at < end)


def test_a_link_restores_what_was_shown(page: Page, address: str, browser: Browser) -> None:
    opened(page, address)
    page.select_option("#method-a", "restarts")
    page.select_option("#method-b", "random_published")
    page.select_option("#seed", "1")
    page.select_option("#cost", "own")
    page.select_option("#view", "all")
    expect(page.locator("#panels h2").nth(1)).to_have_text("random starts, published way")
    page.locator("#position").fill("42")
    texts = page.locator("#panels .panel").all_inner_texts()
    other = browser.new_page()
    other.goto(page.url)
    expect(other.locator("#position-label")).to_contain_text("42 of ")
    assert other.locator("#panels .panel").all_inner_texts() == texts
    assert [other.locator(f"#{name}").input_value() for name in ("method-a", "method-b", "seed", "cost", "view")] == [
        "restarts",
        "random_published",
        "1",
        "own",
        "all",
    ]
    # going to another address of the page without loading it, as the back button does
    other.evaluate("location.hash = 'a=nsga2&b=none&seed=0&at=5'")
    expect(other.locator("#panels h2").first).to_have_text("NSGA-II")
    expect(other.locator("#position-label")).to_contain_text("5 of ")
    assert other.locator("#panels .panel").nth(1).is_hidden()
    other.close()


@pytest.mark.parametrize(
    "fragment", ["a=<b>&b=1&seed=-1&at=x&x=9&y=1e3&cost=free&view=", "seed=99999999999&at=0", "x=0", "%"]
)
def test_an_address_that_makes_no_sense_shows_the_beginning(page: Page, address: str, fragment: str) -> None:
    page.goto(f"{address}#{fragment}")
    page.locator("#player").wait_for(state="visible")
    assert page.locator("#method-a").input_value() in ARM_NAMES
    assert page.locator("#seed").input_value() == "0"
    assert count(page, 0, "archive").isdigit()
    assert page.locator("#axis-x").input_value() != page.locator("#axis-y").input_value()


def test_architectures_lead_to_the_explorer(page: Page, address: str) -> None:
    opened(page, address, a="random", b="none", seed=0)
    for link in page.locator("#members a").all():
        assert link.get_attribute("href") == f"explorer-own.html#cell={link.get_attribute('title')}"
    assert page.locator("#members a").count() > 1


def test_the_published_way_plays_and_is_explained(page: Page, address: str, source: PlayerSource) -> None:
    own = of_search(source.evaluations, "random_published", 0)
    repeated = int(own.loc[own["repeated"], "evaluation"].iloc[0])
    opened(page, address, a="random_published", b="none", seed=0, at=repeated, cost="own")
    assert f"Evaluation {repeated} repeats an earlier one" in page.locator(".event").first.inner_text()
    require_shown(page, 0, source, "random_published", 0, repeated)
    opened(page, address, a="random_published", b="none", seed=0, at=0, cost="own")
    assert position(page) == 0
    assert count(page, 0, "queue") == "3"  # its starts, which do not count
    require_shown(page, 0, source, "random_published", 0, 0)
    assert "does not count its starts" in page.locator("section[aria-labelledby=reading]").inner_text()


def test_any_two_of_three_objectives_can_be_seen(page: Page, three: str) -> None:
    source = player_source(3)
    opened(page, three, a="random", b="nsga2", seed=0, at=60, cost="own")
    for side, arm in enumerate(("random", "nsga2")):
        require_shown(page, side, source, arm, 0, 60)
    assert page.locator("#axis-x option").all_inner_texts() == ["test micro accuracy", "MACs", "latency on box"]
    page.select_option("#axis-x", "2")
    assert "x=2" in page.url
    page.select_option("#axis-y", "2")  # both the same would show a line: they change places
    assert (page.locator("#axis-x").input_value(), page.locator("#axis-y").input_value()) == ("0", "2")
    assert "latency on box over test micro accuracy" in str(
        page.locator(".objectives").first.get_attribute("aria-label")
    )
    assert page.locator("#members a").count() == 0  # there is no explorer to lead to


def test_a_missing_file_is_said(browser: Browser, source: PlayerSource, tmp_path: Path) -> None:
    address = make_site(tmp_path, source).as_uri()
    (tmp_path / "data" / "player" / "own" / "random-1.js").unlink()
    page = browser.new_page()
    opened(page, address, a="random", b="none", seed=0)
    page.select_option("#seed", "1")
    expect(page.locator("#failed")).to_contain_text("data/player/own/random-1.js of this report cannot be read")
    page.select_option("#seed", "0")
    expect(page.locator("#failed")).to_be_empty()
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_narrow_screen_has_nothing_beside_it(browser: Browser, address: str, scheme: Any) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 800}, color_scheme=scheme)
    page = opened(context.new_page(), address, a="random", b="restarts", seed=0, at=40)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    tops = [box["y"] for one in page.locator("#panels .panel").all() if (box := one.bounding_box())]
    assert tops[1] > tops[0] + 300
    # charts are as wide as the screen and drawn upon
    drawn = page.evaluate(
        """() => [...document.querySelectorAll('.player-chart canvas')].map((canvas) => {
          const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
          return new Set(new Uint32Array(data.buffer)).size;
        })"""
    )
    assert len(drawn) == 3
    assert min(drawn) > 20
    context.close()


def test_nothing_plays_by_itself_and_everything_has_a_name(page: Page, address: str) -> None:
    opened(page, address, a="random", b="nsga2", seed=0, at=10)
    page.wait_for_timeout(300)
    assert position(page) == 10
    assert page.locator("#play").inner_text() == "Play"
    unnamed = page.evaluate(
        """() => [...document.querySelectorAll('#player select, #player input, #player button, #player [role=img]')]
          .filter((one) => !(one.labels?.length || one.innerText || one.getAttribute('aria-label')
            || one.getAttribute('aria-labelledby'))).map((one) => one.outerHTML.slice(0, 80))"""
    )
    assert unnamed == []
    assert json.loads(page.locator("#player-data").inner_text())["benchmark"] == "own"
