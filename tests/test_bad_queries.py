"""Cursors that nobody was given, and whatever people type into a search box.

On both databases, and the same answer from both, as in test_bad_input.py.
"""

import base64
import json
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from werkzeug.test import create_environ, run_wsgi_app

from tests.test_bad_input import applications, ask, both


@pytest.fixture(scope="module")
def apps(new_database: Callable[..., str]) -> list[Flask]:
    return applications(new_database)


def encoded(text: str | bytes) -> str:
    """Write a text as a cursor is written."""
    raw = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decoded(cursor: str) -> list[Any]:
    found: list[Any] = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    return found


CURSORS = {
    "words": "begin-here",
    "one character": "a",
    "padding": "%3D%3D%3D%3D",
    "no base64": "!!!!",
    "other base64": "%2B%2F%2B%2F",
    "full-width": "%EF%BD%81%EF%BD%82%EF%BD%83%EF%BD%84",
    "long": "A" * 3500,
    "no UTF-8": encoded(b"\xff\xfe"),
    "surrogate bytes": encoded('["x","\ud800"]'),
    "surrogate escape": encoded('["x","\\ud800"]'),
    "NUL": encoded('["x","a\\u0000"]'),
    "a number of 400 digits": encoded(f'["x",{"9" * 400}]'),
    "not a number": encoded('["x",NaN]'),
    "infinity": encoded('["x",1e999,1]'),
    "half": encoded('["x",'),
    "deep": encoded("[" * 300 + "]" * 300),
    "deep inside": encoded('["x",' + "[" * 300 + "]" * 300 + "]"),
    "deep object": encoded('["x",' + '{"a":' * 300 + "1" + "}" * 300 + "]"),
    "deeper": encoded("[" * 1200 + "]" * 1200),
    "wide": encoded("[" + "1," * 900 + "1]"),
    **{text: encoded(text) for text in ("{}", "[]", "null", "1", '""', "[null]", '["x"]', "[[]]")},
}


@pytest.mark.parametrize("name", CURSORS)
@pytest.mark.parametrize("path", ["/v1/statements", "/v1/calls", "/v1/topics/grain-deal/positions"])
def test_what_is_no_cursor_is_told_so(apps: list[Flask], path: str, name: str) -> None:
    target = f"{path}?cursor={CURSORS[name]}"
    (error,) = both(apps, target).problem("invalid-parameter", target)["errors"]
    assert error["parameter"] == "cursor"
    assert "page.next" in error["detail"] or "begin again" in error["detail"]


# What is asked, and the kind of position that its cursors hold.
WALKS = {
    "/v1/topics?limit=1": "id",
    "/v1/statements?limit=1&sort=id": "id",
    "/v1/statements?limit=1&sort=id&topic=grain-deal,sanctions": "id",
    "/v1/statements?limit=1": "dated",
    "/v1/statements?limit=1&sort=-said_on": "dated",
    "/v1/statements?limit=1&said_from=2022": "dated",
    "/v1/statements?limit=1&topic=grain-deal": "dated",
    "/v1/calls?limit=1": "dated",
    "/v1/statements?limit=1&q=grain": "relevance",
}
POSITIONS: list[tuple[str | None, str]] = [
    ("id", '["x"]'),
    ("dated", '[null,null,"x"]'),
    ("dated", '["2022-07-29","2022-07-29","x"]'),
    ("relevance", '[-1.5,"x"]'),
    (None, "[-1.5,3]"),
    (None, "[]"),
    (None, "[null]"),
    (None, '["x","y"]'),
    (None, '["A"]'),
    (None, '["a\\u0000"]'),
    (None, f'["{"a" * 81}"]'),
    (None, '["x","2022-07-29","x"]'),
    (None, '[null,"2022-07-29","x"]'),
    (None, '["2022-07-29",null,"x"]'),
    (None, '["2022-07-29","2022-07-29",1]'),
    (None, '["2022-07-29","2022-07-29","x","y"]'),
    (None, "[1.5,true]"),
    (None, "[true,1]"),
    (None, "[1,3]"),
    (None, "[1.5,3.5]"),
    (None, "[1.5,-1]"),
    (None, "[1.5,9223372036854775808]"),
    (None, '["1.5",3]'),
    (None, "[[1.5],[3]]"),
    (None, '[{"a":1},3]'),
]


@pytest.mark.parametrize("target", WALKS)
def test_a_cursor_made_up_for_a_query_must_fit_its_order(apps: list[Flask], target: str) -> None:
    following = decoded(json.loads(ask(apps[0], target).body)["page"]["next"])
    for kind, position in POSITIONS:
        text = json.dumps([following[0], *json.loads(position)], separators=(",", ":"))
        made = f"{target}&cursor={encoded(text)}"
        if kind == WALKS[target]:
            assert ask(apps[0], made).status == ask(apps[1], made).status == 200
        else:
            (error,) = both(apps, made).problem("invalid-parameter", made)["errors"]
            assert error["parameter"] == "cursor", position


@pytest.mark.parametrize(
    "other", ["/v1/statements?sort=id", "/v1/statements?topic=sanctions", "/v1/calls?sort=id"]
)
def test_the_cursor_of_another_query_is_told_so(apps: list[Flask], other: str) -> None:
    given = json.loads(ask(apps[0], "/v1/statements?limit=1").body)["page"]["next"]
    target = f"{other}&cursor={given}"
    (error,) = both(apps, target).problem("invalid-parameter", target)["errors"]
    assert error == {
        "parameter": "cursor",
        "detail": "Belongs to another query; begin again without a cursor.",
    }


