"""Lists: pages, orders, cursors, links and counts, the same on both databases."""

import base64
import itertools
import re
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import create_engine, text

from api.store.statements import STATEMENTS
from tests.conftest import KINDS as DATABASES
from tests.oracle import DATED, Oracle
from tests.reading import (
    CALLS,
    KINDS,
    LANTERN,
    SEED,
    at_fault,
    everything,
    get,
    ids,
    pages,
    read,
    walk,
)

NESTED = [f"/v1/calls/{call}/{kind}" for call in CALLS for kind in ("statements", "accounts")]
POSITIONS = ["/v1/topics/lighthouses/positions", "/v1/participants/lavrov/positions"]
LISTS = [*(f"/v1/{kind}" for kind in KINDS), *NESTED, *POSITIONS]


@pytest.fixture(scope="module")
def oracle(app: Flask) -> Oracle:
    return Oracle(everything(app.test_client()))


# Pages.


@pytest.mark.parametrize("path", LISTS)
def test_a_page_has_fifty_records_unless_asked_otherwise(client: FlaskClient, path: str) -> None:
    page = read(client, path)
    every = walk(client, path)
    assert list(page) == ["data", "page"]
    assert list(page["page"]) == ["limit", "next"]
    assert page["page"]["limit"] == 50
    assert page["data"] == every[:50]
    assert (page["page"]["next"] is None) == (len(every) <= 50)


@pytest.mark.parametrize("limit", [1, 3, 50, 200])
@pytest.mark.parametrize(
    ("kind", "sort"),
    [
        *((kind, "id") for kind in KINDS),
        *((kind, sort) for kind, date in DATED.items() for sort in (date, f"-{date}")),
    ],
)
def test_a_walk_meets_each_record_once_and_in_order(
    client: FlaskClient, oracle: Oracle, kind: str, sort: str, limit: int
) -> None:
    expected = oracle.in_order(kind, oracle.of(kind), sort)
    assert len(expected) >= 5
    found = list(pages(client, f"/v1/{kind}", {"sort": sort, "limit": limit}))
    assert [one for page in found for one in page["data"]] == expected
    assert all(len(page["data"]) == limit for page in found[:-1])
    assert found[-1]["data"]


@pytest.mark.parametrize(("kind", "date"), DATED.items())
def test_descending_is_the_exact_reverse_but_records_without_a_date_stay_last(
    client: FlaskClient, oracle: Oracle, kind: str, date: str
) -> None:
    upward, downward = (walk(client, f"/v1/{kind}", {"sort": s}) for s in (date, f"-{date}"))
    undated = len([one for one in oracle.of(kind) if one[date] is None])
    cut = len(upward) - undated
    assert downward == upward[:cut][::-1] + upward[cut:][::-1]
    assert all(one[date] is None for one in upward[cut:])


@pytest.mark.parametrize(
    "query", ["topic=none", "speaker=none", "act=assertion", "q=the&sort=-said_on"]
)
def test_pages_go_on_across_the_border_to_records_without_a_date(
    client: FlaskClient, query: str
) -> None:
    found = [
        one for page in pages(client, f"/v1/statements?limit=1&{query}") for one in page["data"]
    ]
    dates = [one["said_on"] for one in found]
    border = dates.index(None)
    assert border > 0
    assert set(dates[border:]) == {None}
    assert len(set(ids(found))) == len(found)


@pytest.mark.parametrize(
    ("kind", "order"),
    [("calls", "-held_on"), ("statements", "said_on"), *((k, "id") for k in KINDS[1:5])],
)
def test_each_kind_has_its_own_order(client: FlaskClient, kind: str, order: str) -> None:
    assert read(client, f"/v1/{kind}") == read(client, f"/v1/{kind}", {"sort": order})


def test_what_was_said_on_one_day_reads_in_the_order_of_the_source(client: FlaskClient) -> None:
    found = ids(read(client, f"/v1/calls/{SEED}/statements"))
    assert found == [f"{SEED}-{n:02}" for n in (3, *(n for n in range(1, 22) if n != 3))]


# Limits and counts.


