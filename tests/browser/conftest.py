"""A real browser for the report's pages: Debian's chromium, headless, driven by Playwright."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

# no screen, root, no GPU, and no call home: every request of the browser itself would end in an error
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking")
FLAGS += ("--disable-component-update", "--disable-sync")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, started once."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no chromium on this machine (Debian package chromium)")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, headless=True, args=list(FLAGS))
        yield started
        started.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """An empty page of 1280 x 900 pixels; a test fails where it met an error or a request to a network."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    opened = context.new_page()
    troubles: list[str] = []
    shown = ("error", "warning")
    opened.on("console", lambda message: troubles.append(message.text) if message.type in shown else None)
    opened.on("pageerror", lambda error: troubles.append(str(error)))
    opened.on("requestfailed", lambda request: troubles.append(f"{request.url[:200]} failed: {request.failure}"))
    opened.on("request", lambda request: troubles.append(request.url) if request.url.startswith("http") else None)
    opened.set_default_timeout(10_000)
    yield opened
    context.close()
    assert troubles == []
