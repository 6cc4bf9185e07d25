"""Many call records at once, one a line: the fate of each, and the end line."""

import hashlib
import itertools
import json
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from api.store.engine import Database, Full, Unavailable
from tests.call_records import a_record
from tests.writing import Writer, content, new_key, told

NDJSON = {"Content-Type": "application/x-ndjson"}
Fate = tuple[int, str | None, str, str | None]
_tags = (f"line{number}" for number in itertools.count())


def ndjson(*records: Any, end: dict[str, Any] | None = None) -> bytes:
    """Lines, and an end line that is right but for what is given."""
    body = b"".join(json.dumps(record).encode() + b"\n" for record in records)
    if end is None:
        return body
    right = {"end": True, "count": len(records), "sha256": hashlib.sha256(body).hexdigest()}
    return body + json.dumps(right | end).encode() + b"\n"


def fates(answer: TestResponse) -> list[Fate]:
    assert answer.status_code == 200, answer.text
    return [
        (one["line"], one["id"], one["fate"], one["problem"] and one["problem"]["type"][10:])
        for one in content(answer)["data"]
    ]


@pytest.fixture
def tags() -> list[str]:
    return [next(_tags) for _ in range(4)]


def test_each_line_has_its_fate(writer: Writer, tags: list[str]) -> None:
    one, two, three, four = tags
    writer.post("records", a_record(one))
    writer.post("records", a_record(two))
    writer.post("records", a_record(three))
    writer.delete(f"calls/{three}-call?reason=Gone")
    changed = a_record(two)
    changed["call"]["notes"] = "Changed."
    broken = a_record("broken") | {"statements": [5]}
    clashing = a_record("clashing")
    clashing["topics"][0]["label"] = f"{one} Lock"
    lines = [
        a_record(one),
        changed,
        a_record(three),
        a_record(four),
        broken,
        {"call": 5},
        [],
        clashing,
    ]
    expected: list[Fate] = [
        (1, f"{one}-call", "unchanged", None),
        (2, f"{two}-call", "failed", "conflict"),
        (3, f"{three}-call", "failed", "retracted"),
        (4, f"{four}-call", "created", None),
        (5, "broken-call", "failed", "invalid"),
        (6, None, "failed", "invalid"),
        (7, None, "failed", "invalid"),
        (8, "clashing-call", "failed", "conflict"),
    ]
    answer = writer.post("records", ndjson(*lines, end={}), NDJSON)
    assert (fates(answer), content(answer)["complete"]) == (expected, True)
    assert answer.mimetype == "application/json"
    problem = content(answer)["data"][4]["problem"]
    assert problem["instance"] == "/v1/records"
    assert problem["errors"][0]["pointer"] == "/statements/0"
    for gone in ("broken", "clashing"):
        for path in (f"calls/{gone}-call", f"participants/{gone}-alpha", f"topics/{gone}-locks"):
            assert told(writer.get(path)) == (404, "not-found")

    answer = writer.post("records?existing=replace&reason=Lines", ndjson(*lines), NDJSON)
    expected[1] = (2, f"{two}-call", "replaced", None)
    expected[3] = (4, f"{four}-call", "unchanged", None)
    assert fates(answer) == expected
    assert writer.read(f"calls/{two}-call/revisions")["data"][1]["reason"] == "Lines"


def test_an_export_is_taken_back_as_it_is(writer: Writer) -> None:
    before = writer.read("changes/checkpoint")
    export = writer.get("/v1/records")
    answer = writer.post("records", export.data, NDJSON)
    assert {fate for _, _, fate, _ in fates(answer)} == {"unchanged"}
    assert len(fates(answer)) == int(export.headers["Readout-Count"])
    assert content(answer)["complete"] is True
    assert writer.read("changes/checkpoint") == before


def test_lines_see_what_those_before_them_wrote(writer: Writer, tags: list[str]) -> None:
    first = a_record(tags[0])
    again = a_record(tags[0]) | {"call": first["call"] | {"notes": "Again."}}
    bare = a_record(tags[1]) | {name: first[name] for name in ("participants", "topics", "sources")}
    bare["accounts"] = bare["statements"] = []
    bare["call"] = first["call"] | {"id": f"{tags[1]}-call"}
    lines = ndjson(first, first, again, bare)
    answer = writer.post("records?existing=replace", lines, NDJSON)
    assert [fate for _, _, fate, _ in fates(answer)] == [
        "created",
        "unchanged",
        "replaced",
        "created",
    ]


def test_who_may_not_retract_fails_line_by_line(
    app: Flask, writer: Writer, database_url: str, tags: list[str]
) -> None:
    desk = Writer(app, new_key(database_url, "write"))
    writer.post("records", a_record(tags[0]))
    fewer = a_record(tags[0]) | {"statements": []}
    lines = ndjson(fewer, a_record(tags[1]))
    answer = desk.post("records?existing=replace", lines, NDJSON)
    assert fates(answer) == [
        (1, f"{tags[0]}-call", "failed", "forbidden"),
        (2, f"{tags[1]}-call", "created", None),
    ]
    answer = desk.post("records", lines, NDJSON)  # Nothing would be retracted.
    assert fates(answer)[0] == (1, f"{tags[0]}-call", "failed", "conflict")


