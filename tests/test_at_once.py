"""Reads are answered without Flask's dispatch, and as Flask would have them answered."""

from typing import Any

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.test_same_answers import FORMS, LISTS, NESTED, OTHERS, POSITIONS, REFUSED, STATEMENTS

TARGETS = [
    *(path + form for path in (*LISTS, *NESTED, *POSITIONS) for form in FORMS),
    *(f"/v1/statements?{query}" for query in STATEMENTS),
    *OTHERS,
    *REFUSED,
    *("/v1/topics/Grain-Deal", "/v1/topics/grain-deal/", "/v1/topics//positions", "/v1//topics"),
    *("/v1/topics/grain-deal/revisions", "/v1/topics/grain-deal/revisions/1", "/docs", "/nope"),
    *("/v1/topics/{id}", "/v1/topics/{id}/positions", "/v1/topics/{id}/revisions/{n}"),
    *("/v1/statements?topic=a%26b", "/v1/statements?cur%73or=x", "/v1/statements?limit=1&q=a+b"),
]
HEADERS: list[dict[str, str]] = [
    {},
    {"Accept": "text/csv", "Accept-Encoding": "gzip"},
    {"Accept": "image/png", "Host": "[::1]:80"},
    {"Host": "no host", "Authorization": "Bearer nothing"},
    {"Host": "a..b"},
    {"Host": "a" * 64},
]


def both_ways(app: Flask, target: str, headers: dict[str, str], method: str = "GET") -> list[Any]:
    """The answer of each way, the usual one of Flask last."""
    service: Any = app
    at_once = service.read_at_once
    answers = []
    try:
        for way in (at_once, lambda environ: None):
            service.read_at_once = way
            given = {**headers, "X-Request-Id": "the-same"}
            answer = app.test_client().open(target, method=method, headers=given)
            answers.append((answer.status, list(answer.headers), answer.data))
    finally:
        service.read_at_once = at_once
    return answers


@pytest.mark.parametrize("headers", HEADERS, ids=str)
def test_both_ways_give_the_same_bytes(app: Flask, headers: dict[str, str]) -> None:
    for target in TARGETS:
        at_once, usual = both_ways(app, target, headers)
        assert at_once == usual
        etag = dict(usual[1]).get("ETag")
        if etag:
            at_once, usual = both_ways(app, target, {**headers, "If-None-Match": etag})
            assert at_once == usual
            assert usual[0] in ("304 NOT MODIFIED", "404 NOT FOUND", "410 GONE")


@settings(deadline=None, max_examples=150, derandomize=True, database=None)
@given(data=st.data())
def test_whatever_is_asked(app: Flask, data: st.DataObject) -> None:
    target = data.draw(st.sampled_from(TARGETS))
    at = data.draw(st.integers(0, len(target)))
    target = target[:at] + data.draw(st.text("/?&=%;.A1\u00e9\0 ", max_size=3)) + target[at:]
    method = data.draw(st.sampled_from(["GET", "HEAD", "OPTIONS", "POST"]))
    at_once, usual = both_ways(app, f"/{target.lstrip('/')}", {}, method)
    assert at_once == usual


@pytest.mark.parametrize(
    "target",
    ["/v1/statements?topic=grain-deal", "/v1/topics/grain-deal", "/v1/topics/grain-deal/positions"],
)
def test_what_is_plainly_a_read_is_answered_at_once(
    app: Flask, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dispatched(*_: Any) -> None:
        raise AssertionError("went through Flask")

    monkeypatch.setattr(app, "full_dispatch_request", dispatched)
    assert app.test_client().get(target).status == "200 OK"
