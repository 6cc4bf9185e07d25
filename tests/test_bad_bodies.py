"""Bodies that are wrong: one row a case, on both databases, and the same answer from both.

Whatever is sent, the answer tells what was wrong, where, and what would be right; it is never a
500, and nothing is written.
"""

import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from marshmallow import fields
from werkzeug.test import TestResponse

from api import create_app
from api.settings import load
from schemas.fields import Coded, Country, Edtf, Id, Integer, Items, Matching, Ref, Text
from schemas.record import WRITTEN
from schemas.source import digest
from tests.conftest import KINDS as DATABASES
from tests.writing import SCOPES, Writer, a_record, faults, new_key, told

LEAKS = ("Traceback", "SELECT ", "INSERT ", "sqlalchemy", "psycopg", "sqlite3", 'File "')
MEBIBYTE = 1024 * 1024
JSON = {"Content-Type": "application/json"}
NDJSON = {"Content-Type": "application/x-ndjson"}


@pytest.fixture(scope="module")
def writers(new_database: Callable[..., str]) -> list[Writer]:
    """A writer on each database, in which the record `bad` stands."""
    made = []
    for kind in DATABASES:
        url = new_database(kind, filled=True)
        app = create_app(load({"READOUT_DATABASE_URL": url, "READOUT_LOG_LEVEL": "error"}))
        writer = Writer(app, new_key(url, *SCOPES))
        assert writer.put("calls/bad-call/record", a_record("bad")).status_code == 201
        made.append(writer)
    return made


def both(
    writers: list[Writer],
    method: str,
    path: str,
    body: Any,
    headers: dict[str, str] | None = None,
    **options: Any,
) -> TestResponse:
    """The answer to a request that is refused, the same on both databases, which stay the same."""
    before = [writer.read("changes/checkpoint") for writer in writers]
    answers = [writer.send(method, path, body, headers, **options) for writer in writers]
    assert [writer.read("changes/checkpoint") for writer in writers] == before
    one, other = answers
    assert one.status_code == other.status_code
    assert one.json == other.json
    assert 400 <= one.status_code < 500, one.text
    assert not [leak for leak in LEAKS if leak in one.text]
    return one


# What no parser should take

DEEP = 20_000
UNPARSABLE = {
    "empty": b"",
    "blank": b" \r\n\t ",
    "cut": b'{"label": "a"',
    "cut in a string": b'{"label": "a',
    "no JSON": b"label=a",
    "single quotes": b"{'label': 'a'}",
    "a comment": b'{"label": "a" /* so */}',
    "a trailing comma": b'{"label": "a",}',
    "two values": b'{"label": "a"} {"label": "b"}',
    "something behind": b'{"label": "a"} x',
    "UTF-16 with its mark": '{"label": "a"}'.encode("utf-16"),
    "UTF-16": '{"label": "a"}'.encode("utf-16-le"),
    "UTF-32": '{"label": "a"}'.encode("utf-32-be"),
    "a byte order mark": b'\xef\xbb\xbf{"label": "a"}',
    "Latin-1": '{"label": "é"}'.encode("latin-1"),
    "UTF-8 too long": b'{"label": "\xc0\xaf"}',
    "UTF-8 cut": b'{"label": "\xf0\x9f\x8c"}',
    "a surrogate in UTF-8": b'{"label": "\xed\xa0\x80"}',
    "a lone high surrogate": b'{"label": "\\ud83c"}',
    "a lone low surrogate": b'{"label": "\\udf0a"}',
    "surrogates the wrong way round": b'{"label": "\\udf0a\\ud83c"}',
    "a lone surrogate in a name": b'{"\\ud83c": "a", "label": "a"}',
    "a lone surrogate in what is ignored": b'{"label": "a", "revision": "\\ud83c"}',
    "NUL as it is": b'{"label": "a\x00"}',
    "NUL behind": b'{"label": "a"}\x00',
    "a line end in a string": b'{"label": "a\nb"}',
    "NaN": b'{"label": NaN}',
    "Infinity": b'{"label": Infinity}',
    "-Infinity": b'{"label": -Infinity}',
    "1e999": b'{"label": 1e999}',
    "-1e999 in what is ignored": b'{"label": "a", "revision": -1e999}',
    "5,000 digits": b'{"label": ' + b"9" * 5_000 + b"}",
    "5,000 digits in what is ignored": b'{"label": "a", "revision": ' + b"9" * 5_000 + b"}",
    "a hexadecimal number": b'{"label": 0x1F}',
    "a leading zero": b'{"label": 01}',
    "a leading plus": b'{"label": +1}',
    "a leading point": b'{"label": .5}',
    "a trailing point": b'{"label": 5.}',
    "True": b'{"label": True}',
    "a name twice": b'{"label": "a", "label": "a"}',
    "a name twice, escaped": b'{"label": "a", "l\\u0061bel": "b"}',
    "a name twice, deep down": b'{"label": "a", "revision": [{"x": {"y": 1, "y": 1}}]}',
    "lists in lists": b"[" * DEEP + b"]" * DEEP,
    "lists that never end": b"[" * DEEP,
    "objects in objects": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "deep in what is ignored": b'{"label": "a", "revision": ' + b"[" * DEEP + b"]" * DEEP + b"}",
}
PATHS = (
    ("POST", "topics"),
    ("PUT", "topics/bad-new"),
    ("PUT", "topics/bad-lock"),
    ("PATCH", "topics/bad-lock"),
    ("POST", "records"),
    ("PUT", "calls/bad-new/record"),
    ("PUT", "calls/bad-call/record"),
)


