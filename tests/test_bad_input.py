"""Bad input on the reading side: one row a case, on both databases, and the same answer from both.

Whatever a client sends, it is told what was wrong and what would be right, never a 500. Here are
paths; the tables of parameters, cursors and searches, headers, and raw sockets are beside this one.
"""

import json
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, unquote_to_bytes

import pytest
from flask import Flask
from werkzeug.test import create_environ, run_wsgi_app

from api import create_app
from api.settings import load
from api.web.problems import KINDS
from tests.conftest import KINDS as DATABASES

LEAKS = ("Traceback", "SELECT ", "sqlalchemy", "psycopg", "sqlite3", 'File "')
PATIENCE = 5.0  # seconds for any one answer; most take a thousandth of that


class Told(NamedTuple):
    """An answer, as it left the application."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def problem(self, kind: str, target: str) -> Any:
        """Its problem, which must be of that kind and whole."""
        path = unquote_to_bytes(target.partition("?")[0]).decode("utf-8", "replace")
        problem = json.loads(self.body)
        assert problem["type"] == f"/problems#{kind}", problem
        assert self.headers["Content-Type"] == "application/problem+json"
        assert self.status == problem["status"] == KINDS[kind].status
        assert problem["title"] == KINDS[kind].title
        assert problem["instance"] in (path, quote(path))
        assert not any(leak in problem["detail"] for leak in LEAKS)
        assert set(problem) <= {"type", "title", "status", "detail", "instance", "errors"}
        return problem


def ask(
    app: Flask, target: str, method: str = "GET", headers: Mapping[str, str] | None = None
) -> Told:
    """Ask as a server does that decodes the path and passes all else on as it came."""
    path, _, query = target.partition("?")
    environ = create_environ(method=method)
    environ["PATH_INFO"] = unquote_to_bytes(path).decode("latin-1")
    environ["QUERY_STRING"] = query.encode().decode("latin-1")
    for name, value in (headers or {}).items():
        environ["HTTP_" + name.upper().replace("-", "_")] = value
    body, status, answered = run_wsgi_app(app, environ, buffered=True)
    assert all(value.isprintable() for value in answered.values())
    return Told(int(status[:3]), dict(answered), b"".join(body))


def applications(new_database: Callable[..., str]) -> list[Flask]:
    """The application on a database of each kind, with all records."""
    urls = [new_database(kind, filled=True) for kind in DATABASES]
    return [create_app(load({"READOUT_DATABASE_URL": url})) for url in urls]


@pytest.fixture(scope="module")
def apps(new_database: Callable[..., str]) -> list[Flask]:
    return applications(new_database)


def both(apps: Iterable[Flask], target: str, *more: Any) -> Told:
    """What both databases answer, which must be the same, and come soon."""
    began = time.monotonic()
    one, other = (ask(app, target, *more) for app in apps)
    assert time.monotonic() - began < PATIENCE
    assert (one.status, one.body) == (other.status, other.body)
    return one


NUL = "Nothing is at a path with NUL"

IDS = {
    "NUL": "%00",
    "NUL inside": "a%00b",
    "lone surrogate": "%ED%A0%80",
    "no UTF-8": "%FF",
    "overlong UTF-8": "%C0%80",
    "line end": "a%0D%0AX-Evil:%201",
    "3,800 digits": "9" * 3800,
    "81 characters": "a" * 81,
    "two dots": "..",
    "two dots encoded": "%2e%2e",
    "backslashes": "..%5C..%5Cpasswd",
    "capitals": "Grain-Deal",
    "blank at the end": "grain-deal%20",
    "line end at the end": "grain-deal%0A",
    "full-width digit": "%EF%BC%91",
    "reserved": "none",
    "per cent": "%",
    "no escape": "%zz",
    "escaped twice": "%2525",
    "right to left": "%E2%80%AE",
    "emoji": "%F0%9F%98%80",
    "SQL": "'%20OR%20'1'='1",
    "matrix parameter": "grain-deal;x=1",
}
PLACES = {
    "call": ("", "/statements", "/accounts", "/comparison", "/record", "/revisions"),
    "participant": ("", "/positions", "/revisions"),
    "topic": ("", "/positions", "/positions?format=csv", "/revisions", "/revisions/1"),
    "source": ("", "?fields=id", "/revisions"),
    "account": ("",),
    "statement": ("", "/revisions/1"),
}


@pytest.mark.parametrize("name", IDS)
@pytest.mark.parametrize("singular", PLACES)
def test_no_record_has_such_an_id(apps: list[Flask], singular: str, name: str) -> None:
    for place in PLACES[singular]:
        target = f"/v1/{singular}s/{IDS[name]}{place}"
        problem = both(apps, target).problem("not-found", target)
        assert problem["detail"].startswith((f"There is no {singular} ", NUL))


NOWHERE = (
    "/v1", "/v1/", "/V1/topics", "/v1//topics", "/v1/topics/", "/v1/topics/grain-deal/",
    "/v1/topics/a%2Fb", "/v1/topics/grain-deal/nope", "/v1/../v1/topics", "/v1/topics;x=1/a",
    "/%00", "/%FF", "/.env", "/etc/passwd", "/..%2f..%2fetc/passwd", "/docs/nope", "/openapi.xml",
    "/docs/static/", "/docs/static/%00", "/docs/static/%FF", "/docs/static/..%2f..%2fdocs.py",
    "/docs/static/..%5C..%5Cdocs.py", "/docs/static//etc/passwd", "/docs/static/%2fetc%2fpasswd",
    "/docs/static/" + "a" * 3000, "/docs/swagger-ui/..%2f__init__.py", "/" + "%F0%9F%98%80" * 300,
    "/v1/changes/1", "/v1/vocabularies/acts",
)  # fmt: skip


@pytest.mark.parametrize("target", NOWHERE)
def test_nothing_is_there(apps: list[Flask], target: str) -> None:
    problem = both(apps, target).problem("not-found", target)
    assert problem["detail"].startswith("Nothing is at ")


@pytest.mark.parametrize(
    "number", ["0", "-1", "1.0", "1e0", "%EF%BC%91", "%00", "01x", "9" * 9, "9" * 19, "9" * 3800]
)
def test_no_revision_has_such_a_number(apps: list[Flask], number: str) -> None:
    target = f"/v1/topics/grain-deal/revisions/{number}"
    problem = both(apps, target).problem("not-found", target)
    assert problem["detail"].startswith(("'grain-deal' has no revision ", NUL))


# Paths and their queries; the kind of problem; what its detail must say.
REFUSED = (
    ("/v1/statements?%FF=1", "bad-request", "percent-encoded UTF-8"),
    ("/v1/statements?q=%FF", "bad-request", "percent-encoded UTF-8"),
    ("/v1/statements?q=%ED%A0%80", "bad-request", "percent-encoded UTF-8"),
    ("/v1/statements?q=%C0%80", "bad-request", "percent-encoded UTF-8"),
    ("/v1/statements?q=\u00e9", "bad-request", "percent-encoded UTF-8"),
    ("/v1/calls/nope/statements?limit=x", "not-found", "There is no call 'nope'"),
    ("/v1/calls/nope/comparison?setting=x", "not-found", "There is no call 'nope'"),
    ("/v1/topics/grain-deal-2?fields=x", "not-found", "There is no topic"),
    ("/v1/statements?topic=nope", "unknown-id", "topic: There is no 'nope'"),
    ("/v1/statements?speaker=sergey-lavrow", "unknown-id", "did you mean 'sergey-lavrov'"),
    ("/v1/statements?topic=grain-deal,a,b,c,d,e,f", "unknown-id", "There is no 'c'"),
    ("/v1/statements?format=csv&source=nope", "unknown-id", "source: There is no 'nope'"),
    ("/v1/calls?told_by=null&participant=undefined", "unknown-id", "participant: There is no"),
    ("/v1/statements?q=" + "a" * 4000, "uri-too-long", "at most 4,000"),
    ("/v1/topics?" + "&".join(f"p{n}=1" for n in range(1000)), "uri-too-long", "at most 4,000"),
    ("/v1/topics/" + "a" * 4000, "uri-too-long", "at most 4,000"),
    ("/v1/topics/" + "%E2%82%AC" * 450, "uri-too-long", "at most 4,000"),
    ("/v1/topics/" + "/" * 4000, "uri-too-long", "at most 4,000"),
)


@pytest.mark.parametrize(("target", "kind", "told"), REFUSED, ids=lambda text: text[:40])
def test_a_request_that_cannot_be_served_is_told_why(
    apps: list[Flask], target: str, kind: str, told: str
) -> None:
    problem = both(apps, target).problem(kind, target)
    assert told in problem["detail"]
    assert both(apps, target, "HEAD")[::2] == (KINDS[kind].status, b"")
