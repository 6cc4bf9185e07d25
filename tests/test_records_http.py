"""Call records over HTTP: put exactly, or one by POST."""

import itertools
from typing import Any

import pytest
from flask import Flask

from tests.call_records import a_record
from tests.writing import Writer, content, faults, new_key, told

NDJSON = {"Content-Type": "application/x-ndjson"}
INVALID, CONFLICT, FORBIDDEN = (422, "invalid"), (409, "conflict"), (403, "forbidden")
_tags = (f"whole{number}" for number in itertools.count())


@pytest.fixture
def tag(writer: Writer) -> str:
    """The tag of a call record that is the test's own."""
    tag = next(_tags)
    assert writer.put(f"calls/{tag}-call/record", a_record(tag)).status_code == 201
    return tag


@pytest.fixture
def desk(app: Flask, writer: Writer, database_url: str) -> Writer:
    """Somebody who may write, but not retract."""
    return Writer(app, new_key(database_url, "write"))


def seq(writer: Writer) -> int:
    number: int = writer.read("changes/checkpoint")["seq"]
    return number


# PUT


def test_put_makes_what_the_document_says(writer: Writer) -> None:
    tag = next(_tags)
    path, record = f"calls/{tag}-call/record", a_record(tag)
    answer = writer.put(path, record)
    assert (answer.status_code, answer.headers["Location"]) == (201, f"/v1/{path}")
    assert answer.json == record
    read = writer.get(path)
    assert (read.data, read.headers["ETag"]) == (answer.data, answer.headers["ETag"])
    assert answer.headers["ETag"].startswith(f'"{seq(writer)}-')
    logged = writer.read(f"changes?after={seq(writer) - 11}")["data"]
    kinds = (
        ["participants"] * 4
        + ["topics"] * 2
        + ["sources", "calls", "accounts", "statements", "statements"]
    )
    assert [one["kind"] for one in logged] == kinds
    assert writer.put(path, read.text).data == read.data
    assert writer.get(path).headers["ETag"] == read.headers["ETag"]


def test_every_call_record_can_be_put_back(writer: Writer) -> None:
    before = seq(writer)
    calls = [one["id"] for one in writer.read("calls?limit=200")["data"]]
    assert len(calls) > 4
    for call in calls:
        got = writer.get(f"calls/{call}/record")
        put = writer.put(f"calls/{call}/record", got.text)
        assert (put.status_code, put.data) == (200, got.data)
    assert seq(writer) == before


def test_what_is_left_out_is_retracted_and_comes_back(
    writer: Writer, desk: Writer, tag: str
) -> None:
    path, record = f"calls/{tag}-call/record", a_record(tag)
    fewer = record | {"statements": record["statements"][1:]}
    answer = desk.put(path, fewer)
    assert told(answer) == FORBIDDEN
    assert f"statements/{tag}-statement-1" in content(answer)["detail"]
    assert writer.read(path) == record
    assert content(writer.put(f"{path}?reason=Coded%20twice", fewer)) == fewer
    gone = writer.get(f"statements/{tag}-statement-1")
    assert told(gone) == (410, "retracted")
    assert "Coded twice" in content(gone)["detail"]
    assert content(desk.put(path, record)) == record
    assert writer.read(f"statements/{tag}-statement-1")["revision"] == 3
    bare = record | {"accounts": [], "statements": []}
    before = seq(writer)
    assert content(writer.put(path, bare))["accounts"] == []
    logged = writer.read(f"changes?after={before}")["data"]
    assert [(one["kind"], one["action"]) for one in logged] == [
        ("statements", "retract"), ("statements", "retract"), ("accounts", "retract"),
    ]  # fmt: skip
    # Who shared what stays, and the record no longer lists what it no longer names.
    assert [one["id"] for one in content(writer.get(path))["topics"]] == []
    assert writer.get(f"topics/{tag}-lock").status_code == 200


def test_whoever_may_write_may_change_and_add(writer: Writer, desk: Writer, tag: str) -> None:
    path, record = f"calls/{tag}-call/record", a_record(tag)
    record["call"]["notes"] = "Changed."
    record["statements"][0]["act"] = "appeal"
    record["statements"].append(record["statements"][1] | {"id": f"{tag}-statement-3"})
    assert content(desk.put(path, record)) == record
    assert [writer.read(f"statements/{tag}-statement-{n}")["revision"] for n in (1, 2, 3)] == [
        2,
        1,
        1,
    ]