@pytest.mark.parametrize(("method", "path"), PATHS, ids=" ".join)
def test_what_is_no_json_is_told_alike_wherever_a_body_is_taken(
    writers: list[Writer], method: str, path: str
) -> None:
    match = {"If-Match": "*"} if path in ("topics/bad-lock", "calls/bad-call/record") else {}
    for name, body in UNPARSABLE.items():
        answer = both(writers, method, path, body, match)
        assert told(answer) == (400, "malformed-body"), name


def test_each_line_that_is_no_json_is_told(writers: list[Writer]) -> None:
    lines = {name: body for name, body in UNPARSABLE.items() if body.strip() and b"\n" not in body}
    for writer in writers:
        before = writer.read("changes/checkpoint")
        answer = writer.post("records", b"\n".join(lines.values()), NDJSON)
        assert answer.status_code == 200
        assert answer.json
        fates = answer.json["data"]
        assert [fate["problem"]["type"] for fate in fates] == [
            "/problems#malformed-body" for _ in lines
        ]
        assert [(fate["line"], fate["id"], fate["fate"]) for fate in fates] == [
            (number, None, "failed") for number in range(1, len(lines) + 1)
        ]
        assert writer.read("changes/checkpoint") == before


@pytest.mark.parametrize("depth", [600, 900, 950, 990, 1_020])
def test_json_that_is_nested_less_deeply_is_refused_all_the_same(
    writers: list[Writer], depth: int
) -> None:
    lists = b"[" * depth + b"]" * depth
    objects = b'{"a":' * depth + b"null" + b"}" * depth
    for method, path in (("POST", "topics"), ("PATCH", "topics/bad-lock")):
        for inner in (lists, objects):
            answer = both(writers, method, path, b'{"label":%b}' % inner, {"If-Match": "*"})
            assert told(answer) in ((400, "malformed-body"), (422, "invalid"))


# What is JSON, and no record

NO_OBJECTS = ("null", "true", "5", "-0", '"topic"', "[]", '[{"label": "a"}]', "[[[]]]")


@pytest.mark.parametrize("body", NO_OBJECTS)
@pytest.mark.parametrize(("method", "path"), PATHS, ids=" ".join)
def test_a_record_is_an_object(writers: list[Writer], method: str, path: str, body: str) -> None:
    answer = both(writers, method, path, body, {"If-Match": "*"} if "new" not in path else {})
    assert (told(answer), faults(answer)) == ((422, "invalid"), [""])


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
    "https://example.org:99999/", "https://" + "x" * 10_000, *NO_TEXT,
]  # fmt: skip
NO_LANGUAGE: list[Any] = [
    "", "e", "english language", "en_GB", "-en", "en-", "en--GB", "en-123456789", "abcdefghi", "de ",
    "12", "é", *NO_TEXT,
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
        case Edtf():
            yield from NO_DATE
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
    writers: list[Writer], kind: str, pointer: str, field: fields.Field[Any]
) -> None:
    for value in wrong_values(field):
        if pointer.endswith("/related/0/call") and value == "bad-nobody":
            continue  # A call may be named that is not here.
        answer = both(writers, "POST", kind, changed(a_document(kind), pointer, value))
        assert told(answer) == (422, "invalid"), value
        assert faults(answer), value
        assert all(found.startswith(pointer) for found in faults(answer)), (value, answer.json)


