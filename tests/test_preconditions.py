"""Whose turn it is to change a record: If-Match and If-None-Match on writes."""

import gzip
from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from schemas.record import WRITTEN
from tests.call_records import a_record
from tests.writing import Writer, content, told

TAG = "conditions"
PATHS = {
    **{kind: f"{kind}/{TAG}-here-{kind}" for kind in WRITTEN},
    "record": f"calls/{TAG}-whole-call/record",
}
OK, STALE, NEEDED = (200, ""), (412, "stale"), (428, "precondition-required")


@pytest.fixture(scope="module", autouse=True)
def records(writer: Writer) -> None:
    """A call record, and one of each kind that is at revision 3 and can be retracted."""
    assert writer.put(PATHS["record"], document("record")).status_code == 201
    assert writer.put(f"calls/{TAG}-call/record", a_record(TAG)).status_code == 201
    for kind in WRITTEN:
        for _ in range(2):
            for number in (1, 2):
                assert writer.put(PATHS[kind], document(kind, number)).status_code in (200, 201)


def document(kind: str, number: int = 2) -> dict[str, Any]:
    """What stands there, or stood there."""
    if kind == "record":
        return a_record(f"{TAG}-whole")
    record = a_record(TAG)
    made: dict[str, Any] = record["call"] if kind == "calls" else record[kind][0]
    made |= {one: f"Here {kind}" for one in ("name", "label", "title") if one in made}
    made |= {one: [] for one in ("aliases",) if one in made}
    free = {"sources": "obtained_from", "calls": "notes", "accounts": "given_on",
            "statements": "attribution"}.get(kind, "description")  # fmt: skip
    return {k: v for k, v in made.items() if k != "id"} | {free: f"203{number}"}


def outcome(answer: TestResponse) -> tuple[int, str]:
    return (answer.status_code, "") if answer.status_code < 300 else told(answer)


def number_at(writer: Writer, path: str) -> int:
    """The number in the ETag of what stands or stood at a path."""
    return int(writer.get(path).headers["ETag"].strip('"').partition("-")[0])


# What If-Match may be; `{n}` is the number of what stands.
MATCHES: dict[str, tuple[int, str]] = {
    '"{n}-0123456789abcdef01234567"': OK,
    '"{n}-"': OK,
    '"{n}"': OK,
    ' "{n}-x" ': OK,
    '"{n}-gzip"': OK,
    '"1-x", "{n}-x"': OK,
    '"{n}-x","1-x"': OK,
    'W/"{n}-x", "{n}-y"': OK,
    ', ,, "{n}-x"': OK,
    "*": OK,
    " * ": OK,
    '"1-x"': STALE,
    '"{n}0-x"': STALE,
    '"-{n}-x"': STALE,
    '"{n}.0-x"': STALE,
    '"0{n}-x"': STALE,
    '"x-{n}"': STALE,
    'W/"{n}-x"': STALE,
    'W/"{n}-x", W/"{n}-y"': STALE,
    'w/"{n}-x"': STALE,
    'x"{n}-x"': STALE,
    "{n}-x": STALE,
    "{n}": STALE,
    "'{n}-x'": STALE,
    '"{n}-x': STALE,
    '"{n}-x""': STALE,
    '"1-x, {n}-x"': STALE,
    "": STALE,
    '""': STALE,
    ",": STALE,
    '"9999999999999999999999-x"': STALE,
    '"²-x"': STALE,
    '"*"': STALE,
    '*, "1-x"': STALE,
    "x" * 9_000: STALE,
}


@pytest.mark.parametrize("kind", ["topics", "statements", "record"])
def test_if_match_takes_the_number_of_what_stands(writer: Writer, kind: str) -> None:
    path = PATHS[kind]
    before = writer.get(path)
    number = number_at(writer, path)
    for match, expected in MATCHES.items():
        headers = {"If-Match": match.format(n=number)}
        answers = [writer.send("PUT", path, document(kind), headers)]
        if kind != "record":
            answers.append(writer.send("PATCH", path, {}, headers))
            if expected == STALE:
                answers.append(writer.send("DELETE", f"{path}?reason=x", None, headers))
        assert {outcome(answer) for answer in answers} == {expected}, match
        assert writer.get(path).data == before.data


def test_what_exists_is_not_changed_without_if_match(writer: Writer) -> None:
    for kind, path in PATHS.items():
        assert told(writer.send("PUT", path, document(kind))) == NEEDED
        if kind != "record":
            assert told(writer.send("PATCH", path, {})) == NEEDED
            assert told(writer.send("DELETE", f"{path}?reason=x")) == NEEDED


def test_if_none_match_makes_put_create_only(writer: Writer) -> None:
    only = {"If-None-Match": "*"}
    for kind, path in PATHS.items():
        here = {"If-Match": writer.get(path).headers["ETag"]}
        for headers in (only, only | here, {"If-None-Match": " * "}):
            assert told(writer.send("PUT", path, document(kind), headers)) == STALE
        if kind == "record":
            continue
        for method, more in (("PATCH", ""), ("DELETE", "?reason=x")):
            answer = writer.send(
                method, path + more, {} if method == "PATCH" else None, only | here
            )
            assert told(answer) == STALE
    new = "topics/conditions-only"
    for status in (201, 412):
        answer = writer.send("PUT", new, {"label": "Conditions only"}, only)
        assert answer.status_code == status
    record = a_record("conditions-only")
    for status in (201, 412):
        answer = writer.send("PUT", "calls/conditions-only-call/record", record, only)
        assert answer.status_code == status


