"""History over HTTP: the revisions of a record, the log of all changes, and its head."""

import hashlib
import json
import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count, pairwise
from typing import Any

import orjson
import pytest
from flask import Flask
from sqlalchemy import select

from api import create_app, ledger
from api.ledger import GENESIS, chained
from api.settings import load
from api.store.engine import Database
from tests.call_records import a_record
from tests.conftest import KINDS as DATABASES
from tests.writing import Writer, new_key, told

WRITERS = 8
WRITES = 15  # of each

_topics = (f"historic-{number}" for number in count())


@pytest.fixture(scope="module", params=DATABASES)
def url(request: pytest.FixtureRequest, new_database: Callable[..., str]) -> str:
    return new_database(request.param, filled=True)


@pytest.fixture(scope="module")
def app(url: str) -> Flask:
    return create_app(load({"READOUT_DATABASE_URL": url}))


@pytest.fixture(scope="module")
def writer(app: Flask, url: str) -> Writer:
    return Writer(app, new_key(url, "write", "retract", name="history-desk"))


@pytest.fixture
def topic(writer: Writer) -> str:
    """The path of a topic that was made, changed, retracted and brought back, so 4 revisions."""
    path = f"topics/{next(_topics)}"
    label = path.replace("/", " ")
    assert writer.put(path, {"label": label}).status_code == 201
    assert writer.patch(f"{path}?reason=Too+short", {"label": f"{label} A"}).status_code == 200
    assert writer.delete(f"{path}?reason=Coded+twice").status_code == 204
    assert writer.put(path, {"label": f"{label} B"}).status_code == 200
    return path


def head(writer: Writer) -> int:
    seq: int = writer.read("changes/checkpoint")["seq"]
    return seq


# One record.


def test_each_revision_tells_what_who_when_and_why(topic: str, writer: Writer) -> None:
    before = head(writer) - 4
    found = writer.read(f"{topic}/revisions")
    assert found["page"] == {"limit": 50, "next": None}
    told = [(one["seq"] - before, one["revision"], one["action"]) for one in found["data"]]
    actions = ["create", "update", "retract", "restore"]
    assert told == [(number, number, action) for number, action in enumerate(actions, 1)]
    assert [one["reason"] for one in found["data"]] == [None, "Too short", "Coded twice", None]
    assert {one["actor"] for one in found["data"]} == {"history-desk"}
    times = [one["at"] for one in found["data"]]
    assert times == sorted(set(times))
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", at) for at in times)
    labels = [one["record"]["label"][-1] for one in found["data"]]
    assert labels[1:] == ["A", "A", "B"]  # What is retracted is told as it was.
    for one in found["data"]:
        assert list(one) == [
            "seq",
            "kind",
            "id",
            "revision",
            "action",
            "at",
            "actor",
            "reason",
            "digest",
            "record",
        ]


def test_a_revision_stands_for_itself(topic: str, writer: Writer) -> None:
    every = writer.read(f"{topic}/revisions")["data"]
    for number, one in enumerate(every, 1):
        answer = writer.get(f"{topic}/revisions/{number}")
        assert answer.json == one
        assert answer.headers["ETag"].startswith(f'"{number}-')
        again = writer.get(f"{topic}/revisions/{number}", {"If-None-Match": answer.headers["ETag"]})
        assert again.status_code == 304


def test_the_record_of_a_revision_can_be_put_back(topic: str, writer: Writer) -> None:
    first = writer.read(f"{topic}/revisions/1")["record"]
    assert writer.put(topic, first).status_code == 200
    assert writer.read(topic)["label"] == first["label"]


@pytest.mark.parametrize("kind", ["calls", "accounts", "statements", "sources", "participants"])
def test_every_kind_has_its_history(kind: str, writer: Writer) -> None:
    record_id = writer.read(f"{kind}?limit=1")["data"][0]["id"]
    [one] = writer.read(f"{kind}/{record_id}/revisions")["data"]
    assert (one["kind"], one["id"], one["action"]) == (kind, record_id, "create")
    assert one["record"]["id"] == record_id
    assert "revision" not in one["record"]
    assert writer.put(f"{kind}/{record_id}", one["record"]).json["revision"] == 1  # type: ignore[index]


def test_a_record_that_was_retracted_keeps_its_history(topic: str, writer: Writer) -> None:
    writer.delete(topic)
    assert told(writer.get(topic)) == (410, "retracted")
    every = writer.read(f"{topic}/revisions")["data"]
    assert [one["action"] for one in every][-1] == "retract"
    assert writer.read(f"{topic}/revisions/5") == every[-1]