SHARED_CHANGES = {
    "participants": ("description", "Changed."),
    "topics": ("label", "whole label"),
    "sources": ("obtained_from", "A box"),
}


@pytest.mark.parametrize("kind", SHARED_CHANGES)
def test_shared_records_are_left_alone_unless_told(writer: Writer, tag: str, kind: str) -> None:
    member, value = SHARED_CHANGES[kind]
    path, record = f"calls/{tag}-call/record", a_record(tag)
    record[kind][-1][member] = f"{value} {tag}"
    before = seq(writer)
    for asked in ("", "?shared=keep"):
        answer = writer.put(path + asked, record)
        assert (told(answer), faults(answer)) == (CONFLICT, [f"/{kind}/{len(record[kind]) - 1}"])
        answer = writer.post(f"records{asked}", record)
        assert told(answer) == CONFLICT
    assert seq(writer) == before
    answer = writer.put(f"{path}?shared=update", record)
    assert (answer.status_code, answer.json) == (200, record)
    assert seq(writer) == before + 1
    assert writer.put(path, record).status_code == 200
    # A member left out of a shared record is null, too.
    del record[kind][-1][member]
    if kind != "topics":
        assert told(writer.put(path, record)) == CONFLICT


def test_a_record_lists_all_that_it_names_or_names_what_is_there(writer: Writer, tag: str) -> None:
    path, record = f"calls/{tag}-call/record", a_record(tag)
    bare = record | {"participants": [], "topics": [], "sources": []}
    assert content(writer.put(path, bare)) == record
    other = next(_tags)
    unlisted = a_record(other) | {"topics": []}
    answer = writer.put(f"calls/{other}-call/record", unlisted)
    assert (told(answer), faults(answer)) == (
        INVALID, ["/statements/0/topics/0", "/statements/1/topics/0"],
    )  # fmt: skip
    assert told(writer.get(f"participants/{other}-alpha")) == (404, "not-found")


def test_a_record_keeps_to_its_own_call(writer: Writer, tag: str) -> None:
    other = next(_tags)
    theirs = a_record(tag)
    for change, pointers in (
        (
            {"accounts": [a_record(other)["accounts"][0] | {"call": f"{tag}-call"}]},
            ["/accounts/0/call"],
        ),
        ({"statements": theirs["statements"][:1]}, ["/statements/0/account"]),
    ):
        answer = writer.put(f"calls/{other}-call/record", a_record(other) | change)
        assert (told(answer), faults(answer)) == (INVALID, pointers)
    stolen = a_record(other)
    stolen["statements"][0]["id"] = f"{tag}-statement-1"
    answer = writer.put(f"calls/{other}-call/record", stolen)
    assert (told(answer), faults(answer)) == (CONFLICT, ["/statements/0/id"])
    answer = writer.put(f"calls/{other}-call/record", a_record(tag))
    assert (told(answer), faults(answer)) == (INVALID, ["/call/id"])
    related = a_record(other)
    related["call"]["related"] = [{"call": "whole-nowhere", "relation": "follows"}]
    assert writer.put(f"calls/{other}-call/record", related).status_code == 201


def test_a_record_that_an_account_leaves_is_another(writer: Writer, tag: str) -> None:
    other = next(_tags)
    assert writer.put(f"calls/{other}-call/record", a_record(other)).status_code == 201
    seen = writer.get(f"calls/{tag}-call/record")
    moved = {"call": f"{other}-call", "sides": []}
    assert writer.patch(f"accounts/{tag}-account", moved).status_code == 200
    here = {"If-Match": seen.headers["ETag"]}
    answer = writer.send("PUT", f"calls/{tag}-call/record", seen.json, here)
    assert told(answer) == (412, "stale")
    now = writer.get(f"calls/{tag}-call/record")
    assert (now.json or {})["accounts"] == []
    assert now.headers["ETag"].startswith(f'"{seq(writer)}-')
    assert content(writer.put(f"calls/{tag}-call/record", now.json)) == now.json


