"""Bodies that are too large, cut, of the wrong type or coded: one row a case.

The answer is the same on both databases and says what would be taken; nothing is written.
"""

import io
import json
from typing import Any

import pytest

from tests.test_bad_bodies import NDJSON, PATHS
from tests.writing import Refused, Writer, content, faults, told

JSON = {"Content-Type": "application/json"}
MEBIBYTE = 1024 * 1024

# Sizes

LIMITS = {
    ("POST", "topics"): MEBIBYTE,
    ("PUT", "calls/bad-new"): MEBIBYTE,
    ("PATCH", "topics/grain-deal"): MEBIBYTE,
    ("POST", "sources"): 8 * MEBIBYTE,
    ("PUT", "sources/bad-new"): 8 * MEBIBYTE,
    ("PATCH", "sources/selsund-bulletin-7"): 8 * MEBIBYTE,
    ("PUT", "calls/bad-new/record"): 16 * MEBIBYTE,
    ("POST", "records"): 16 * MEBIBYTE,
}


class Unread(io.BytesIO):
    def read(self, size: int | None = -1, /) -> bytes:
        raise AssertionError("it was read")


class Endless(io.RawIOBase):
    """A body that never ends."""

    given = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        buffer[:] = b" " * len(buffer)
        self.given += len(buffer)
        return len(buffer)


def with_length(length: int, body: io.IOBase) -> dict[str, Any]:
    """What WSGI says of a body of so many bytes."""
    return {"environ_overrides": {"CONTENT_LENGTH": str(length), "wsgi.input": body}}


def chunked(body: io.IOBase) -> dict[str, Any]:
    """What WSGI says of a body that comes in chunks."""
    return {
        "environ_overrides": {
            "HTTP_TRANSFER_ENCODING": "chunked",
            "wsgi.input": body,
            "wsgi.input_terminated": True,
        }
    }


@pytest.mark.parametrize(("where", "most"), LIMITS.items())
def test_a_body_that_says_it_is_too_large_is_not_read(
    refused: Refused, where: tuple[str, str], most: int
) -> None:
    for length in (most + 1, 10**15, 10**30):
        answer = refused(*where, None, JSON, **with_length(length, Unread()))
        assert told(answer) == (413, "too-large")
        assert f"{most:,} bytes" in answer.text


def test_ndjson_has_a_limit_of_its_own(refused: Refused) -> None:
    most = 64 * MEBIBYTE
    answer = refused("POST", "records", None, NDJSON, **with_length(most + 1, Unread()))
    assert told(answer) == (413, "too-large")
    assert f"{most:,} bytes" in answer.text


@pytest.mark.parametrize(("where", "most"), LIMITS.items())
def test_a_chunked_body_is_read_to_the_limit_and_no_further(
    writer: Writer, where: tuple[str, str], most: int
) -> None:
    body = Endless()
    answer = writer.send(*where, None, JSON, **chunked(body))
    assert told(answer) == (413, "too-large")
    assert body.given == most + 1


def test_a_chunked_body_is_read_whole(writers: list[Writer]) -> None:
    label = "Chunks " * 1_000
    body = json.dumps({"label": label}).encode()
    for writer in writers:
        answer = writer.send("POST", "topics", None, JSON, **chunked(io.BytesIO(body)))
        assert answer.status_code == 201, answer.text
        assert content(answer)["label"] == label


@pytest.mark.parametrize("body", [b"", b'{"label": "Cut', b'{"label": "Cut"}'])
def test_a_body_that_ends_too_early_is_told(refused: Refused, body: bytes) -> None:
    answer = refused("POST", "topics", None, JSON, **with_length(100, io.BytesIO(body)))
    assert told(answer) == (400, "malformed-body")


def test_a_body_as_large_as_may_be_is_taken(writers: list[Writer]) -> None:
    body = b'{"label": "As large"}'.ljust(MEBIBYTE)
    for writer in writers:
        answer = writer.put("topics/bad-large", body)
        assert answer.status_code == 201, answer.text


FITS = "é" * (MEBIBYTE // 2)


def test_the_text_of_a_source_has_one_mebibyte(writers: list[Writer]) -> None:
    for writer in writers:
        answer = writer.post("sources", {"title": "Long", "rights": "open", "text": FITS})
        assert answer.status_code == 201, answer.text[:500]
        assert content(answer)["characters"] == len(FITS)
        assert writer.read(f"sources/{content(answer)['id']}")["text"] == FITS


@pytest.mark.parametrize("text", [FITS + "x", "x" * (MEBIBYTE + 1)], ids=["bytes", "characters"])
def test_the_text_of_a_source_has_no_more(refused: Refused, text: str) -> None:
    answer = refused("POST", "sources", {"title": "Long", "rights": "open", "text": text})
    assert (told(answer), faults(answer)) == ((422, "invalid"), ["/text"])


# Types and codings

NO_TYPES = (
    "", " ", "json", "text/json", "text/plain", "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x", "application/problem+json", "application/json-patch+json",
    "application/yaml", "*/*", "application/*", "application/json, application/json",
    "application/json; charset=utf-16", "application/json; charset=latin-1",
    'application/json; charset="iso-8859-1"', "application/json; charset=utf-8x", "\xff",
    "x" * 9_000,
)  # fmt: skip


@pytest.mark.parametrize(("method", "path"), PATHS, ids=" ".join)
def test_the_type_of_a_body_is_heeded(refused: Refused, method: str, path: str) -> None:
    patch = "application/merge-patch+json, application/json"
    for given in NO_TYPES:
        answer = refused(method, path, {"label": "a"}, {"Content-Type": given, "If-Match": "*"})
        assert told(answer) == (415, "unsupported-media-type"), given
        assert answer.headers.get("Accept-Patch") == (patch if method == "PATCH" else None)


@pytest.mark.parametrize(("method", "path"), PATHS, ids=" ".join)
def test_a_body_without_type_is_refused(refused: Refused, method: str, path: str) -> None:
    answer = refused(method, path, None, {"If-Match": "*"}, input_stream=io.BytesIO(b"{}"))
    assert told(answer) == (415, "unsupported-media-type")
    taken = {
        "POST records": "application/json or application/x-ndjson",
        "PATCH topics/bad-lock": "application/merge-patch+json or application/json",
    }
    assert taken.get(f"{method} {path}", "application/json") in answer.text


@pytest.mark.parametrize(("method", "path"), PATHS, ids=" ".join)
def test_a_coded_body_is_refused(refused: Refused, method: str, path: str) -> None:
    for coding in ("gzip", "br", "deflate", "GZIP", "identity, gzip", "x", ""):
        headers = {"Content-Encoding": coding, "If-Match": "*"}
        answer = refused(method, path, b"\x1f\x8b", JSON | headers)
        assert told(answer) == (415, "unsupported-media-type"), coding
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


@pytest.mark.parametrize(("method", "path"), PATHS, ids=" ".join)
def test_what_nobody_could_read_is_not_written(refused: Refused, method: str, path: str) -> None:
    for accept in ("text/html", "application/xml", "application/json;q=0", "*/json"):
        headers = {"Accept": accept, "If-Match": "*"}
        answer = refused(method, path, {"label": "Unread"}, headers)
        assert told(answer) == (406, "not-acceptable"), accept
