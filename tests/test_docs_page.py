"""The page at /docs in a real browser: what a newcomer sees, and what the page may not do."""

import json
import re
from typing import Any
from urllib.parse import quote, urlsplit
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, expect

from tests.browsing import PATIENCE, Visit, executed

POSITIONS = "/v1/topics/{id}/positions"


def fetch(url: str) -> Any:
    with urlopen(url, timeout=30) as answer:
        return json.load(answer)


@pytest.fixture
def document(live: str) -> Any:
    return fetch(f"{live.rstrip('/')}/openapi.json")


def operations(document: Any) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method, path, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if isinstance(operation, dict) and "operationId" in operation
    ]


def test_every_group_is_there_in_the_document_s_order(visit: Visit, document: Any) -> None:
    page = visit.open()
    shown = page.locator(".opblock-tag").evaluate_all("all => all.map(one => one.dataset.tag)")
    assert shown == [tag["name"] for tag in document["tags"]]
    expect(page.locator(".opblock")).to_have_count(len(operations(document)))


def test_the_page_opens_on_the_grain_deal_query(visit: Visit) -> None:
    page = visit.open()
    first = page.locator(".opblock").first
    expect(first.locator("[data-path]")).to_have_attribute("data-path", POSITIONS)
    expect(first).to_have_class(re.compile(r"\bis-open\b"))
    expect(first.locator('tr[data-param-name="id"] input')).to_have_value("grain-deal")
    expect(first.locator("button.execute")).to_be_in_viewport()
    expect(page.locator(".opblock.is-open")).to_have_count(1)
    assert page.url.endswith("/docs")


def test_nothing_comes_from_elsewhere_and_the_console_stays_empty(visit: Visit) -> None:
    page = visit.open()
    executed(page.locator(".opblock").first)
    page.locator("details summary").click()
    page.locator(".models button").first.click()
    paths = {urlsplit(url).path for url in visit.asked}
    assert {"/docs", "/openapi.json", "/docs/static/init.js"} <= paths
    assert visit.foreign() == []
    assert visit.complaints == []


def test_execute_shows_the_positions_with_nothing_typed_in(visit: Visit) -> None:
    page = visit.open()
    first = page.locator(".opblock").first
    assert executed(first) == "200"
    expected = fetch(f"{visit.live}/v1/topics/grain-deal/positions")["data"][0]["id"]
    body = first.locator(".live-responses-table .highlight-code").first
    expect(body).to_contain_text(f'"id": "{expected}"')
    expect(first.locator(".live-responses-table")).to_be_in_viewport()
    expect(first.locator("button.execute")).to_be_focused()
    expect(page.get_by_role("status")).to_have_text("Answer: 200")


def test_every_read_executes_with_nothing_typed_in(visit: Visit, document: Any) -> None:
    page = visit.open()
    failed = {}
    for method, path, operation in operations(document):
        if method != "get":
            continue
        block = page.locator(f'.opblock-get:has([data-path="{path}"])')
        toggle = block.locator(".opblock-summary-control")
        if toggle.get_attribute("aria-expanded") == "false":
            toggle.dispatch_event("click")  # takes a fifth of a real click's time
        if (status := executed(block)) != "200":
            failed[operation["operationId"]] = status
        toggle.dispatch_event("click")
    assert failed == {}


def test_the_address_cannot_name_another_document(visit: Visit) -> None:
    elsewhere = "http://192.0.2.1/other.json"
    page = visit.open(f"?url={elsewhere}&configUrl={elsewhere}&urls.primaryName=other")
    expect(page.locator(".opblock [data-path]").first).to_have_attribute("data-path", POSITIONS)
    assert [url for url in visit.asked if url.endswith(".json")] == [f"{visit.live}/openapi.json"]


def test_a_deep_link_opens_its_operation_alone(visit: Visit, document: Any) -> None:
    method, path, operation = operations(document)[-1]
    page = visit.open(f"#/{quote(operation['tags'][0])}/{operation['operationId']}")
    opened = page.locator(".opblock.is-open")
    expect(opened).to_have_count(1)
    expect(opened).to_have_class(re.compile(rf"\bopblock-{method}\b"))
    expect(opened.locator("[data-path]")).to_have_attribute("data-path", path)
    expect(opened.locator(".opblock-summary")).to_be_in_viewport()