def test_a_statement_that_came_with_its_account_is_missed_when_it_leaves(
    writer: Writer, tag: str
) -> None:
    other = next(_tags)
    assert writer.put(f"calls/{other}-call/record", a_record(other)).status_code == 201
    left = a_record(tag)["accounts"][0] | {"id": f"{tag}-left"}
    assert writer.put(f"accounts/{tag}-left", left).status_code == 201
    moved = {"call": f"{other}-call", "sides": []}
    assert writer.patch(f"accounts/{tag}-account", moved).status_code == 200
    seen = writer.get(f"calls/{other}-call/record")
    back = {"account": f"{tag}-left"}
    assert writer.patch(f"statements/{tag}-statement-1", back).status_code == 200
    here = {"If-Match": seen.headers["ETag"]}
    answer = writer.send("PUT", f"calls/{other}-call/record", seen.json, here)
    assert told(answer) == (412, "stale")


def test_what_names_a_faulty_record_is_not_held_against_what_stands(
    writer: Writer, tag: str
) -> None:
    record, more = a_record(tag), a_record(next(_tags))["sources"][0]
    record["sources"].append(more)
    record["accounts"][0] |= {"sides": [f"{tag}-minister"]}
    record["accounts"][0]["sources"].append(more["id"])
    record["statements"][0]["evidence"][0]["source"] = more["id"]
    answer = writer.put(f"calls/{tag}-call/record", record)
    assert (told(answer), faults(answer)) == (INVALID, ["/accounts/0/sides/0"])


def test_faults_of_all_kinds_are_told_at_once(writer: Writer) -> None:
    tag = next(_tags)
    record = a_record(tag)
    record["topics"][1]["broader"] = "nowhere"
    record["call"]["initiated_by"] = [f"{tag}-minister"]
    record["accounts"].append(record["accounts"][0] | {"id": f"{tag}-more", "sides": ["nobody"]})
    record["statements"][0]["evidence"][0]["end"] = 100_000
    record["statements"][1]["speakers"] = ["nobody"]
    answer = writer.put(f"calls/{tag}-call/record", record)
    # Of what names a faulty record no more can be told than what else it names in vain.
    assert (told(answer), faults(answer)) == (
        INVALID,
        [
            "/accounts/1/sides/0",
            "/call/initiated_by/0",
            "/statements/1/speakers/0",
            "/topics/1/broader",
        ],
    )
    assert told(writer.get(f"participants/{tag}-alpha")) == (404, "not-found")


def test_all_that_is_wrong_is_told_and_nothing_is_written(writer: Writer) -> None:
    tag = next(_tags)
    record = a_record(tag)
    record["statements"][0]["speakers"] = ["whole-nobody"]
    record["statements"][1]["evidence"][0]["digest"] = "0" * 64
    before = seq(writer)
    answer = writer.post("records", record)
    assert told(answer) == INVALID
    assert faults(answer)[:2] == ["/statements/0/speakers/0", "/statements/1/evidence/0/digest"]
    assert seq(writer) == before


# POST


def test_post_of_one(writer: Writer, desk: Writer) -> None:
    tag = next(_tags)
    record = a_record(tag)
    answer = desk.post("records", record)
    assert (answer.status_code, answer.headers["Location"]) == (201, f"/v1/calls/{tag}-call/record")
    assert answer.json == record
    again = desk.post("records", record)
    assert (again.status_code, again.json, again.headers.get("Location")) == (200, record, None)
    fewer = record | {"statements": record["statements"][1:]}
    for asked in ("", "?existing=keep"):
        answer = desk.post(f"records{asked}", fewer)
        assert (told(answer), faults(answer)) == (CONFLICT, ["/call/id"])
        assert "existing=replace" in content(answer)["detail"]
    assert told(desk.post("records?existing=replace", fewer)) == FORBIDDEN
    assert writer.read(f"calls/{tag}-call/record") == record
    answer = writer.post("records?existing=replace&reason=Better", fewer)
    assert (answer.status_code, answer.json) == (200, fewer)
    assert "Better" in content(writer.get(f"statements/{tag}-statement-1"))["detail"]


@pytest.mark.parametrize(
    "asked", ["existing=", "existing=yes", "shared=no", "existing=keep&existing=keep", "x=1",
              "reason=", "reason=%20"],
)  # fmt: skip
def test_odd_parameters(refused: Any, asked: str) -> None:
    for headers in ({}, NDJSON):
        answer = refused("POST", f"records?{asked}", a_record("odd"), headers)
        assert told(answer) == (400, "invalid-parameter")
    if not asked.startswith("existing"):
        answer = refused("PUT", f"calls/odd-call/record?{asked}", a_record("odd"))
        assert told(answer) == (400, "invalid-parameter")