@pytest.mark.parametrize("newline", [b"\n", b"\r\n", b"\n\n", b"\n \t\r\n"])
def test_lines_end_and_blank_ones_are_counted_alone(
    writer: Writer, tags: list[str], newline: bytes
) -> None:
    body = newline.join(json.dumps(a_record(tag)).encode() for tag in tags[:2])
    step = newline.count(b"\n")
    for text, first in ((body, 1), (body + newline, 1), (newline + body, 1 + step)):
        answer = writer.post("records", text, NDJSON)
        found = [(line, call) for line, call, _, _ in fates(answer)]
        assert found == [(first, f"{tags[0]}-call"), (first + step, f"{tags[1]}-call")]
        assert content(answer)["complete"] is True


def test_a_carriage_return_by_itself_ends_no_line(writer: Writer, tags: list[str]) -> None:
    body = json.dumps(a_record(tags[0]), separators=(",\r", ":\r")).encode()
    assert [fate for _, _, fate, _ in fates(writer.post("records", body, NDJSON))] == ["created"]


@pytest.mark.parametrize("body", [b"", b"\n", b" \r\n\n"])
def test_no_lines_have_no_fates(writer: Writer, body: bytes) -> None:
    answer = writer.post("records", body, NDJSON)
    assert (fates(answer), content(answer)["complete"]) == ([], True)


@pytest.mark.parametrize(
    ("end", "complete"),
    [
        ({}, True),
        ({"since": "v1.7"}, True),
        ({"count": 1}, False),
        ({"count": 3}, False),
        ({"count": "2"}, False),
        ({"count": None}, False),
        ({"sha256": "0" * 64}, False),
        ({"sha256": None}, False),
        ({"end": False}, False),
        ({"end": None}, False),
    ],
)
def test_the_end_line_tells_whether_all_came(
    writer: Writer, tags: list[str], end: dict[str, Any], complete: bool
) -> None:
    records = [a_record(tag) for tag in tags[:2]]
    body = ndjson(*records, end=end)
    lines = body.splitlines()
    # As others write it: in another order of members, with blanks, without a last line end.
    other = json.dumps(dict(reversed(json.loads(lines[-1]).items())), separators=(" ,", " : "))
    for text in (body, body.rstrip(), body.replace(lines[-1], b" " + other.encode() + b" ")):
        answer = writer.post("records", text, NDJSON)
        assert len(fates(answer)) == 2
        assert content(answer)["complete"] is complete


def test_an_end_line_that_does_not_end_is_wrong(writer: Writer, tags: list[str]) -> None:
    one, two = (ndjson(a_record(tag), end={}) for tag in tags[:2])
    for body, count in (
        (one + two, 2),
        (one + ndjson(a_record(tags[1])), 2),
        (one[one.index(b'{"end"') :] + one, 1),
        (ndjson(a_record(tags[0]), end={}).replace(b'"call": ', b'"call":'), 1),
        (b'{"end": true}\n', 0),
    ):
        answer = writer.post("records", body, NDJSON)
        assert len(fates(answer)) == count
        assert content(answer)["complete"] is False
    empty = hashlib.sha256(b"").hexdigest()
    answer = writer.post("records", json.dumps({"end": True, "count": 0, "sha256": empty}), NDJSON)
    assert (fates(answer), content(answer)["complete"]) == ([], True)


@pytest.mark.parametrize(
    ("refusal", "kind"),
    [(Unavailable("It is busy.", 1), "unavailable"), (Full("It is full.", 60), "no-room")],
)
def test_what_was_written_is_told_though_the_database_goes(
    monkeypatch: pytest.MonkeyPatch,
    writer: Writer,
    tags: list[str],
    refusal: Unavailable,
    kind: str,
) -> None:
    write, times = Database.write, iter(range(10))

    def failing(database: Database) -> Any:
        if next(times) > 0:
            raise refusal
        return write(database)

    monkeypatch.setattr(Database, "write", failing)
    answer = writer.post("records", ndjson(*(a_record(tag) for tag in tags), end={}), NDJSON)
    monkeypatch.undo()
    assert fates(answer) == [
        (1, f"{tags[0]}-call", "created", None),
        *((n, f"{tag}-call", "failed", kind) for n, tag in enumerate(tags[1:], 2)),
    ]
    assert next(times) == 2  # The others did not try in vain.
    assert writer.get(f"calls/{tags[0]}-call").status_code == 200
    assert told(writer.get(f"calls/{tags[1]}-call")) == (404, "not-found")


def test_a_line_may_be_long(writer: Writer, tags: list[str]) -> None:
    """Longer than a list or a body of another kind may be: a call record knows no such limit."""
    record = a_record(tags[0])
    second = record["statements"][1]
    record["statements"] = [second | {"id": f"{tags[0]}-{n}"} for n in range(600)]
    answer = writer.post("records", ndjson(record, end={}), NDJSON)
    assert [fate for _, _, fate, _ in fates(answer)] == ["created"]
    assert len(writer.read(f"calls/{tags[0]}-call/record")["statements"]) == 600
