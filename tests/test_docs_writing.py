"""Writing from the page at /docs: it takes a key, and an example body under another name writes."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
from playwright.sync_api import BrowserContext, Locator, expect

from tests.browsing import Visit, visiting
from tests.live import serving
from tests.writing import new_key


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """A server whose records may change, and a key that may change them."""
    folder: Path = tmp_path_factory.mktemp("scratch")
    with serving(folder) as url:
        yield url, new_key(f"sqlite:///{folder / 'live.sqlite'}", "write", "retract")


@pytest.fixture
def desk(profile: BrowserContext, scratch: tuple[str, str]) -> Iterator[Visit]:
    """A visit on which the key was given."""
    url, key = scratch
    with visiting(profile, url) as visit:
        page = visit.open()
        page.locator(".tools button.authorize").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("API key").fill(key)
        dialog.get_by_role("button", name="Authorize").click()
        dialog.get_by_role("button", name="Close").last.click()
        yield visit


def opened(visit: Visit, method: str, path: str) -> Locator:
    block = visit.page.locator(f'.opblock-{method}:has([data-path="{path}"])')
    block.locator(".opblock-summary-control").click()
    block.locator(".body-param__text, .parameters").first.wait_for()
    return block


def execute(block: Locator, status: int) -> None:
    block.locator("button.execute").click()
    shown = block.locator(".live-responses-table tbody .response-col_status")
    expect(shown).to_contain_text(str(status))


def forgiven(visit: Visit, status: int) -> None:
    """The browser complains of the answer, which is right."""
    told = [one for one in visit.complaints if f"status of {status}" in one]
    assert len(told) == 1
    visit.complaints.remove(told[0])


def test_an_example_clashes_with_the_seed_and_writes_under_another_name(desk: Visit) -> None:
    block = opened(desk, "post", "/v1/topics")
    execute(block, 409)
    forgiven(desk, 409)
    body = block.locator(".body-param__text")
    topic = json.loads(body.input_value()) | {"label": "Winter tides", "aliases": ["Ebb"]}
    body.fill(json.dumps(topic))
    execute(block, 201)
    with urlopen(f"{desk.live}/v1/topics/ebb", timeout=30) as answer:
        assert json.load(answer)["label"] == "Winter tides"
    with urlopen(f"{desk.live}/v1/changes?limit=200", timeout=30) as answer:
        assert json.load(answer)["data"][-1]["actor"].startswith("desk-")


def test_a_change_asks_for_the_version_that_was_seen(desk: Visit) -> None:
    block = opened(desk, "put", "/v1/topics/{id}")
    execute(block, 428)
    forgiven(desk, 428)
    with urlopen(f"{desk.live}/v1/topics/grain-deal", timeout=30) as answer:
        block.locator('tr[data-param-name="If-Match"] input').fill(answer.headers["ETag"])
    execute(block, 200)
