"""Writing over HTTP as the tests do it: a client with a key, and what problems tell.

>>> writer = Writer(app, new_key(database_url, "write", "retract"))
>>> writer.put("topics/tides", {"label": "Tides"}).status_code
201
>>> writer.patch("topics/tides", {"label": "Tide tables"}).json["revision"]  # If-Match is seen to
2
"""

import itertools
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from flask import Flask
from werkzeug.test import TestResponse

from api import create_app
from api.settings import load
from api.store import keys
from api.store.engine import Database
from api.web.keys import SHOWN, hashed
from api.web.keys import new_key as made_up
from tests.call_records import a_record

KINDS = ("participants", "topics", "sources", "calls", "accounts", "statements")
SCOPES = ("write", "retract", "read")

_numbers = itertools.count(1)


def new_key(
    url: str, *scopes: str, expires: str | None = None, revoked: str | None = None, name: str = ""
) -> str:
    """Make a key in a database; its name is made up where none is given."""
    made = made_up()
    key = keys.Key(
        prefix=made[:SHOWN],
        name=name or f"desk-{next(_numbers)}",
        scopes=scopes,
        created_at="2026-01-01T00:00:00.000000Z",
        expires_at=expires,
        revoked_at=revoked,
    )
    database = Database(url)
    with database.write() as connection:
        keys.add(connection, key, hashed(made))
    database.close()
    return made


class Writer:
    """A client with a key. Paths are below /v1; what is no bytes or text is sent as JSON."""

    def __init__(self, app: Flask, key: str | None) -> None:
        self.client = app.test_client()
        self.key = key

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
        **options: Any,
    ) -> TestResponse:
        """Send a request as it is given, with the key and, where there is a body, its type."""
        sent: dict[str, str] = {}
        if self.key is not None:
            sent["Authorization"] = f"Bearer {self.key}"
        if body is not None:
            sent["Content-Type"] = "application/json"
            body = body if isinstance(body, (bytes, str)) else json.dumps(body)
        sent |= headers or {}
        at = path if path.startswith("/") else f"/v1/{path}"
        return self.client.open(at, method=method, data=body, headers=sent, **options)

    def get(self, path: str, headers: dict[str, str] | None = None) -> TestResponse:
        return self.send("GET", path, headers=headers)

    def read(self, path: str) -> Any:
        """What GET gives, which must be there."""
        answer = self.get(path)
        assert answer.status_code == 200, (path, answer.text)
        return answer.json

    def post(self, path: str, body: Any, headers: dict[str, str] | None = None) -> TestResponse:
        return self.send("POST", path, body, headers)

    def put(self, path: str, body: Any, headers: dict[str, str] | None = None) -> TestResponse:
        return self.send("PUT", path, body, self._seen(path, headers))

    def patch(self, path: str, body: Any, headers: dict[str, str] | None = None) -> TestResponse:
        return self.send("PATCH", path, body, self._seen(path, headers))

    def delete(self, path: str, headers: dict[str, str] | None = None) -> TestResponse:
        """Retract, with a reason, unless the path has a query of its own."""
        asked = path if "?" in path else f"{path}?reason=Coded+twice"
        return self.send("DELETE", asked, headers=self._seen(path, headers))

    def _seen(self, path: str, headers: dict[str, str] | None) -> dict[str, str]:
        """The headers, with the ETag of what stands or stood at the path, where they name none."""
        given = headers or {}
        if "If-Match" in given:
            return given
        tag = self.get(path.partition("?")[0]).headers.get("ETag")
        return {"If-Match": tag, **given} if tag else given


def content(answer: TestResponse) -> Any:
    """What an answer holds, as JSON."""
    assert answer.is_json, answer.text
    return answer.json


def faults(answer: TestResponse) -> list[str]:
    """Where the faults are that a problem tells: pointers and parameters, sorted."""
    assert answer.mimetype == "application/problem+json", answer.text
    errors = answer.json["errors"] if answer.json and "errors" in answer.json else []
    return sorted(one.get("pointer", one.get("parameter")) for one in errors)


def told(answer: TestResponse) -> tuple[int, str]:
    """The status of a problem, and its kind."""
    assert answer.mimetype == "application/problem+json", (answer.status, answer.text)
    assert answer.json is not None
    assert answer.json["status"] == answer.status_code
    assert answer.json["instance"] == quote(answer.request.path)
    return answer.status_code, answer.json["type"].removeprefix("/problems#")


LEAKS = ("Traceback", "SELECT ", "INSERT ", "sqlalchemy", "psycopg", "sqlite3", 'File "')

Refused = Callable[..., TestResponse]


def on_both(urls: Iterable[str], tag: str) -> list[Writer]:
    """A writer on each database, in all of which a call record of that tag stands."""
    made = []
    for url in urls:
        app = create_app(load({"READOUT_DATABASE_URL": url, "READOUT_LOG_LEVEL": "error"}))
        writer = Writer(app, new_key(url, *SCOPES))
        assert writer.put(f"calls/{tag}-call/record", a_record(tag)).status_code == 201
        made.append(writer)
    return made


@contextmanager
def nothing_written(writers: list[Writer]) -> Iterator[Refused]:
    """Send requests that are refused, by the same answer on both databases, which stay the same."""

    def refused(
        method: str,
        path: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
        **options: Any,
    ) -> TestResponse:
        one, other = (writer.send(method, path, body, headers, **options) for writer in writers)
        assert (one.status_code, one.json) == (other.status_code, other.json)
        assert 400 <= one.status_code < 500, one.text
        assert not [leak for leak in LEAKS if leak in one.text]
        return one

    before = [writer.read("changes/checkpoint") for writer in writers]
    yield refused
    assert [writer.read("changes/checkpoint") for writer in writers] == before
