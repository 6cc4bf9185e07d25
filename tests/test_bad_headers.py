"""Methods and headers that nobody needs: told what would do, or left aside.

On both databases, and the same answer from both, as in test_bad_input.py.
"""

import json
from collections.abc import Callable

import pytest
from flask import Flask

from tests.test_bad_input import applications, ask, both


@pytest.fixture(scope="module")
def apps(new_database: Callable[..., str]) -> list[Flask]:
    return applications(new_database)


ACCEPTS_NOTHING = (
    "text/plain", "text/html", "*/*;q=0", "application/json;q=0", "application/problem+json",
    "*/json", "/", "json", "a/b," * 2500, "x" * 10_000, "\xff\xfe", "\u2028", "\0",
    "a/b" + " " * 30_000 + "c", "a/b;" + "x=1;" * 5000, 'a/b;x="' + '\\"' * 5000,
    "," * 30_000 + "a/b",
)  # fmt: skip


@pytest.mark.parametrize("accept", ACCEPTS_NOTHING, ids=lambda text: ascii(text)[:30])
def test_where_no_form_is_acceptable_those_that_are_there_are_told(
    apps: list[Flask], accept: str
) -> None:
    for target in ("/v1/statements", "/v1/topics/grain-deal", "/v1/vocabularies", "/v1/changes"):
        problem = both(apps, target, "GET", {"Accept": accept}).problem("not-acceptable", target)
        assert "application/json" in problem["detail"]
        assert len(problem["detail"]) < 300


METHODS = ("TRACE", "CONNECT", "PROPFIND", "QUERY", "FOO", "A" * 5000, "G\u00c9T", "")


@pytest.mark.parametrize("method", METHODS, ids=lambda text: ascii(text)[:12])
def test_a_method_that_nothing_takes_is_told_those_that_are(apps: list[Flask], method: str) -> None:
    for target in ("/", "/docs", "/healthz", "/metrics", "/v1/statements", "/v1/topics/grain-deal"):
        told = both(apps, target, method)
        assert target in told.problem("method-not-allowed", target)["detail"]
        assert {"GET", "HEAD", "OPTIONS"} <= set(told.headers["Allow"].split(", "))
    both(apps, "/nope", method).problem("not-found", "/nope")
    for target in ("/v1/calls", "/v1/statements?format=csv", "/v1/records", "/docs"):
        # Methods are case-sensitive; but whatever these are taken for, they break nothing.
        assert all(ask(app, target, m).status < 500 for app in apps for m in ("get", "head"))


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("application/json; charset=utf-8", "application/json"),
        ("text/csv;charset=utf-8", "text/csv; charset=utf-8"),
        ("application/json;q=.8, text/csv;q=.1", "application/json"),
        ("text/html, image/gif, *; q=.2, */*; q=.2", "application/json"),
        ("text/csv;q=0.5, application/x-ndjson;q=0.50", "application/x-ndjson"),
        ("application/json;q=0, */*", "application/x-ndjson"),
    ],
)
def test_what_real_clients_accept_is_understood(apps: list[Flask], accept: str, form: str) -> None:
    told = ask(apps[0], "/v1/statements?limit=1", "GET", {"Accept": accept})
    assert (told.status, told.headers["Content-Type"]) == (200, form)


@pytest.mark.parametrize("host", ["..", "a..b", "a" * 64 + ".example", "x" * 5000])
def test_a_host_that_is_none_is_named(apps: list[Flask], host: str) -> None:
    told = both(apps, "/v1/topics", "GET", {"Host": host})
    assert "Host" in told.problem("bad-request", "/v1/topics")["detail"]


FAR = "Mon, 01 Jan 99999999999999999999 00:00:00 GMT"

