"""Writing over HTTP as the tests do it: a client with a key, and call records of their own.

>>> writer = Writer(app, new_key(database_url, "write", "retract"))
>>> writer.put("topics/tides", {"label": "Tides"}).status_code
201
>>> writer.patch("topics/tides", {"label": "Tide tables"}).json["revision"]  # If-Match is seen to
2
"""

import copy
import itertools
import json
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from api.store import keys
from api.store.engine import Database
from api.web.keys import SHOWN, hashed
from api.web.keys import new_key as made_up
from schemas.source import digest

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
        return self.send("PUT", path, body, self._seen(path) | (headers or {}))

    def patch(self, path: str, body: Any, headers: dict[str, str] | None = None) -> TestResponse:
        return self.send("PATCH", path, body, self._seen(path) | (headers or {}))

    def delete(self, path: str, headers: dict[str, str] | None = None) -> TestResponse:
        """Retract, with a reason, unless the path has a query of its own."""
        asked = path if "?" in path else f"{path}?reason=Coded+twice"
        return self.send("DELETE", asked, headers=self._seen(path) | (headers or {}))

    def _seen(self, path: str) -> dict[str, str]:
        """If-Match with the ETag of what stands at the path, or of what stood there."""
        tag = self.get(path.partition("?")[0]).headers.get("ETag")
        return {"If-Match": tag} if tag else {}


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
    assert answer.json["instance"] == answer.request.path
    return answer.status_code, answer.json["type"].removeprefix("/problems#")


TEXT = (
    "🌊 READ-OUT. The minister of Alpha pressed Beta to open the lock. “Open it by May,” she said, "
    "“or we dredge alone.” They also spoke about the tides.\n"
)


def span(source: str, words: str, text: str = TEXT) -> dict[str, Any]:
    """Evidence: where the words stand in a text."""
    start = text.index(words)
    return {
        "source": source,
        "start": start,
        "end": start + len(words),
        "quote": words,
        "digest": digest(words),
    }


def a_record(tag: str) -> dict[str, Any]:
    """A call record of its own, every id and name of which begins with the tag.

    Two sides, Alpha (Norway) and Beta (Sweden), whose minister (of Alpha) demands something about
    the lock, under locks, in Alpha's account; the source's text is held.
    """

    def participant(name: str, kind: str, country: str, *aliases: str) -> dict[str, Any]:
        return {
            "id": f"{tag}-{name}",
            "name": f"{tag} {name.title()}",
            "kind": kind,
            "country": country,
            "aliases": list(aliases),
            "description": None,
        }

    def topic(name: str, broader: str | None = None) -> dict[str, Any]:
        return {
            "id": f"{tag}-{name}",
            "label": f"{tag} {name.title()}",
            "aliases": [],
            "broader": broader and f"{tag}-{broader}",
            "description": None,
        }

    def attendance(name: str, side: str) -> dict[str, Any]:
        return {
            "participant": f"{tag}-{name}",
            "office": "Minister",
            "side": f"{tag}-{side}",
            "role": "principal",
        }

    def statement(number: int, words: str, **members: Any) -> dict[str, Any]:
        return {
            "id": f"{tag}-statement-{number}",
            "account": f"{tag}-account",
            "speakers": [f"{tag}-minister"],
            "attribution": None,
            "addressees": [f"{tag}-beta"],
            "targets": [f"{tag}-beta"],
            "setting": "on-call",
            "form": "indirect",
            "act": "demand",
            "topics": [f"{tag}-lock"],
            "said_on": "2031-05-02",
            "quote": None,
            "summary": f"{tag} minister wants the lock open, says number {number}.",
            "evidence": [span(f"{tag}-source", words)],
        } | members

    return copy.deepcopy(
        {
            "call": {
                "id": f"{tag}-call",
                "title": f"{tag} call on the lock",
                "status": "held",
                "held_on": "2031-05-02",
                "held_on_basis": "stated",
                "medium": "phone",
                "initiated_by": [f"{tag}-alpha"],
                "participants": [attendance("minister", "alpha"), attendance("envoy", "beta")],
                "lifecycle": [
                    {
                        "stage": "held",
                        "on": "2031-05-02",
                        "source": f"{tag}-source",
                        "note": None,
                    }
                ],
                "related": [],
                "notes": None,
            },
            "participants": [
                participant("alpha", "state", "NO", f"{tag} Alfa"),
                participant("beta", "state", "SE"),
                participant("envoy", "person", "SE"),
                participant("minister", "person", "NO"),
            ],
            "topics": [topic("lock", "locks"), topic("locks")],
            "sources": [
                {
                    "id": f"{tag}-source",
                    "title": f"{tag} bulletin",
                    "publisher": f"{tag} press",
                    "url": "https://example.org/bulletin",
                    "obtained_from": None,
                    "published_on": "2031-05-03",
                    "language": "en",
                    "kind": "official",
                    "rights": "open",
                    "characters": len(TEXT),
                    "sha256": digest(TEXT),
                    "text": TEXT,
                }
            ],
            "accounts": [
                {
                    "id": f"{tag}-account",
                    "call": f"{tag}-call",
                    "sides": [f"{tag}-alpha"],
                    "genre": "readout",
                    "given_by": f"{tag}-minister",
                    "given_on": "2031-05-03",
                    "coverage": "whole",
                    "sources": [f"{tag}-source"],
                }
            ],
            "statements": [
                statement(1, "pressed Beta to open the lock"),
                statement(
                    2,
                    "“Open it by May,” she said, “or we dredge alone.”",
                    form="direct",
                    act="warning",
                    quote="Open it by May, … or we dredge alone.",
                ),
            ],
        }
    )
