"""Conditional requests, HEAD, OPTIONS, and the coding of answers."""

import gzip
import re
import zlib
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from tests.reading import FERRY, LANTERN, SEED, get

NUMBERED = [
    f"/v1/calls/{SEED}",
    "/v1/participants/sergey-lavrov",
    "/v1/topics/grain-deal",
    "/v1/topics/black-sea-grain-initiative",
    "/v1/topics/grain-deal?fields=id,label",
    "/v1/sources/selsund-bulletin-7",
    f"/v1/accounts/{SEED}-us-plan",
    f"/v1/statements/{SEED}-06",
    f"/v1/calls/{SEED}/record",
]
UNNUMBERED = [
    "/v1/calls",
    "/v1/statements?topic=grain-deal&position=true&count=true&facets=act",
    "/v1/statements?q=the&limit=2",
    "/v1/topics/grain-deal/positions",
    f"/v1/calls/{LANTERN}/statements?limit=3",
    f"/v1/calls/{LANTERN}/comparison",
    "/v1/vocabularies",
    "/",
    "/problems",
    "/openapi.json",
    "/openapi.yaml",
]
TAGGED = [*NUMBERED, *UNNUMBERED]
STREAMS = ["/v1/statements?format=ndjson", "/v1/topics?format=csv", "/v1/records"]
CODINGS = [
    ("gzip", True), ("GZIP", True), ("*", True), ("br, gzip;q=0.1", True), ("gzip, *;q=0", True),
    ("deflate, gzip;q=1.0, *;q=0.5", True), ("gzip;q=0.001", True), ("gzip;q=.5", True),
    ("", False), ("identity", False), ("br, deflate", False), ("gzip;q=0", False), ("*;q=0", False),
    ("gzip;q=0, *", False), ("gzip;q=0.000", False), (",", False), ("gzipped", False),
]  # fmt: skip


@pytest.fixture(scope="module")
def database_url(new_database: Callable[..., str]) -> str:
    """SQLite's alone: the database has no say in any of this."""
    return new_database("sqlite", filled=True)


# ETag and 304.


@pytest.mark.parametrize("path", TAGGED)
def test_an_answer_has_a_strong_tag_by_which_it_is_known_again(
    client: FlaskClient, path: str
) -> None:
    answer = get(client, path)
    tag = answer.headers["ETag"]
    assert re.fullmatch(r'"[0-9]+-[0-9a-f]+"' if path in NUMBERED else r'"[0-9a-f]+"', tag)
    assert answer.headers["Cache-Control"] == "no-cache"
    assert answer.headers["Vary"] == "Accept, Accept-Encoding"
    for known in (tag, f'"x", {tag}', f"W/{tag}", f'"x" , W/{tag},"y"', "*"):
        unchanged = get(client, path, If_None_Match=known)
        assert (unchanged.status_code, unchanged.data) == (304, b""), known
        for name in ("ETag", "Cache-Control", "Vary", "Content-Location", "Link"):
            assert unchanged.headers.get(name) == answer.headers.get(name)
        assert "Content-Type" not in unchanged.headers
    for other in ('"x"', '""', "W/", ",", '"', f'"x{tag[1:]}', tag[:-2] + '"', tag * 2):
        assert get(client, path, If_None_Match=other).status_code == 200, other


@pytest.mark.parametrize(
    "path", ["/v1/topics/grain-deal", f"/v1/statements/{SEED}-06", f"/v1/accounts/{SEED}-us-plan"]
)
def test_the_number_in_a_tag_is_the_revision(client: FlaskClient, path: str) -> None:
    answer = get(client, path)
    assert answer.headers["ETag"].startswith(f'"{answer.get_json()["revision"]}-')


def test_answers_that_differ_have_tags_that_differ(client: FlaskClient) -> None:
    tags: dict[str, bytes] = {}
    for path in [*TAGGED, "/v1/statements", "/v1/statements?limit=2", "/v1/statements?fields=id"]:
        for coding in ("identity", "gzip"):
            answer = get(client, path, Accept_Encoding=coding)
            assert tags.setdefault(answer.headers["ETag"], answer.data) == answer.data
    assert len(set(tags.values())) == len(tags)


def test_the_form_of_an_answer_is_part_of_its_tag(client: FlaskClient) -> None:
    as_html = get(client, "/problems", Accept="text/html")
    as_json = get(client, "/problems", Accept="application/json")
    assert as_html.mimetype != as_json.mimetype
    assert as_html.headers["ETag"] != as_json.headers["ETag"]


def test_a_tag_stays_while_nothing_changes(client: FlaskClient) -> None:
    for path in TAGGED:
        assert len({get(client, path).headers["ETag"] for _ in range(3)}) == 1