def test_opening_an_operation_puts_its_link_into_the_address(visit: Visit) -> None:
    page = visit.open()
    second = page.locator(".opblock").nth(1)
    second.locator(".opblock-summary-control").click()
    expect(page).to_have_url(re.compile(r"/docs#/.+/.+"))
    page.reload()
    expect(second).to_have_class(re.compile(r"\bis-open\b"))


def test_the_filter_narrows_to_operations_with_all_its_words(visit: Visit, document: Any) -> None:
    def has(method: str, path: str, operation: dict[str, Any], *words: str) -> bool:
        named = (operation["operationId"], operation["summary"])
        text = " ".join((*operation["tags"], method, path, *named)).lower()
        return all(word in text for word in words)

    everything = operations(document)
    wanted = [one for one in everything if has(*one, "participants", "positions")]
    assert 0 < len(wanted) < len(everything)
    page = visit.open()
    blocks = page.locator(".opblock")
    box = page.get_by_label("Filter operations")
    box.fill("Participants POSITIONS")
    expect(blocks).to_have_count(len(wanted))
    box.fill("nothing-is-called-this")
    expect(page.get_by_text("No operation has all these words.")).to_be_visible()
    box.fill("")
    expect(blocks).to_have_count(len(everything))


def test_the_keyboard_is_at_the_first_operation_at_once(visit: Visit) -> None:
    page = visit.open()
    control = page.locator(".opblock-summary-control").first
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the first operation")).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(control).to_be_focused()
    page.reload()
    expect(page.locator(".opblock.is-open .opblock-body")).to_be_visible()
    for _ in range(9):  # without the skip link: the header, filter, key, introduction, group
        page.keyboard.press("Tab")
        if control.evaluate("one => one === document.activeElement"):
            break
    expect(control).to_be_focused()


def test_every_field_and_button_has_a_name(visit: Visit) -> None:
    page = visit.open()
    executed(page.locator(".opblock").first)
    for writing in page.locator(".opblock-post .opblock-summary-control").all()[:1]:
        writing.click()
        page.locator(".body-param__text").first.wait_for()
    nameless = page.locator("select, input, textarea, button").evaluate_all(
        """all => all.filter(one => !(one.ariaLabel || one.innerText || one.labels?.length)
                             || (one.matches("select") && !one.ariaLabel))
                     .map(one => one.outerHTML.slice(0, 120))"""
    )
    assert nameless == []


def test_a_key_is_taken_and_forgotten_with_the_page(visit: Visit, document: Any) -> None:
    if "securitySchemes" not in document["components"]:
        pytest.skip("no operation of the document takes a key")
    page = visit.open()
    page.locator(".tools button.authorize").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("API key").fill("not-a-real-key")
    dialog.get_by_role("button", name="Authorize").click()
    dialog.get_by_role("button", name="Close").last.click()
    expect(page.locator(".tools button.authorize")).to_have_class(re.compile(r"\blocked\b"))
    page.reload()
    expect(page.locator(".tools button.authorize")).to_have_class(re.compile(r"\bunlocked\b"))
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_needs_no_sideways_scrolling(visit: Visit, scheme: Any) -> None:
    visit.page.set_viewport_size({"width": 360, "height": 780})
    visit.page.emulate_media(color_scheme=scheme)
    page = visit.open()
    executed(page.locator(".opblock").first)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    background = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    brightest = max(int(part) for part in re.findall(r"\d+", background))
    assert (brightest < 80) == (scheme == "dark")


def test_without_javascript_the_page_says_where_the_contract_is(
    browser: Browser, live: str
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{live.rstrip('/')}/docs", timeout=PATIENCE)
    expect(page.locator("noscript").get_by_role("link", name="openapi.yaml")).to_be_visible()
    context.close()


def test_the_page_s_policy_allows_nothing_inline_or_foreign(live: str) -> None:
    with urlopen(f"{live.rstrip('/')}/docs", timeout=30) as answer:
        policy = answer.headers["Content-Security-Policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules.pop("default-src") == "'none'"
    assert rules.pop("img-src") == "'self' data:"
    assert set(rules.values()) == {"'self'", "'none'"}
    assert {"script-src", "style-src", "connect-src", "frame-ancestors", "base-uri"} <= set(rules)
