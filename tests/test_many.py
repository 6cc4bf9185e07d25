"""Lists of many records: where pages, streams, facets and relevance have their limits."""

import csv
import io
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import orjson
import pytest
from flask.testing import FlaskClient

from tests.conftest import KINDS as DATABASES
from tests.oracle import Oracle
from tests.reading import add, at_fault, everything, get, ids, pages, read, walk

STATEMENTS, TOPICS, DATED = 1_050, 120, 700
TEXT = "Bulk."
SPAN = {"source": "paper", "start": 0, "end": 5, "digest": sha256(TEXT.encode()).hexdigest()}


def statement(n: int) -> dict[str, Any]:
    """One of many: two topics, a date for the first 700, the word `bulk` up to seven times."""
    return {
        "id": f"s-{n:04}",
        "account": "told",
        "setting": "off-call",
        "form": "indirect",
        "act": ("concern", "offer", "courtesy")[n % 3],
        "topics": [f"topic-{n % TOPICS:03}", f"topic-{(n * 7 + 1) % TOPICS:03}"],
        "said_on": f"20{n * 37 % 50 + 10}-0{n % 9 + 1}" if n < DATED else None,
        "summary": "Bulk " * (n % 7 + 1),
        "evidence": [SPAN],
    }


DOCUMENT = {
    "call": {"id": "bulk", "title": "Bulk"},
    "topics": [{"id": f"topic-{n:03}", "label": f"Topic {n}"} for n in range(TOPICS)],
    "sources": [{"id": "paper", "title": "Paper", "rights": "open", "text": TEXT}],
    "accounts": [{"id": "told", "call": "bulk", "genre": "briefing", "sources": ["paper"]}],
    "statements": [statement(n) for n in range(STATEMENTS)],
}


@pytest.fixture(scope="module", params=DATABASES)
def many(request: pytest.FixtureRequest, new_database: Callable[..., str]) -> FlaskClient:
    from api import create_app
    from api.settings import load
    from api.store.migrate import upgrade

    url = new_database(request.param)
    upgrade(url)
    add(url, DOCUMENT)
    return create_app(load({"READOUT_DATABASE_URL": url})).test_client()


@pytest.fixture(scope="module")
def oracle(many: FlaskClient) -> Oracle:
    return Oracle(everything(many))


def in_lines(many: FlaskClient, query: str) -> list[str]:
    """The ids that a stream of NDJSON gives, which must be whole."""
    answer = get(many, f"/v1/statements?format=ndjson&{query}")
    *records, end = answer.data.splitlines(keepends=True)
    assert orjson.loads(end)["sha256"] == sha256(b"".join(records)).hexdigest()
    assert orjson.loads(end)["count"] == len(records) == int(answer.headers["Readout-Count"])
    return [orjson.loads(record)["id"] for record in records]


def in_rows(many: FlaskClient, query: str) -> list[str]:
    answer = get(many, f"/v1/statements?format=csv&fields=id&{query}")
    rows = list(csv.DictReader(io.StringIO(answer.get_data(as_text=True), newline="")))
    assert int(answer.headers["Readout-Count"]) == len(rows)
    return [row["id"] for row in rows]


@pytest.mark.parametrize("sort", ["said_on", "-said_on", "id"])
def test_pages_and_streams_of_all(many: FlaskClient, oracle: Oracle, sort: str) -> None:
    expected = ids(oracle.in_order("statements", oracle.of("statements"), sort))
    assert len(expected) == STATEMENTS
    query = f"sort={sort}"
    found = list(pages(many, f"/v1/statements?{query}&limit=200&count=true"))
    assert [one for page in found for one in ids(page)] == expected
    assert [len(page["data"]) for page in found] == [200] * 5 + [50]
    assert {page["page"]["total"] for page in found} == {STATEMENTS}
    for stream in (in_lines, in_rows):
        assert stream(many, query) == expected
        for limit in (499, 500, 501, 777, 1049, 1050, 5000):
            assert stream(many, f"{query}&limit={limit}") == expected[:limit]


@pytest.mark.parametrize("sort", ["said_on", "-said_on", "id"])
def test_a_record_with_several_of_the_values_comes_once(
    many: FlaskClient, oracle: Oracle, sort: str
) -> None:
    topics = [f"topic-{n:03}" for n in range(0, 100, 2)]
    expected = ids(oracle.find("statements", {"topic": topics, "sort": [sort]}))
    assert len(expected) > 500
    query = f"topic={','.join(topics)}&sort={sort}"
    assert ids(walk(many, f"/v1/statements?{query}", {"limit": 111})) == expected
    assert read(many, f"/v1/statements?{query}&limit=0&count=true")["page"]["total"] == len(
        expected
    )
    assert in_lines(many, query) == in_rows(many, query) == expected


def test_a_facet_has_the_100_most_frequent_values(many: FlaskClient, oracle: Oracle) -> None:
    for query in ({}, {"act": ["offer"]}, {"topic": ["topic-001", "topic-004"]}):
        found = read(many, "/v1/statements?facets=topic,act,call&limit=0", query)["facets"]
        expected = oracle.find("statements", query)
        assert found == {name: oracle.facet(expected, name) for name in ("topic", "act", "call")}
    every = read(many, "/v1/statements?facets=topic&limit=0")["facets"]["topic"]
    assert len(every) == 100
    assert [(-one["count"], one["id"]) for one in every] == sorted(
        (-one["count"], one["id"]) for one in every
    )


def test_relevance_ends_after_1000_hits(many: FlaskClient) -> None:
    found = list(pages(many, "/v1/statements?q=bulk&limit=150&count=true"))
    hits = [one for page in found for one in ids(page)]
    assert len(hits) == len(set(hits)) == 1000
    assert {page["page"]["total"] for page in found} == {STATEMENTS}
    assert in_lines(many, "q=bulk") == hits
    assert in_lines(many, "q=bulk&limit=1001") == hits
    assert in_lines(many, "q=bulk&limit=600") == hits[:600]
    assert len(in_lines(many, "q=bulk&sort=id")) == STATEMENTS
    assert len(walk(many, "/v1/statements?q=bulk&sort=-said_on")) == STATEMENTS


def test_relevance_among_equals_loses_nobody(many: FlaskClient, oracle: Oracle) -> None:
    query = {"q": ["bulk"], "act": ["offer"], "topic": [f"topic-{n:03}" for n in range(40)]}
    expected = sorted(ids(oracle.find("statements", query)))
    asked = {name: ",".join(values) for name, values in query.items()}
    assert 100 < len(expected) < 1000
    for limit in (7, 100):
        hits = ids(walk(many, "/v1/statements", {**asked, "limit": limit}))
        assert sorted(hits) == expected


def test_a_page_has_at_most_200_and_a_stream_no_maximum(many: FlaskClient) -> None:
    assert len(read(many, "/v1/statements?limit=200")["data"]) == 200
    assert at_fault(many, "/v1/statements?limit=201") == ["limit"]
    assert len(in_lines(many, "limit=201")) == 201