def test_revisions_come_in_pages(topic: str, writer: Writer) -> None:
    answer = writer.get(f"{topic}/revisions?limit=3")
    assert answer.json is not None
    assert answer.json["page"] == {"limit": 3, "next": 3}
    link = f'</v1/{topic}/revisions?after=3&limit=3>; rel="next"'
    assert answer.headers["Link"] == link
    rest = writer.get(f"{topic}/revisions?after=3&limit=3")
    assert rest.json is not None
    assert [one["revision"] for one in rest.json["data"]] == [4]
    assert rest.json["page"] == {"limit": 3, "next": None}
    assert "Link" not in rest.headers
    assert writer.read(f"{topic}/revisions?limit=0") == {
        "data": [],
        "page": {"limit": 0, "next": None},
    }
    assert told(writer.get(f"{topic}/revisions?limit=201")) == (400, "invalid-parameter")


def test_an_alias_finds_the_history_of_its_owner(writer: Writer) -> None:
    for path in ("participants/lavrov/revisions", "participants/lavrov/revisions/1"):
        answer = writer.get(path)
        own = path.replace("lavrov", "sergey-lavrov")
        assert answer.json == writer.read(own)
        assert answer.headers["Content-Location"] == f"/v1/{own}"
        assert "Content-Location" not in writer.get(own).headers


@pytest.mark.parametrize("number", ["0", "5", "1.0", "-1", "01x", "9" * 30, "latest"])
def test_a_revision_that_is_not_there(number: str, topic: str, writer: Writer) -> None:
    assert told(writer.get(f"{topic}/revisions/{number}")) == (404, "not-found")


def test_a_record_that_never_was_has_no_history(writer: Writer) -> None:
    for path in ("topics/never-was/revisions", "topics/never-was/revisions/1"):
        assert told(writer.get(path)) == (404, "not-found")


# All changes.


def test_the_changes_are_the_chain(writer: Writer, topic: str) -> None:
    every: list[dict[str, Any]] = []
    following: int | None = 0
    while following is not None:
        page = writer.read(f"changes?after={following}&limit=40")
        every += page["data"]
        following = page["page"]["next"]
    assert [one["seq"] for one in every] == list(range(1, head(writer) + 1))
    assert {"create", "update", "retract", "restore"} == {one["action"] for one in every}
    digests = [one["digest"] for one in every]
    assert len(set(digests)) == len(digests)
    assert writer.read("changes/checkpoint") == {"seq": len(every), "digest": digests[-1]}
    for one in every:
        if one["kind"] == "topics":
            path = f"topics/{one['id']}/revisions/{one['revision']}"
            assert writer.read(path) == one


def test_the_digests_are_as_the_documents_say(url: str, writer: Writer) -> None:
    database = Database(url)
    digest = GENESIS
    with database.read() as connection:
        for row in connection.execute(select(ledger.table).order_by(ledger.table.c.seq)):
            digest = hashlib.sha256(digest + hashlib.sha256(row.bytes).digest()).digest()
            assert digest == row.digest
            kept = orjson.loads(row.bytes)
            assert kept["schema"] == ledger.SCHEMA
            assert re.fullmatch("[0-9a-f]{32}", kept["salt"])
            assert row.bytes == orjson.dumps(kept, option=orjson.OPT_SORT_KEYS)
    database.close()
    assert writer.read("changes/checkpoint")["digest"] == digest.hex()
    assert chained(GENESIS, GENESIS) == hashlib.sha256(bytes(64)).digest()


def test_no_two_salts_are_alike(url: str) -> None:
    database = Database(url)
    with database.read() as connection:
        salts = [
            orjson.loads(told)["salt"] for told in connection.scalars(select(ledger.table.c.bytes))
        ]
    database.close()
    assert len(set(salts)) == len(salts)


def test_changes_come_after_a_number_and_in_pages(topic: str, writer: Writer) -> None:
    last = head(writer)
    answer = writer.get(f"changes?after={last - 4}&limit=2")
    assert answer.json is not None
    assert [one["seq"] for one in answer.json["data"]] == [last - 3, last - 2]
    assert answer.json["page"] == {"limit": 2, "next": last - 2}
    assert answer.headers["Link"] == f'</v1/changes?after={last - 2}&limit=2>; rel="next"'
    rest = writer.read(f"changes?after={last - 2}&limit=2")
    assert [one["seq"] for one in rest["data"]] == [last - 1, last]
    assert rest["page"] == {"limit": 2, "next": None}
    nothing = {"data": [], "page": {"limit": 50, "next": None}}
    assert writer.read(f"changes?after={last}") == nothing
    assert writer.read(f"changes?after={2**53 - 1}") == nothing
    assert writer.read(f"changes?after={last - 4}&limit=0")["data"] == []
    assert told(writer.get("changes?limit=201")) == (400, "invalid-parameter")