# What must change nothing in an answer, odd as it is.
IGNORED = {
    "Accept": (
        "",
        "application/*;q=0.001",
        "APPLICATION/JSON",
        "*/*, a/b;q=x",
        "a/b;q=1, */*;q=.2",
    ),
    "Accept-Encoding": ("br", "gzip;q=0", "*;q=0", "identity;q=0", "\xff", "," * 9999, "a;" * 9999),
    "Accept-Charset": ("utf-7", "\xff", ";" * 9999),
    "Accept-Language": ("x" * 9999, "\xff"),
    "Authorization": ("Basic !!!", "Bearer", "Bearer " + "x" * 9999, "\xff", ":"),
    "Cookie": ('a="\\400"', "a=b;" * 5000, "=" * 9999),
    "Content-Type": ("\xff", "multipart/form-data", "application/json;charset=utf-16"),
    "Content-Length": ("-1", "abc", "9" * 5000),
    "Content-Encoding": ("gzip", "\xff"),
    "Expect": ("100-continue", "a miracle"),
    "Host": ("", "a b", "\xff", "[::1", "a:b:c", "evil.example/path", "a@b", "a:99999999"),
    "If-Match": ('"x"', "*", "\xff"),
    "If-Modified-Since": (FAR, "yesterday", "Mon, 01 Jan 0001 00:00:00 +2359", "9" * 5000),
    "If-None-Match": (
        "x",
        '"',
        'W/"x"',
        '"x",' * 5000,
        '"' * 9999,
        "W/" * 5000,
        "\xff",
        " " * 9999,
    ),
    "If-Range": (FAR, '"x"', 'W/"x"', "\xff"),
    "If-Unmodified-Since": (FAR, "Thu, 01 Jan 1970 00:00:00 GMT"),
    "Range": ("bytes=0-5", "bytes=99999999-", f"bytes={'9' * 5000}-", "bytes=5-2", "x", "bytes=-0"),
    "Transfer-Encoding": ("chunked", "xchunked"),
    "Upgrade": ("websocket", "h2c", "\xff"),
    "X-Forwarded-Host": ("evil.example", "\xff"),
    "X-Forwarded-Prefix": ("//evil.example",),
    "X-HTTP-Method-Override": ("DELETE", "get"),
    "X-Original-URL": ("/metrics",),
    "X-Request-Id": ("a\r\nb: c", "a\nb", "\xff", "x" * 101, "a b", '"', "\0"),
}


@pytest.mark.parametrize("name", IGNORED)
def test_what_a_header_says_in_vain_changes_nothing(apps: list[Flask], name: str) -> None:
    for target in ("/v1/topics?limit=1", "/v1/statements?format=ndjson&limit=1", "/openapi.json"):
        for app in apps:
            plain = ask(app, target)
            assert plain.status == 200
            for value in IGNORED[name]:
                told = ask(app, target, "GET", {"Connection": "upgrade", name: value})
                assert (told.status, told.body) == (200, plain.body), value
                assert told.headers.get("ETag") == plain.headers.get("ETag")
                assert "\n" not in told.headers["X-Request-Id"]


@pytest.mark.parametrize("name", IGNORED)
def test_the_page_and_its_files_stand_odd_headers(apps: list[Flask], name: str) -> None:
    for target in (
        "/docs",
        "/docs/static/docs.css",
        "/docs/swagger-ui/swagger-ui.css",
        "/problems",
    ):
        for value in IGNORED[name]:
            told = ask(apps[0], target, "GET", {name: value, "Range": "bytes=0-5"})
            assert told.status < 500, (target, value)
            if told.status >= 400:
                assert told.headers["Content-Type"] == "application/problem+json", (target, value)
                assert json.loads(told.body)["status"] == told.status


@pytest.mark.parametrize("query", ["%FF", "\u00e9", "%", "&&", "url=//evil.example", "a" * 3000])
def test_the_page_stands_odd_queries(apps: list[Flask], query: str) -> None:
    for target in ("/docs", "/problems", "/healthz", "/readyz", "/openapi.json", "/openapi.yaml"):
        told = ask(apps[0], f"{target}?{query}")
        assert told.status in (200, 400)
        assert b"evil" not in told.body