@pytest.mark.parametrize("path", LISTS)
def test_a_limit_of_0_gives_the_count_alone(client: FlaskClient, path: str) -> None:
    page = read(client, path, {"limit": "0", "count": "true"})
    assert page["data"] == []
    assert page["page"] == {"limit": 0, "next": None, "total": len(walk(client, path))}


@pytest.mark.parametrize(
    "limit", ["201", "-1", "1.0", "1e2", "٣", "x", " 5", "+5", "9" * 30, "0x1"]
)
def test_a_limit_is_a_whole_number_up_to_200(client: FlaskClient, limit: str) -> None:
    assert at_fault(client, "/v1/statements", {"limit": limit}) == ["limit"]


def test_the_count_is_of_all_that_matches_on_every_page(client: FlaskClient) -> None:
    found = list(pages(client, "/v1/statements?country=IS&count=true&limit=5"))
    assert len(found) > 2
    assert {page["page"]["total"] for page in found} == {sum(len(p["data"]) for p in found)}
    assert "total" not in read(client, "/v1/statements?count=false")["page"]


# Links.


@pytest.mark.parametrize(
    "asked",
    [
        "/v1/statements?limit=3",
        "/v1/statements?topic=lighthouses,none&act=demand&act=offer,warning&limit=1&count=true",
        "/v1/statements?q=%22lantern+accord%22+-%D0%B9&limit=1&sort=id&fields=id",
        "/v1/sources?limit=1&publisher=The%20Harbour%20Gazette",
        "/v1/topics/black-sea-grain-initiative/positions?limit=1",
        f"/v1/calls/{LANTERN}/accounts?limit=2",
    ],
)
def test_the_link_leads_where_the_cursor_leads(client: FlaskClient, asked: str) -> None:
    path, _, _ = asked.partition("?")
    while True:
        answer = get(client, asked)
        following = answer.get_json()["page"]["next"]
        if following is None:
            assert "Link" not in answer.headers
            return
        link = re.fullmatch(r'<(/[^>]*)>; rel="next"', answer.headers["Link"])
        assert link
        assert link[1].startswith(f"{path}?")
        assert f"cursor={following}" in link[1]
        here, _, _ = asked.partition("&cursor=")
        assert get(client, link[1]).data == get(client, f"{here}&cursor={following}").data
        asked = link[1]


# Cursors.


def cursor_of(client: FlaskClient, path: str) -> str:
    following = read(client, path)["page"]["next"]
    assert isinstance(following, str)
    return following


def test_a_cursor_goes_on_with_another_limit_and_other_members(client: FlaskClient) -> None:
    cursor = cursor_of(client, "/v1/statements?topic=lighthouses,taiwan&limit=2")
    rest = ids(walk(client, "/v1/statements?topic=lighthouses,taiwan"))[2:]
    for query in (
        "topic=lighthouses,taiwan&limit=200",
        "topic=taiwan,lighthouses&count=true&facets=act",
        "topic=taiwan&topic=lighthouses&fields=id&sort=said_on",
    ):
        assert ids(read(client, f"/v1/statements?{query}&cursor={cursor}")) == rest


@pytest.mark.parametrize(
    "other",
    [
        "/v1/statements?topic=lighthouses&sort=-said_on",
        "/v1/statements?topic=lighthouses&sort=id",
        "/v1/statements?topic=lighthouses&act=offer",
        "/v1/statements?topic=lighthouses,none",
        "/v1/statements?topic_all=lighthouses",
        "/v1/statements?topic=taiwan",
        "/v1/statements?topic=lighthouses&q=lamp&sort=said_on",
        "/v1/statements?topic=lighthouses&q=lamp",
        "/v1/statements?",
        "/v1/calls?topic=lighthouses",
        "/v1/calls?sort=held_on",
        "/v1/participants?",
    ],
)
def test_the_cursor_of_another_query_is_refused(client: FlaskClient, other: str) -> None:
    cursor = cursor_of(client, "/v1/statements?topic=lighthouses&limit=1")
    assert at_fault(client, other, {"cursor": cursor}) == ["cursor"]


