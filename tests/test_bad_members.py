"""Records that are wrong in a member: every member of every kind, with all that it must not be.

The answer is the same on both databases and points at the member, and nothing is written.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from marshmallow import fields

from schemas.fields import Coded, Country, Edtf, Id, Integer, Items, Matching, Ref, Text
from schemas.record import WRITTEN
from schemas.source import digest
from tests.call_records import a_record
from tests.writing import Refused, Writer, faults, told

NO_TEXT: list[Any] = [0, -0.0, 5.5, True, False, [], ["a"], {}, {"id": "a"}, 2**80]
TOO_LONG = "x" * 10_001
NO_ID: list[Any] = [
    5, True, [], ["bad-alpha"], {}, {"id": None}, {"id": 5}, {"id": {"id": "bad-alpha"}},
    {"ID": "bad-alpha"}, "", " bad-alpha", "bad-alpha\n", "Bad-Alpha", "bad_alpha", "bad--alpha",
    "-bad", "bad-", "bäd", "none", {"id": "none"}, "x" * 81, "a\0b", "../x", "bad-nobody",
]  # fmt: skip
NO_DATE: list[Any] = [
    "", " ", "yesterday", "2022-07-29T12:00:00Z", "2022-7-29", "20220729", "2022-02-30",
    "2022-13", "2022-00", "0000", "0000-01-01", "-0044-03-15", "12022", "Y17E7", "2022-21",
    "2022-W30-5", "2022-210", "29.07.2022", "07/29/2022", "2022/2021", "../..", "/", "..", "202x",
    "2022-0X", "20XX/2024", "2022-07-29 ", "2022-07-29\n", "２０２２-07-29", "2022-07-29?~",
    "x" * 41, "2022-07-29/2022-07-30/2022-07-31", "1e3", *NO_TEXT, 2022, 2022.5, 1659052800,
]  # fmt: skip
NO_URL: list[Any] = [
    "", " ", "example.org", "/path", "//example.org/", "http:", "http://", "https:///path",
    "http://?q", "http://#f", "ftp://example.org/", "javascript:alert(1)", "data:text/plain,x",
    "mailto:a@example.org", "http//example.org", " https://example.org/", "https://example.org/\n",
    "https://exam ple.org/", "https://example.org/a b", "https://example.org/\ta",
    "https://[::1", "https://[x]/", "https://:443/", "https://@/", "https://example.org:x/",
    "https://example.org:99999/", "https://" + "x" * 10_000,
    "https://" + "x" * 9_900 + " ", *NO_TEXT,
]  # fmt: skip
NO_LANGUAGE: list[Any] = [
    "", "e", "english language", "en_GB", "-en", "en-", "en--GB", "en-123456789", "abcdefghi",
    "de ", "12", "é", *NO_TEXT,
]  # fmt: skip
NO_DIGEST: list[Any] = ["", "0" * 63, "0" * 65, "g" * 64, "A" * 64, "0" * 64 + "\n", *NO_TEXT]
NO_COUNTRY: list[Any] = [
    "", "no", "No", "NOR", "N", "NO ", "NO\n", "XX", "ZZ", "EU", "AN", "SUH", "suhh", "XXXX", "ΝΟ",
    *NO_TEXT,
]  # fmt: skip
NO_CODE: list[Any] = ["", " ", "no-such", "NONE", *NO_TEXT]
NO_INTEGER: list[Any] = [
    "5", "", True, False, 5.5, -0.5, -1, 1e300, 2**53, 2**63, 2**64, 2**80, [], [5], {}, {"id": 5},
]  # fmt: skip
NO_LIST: list[Any] = [
    None, True, False, 0, 5.5, "", "bad-alpha", {}, {"0": "bad-alpha"}, {"id": "bad-alpha"},
    [None], [[]], [5], [True], [[["a"]]],
]  # fmt: skip


def wrong_values(field: fields.Field[Any]) -> Iterator[Any]:
    """What a member must not be."""
    if not field.allow_none and not isinstance(field, Items):
        yield None
    match field:
        case Items(inner=inner):
            yield from NO_LIST
            yield [f"{number}" for number in range(501)]
            if not isinstance(inner, fields.Nested):
                yield from ([value] for value in wrong_values(inner))
        case Ref() | Id():
            yield from NO_ID if isinstance(field, Ref) else NO_ID[:-1]
        case Edtf():  # The forms of dates have tests of their own.
            yield from NO_DATE if field.name == "held_on" else NO_DATE[::6]
        case Coded():
            yield from NO_CODE
            yield f"{field.codes[0]} "
            yield field.codes[0].upper()
        case Country():
            yield from NO_COUNTRY
        case Matching():
            yield from {"url": NO_URL, "language": NO_LANGUAGE}.get(str(field.name), NO_DIGEST)
        case Text():
            yield from NO_TEXT
            yield "a\0b"
            yield "x" * (field.longest + 1)
            yield from ("", " \t\n") if field.required else ()
        case Integer():
            yield from NO_INTEGER


def members() -> Iterator[tuple[str, str, fields.Field[Any]]]:
    """Every member that a record takes: its kind, its pointer, its field."""
    for kind, schema in WRITTEN.items():
        for name, field in schema.load_fields.items():
            if name == "id":  # It has a test of its own.
                continue
            yield kind, f"/{name}", field
            if isinstance(field, Items) and isinstance(field.inner, fields.Nested):
                for inner, nested in field.inner.schema.load_fields.items():
                    yield kind, f"/{name}/0/{inner}", nested


def a_document(kind: str) -> dict[str, Any]:
    """A record of a kind as POST takes it."""
    record = a_record("bad")
    document = dict(record["call"] if kind == "calls" else record[kind][0])
    if kind == "calls":
        document["related"] = [{"call": "bad-other", "relation": "follows"}]
    del document["id"]
    return document


def changed(document: dict[str, Any], pointer: str, value: Any) -> dict[str, Any]:
    *path, last = (int(step) if step.isdigit() else step for step in pointer.split("/")[1:])
    at: Any = document
    for step in path:
        at = at[step]
    at[last] = value
    return document


@pytest.mark.parametrize(
    ("kind", "pointer", "field"),
    list(members()),
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_member_is_held_to_its_kind_of_value(
    refused: Refused, kind: str, pointer: str, field: fields.Field[Any]
) -> None:
    for value in wrong_values(field):
        if pointer.endswith("/related/0/call") and value == "bad-nobody":
            continue  # A call may be named that is not here.
        answer = refused("POST", kind, changed(a_document(kind), pointer, value))
        assert told(answer) == (422, "invalid"), value
        assert faults(answer), value
        assert all(found.startswith(pointer) for found in faults(answer)), (value, answer.json)


@pytest.mark.parametrize("kind", WRITTEN)
def test_required_members_are_named_all_at_once(refused: Refused, kind: str) -> None:
    required = {
        f"/{name}" for name, field in WRITTEN[kind].load_fields.items() if field.required
    } - {"/id"}
    if kind == "sources":
        required |= {"/rights"}
    answer = refused("POST", kind, {})
    assert (told(answer), set(faults(answer))) == ((422, "invalid"), required)
    assert answer.json
    assert {error["detail"] for error in answer.json["errors"]} == {"Required."}


@pytest.mark.parametrize("kind", WRITTEN)
@pytest.mark.parametrize("name", ["no-such", "", "a/b", "a~b", "ID", "Ünïcode", "a\0b", "x" * 500])
def test_an_unknown_member_is_pointed_at(refused: Refused, kind: str, name: str) -> None:
    answer = refused("POST", kind, a_document(kind) | {name: None})
    escaped = name.replace("~", "~0").replace("/", "~1")
    assert (told(answer), faults(answer)) == ((422, "invalid"), [f"/{escaped}"])


def test_all_faults_of_a_body_come_at_once(refused: Refused) -> None:
    body = a_document("statements") | {
        "id": "bad-other",
        "act": "shout",
        "speakers": ["bad-minister", "No One", "bad-minister"],
        "said_on": "2031-02-30",
        "evidence": [{"source": 5, "start": -1, "digest": "x", "no-such": 1}, 7],
        "no-such": 1,
    }
    answer = refused("PUT", "statements/bad-new", body)
    assert told(answer) == (422, "invalid")
    assert faults(answer) == [
        "/act", "/evidence/0/digest", "/evidence/0/end", "/evidence/0/no-such",
        "/evidence/0/source", "/evidence/0/start", "/evidence/1", "/id", "/no-such", "/said_on",
        "/speakers/1",
    ]  # fmt: skip


@pytest.mark.parametrize("field", ["participants", "topics", "sources", "accounts", "statements"])
@pytest.mark.parametrize("wrong", [None, "x", {}, [5], [None], [{}], [[]]], ids=json.dumps)
def test_the_lists_of_a_call_record_are_held_to_theirs(
    refused: Refused, field: str, wrong: Any
) -> None:
    for method, path in (("POST", "records"), ("PUT", "calls/bad-call/record")):
        body = a_record("bad") | {field: wrong}
        answer = refused(method, path, body, {"If-Match": "*"})
        assert told(answer) == (422, "invalid")
        assert all(found.startswith(f"/{field}") for found in faults(answer))


def test_of_very_many_wrong_items_five_hundred_are_told(refused: Refused) -> None:
    body = a_record("bad") | {"topics": [{}] * 100_000}
    answer = refused("POST", "records", body)
    assert (told(answer), len(faults(answer))) == ((422, "invalid"), 1_000)  # Id and label of each.


def test_a_repetition_in_a_list_is_pointed_at(refused: Refused) -> None:
    record = a_record("bad")
    for list_name in ("topics", "sources", "accounts", "statements"):
        body = a_record("bad") | {list_name: record[list_name] * 2}
        answer = refused("POST", "records", body)
        first = len(record[list_name])
        assert faults(answer) == [f"/{list_name}/{n}" for n in range(first, 2 * first)]


# Numbers that are right

START = a_record("bad")["statements"][0]["evidence"][0]["start"]


@pytest.mark.parametrize("start", [f"{START}", f"{START}.0", f"{START / 10}e1", f"{START}0E-1"])
def test_an_integer_is_one_however_it_is_written(writers: list[Writer], start: str) -> None:
    body = json.dumps(a_document("statements")).replace(f'"start": {START},', f'"start": {start},')
    assert f'"start": {start},' in body
    for writer in writers:
        answer = writer.post("statements", body)
        assert answer.status_code == 201, answer.text
        assert f'"start":{START},' in answer.text


@pytest.mark.parametrize("zero", ["0", "-0", "0.0", "-0.0", "0e5", "-0E-9"])
def test_zero_has_no_sign(writers: list[Writer], zero: str) -> None:
    document = a_document("statements")
    words = "🌊 READ-OUT."
    document["evidence"] = [{"source": "bad-source", "start": 0, "end": len(words), "quote": words,
                             "digest": digest(words)}]  # fmt: skip
    body = json.dumps(document).replace('"start": 0,', f'"start": {zero},')
    for writer in writers:
        answer = writer.post("statements", body)
        assert answer.status_code == 201, answer.text
        assert '"start":0,' in answer.text


# Paths

NO_PATH_IDS = (
    "none", "Upper", "under_score", "a--b", "-a", "a-", "x" * 81, "%C3%A9", "a%20b", "a%0Ab",
    "a%0D%0AX:1", "%FF", "%ED%A0%80", "..", "a;b", "a,b", "*", "%F0%9F%8C%8A",
)  # fmt: skip


@pytest.mark.parametrize("name", NO_PATH_IDS)
@pytest.mark.parametrize("kind", [*WRITTEN, "record"])
def test_no_id_is_no_id_in_the_path_either(refused: Refused, kind: str, name: str) -> None:
    if kind == "record":
        answer = refused("PUT", f"calls/{name}/record", a_record("bad"))
        assert (told(answer), faults(answer)) == ((422, "invalid"), ["/call/id"])
        return
    answer = refused("PUT", f"{kind}/{name}", a_document(kind))
    assert (told(answer), faults(answer)) == ((422, "invalid"), ["/id"])
    for method in ("GET", "PATCH", "DELETE"):
        answer = refused(method, f"{kind}/{name}", {} if method == "PATCH" else None)
        assert told(answer) == (404, "not-found")


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_nothing_is_at_a_path_with_nul(refused: Refused, method: str) -> None:
    for path in ("topics/%00", "calls/a%00b", "calls/%00/record", "topics/a%00/revisions"):
        answer = refused(method, path, a_document("topics"))
        assert answer.status_code in (404, 405)
