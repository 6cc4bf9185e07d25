"""Who may do what: keys, scopes, private reads; and that no route is open by oversight."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from api import create_app
from api.settings import load
from api.store import keys
from api.store.engine import Database
from api.web.keys import new_key as made_up
from api.web.operations import Api, Operation
from schemas.instants import timestamp
from tests.call_records import a_record
from tests.writing import Writer, content, new_key, told

UNAUTHORISED, FORBIDDEN = (401, "unauthorised"), (403, "forbidden")
WRITES: list[tuple[str, str, str]] = [
    ("POST", "/v1/topics", "write"),
    ("PUT", "/v1/topics/keys-new", "write"),
    ("PATCH", "/v1/topics/grain-deal", "write"),
    ("DELETE", "/v1/topics/grain-deal?reason=x", "retract"),
    ("PUT", "/v1/calls/keys-call/record", "write"),
    ("POST", "/v1/records", "write"),
]
OPEN = {
    "/", "/problems", "/openapi.json", "/openapi.yaml", "/healthz", "/readyz", "/metrics", "/docs",
}  # fmt: skip


def ask(client: FlaskClient, method: str, path: str, given: str | None) -> TestResponse:
    headers = {} if given is None else {"Authorization": given}
    return client.open(path, method=method, headers=headers)


# Without a key, or with one that is none

NO_KEYS = (
    "", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "bearer:x", "Digest x", "rdo_x", "Bearer x",
    "Bearer rdo_", "Bearer {key}x", "Bearer {key} {key}", "Bearer {key},{key}", "Bearer {lower}",
    "Bearer {mistyped}", "Bearer {unknown}", "Bearer  \xff", "Bearer \x00", "Token {key}", "{key}",
    "Bearer " + "x" * 9_000, "Bearer '{key}'",
)  # fmt: skip


@pytest.mark.parametrize("given", NO_KEYS, ids=lambda text: ascii(text)[:30])
def test_what_is_no_key_is_refused(writer: Writer, given: str) -> None:
    key = str(writer.key)
    mistyped = key[:-1] + ("a" if key[-1] != "a" else "b")
    given = given.format(key=key, lower=key.lower(), mistyped=mistyped, unknown=made_up())
    for method, path, _ in WRITES:
        answer = ask(writer.client, method, path, given)
        assert told(answer) == UNAUTHORISED
        challenge = answer.headers["WWW-Authenticate"]
        assert challenge == 'Bearer realm="Readout", error="invalid_token"'
        assert key not in answer.text


@pytest.mark.parametrize(("method", "path", "scope"), WRITES)
def test_writes_need_a_key_with_their_scope(
    app: Flask, writer: Writer, database_url: str, method: str, path: str, scope: str
) -> None:
    answer = ask(writer.client, method, path, None)
    assert told(answer) == UNAUTHORISED
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="Readout"'
    for scopes in (("read",), ("write",), ("retract",), ("read", "write"), ("read", "retract")):
        name = f"desk {method} {path} {scopes}"
        key = new_key(database_url, *scopes, name=name)
        answer = ask(writer.client, method, path, f"Bearer {key}")
        if scope in scopes:
            assert answer.status_code not in (401, 403)
            continue
        assert told(answer) == FORBIDDEN
        assert answer.headers["WWW-Authenticate"] == (
            f'Bearer realm="Readout", error="insufficient_scope", scope="{scope}"'
        )
        detail = content(answer)["detail"]
        assert name in detail
        assert scope in detail
        assert key not in answer.text


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_a_scheme_has_no_case(writer: Writer, scheme: str) -> None:
    for blanks in (" ", "   "):
        answer = ask(writer.client, "POST", "/v1/topics", f"{scheme}{blanks}{writer.key} ")
        assert told(answer) == (415, "unsupported-media-type")


def test_a_key_ends_when_it_expires(app: Flask, database_url: str) -> None:
    now = datetime.now(UTC)
    for seconds, status in ((-1, 401), (3_600, 201)):
        ends = timestamp(now + timedelta(seconds=seconds))
        writer = Writer(app, new_key(database_url, "write", expires=ends))
        assert writer.post("calls", {"title": "Expiring"}).status_code == status
    revoked = new_key(database_url, "write", revoked=timestamp(now - timedelta(seconds=1)))
    assert told(Writer(app, revoked).post("calls", {"title": "x"})) == UNAUTHORISED


def test_a_key_that_is_revoked_ends_at_once(app: Flask, database_url: str) -> None:
    writer = Writer(app, new_key(database_url, "write", name="to be revoked"))
    assert writer.post("calls", {"title": "Before"}).status_code == 201
    database = Database(database_url)
    with database.write() as connection:
        key = keys.named(connection, "to be revoked")
        assert key
        keys.revoke(connection, key, timestamp(datetime.now(UTC)))
    database.close()
    assert told(writer.post("calls", {"title": "After"})) == UNAUTHORISED


def test_a_mistyped_key_costs_no_look_at_the_database(
    monkeypatch: pytest.MonkeyPatch, writer: Writer
) -> None:
    def used(database: Database) -> Any:
        raise AssertionError("the database was looked at")

    monkeypatch.setattr(Database, "read", used)
    monkeypatch.setattr(Database, "write", used)
    key = str(writer.key)
    for given in (
        "Bearer x",
        f"Bearer {key[:-6]}000000",
        f"Bearer {key[:10]}{key[11:]}",
        "Basic x",
    ):
        assert told(ask(writer.client, "POST", "/v1/topics", given)) == UNAUTHORISED
    assert told(ask(writer.client, "POST", "/v1/topics", None)) == UNAUTHORISED


def test_public_reads_take_any_key_or_none(writer: Writer) -> None:
    for given in (None, "Bearer nonsense", f"Bearer {writer.key}"):
        answer = ask(writer.client, "GET", "/v1/topics/grain-deal", given)
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "no-cache"


# Reads that need a key


@pytest.fixture(scope="module")
def private(database_url: str, writer: Writer) -> Flask:
    """The application whose reads need a key, with a record of each kind of its own."""
    assert writer.put("calls/keys-call/record", a_record("keys")).status_code == 201
    settings = {"READOUT_DATABASE_URL": database_url, "READOUT_READS": "private"}
    return create_app(load(settings | {"READOUT_LOG_LEVEL": "error"}))


def rules(app: Flask, method: str) -> Iterator[tuple[str, Rule]]:
    """Every path that takes a method, filled in so that it finds something."""
    ids = {"calls": "keys-call", "participants": "keys-alpha", "topics": "keys-lock",
           "sources": "keys-source", "accounts": "keys-account",
           "statements": "keys-statement-1"}  # fmt: skip
    for rule in app.url_map.iter_rules():
        if method in (rule.methods or ()):
            kind = rule.rule.split("/")[2] if rule.rule.startswith("/v1/") else ""
            path = rule.rule.replace("<record>", ids.get(kind, "")).replace("<n>", "1")
            yield re.sub(r"<(path:)?filename>", "swagger-ui.css", path), rule


def test_which_paths_stay_open(private: Flask) -> None:
    client = private.test_client()
    opened = set()
    for path, _ in rules(private, "GET"):
        for method in ("GET", "HEAD"):
            answer = ask(client, method, path, None)
            if answer.status_code != 401:
                opened.add(path)
    assert {path for path in opened if not path.startswith("/docs/")} == OPEN
    for path in OPEN:
        assert ask(client, "GET", path, None).status_code == 200


def test_private_reads_need_the_scope_read(private: Flask, database_url: str) -> None:
    client = private.test_client()
    reader = new_key(database_url, "read")
    desk = new_key(database_url, "write", "retract")
    for path, _ in rules(private, "GET"):
        if path in OPEN or path.startswith("/docs"):
            continue
        answer = ask(client, "GET", path, None)
        assert told(answer) == UNAUTHORISED
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="Readout"'
        answer = ask(client, "GET", path, f"Bearer {desk}")
        assert told(answer) == FORBIDDEN
        assert 'scope="read"' in answer.headers["WWW-Authenticate"]
        answer = ask(client, "GET", path, f"Bearer {reader}")
        assert answer.status_code == 200, path
        assert answer.headers["Cache-Control"] == "no-cache, private"
        tag = answer.headers.get("ETag")
        if tag:
            headers = {"Authorization": f"Bearer {reader}", "If-None-Match": tag}
            answer = client.get(path, headers=headers)
            assert answer.status_code == 304
            assert answer.headers["Cache-Control"] == "no-cache, private"
    for missing in ("/v1/topics/keys-nothing", "/v1/topics?x=1"):
        answer = ask(client, "GET", missing, f"Bearer {reader}")
        assert answer.headers["Cache-Control"] == "no-cache, private"
    for path in OPEN:
        answer = ask(client, "GET", path, None)
        assert "private" not in answer.headers.get("Cache-Control", "")


def test_where_reads_are_private_writes_are_as_they_were(private: Flask, database_url: str) -> None:
    desk = Writer(private, new_key(database_url, "write"))
    made = desk.send("PUT", "topics/keys-private", {"label": "Keys private"})
    assert made.status_code == 201
    assert told(desk.get("topics/keys-private")) == FORBIDDEN
    stale = desk.send("PUT", "topics/keys-private", {"label": "x"}, {"If-Match": '"9"'})
    assert told(stale) == (412, "stale")
    assert ask(private.test_client(), "OPTIONS", "/v1/topics", None).status_code == 204


# Deny by default


def test_no_route_writes_without_a_scope(app: Flask) -> None:
    """Every method of every path but reads, whatever it is: nobody gets in without a key."""
    client = app.test_client()
    tried = 0
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        for path, rule in rules(app, method):
            assert told(ask(client, method, path, None)) == UNAUTHORISED, (method, rule)
            tried += 1
    assert tried == 4 * 6 + 2
    every = {method for rule in app.url_map.iter_rules() for method in rule.methods or ()}
    assert every == {"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"}


def test_no_route_stands_beside_the_gate(app: Flask) -> None:
    api: Api = app.extensions["readout"]
    described = {operation.id for _, operation in api.operations}
    beside = {rule.endpoint for rule in app.url_map.iter_rules()} - described
    assert {one.partition(".")[0] for one in beside} == {"flasgger"}  # The page, and its files.
    scopes = {operation.scope for _, operation in api.operations if operation.method != "get"}
    assert scopes == {"write", "retract"}


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
@pytest.mark.parametrize("scope", [{}, {"scope": "read"}, {"scope": "public"}])
def test_a_route_that_writes_must_name_its_scope(
    app: Flask, method: str, scope: dict[str, str]
) -> None:
    admit: Callable[[str], None] = app.extensions["readout"].admit
    told: dict[str, Any] = {"id": "x", "tag": "x", "summary": "x", "description": "x"} | scope
    with pytest.raises(TypeError, match="which scope"):
        Api(Flask("x"), admit).route("/x", Operation(method=method, **told))