def test_however_many_values_are_asked_for_few_selects_are_kept(client: FlaskClient) -> None:
    topics = ids(read(client, "/v1/topics?limit=200"))[:20]
    people = ids(read(client, "/v1/participants?limit=200"))[:20]
    before = len(STATEMENTS.selects._kept)
    for some in range(1, 20):
        for more in range(1, 20, 3):
            asked = f"topic={','.join(topics[:some])}&speaker={','.join(people[:more])}&limit=1"
            read(client, f"/v1/statements?{asked}")
    for facets in itertools.permutations(("topic", "speaker", "act", "form")):
        read(client, f"/v1/statements?limit=0&facets={','.join(facets)}")
    assert len(STATEMENTS.selects._kept) - before < 50


def encoded(value: Any) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(value)).rstrip(b"=").decode()


FORGED: list[tuple[Any, ...]] = [
    (), (None,), (1,), ("a", "b"), (None, None, None), (None, None, 5), (["a"],), ({"a": 1},),
    ("2031-01-01", None, "a"), (None, "2031-01-01", "a"), ("2031-1-1", "2031-01-01", "a"),
    ("2031-01-01", "2031-01-01", "a\0"), ("２０３１-01-01", "2031-01-01", "a"), ("A",), ("a\n",),
    ("a" * 81,), (True,), (1.5, True), (1.5, 1), (1.5, "A"), ("1.5", 1), (1.5, -1), (1.5, 2**63),
    (1.5, 2.5),
    (2**64 - 1, 1), (1, 2, 3, 4), ("2031-01-01", "2031-01-01", "a", "b"),
]  # fmt: skip


@pytest.mark.parametrize(
    "query",
    [
        "",
        "sort=id",
        "sort=-said_on&topic=maritime-safety",
        "q=the",
        "act=demand&speaker=blinken",
        "said_from=2022",
        "sort=-said_on&said_from=2022",
    ],
)
def test_a_forged_position_is_refused(client: FlaskClient, query: str) -> None:
    genuine = cursor_of(client, f"/v1/statements?limit=1&{query}")
    held = orjson.loads(base64.urlsafe_b64decode(genuine + "=" * (-len(genuine) % 4)))
    by_id: list[tuple[Any, ...]] = [("a",)]
    by_rank: list[tuple[Any, ...]] = [(0.5, "a"), (-1e300, "7")]
    by_day: list[tuple[Any, ...]] = [
        (None, None, "a"),
        ("2031-01-01", "2031-12-31", "a"),
        ("9999-99-99", "0000-00-00", "a"),
    ]
    fitting = {"sort=id": by_id, "q=the": by_rank}.get(query, by_day)
    for position in fitting:
        read(client, f"/v1/statements?{query}", {"cursor": encoded([held[0], *position])})
    for position in [*FORGED, *by_id, *by_rank, *by_day]:
        if position not in fitting:
            cursor = encoded([held[0], *position])
            assert at_fault(client, f"/v1/statements?{query}", {"cursor": cursor}) == ["cursor"]


@pytest.mark.parametrize(
    "cursor",
    ["x", "WyJh", "%00", "%E2%82%AC", "bnVsbA", "e30", "W10", "MQ", "W1tbW1tbW10", "/w", "_w",
     "W" * 3900, encoded(["x", "a"]), encoded([None]), encoded("a"), encoded([["x"], "a"])],
)  # fmt: skip
def test_what_is_no_cursor_is_refused(client: FlaskClient, cursor: str) -> None:
    for query in ("", "q=the&", "sort=id&"):
        assert at_fault(client, f"/v1/statements?{query}cursor={cursor}") == ["cursor"]


@pytest.mark.parametrize("database", DATABASES)
def test_a_walk_keeps_its_place_while_records_go(
    new_database: Callable[..., str], database: str
) -> None:
    from api import create_app
    from api.settings import load

    url = new_database(database, filled=True)
    client = create_app(load({"READOUT_DATABASE_URL": url})).test_client()
    expected = ids(walk(client, "/v1/statements?country=IS"))
    engine = create_engine(url)
    found: list[str] = []
    for page in pages(client, "/v1/statements?country=IS&limit=1"):
        found += ids(page)
        with engine.begin() as connection:  # The very record at which the cursor stands.
            connection.execute(text("DELETE FROM statements WHERE id = :id"), {"id": found[-1]})
    engine.dispose()
    assert found == expected