@pytest.mark.parametrize("kind", WRITTEN)
def test_required_members_are_named_all_at_once(writers: list[Writer], kind: str) -> None:
    required = {
        f"/{name}" for name, field in WRITTEN[kind].load_fields.items() if field.required
    } - {"/id"}
    if kind == "sources":
        required |= {"/rights"}
    answer = both(writers, "POST", kind, {})
    assert (told(answer), set(faults(answer))) == ((422, "invalid"), required)
    assert answer.json
    assert {error["detail"] for error in answer.json["errors"]} == {"Required."}


@pytest.mark.parametrize("kind", WRITTEN)
@pytest.mark.parametrize("name", ["no-such", "", "a/b", "a~b", "ID", "Ünïcode", "a\0b", "x" * 500])
def test_an_unknown_member_is_pointed_at(writers: list[Writer], kind: str, name: str) -> None:
    answer = both(writers, "POST", kind, a_document(kind) | {name: None})
    escaped = name.replace("~", "~0").replace("/", "~1")
    assert (told(answer), faults(answer)) == ((422, "invalid"), [f"/{escaped}"])


def test_all_faults_of_a_body_come_at_once(writers: list[Writer]) -> None:
    body = a_document("statements") | {
        "id": "bad-other",
        "act": "shout",
        "speakers": ["bad-minister", "No One", "bad-minister"],
        "said_on": "2031-02-30",
        "evidence": [{"source": 5, "start": -1, "digest": "x", "no-such": 1}, 7],
        "no-such": 1,
    }
    answer = both(writers, "PUT", "statements/bad-new", body)
    assert told(answer) == (422, "invalid")
    assert faults(answer) == [
        "/act", "/evidence/0/digest", "/evidence/0/end", "/evidence/0/no-such",
        "/evidence/0/source", "/evidence/0/start", "/evidence/1", "/id", "/no-such", "/said_on",
        "/speakers/1",
    ]  # fmt: skip


@pytest.mark.parametrize("field", ["participants", "topics", "sources", "accounts", "statements"])
@pytest.mark.parametrize("wrong", [None, "x", {}, [5], [None], [{}], [[]]], ids=json.dumps)
def test_the_lists_of_a_call_record_are_held_to_theirs(
    writers: list[Writer], field: str, wrong: Any
) -> None:
    for method, path in (("POST", "records"), ("PUT", "calls/bad-call/record")):
        body = a_record("bad") | {field: wrong}
        answer = both(writers, method, path, body, {"If-Match": "*"})
        assert told(answer) == (422, "invalid")
        assert all(found.startswith(f"/{field}") for found in faults(answer))


def test_of_very_many_wrong_items_five_hundred_are_told(writers: list[Writer]) -> None:
    body = a_record("bad") | {"topics": [{}] * 100_000}
    answer = both(writers, "POST", "records", body)
    assert (told(answer), len(faults(answer))) == ((422, "invalid"), 1_000)  # Id and label of each.


def test_a_repetition_in_a_list_is_pointed_at(writers: list[Writer]) -> None:
    record = a_record("bad")
    for list_name in ("topics", "sources", "accounts", "statements"):
        body = a_record("bad") | {list_name: record[list_name] * 2}
        answer = both(writers, "POST", "records", body)
        first = len(record[list_name])
        assert faults(answer) == [f"/{list_name}/{n}" for n in range(first, 2 * first)]


# Numbers that are right

SPAN = a_record("bad")["statements"][0]["evidence"][0]


@pytest.mark.parametrize("start", [f"{SPAN['start']}", f"{SPAN['start']}.0", "4.7e1", "470E-1"])
def test_an_integer_is_one_however_it_is_written(writers: list[Writer], start: str) -> None:
    assert SPAN["start"] == 47
    body = json.dumps(a_document("statements")).replace('"start": 47', f'"start": {start}')
    assert f'"start": {start}' in body
    for writer in writers:
        answer = writer.post("statements", body)
        assert answer.status_code == 201, answer.text
        assert f'"start":{SPAN["start"]},' in answer.text


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


# Sizes

LIMITS = {
    ("POST", "topics"): MEBIBYTE,
    ("PUT", "calls/bad-new"): MEBIBYTE,
    ("PATCH", "statements/bad-statement-1"): MEBIBYTE,
    ("POST", "sources"): 8 * MEBIBYTE,
    ("PUT", "sources/bad-new"): 8 * MEBIBYTE,
    ("PATCH", "sources/bad-source"): 8 * MEBIBYTE,
    ("PUT", "calls/bad-new/record"): 16 * MEBIBYTE,
    ("POST", "records"): 16 * MEBIBYTE,
}