def test_changes_come_as_ndjson_too(topic: str, writer: Writer) -> None:
    last = head(writer)
    page = writer.read(f"changes?after={last - 4}")["data"]
    by_format = writer.get(f"changes?after={last - 4}&format=ndjson")
    by_accept = writer.get(f"changes?after={last - 4}", {"Accept": "application/x-ndjson"})
    assert by_format.data == by_accept.data
    assert by_format.mimetype == "application/x-ndjson"
    assert by_format.headers["Readout-Count"] == "4"
    *lines, end = by_format.data.splitlines(keepends=True)
    assert [json.loads(line) for line in lines] == page
    digest = hashlib.sha256(b"".join(lines)).hexdigest()
    assert json.loads(end) == {"end": True, "count": 4, "sha256": digest}
    some = writer.get(f"changes?after={last - 4}&limit=1&format=ndjson").data.splitlines()
    assert [json.loads(line) for line in some[:-1]] == page[:1]
    everything = writer.get("changes?format=ndjson&limit=100000")
    assert len(everything.data.splitlines()) == last + 1


def test_what_changes_nothing_is_not_logged(topic: str, writer: Writer) -> None:
    before = writer.read("changes/checkpoint")
    assert writer.put(topic, writer.read(topic)).status_code == 200
    assert writer.patch(topic, {}).status_code == 200
    assert told(writer.patch(topic, {"label": None})) == (422, "invalid")
    assert told(writer.send("DELETE", f"{topic}?reason=x")) == (428, "precondition-required")
    assert told(writer.delete("topics/grain-deal")) == (409, "conflict")
    assert writer.read("changes/checkpoint") == before


def test_a_call_is_retracted_with_all_that_hangs_on_it_one_change_each(writer: Writer) -> None:
    assert writer.put("calls/going-call/record", a_record("going")).status_code == 201
    before = head(writer)
    assert writer.delete("calls/going-call").status_code == 204
    changes = writer.read(f"changes?after={before}")["data"]
    assert [(one["kind"], one["action"], one["reason"]) for one in changes] == [
        ("statements", "retract", "Coded twice"),
        ("statements", "retract", "Coded twice"),
        ("accounts", "retract", "Coded twice"),
        ("calls", "retract", "Coded twice"),
    ]


def test_changes_have_an_etag_that_moves_with_them(topic: str, writer: Writer) -> None:
    for path in ("changes/checkpoint", f"changes?after={head(writer) - 2}", f"{topic}/revisions"):
        tag = writer.get(path).headers["ETag"]
        assert writer.get(path, {"If-None-Match": tag}).status_code == 304
        assert writer.patch(topic, {"description": path}).status_code == 200
        assert writer.get(path, {"If-None-Match": tag}).status_code == 200


# While writes go on.


@pytest.fixture
def apps(url: str) -> list[Flask]:
    """Two applications on one database, as two processes would be."""
    settings = load({"READOUT_DATABASE_URL": url, "READOUT_LOCK_WAIT": "30"})
    return [create_app(settings), create_app(settings)]


def test_a_follower_misses_and_repeats_nothing_while_writes_go_on(
    url: str, apps: list[Flask], writer: Writer
) -> None:
    start = head(writer)
    key = new_key(url, "write", "retract")
    ended = threading.Event()

    def write(place: int) -> set[tuple[str, int]]:
        mine = Writer(apps[place % 2], key)
        acknowledged = set()
        path = f"topics/busy-{start}-{place}"
        for number in range(WRITES):
            label = {"label": f"Busy {start} {place} {number}"}
            answer = mine.put(path, label)
            assert answer.status_code in (200, 201), answer.text
            assert answer.json is not None
            acknowledged.add((answer.json["id"], answer.json["revision"]))
            if number % 5 == 4:
                assert mine.delete(path).status_code == 204
                acknowledged.add((answer.json["id"], answer.json["revision"] + 1))
        return acknowledged

    def follow(limit: int) -> list[dict[str, Any]]:
        reader = apps[limit % 2].test_client()
        got: list[dict[str, Any]] = []
        while True:
            over = ended.is_set()  # Seen before the page: what it lacks then was written later.
            after = got[-1]["seq"] if got else start
            page = reader.get(f"/v1/changes?after={after}&limit={limit}").json
            assert page is not None
            got += page["data"]
            if over and not page["data"]:
                return got

    with ThreadPoolExecutor(WRITERS + 2) as pool:
        followers = [pool.submit(follow, limit) for limit in (1, 4)]
        writers = [pool.submit(write, place) for place in range(WRITERS)]
        acknowledged = set().union(*(one.result() for one in writers))
        ended.set()
        followed = [one.result() for one in followers]
    assert followed[0] == followed[1]
    changes = followed[0]
    assert [one["seq"] for one in changes] == list(range(start + 1, head(writer) + 1))
    assert {(one["id"], one["revision"]) for one in changes} == acknowledged
    assert len(changes) == len(acknowledged) == WRITERS * (WRITES + WRITES // 5)
    by_record: dict[str, list[int]] = {}
    for one in changes:
        by_record.setdefault(one["id"], []).append(one["revision"])
    for numbers in by_record.values():
        assert all(later == earlier + 1 for earlier, later in pairwise([0, *numbers]))