@pytest.mark.parametrize("path", STREAMS)
def test_a_stream_has_no_tag(client: FlaskClient, path: str) -> None:
    for known in ('"x"', "*"):
        answer = get(client, path, If_None_Match=known)
        assert answer.status_code == 200
        assert "ETag" not in answer.headers


def test_a_tag_does_not_help_where_the_answer_is_a_problem(client: FlaskClient) -> None:
    for path, status in (("/v1/topics/nothing", 404), ("/v1/topics?limit=x", 400)):
        answer = get(client, path, If_None_Match="*")
        assert answer.status_code == status
        assert "ETag" not in answer.headers


# Coding.


@pytest.mark.parametrize(("accepted", "packed"), CODINGS)
def test_answers_are_packed_where_the_client_takes_that(
    client: FlaskClient, accepted: str, packed: bool
) -> None:
    for path in ("/v1/statements?limit=9", f"/v1/calls/{FERRY}", STREAMS[1], STREAMS[2]):
        plain = get(client, path).data
        answer = get(client, path, Accept_Encoding=accepted)
        assert answer.headers.get("Content-Encoding") == ("gzip" if packed else None)
        assert (gzip.decompress(answer.data) if packed else answer.data) == plain
        assert answer.headers["Vary"] == "Accept, Accept-Encoding"


def test_small_answers_are_not_packed(client: FlaskClient) -> None:
    small = get(client, "/v1/statements?limit=0", Accept_Encoding="gzip")
    assert "Content-Encoding" not in small.headers
    assert small.get_json()["data"] == []


@pytest.mark.parametrize("path", ["/v1/statements", f"/v1/calls/{SEED}/record"])
def test_the_tag_of_one_coding_does_not_stand_for_another(client: FlaskClient, path: str) -> None:
    plain, packed = (get(client, path, Accept_Encoding=one) for one in ("identity", "gzip"))
    assert plain.headers["ETag"] != packed.headers["ETag"]
    assert int(packed.headers["Content-Length"]) == len(packed.data) < len(plain.data)
    known = packed.headers["ETag"]
    again = get(client, path, Accept_Encoding="gzip", If_None_Match=known)
    assert again.status_code == 304
    assert get(client, path, If_None_Match=known).status_code == 200


def test_a_packed_stream_that_is_cut_shows(client: FlaskClient) -> None:
    whole = get(client, STREAMS[0], Accept_Encoding="gzip").data
    unpacker = zlib.decompressobj(16 + zlib.MAX_WBITS)
    cut = unpacker.decompress(whole[:-20])
    assert not unpacker.eof
    assert b'{"end":true' not in cut.splitlines()[-1] or not cut.endswith(b"\n")


# HEAD and OPTIONS.


@pytest.mark.parametrize("path", [*TAGGED, *STREAMS, "/healthz", "/readyz", "/metrics"])
def test_head_says_what_get_would_say(client: FlaskClient, path: str) -> None:
    for coding in ("identity", "gzip"):
        by_get = get(client, path, Accept_Encoding=coding)
        by_head = client.head(path, headers={"Accept-Encoding": coding})
        assert by_head.status_code == by_get.status_code == 200
        assert by_head.data == b""
        changing = {"X-Request-Id"} | ({"Content-Length"} if path == "/metrics" else set())
        mine, its = (
            {name: value for name, value in answer.headers if name not in changing}
            for answer in (by_head, by_get)
        )
        assert mine == its


def test_head_is_conditional_too_and_tells_problems_without_a_body(client: FlaskClient) -> None:
    path = "/v1/topics/grain-deal"
    tag = client.head(path).headers["ETag"]
    assert client.head(path, headers={"If-None-Match": tag}).status_code == 304
    for wrong, status in (("/v1/topics/nothing", 404), ("/v1/topics?x=1", 400), ("/x", 404)):
        answer = client.head(wrong)
        assert (answer.status_code, answer.data) == (status, b"")
        assert answer.mimetype == "application/problem+json"
    assert client.head("/v1/topics", headers={"Accept": "image/png"}).status_code == 406


@pytest.mark.parametrize("path", [*TAGGED, *STREAMS, "/healthz", "/readyz", "/metrics", "/docs"])
def test_options_tell_the_methods(client: FlaskClient, path: str) -> None:
    answer = client.options(path.partition("?")[0])
    assert (answer.status_code, answer.data) == (204, b"")
    assert {"GET", "HEAD", "OPTIONS"} <= set(answer.headers["Allow"].split(", "))


@pytest.mark.parametrize("path", ["/v1/vocabularies", "/", f"/v1/calls/{SEED}/comparison"])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW"])
def test_other_methods_are_told_those_that_are_taken(
    client: FlaskClient, path: str, method: str
) -> None:
    answer = client.open(path, method=method)
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS"
    assert answer.mimetype == "application/problem+json"
    assert answer.get_json()["type"] == "/problems#method-not-allowed"