@pytest.mark.parametrize(("method", "path", "most"), [(*key, n) for key, n in LIMITS.items()])
def test_a_body_that_says_it_is_too_large_is_not_read(
    writers: list[Writer], method: str, path: str, most: int
) -> None:
    class Unread(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise AssertionError("it was read")

    for said in (most + 1, 10**15, 10**30):
        answer = both(
            writers, method, path, None, JSON,
            input_stream=Unread(), environ_overrides={"CONTENT_LENGTH": str(said)},
        )  # fmt: skip
        assert told(answer) == (413, "too-large")
        assert f"{most:,} bytes" in answer.text


def test_ndjson_has_a_limit_of_its_own(writers: list[Writer]) -> None:
    said = {"CONTENT_LENGTH": str(64 * MEBIBYTE + 1)}
    answer = both(writers, "POST", "records", None, NDJSON, environ_overrides=said)
    assert told(answer) == (413, "too-large")


class Endless(io.RawIOBase):
    """A chunked body that would never end."""

    given = 0

    def readinto(self, buffer: Any) -> int:
        buffer[:] = b" " * len(buffer)
        self.given += len(buffer)
        return len(buffer)

    def readable(self) -> bool:
        return True


@pytest.mark.parametrize(("method", "path", "most"), [(*key, n) for key, n in LIMITS.items()])
def test_a_chunked_body_is_read_to_the_limit_and_no_further(
    writers: list[Writer], method: str, path: str, most: int
) -> None:
    for writer in writers:
        body = Endless()
        answer = writer.send(
            method, path, None, JSON,
            input_stream=io.BufferedReader(body), environ_overrides={"wsgi.input_terminated": True},
        )  # fmt: skip
        assert told(answer) == (413, "too-large")
        assert most < body.given < most + MEBIBYTE


def test_a_chunked_body_is_read_whole(writers: list[Writer]) -> None:
    label = "Chunks " * 1_000
    body = json.dumps({"label": label}).encode()
    for writer in writers:
        answer = writer.send(
            "POST", "topics", None, JSON,
            input_stream=io.BytesIO(body), environ_overrides={"wsgi.input_terminated": True},
        )  # fmt: skip
        assert answer.status_code == 201, answer.text
        assert answer.json
        assert answer.json["label"] == label


def test_a_body_that_ends_too_early_is_told(writers: list[Writer]) -> None:
    for body in (b"", b'{"label": "Cut', b'{"label": "Cut"}'):
        answer = both(
            writers, "POST", "topics", None, JSON,
            input_stream=io.BytesIO(body), environ_overrides={"CONTENT_LENGTH": "100"},
        )  # fmt: skip
        assert answer.status_code == 400


def test_a_body_as_large_as_may_be_is_taken(writers: list[Writer]) -> None:
    body = b'{"label": "As large"}'
    for n, writer in enumerate(writers):
        answer = writer.put("topics/bad-large", body.ljust(MEBIBYTE))
        assert answer.status_code == 201, (n, answer.text)


def test_the_text_of_a_source_has_one_mebibyte(writers: list[Writer]) -> None:
    fits = "é" * (MEBIBYTE // 2)
    document = {"title": "Long", "rights": "open", "text": fits}
    for writer in writers:
        answer = writer.post("sources", document)
        assert answer.status_code == 201, answer.text[:500]
        assert answer.json
        assert answer.json["characters"] == len(fits)
        assert writer.read(f"sources/{answer.json['id']}")["text"] == fits
    for text in (fits + "x", "x" * (MEBIBYTE + 1), "🌊" * (MEBIBYTE // 4) + "x"):
        answer = both(writers, "POST", "sources", document | {"text": text})
        assert (told(answer), faults(answer)) == ((422, "invalid"), ["/text"])


# Types and codings

NO_TYPES = (
    "", " ", "json", "text/json", "text/plain", "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x", "application/problem+json", "application/json-patch+json",
    "application/yaml", "*/*", "application/*", "application/json, application/json",
    "application/json; charset=utf-16", "application/json; charset=latin-1",
    'application/json; charset="iso-8859-1"', "application/json; charset=utf-8x", "\xff", "x" * 9_000,
)  # fmt: skip


@pytest.mark.parametrize("given", NO_TYPES, ids=lambda text: ascii(text)[:40])
@pytest.mark.parametrize(("method", "path"), PATHS, ids=" ".join)
def test_the_type_of_a_body_is_heeded(
    writers: list[Writer], method: str, path: str, given: str
) -> None:
    answer = both(writers, method, path, {"label": "a"}, {"Content-Type": given, "If-Match": "*"})
    assert told(answer) == (415, "unsupported-media-type")
    patch = "application/merge-patch+json, application/json"
    assert answer.headers.get("Accept-Patch") == (patch if method == "PATCH" else None)


@pytest.mark.parametrize(("method", "path"), PATHS, ids=" ".join)
def test_a_body_without_type_is_refused(writers: list[Writer], method: str, path: str) -> None:
    answer = both(writers, method, path, None, {"If-Match": "*"}, input_stream=io.BytesIO(b"{}"))
    assert told(answer) == (415, "unsupported-media-type")
    taken = {"POST records": "application/json or application/x-ndjson",
             "PATCH topics/bad-lock": "application/merge-patch+json or application/json"}  # fmt: skip
    assert taken.get(f"{method} {path}", "application/json") in answer.text


@pytest.mark.parametrize("coding", ["gzip", "br", "deflate", "GZIP", "identity, gzip", "x", ""])
@pytest.mark.parametrize(("method", "path"), PATHS, ids=" ".join)
def test_a_coded_body_is_refused(
    writers: list[Writer], method: str, path: str, coding: str
) -> None:
    headers = {"Content-Encoding": coding, "If-Match": "*"}
    answer = both(writers, method, path, b"\x1f\x8b", JSON | headers)
    assert told(answer) == (415, "unsupported-media-type")
    assert ("Accept-Patch" in answer.headers) == (method == "PATCH")


@pytest.mark.parametrize(
    "given",
    [
        "application/json", "APPLICATION/JSON", "application/json; charset=utf-8",
        'application/json;charset="UTF-8"', "application/json ; charset=utf8",
        "application/json; profile=x", "application/json;",
    ],
)  # fmt: skip
def test_a_type_may_be_written_in_many_ways(writers: list[Writer], given: str) -> None:
    for writer in writers:
        headers = {"Content-Type": given, "Content-Encoding": "Identity"}
        assert writer.put("topics/bad-typed", {"label": "Typed"}, headers).status_code in (200, 201)
        assert writer.patch("topics/bad-typed", {"label": "Typed"}, headers).status_code == 200


@pytest.mark.parametrize(
    "accept", ["text/html", "application/xml", "application/json;q=0", "*/json"]
)
@pytest.mark.parametrize(("method", "path"), PATHS, ids=" ".join)
def test_what_nobody_could_read_is_not_written(
    writers: list[Writer], method: str, path: str, accept: str
) -> None:
    body = {"label": "Unread"}
    answer = both(writers, method, path, body, {"Accept": accept, "If-Match": "*"})
    assert told(answer) == (406, "not-acceptable")


# Paths

NO_PATH_IDS = (
    "none", "Upper", "under_score", "a--b", "-a", "a-", "x" * 81, "%C3%A9", "a%20b", "a%0Ab",
    "a%0D%0AX:1", "%FF", "%ED%A0%80", "..", "a;b", "a,b", "*", "%F0%9F%8C%8A",
)  # fmt: skip


@pytest.mark.parametrize("name", NO_PATH_IDS)
@pytest.mark.parametrize("kind", [*WRITTEN, "record"])
def test_no_id_is_no_id_in_the_path_either(writers: list[Writer], kind: str, name: str) -> None:
    if kind == "record":
        answer = both(writers, "PUT", f"calls/{name}/record", a_record("bad"))
        assert (told(answer), faults(answer)) == ((422, "invalid"), ["/call/id"])
        return
    answer = both(writers, "PUT", f"{kind}/{name}", a_document(kind))
    assert (told(answer), faults(answer)) == ((422, "invalid"), ["/id"])
    for method in ("GET", "PATCH", "DELETE"):
        answer = both(writers, method, f"{kind}/{name}", {} if method == "PATCH" else None)
        assert told(answer) == (404, "not-found")


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_nothing_is_at_a_path_with_nul(writers: list[Writer], method: str) -> None:
    for path in ("topics/%00", "calls/a%00b", "calls/%00/record", "topics/a%00/revisions"):
        answer = both(writers, method, path, a_document("topics"))
        assert answer.status_code in (404, 405)
