"""Visits to the page at /docs in a real browser, which the tests of the page share.

``READOUT_TEST_BROWSER`` may name the browser's executable; without one the tests are skipped.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = (
    "--no-sandbox",  # root, as in most containers, gets no other
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
PATIENCE = 15_000  # milliseconds for any one thing


@dataclass
class Visit:
    """A page, and all that it asked for or complained of."""

    page: Page
    live: str
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def open(self, suffix: str = "") -> Page:
        self.page.goto(f"{self.live}/docs{suffix}")
        expect(self.page.locator(".opblock.is-open .opblock-body").first).to_be_visible()
        return self.page

    def foreign(self) -> list[str]:
        home = urlsplit(self.live).netloc
        return [url for url in self.asked if urlsplit(url).netloc not in (home, "")]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    named = os.environ.get("READOUT_TEST_BROWSER")
    found = named or next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip("no browser here: install chromium, or name one in READOUT_TEST_BROWSER")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=QUIET)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def profile(browser: Browser) -> BrowserContext:
    """A profile for all visits, so that the files of Swagger UI are fetched once."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    return context


@pytest.fixture
def visit(profile: BrowserContext, live: str) -> Iterator[Visit]:
    """A visit to the server that all share."""
    with visiting(profile, live) as visit:
        yield visit


@contextmanager
def visiting(profile: BrowserContext, live: str) -> Iterator[Visit]:
    """A visit; whatever a test did on it, it must leave nothing to complain of."""
    page = profile.new_page()
    visit = Visit(page, live.rstrip("/"))
    page.on("request", lambda request: visit.asked.append(request.url))
    page.on("pageerror", lambda error: visit.complaints.append(str(error)))
    page.on(
        "console",
        lambda message: (
            visit.complaints.append(message.text) if message.type in ("error", "warning") else None
        ),
    )
    yield visit
    page.close()
    assert visit.complaints == []
    assert visit.foreign() == []


def executed(block: Locator) -> str:
    """Press Execute in an open operation, and return the status that the page then shows."""
    block.locator(".responses-wrapper").wait_for()  # there once all references are resolved
    block.locator("button.execute").click()
    status = block.locator(".live-responses-table tbody .response-col_status")
    return status.inner_text().split()[0]
