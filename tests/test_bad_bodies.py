"""Bodies that are no JSON, too large, cut, or of the wrong type: one row a case.

Whatever is sent, the answer is the same on both databases, tells what was wrong and what would be
right, and is never a 500; and nothing is written.
"""

import pytest

from tests.writing import Refused, Writer, faults, told

NDJSON = {"Content-Type": "application/x-ndjson"}


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
    ("PATCH", "topics/bad-lock"),
    ("POST", "records"),
    ("PUT", "calls/bad-call/record"),
)


@pytest.mark.parametrize(("method", "path"), PATHS, ids=" ".join)
def test_what_is_no_json_is_told_alike_wherever_a_body_is_taken(
    refused: Refused, method: str, path: str
) -> None:
    match = {"If-Match": "*"} if path in ("topics/bad-lock", "calls/bad-call/record") else {}
    for name, body in UNPARSABLE.items():
        answer = refused(method, path, body, match)
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
    refused: Refused, depth: int
) -> None:
    lists = b"[" * depth + b"]" * depth
    objects = b'{"a":' * depth + b"null" + b"}" * depth
    for method, path in (("POST", "topics"), ("PATCH", "topics/bad-lock")):
        for inner in (lists, objects):
            answer = refused(method, path, b'{"label":%b}' % inner, {"If-Match": "*"})
            assert told(answer) in ((400, "malformed-body"), (422, "invalid"))


# What is JSON, and no record

NO_OBJECTS = ("null", "true", "5", "-0", '"topic"', "[]", '[{"label": "a"}]', "[[[]]]")


@pytest.mark.parametrize("body", NO_OBJECTS)
@pytest.mark.parametrize(("method", "path"), PATHS, ids=" ".join)
def test_a_record_is_an_object(refused: Refused, method: str, path: str, body: str) -> None:
    answer = refused(method, path, body, {"If-Match": "*"} if "new" not in path else {})
    assert (told(answer), faults(answer)) == ((422, "invalid"), [""])
