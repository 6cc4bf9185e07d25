"""Call records out: the one document that seeds, import and export share."""

import functools
import hashlib
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from flask.testing import FlaskClient

from api.exchange.documents import load, parse_yaml
from tests.conftest import RECORDS
from tests.reading import CALLS, FERRY, LANTERN, REVIEW, WEATHER, add, get, ids, read, walk

Document = dict[str, Any]
KINDS = ("participants", "topics", "sources", "accounts", "statements")
FILES = {path.stem: path for path in RECORDS}


def record(client: FlaskClient, call: str) -> Document:
    found: Document = read(client, f"/v1/calls/{call}/record")
    return found


@functools.cache
def as_it_was_written(call: str) -> Document:
    """The document of a file, with what it leaves to defaults, its lists in the order of ids."""
    document = load(parse_yaml(FILES[call].read_text(encoding="utf-8")))
    accounts = {account["id"]: account for account in document["accounts"]}
    for statement in document["statements"]:
        on_call = statement["setting"] == "on-call"
        told = accounts[statement["account"]]
        default = document["call"]["held_on"] if on_call else told["given_on"]
        statement.setdefault("said_on", default)
    for kind in KINDS:
        document[kind].sort(key=lambda one: str(one["id"]))
    return document


def test_there_is_a_file_for_each_call() -> None:
    assert set(FILES) == set(CALLS)


@pytest.mark.parametrize("call", CALLS)
def test_a_record_comes_out_as_it_went_in(client: FlaskClient, call: str) -> None:
    found = record(client, call)
    assert list(found) == ["call", *KINDS]
    assert found == as_it_was_written(call)


@pytest.mark.parametrize("call", CALLS)
def test_a_record_is_in_the_shape_that_writes_take(client: FlaskClient, call: str) -> None:
    found = record(client, call)
    assert load(found) == found
    server_set = {"revision", "created_at", "updated_at", "position", "self_reported"}
    for kind in KINDS:
        for one in found[kind]:
            assert not server_set & one.keys()
    for statement in found["statements"]:
        assert "call" not in statement
        assert all(isinstance(one, str) for one in [statement["account"], *statement["speakers"]])


@pytest.mark.parametrize("call", CALLS)
def test_a_record_lists_all_that_it_names_and_no_more(client: FlaskClient, call: str) -> None:
    found = record(client, call)
    told, said = found["accounts"], found["statements"]
    people = {one["participant"] for one in found["call"]["participants"]}
    people |= {one["side"] for one in found["call"]["participants"]} - {None}
    people |= {*found["call"]["initiated_by"]}
    people |= {who for one in told for who in (*one["sides"], one["given_by"])} - {None}
    roles = ("speakers", "addressees", "targets")
    people |= {who for one in said for role in roles for who in one[role]}
    papers = {stage["source"] for stage in found["call"]["lifecycle"]} - {None}
    papers |= {paper for one in told for paper in one["sources"]}
    papers |= {span["source"] for one in said for span in one["evidence"]}
    topics = {topic for one in said for topic in one["topics"]}
    broader = {one["id"]: one["broader"] for one in found["topics"]}
    topics |= {broader[one] for one in broader} - {None}
    assert set(ids(found["participants"])) == people
    assert set(ids(found["sources"])) == papers
    assert set(ids(found["topics"])) == topics
    assert {one["call"] for one in told} <= {call}
    for kind in KINDS:
        assert ids(found[kind]) == sorted(set(ids(found[kind])))


def test_broader_topics_come_along(client: FlaskClient) -> None:
    topics = {one["id"]: one["broader"] for one in record(client, WEATHER)["topics"]}
    assert topics == {
        "lighthouses": "maritime-safety",
        "maritime-safety": None,
        "weather-data": None,
    }


def test_a_related_call_need_not_be_here(client: FlaskClient) -> None:
    assert record(client, LANTERN)["call"]["related"] == [
        {"call": "selsund-first-call-2029", "relation": "follows"}
    ]


def test_texts_come_along_where_they_are_held(client: FlaskClient) -> None:
    held = {one["id"]: one["text"] is not None for one in record(client, LANTERN)["sources"]}
    assert held["selsund-bulletin-7"]
    assert sum(held.values()) == 1
    notes = record(client, FERRY)["call"]["notes"]
    assert len(notes) > 3000
    assert notes.endswith("nothing is missing.")


def test_a_call_of_which_nothing_is_told_has_a_record(client: FlaskClient) -> None:
    found = record(client, REVIEW)
    assert (found["accounts"], found["statements"], found["topics"]) == ([], [], [])


def test_the_etag_is_the_number_of_the_last_change_to_the_call(client: FlaskClient) -> None:
    tags = [get(client, f"/v1/calls/{call}/record").headers["ETag"] for call in CALLS]
    numbers = [int(tag.strip('"').split("-")[0]) for tag in tags]
    assert len(set(numbers)) == len(CALLS)
    assert all(number >= 1 for number in numbers)


# All of them.


def test_the_export_has_a_line_for_each_call_and_an_end(client: FlaskClient) -> None:
    answer = get(client, "/v1/records")
    assert answer.mimetype == "application/x-ndjson"
    assert answer.headers["Readout-Count"] == str(len(CALLS))
    assert "ETag" not in answer.headers
    *lines, end = answer.data.splitlines(keepends=True)
    assert [orjson.loads(line) for line in lines] == [record(client, one) for one in sorted(CALLS)]
    assert orjson.loads(end) == {
        "end": True,
        "count": len(CALLS),
        "sha256": hashlib.sha256(b"".join(lines)).hexdigest(),
    }


def test_the_export_is_ndjson_alone(client: FlaskClient) -> None:
    assert get(client, "/v1/records", Accept="application/x-ndjson").status_code == 200
    assert get(client, "/v1/records", Accept="application/json").status_code == 406
    assert get(client, "/v1/records", Accept="*/*;q=0.1").status_code == 200


def test_an_export_imports_to_the_same_on_the_other_database(
    client: FlaskClient, database_url: str, new_database: Callable[..., str]
) -> None:
    from api import create_app
    from api.settings import load as settings
    from api.store.migrate import upgrade

    url = new_database("postgresql" if database_url.startswith("sqlite") else "sqlite")
    upgrade(url)
    exported = get(client, "/v1/records").data
    for line in reversed(exported.splitlines()[:-1]):
        add(url, orjson.loads(line))
    copy = create_app(settings({"READOUT_DATABASE_URL": url})).test_client()
    assert get(copy, "/v1/records").data == exported
    for kind in ("statements", "accounts", "topics"):
        mine, its = (walk(one, f"/v1/{kind}") for one in (client, copy))
        stamps = ("created_at", "updated_at")
        assert [{k: v for k, v in one.items() if k not in stamps} for one in its] == [
            {k: v for k, v in one.items() if k not in stamps} for one in mine
        ]