SEARCHES = (
    # Operators of FTS5 and of tsquery, which are words here or nothing
    "AND", "OR", "NOT", "NEAR", "NEAR(grain deal)", "NEAR(grain deal, 5)", "grain NEAR deal",
    "grain AND", "AND grain", "grain OR OR deal", "grain NOT deal", "^grain", "grain + deal",
    "words:grain", "words : grain", "{words id}: grain", "-words:grain", "statements_search:grain",
    "rowid:1", "rank", "grain & deal", "grain | deal", "!grain", "grain <-> deal", "grain <2> deal",
    "grain:*", "grain:AB", "'grain':1A", "grain:1", "::", "grain::tsquery",
    # Quotation marks, stars, signs
    '"', '""', '"""', '"grain', 'grain"', '"grain deal', '"grain"*', '"grain"deal', 'grain"deal"',
    "*", "**", "*grain", "grain*", "gr*in", "-", "--", '-"', '-""', "-grain", "-grain -deal",
    "grain -deal", "-grain*", '-"grain deal"*', "- grain", "grain-deal", "50-50", "50 -50",
    "(", ")", "()", "((((", "(grain", "grain)", "[grain]", "{grain}", "<b>grain</b>", "&lt;",
    "\\", "\\\\", "\\'", "grain\\", "'", "''", "'grain", "grain'", "o'brien",
    "'); DROP TABLE statements; --", "' OR '1'='1", "$1", "%s", "%(q)s", ":q", "?", "%", "%%", "_",
    "grain;deal", "grain,deal", "grain.deal", "grain_deal", "@", "#1", "~grain", "C++", "none",
    # Characters
    "\n", "grain\ndeal", "grain\tdeal", "grain\r\ndeal", "\x01", "grain\x7fdeal", "\x1f", "\u00a0",
    "\u3000grain", "\u200bgrain", "\u202egrain", "\ufeff", "\ufffe", "\uffff", "\U0010ffff",
    "\U0001f33e", "\u00bd", "\u00b2", "\u2116 5", "Stra\u00dfe", "\u1e9e", "\u0130", "\u0131",
    "\ufb01", "e\u0301", "\u0301", "\u0345", "\u0390", "\u01f0", "\uff27\uff32\uff21\uff29\uff2e",
    "\u0661\u0662\u0663", "\uff11\uff12", "\u65e5\u672c", "\u0627\u0644\u063a\u0627\u0632",
    "\uac00", "\u1100\u1161", "\u337f", "\u33a5", "\ufdfa", "\u0e01\u0e33",
    # As long as it may be
    "a" * 500, "a " * 250, '"a" ' * 125, "-a " * 166, "a* " * 166, "grain " + "-a " * 164,
    '"' + "a " * 249 + '"', '"' + "a " * 248 + '"*', '"' * 500, "-" * 500, "*" * 500, "(" * 500,
    "'" * 500, "\\" * 500, "\u0301" * 500, "\u00df" * 500, "\ufdfa" * 300, "\U0001f33e" * 300,
    "x" * 199 + "*", "x" * 200 + "*", "x" * 201 + "*",
)  # fmt: skip


@pytest.mark.parametrize("q", SEARCHES, ids=lambda q: ascii(q)[:40])
def test_a_search_is_never_an_error(apps: list[Flask], q: str) -> None:
    for path in ("/v1/statements", "/v1/calls", "/v1/topics"):
        sorted_by_id = f"{path}?sort=id&fields=id&limit=200&count=true&q={quote(q)}"
        assert both(apps, sorted_by_id).status == 200
    ranked = f"/v1/statements?fields=id&limit=200&facets=topic,act,side&q={quote(q)}"
    one, other = (json.loads(ask(app, ranked).body) for app in apps)
    assert one["facets"] == other["facets"]
    assert {row["id"] for row in one["data"]} == {row["id"] for row in other["data"]}


LISTS = ("/v1/statements?format=ndjson", "/v1/statements?format=csv", "/v1/records")


def started(app: Flask, target: str) -> tuple[int, Iterable[bytes]]:
    """Begin an answer, and read none of it."""
    path, _, query = target.partition("?")
    body, status, _ = run_wsgi_app(app, create_environ(path, query_string=query))
    return int(status[:3]), body


@pytest.mark.parametrize("kind", [0, 1], ids=["sqlite", "postgresql"])
def test_readers_that_stop_reading_keep_nobody_else_waiting(apps: list[Flask], kind: int) -> None:
    app = apps[kind]
    stalled: list[Any] = []
    for number in range(64):
        status, body = started(app, LISTS[number % 3])
        stalled.append(body)
        if status != 200:
            break
    told = ask(app, LISTS[0])
    assert 4 < len(stalled) < 64
    assert told.problem("unavailable", LISTS[0])["detail"]
    assert int(told.headers["Retry-After"]) > 0
    assert all(ask(app, "/v1/statements?limit=5").status == 200 for _ in range(40))
    for body in stalled:
        getattr(body, "close", lambda: None)()  # As a server does when the client has gone.
    for _ in range(3):
        assert all(ask(app, target).status == 200 for target in LISTS)
        assert all(ask(app, target, "HEAD").status == 200 for target in LISTS * 10)