@pytest.mark.parametrize("tags", ['"3-x"', 'W/"3-x"', '*, "3-x"', "x", '"*"', "3"])
def test_if_none_match_takes_nothing_else_on_a_write(writer: Writer, tags: str) -> None:
    odd = {"If-None-Match": tags}
    for kind, path in PATHS.items():
        here = {"If-Match": writer.get(path).headers["ETag"]}
        assert told(writer.send("PUT", path, document(kind), odd | here)) == (400, "bad-request")
        # What comes before in the order of checks is told before.
        assert told(writer.send("PUT", path, document(kind), odd)) == NEEDED
        assert told(writer.send("PUT", path, document(kind), odd | {"If-Match": '"0"'})) == STALE
    answer = writer.send("PUT", "topics/conditions-odd", {"label": "Odd"}, odd)
    assert told(answer) == (400, "bad-request")


def test_nothing_can_be_matched_where_nothing_is(writer: Writer) -> None:
    for match in ("*", '"1-x"', '"0"', "x"):
        for path, body in (
            ("topics/conditions-nowhere", {"label": "Nowhere"}),
            ("calls/nowhere-call/record", a_record("nowhere")),
        ):
            for more in ({}, {"If-None-Match": "*"}):
                answer = writer.send("PUT", path, body, {"If-Match": match, **more})
                assert told(answer) == STALE
            assert told(writer.get(path)) == (404, "not-found")
        for method in ("PATCH", "DELETE"):
            answer = writer.send(method, "topics/conditions-nowhere", {}, {"If-Match": match})
            assert told(answer) == (404, "not-found")


def test_a_post_is_on_no_condition(writer: Writer) -> None:
    for number, headers in enumerate(({"If-Match": '"5"'}, {"If-None-Match": "*"})):
        answer = writer.post("topics", {"label": f"Conditions {number}"}, headers)
        assert answer.status_code == 201


def test_the_tag_of_a_packed_answer_serves_as_well(writer: Writer) -> None:
    packed = {"Accept-Encoding": "gzip"}
    for kind, path in PATHS.items():
        plain, small = writer.get(path), writer.get(path, packed)
        if small.headers.get("Content-Encoding") == "gzip":
            assert gzip.decompress(small.data) == plain.data
            assert small.headers["ETag"] != plain.headers["ETag"]
        headers = {"If-Match": small.headers["ETag"]}
        answer = writer.send("PUT", path, document(kind), packed | headers)
        assert answer.status_code == 200
        assert answer.headers["ETag"] == small.headers["ETag"]
        assert answer.data == small.data
        answer = writer.send("PUT", path, document(kind), headers)
        assert answer.headers["ETag"] == plain.headers["ETag"]


def test_each_number_serves_once(writer: Writer) -> None:
    path = "topics/conditions-once"
    writer.put(path, {"label": "Once"})
    first = {"If-Match": writer.get(path).headers["ETag"]}
    assert outcome(writer.send("PATCH", path, {"label": "Once 2"}, first)) == OK
    for method, body in (("PATCH", {"label": "Once 3"}), ("PUT", {"label": "Once 3"})):
        answer = writer.send(method, path, body, first)
        assert told(answer) == STALE
        assert "2" in content(answer)["detail"]
    # The same number for what was read, written and read again.
    assert writer.get(path, {"If-None-Match": first["If-Match"]}).status_code == 200
    now = writer.get(path).headers["ETag"]
    assert writer.get(path, {"If-None-Match": now}).status_code == 304


def test_a_call_record_counts_the_changes_of_what_hangs_on_it(writer: Writer) -> None:
    tag = "counted"
    path = f"calls/{tag}-call/record"
    writer.put(path, a_record(tag))
    steps: list[Callable[[], TestResponse]] = [
        lambda: writer.patch(f"calls/{tag}-call", {"notes": "Counted."}),
        lambda: writer.patch(f"accounts/{tag}-account", {"coverage": "part"}),
        lambda: writer.patch(f"statements/{tag}-statement-1", {"attribution": "she"}),
        lambda: writer.delete(f"statements/{tag}-statement-1"),
        lambda: writer.put(f"statements/{tag}-statement-1", a_record(tag)["statements"][0]),
        lambda: writer.post("accounts", {"call": f"{tag}-call", "genre": "briefing"}),
    ]
    for step in steps:
        seen = writer.get(path)
        number = number_at(writer, path)
        assert step().status_code < 300
        assert number_at(writer, path) > number
        assert number_at(writer, path) == content(writer.get("changes/checkpoint"))["seq"]
        answer = writer.send("PUT", path, seen.json, {"If-Match": seen.headers["ETag"]})
        assert told(answer) == STALE
    number = number_at(writer, path)
    writer.patch(f"participants/{tag}-alpha", {"description": "Shared."})
    writer.patch(f"topics/{tag}-lock", {"label": f"{tag} Weir"})
    assert number_at(writer, path) == number
