"""Lists as NDJSON and CSV, narrowed by `fields`, chosen by `format` or `Accept`."""

import csv
import hashlib
import io
from typing import Any

import orjson
import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.reading import (
    KINDS,
    LANTERN,
    SEED,
    View,
    at_fault,
    everything,
    get,
    ids,
    read,
    refused,
    walk,
)

LISTS = [
    *(f"/v1/{kind}" for kind in KINDS),
    f"/v1/calls/{LANTERN}/statements",
    f"/v1/calls/{LANTERN}/accounts",
    "/v1/topics/lighthouses/positions",
    "/v1/participants/lavrov/positions",
]
FORMS = {"json": "application/json", "ndjson": "application/x-ndjson", "csv": "text/csv"}


@pytest.fixture(scope="module")
def held(app: Flask) -> dict[str, dict[str, View]]:
    return everything(app.test_client())


def lines(data: bytes) -> list[View]:
    """The records of a stream that is whole."""
    *records, end = data.splitlines(keepends=True)
    assert orjson.loads(end) == {
        "end": True,
        "count": len(records),
        "sha256": hashlib.sha256(b"".join(records)).hexdigest(),
    }
    assert data.endswith(b"\n")
    return [orjson.loads(record) for record in records]


def rows(data: bytes) -> list[dict[str, str]]:
    """The rows of a table, which is RFC 4180."""
    assert data.endswith(b"\r\n")
    return list(csv.DictReader(io.StringIO(data.decode("utf-8"), newline=""), strict=True))


# Streams.


@pytest.mark.parametrize("path", LISTS)
def test_streams_hold_everything_that_matches(client: FlaskClient, path: str) -> None:
    every = walk(client, path)
    in_lines = get(client, path, {"format": "ndjson"})
    assert in_lines.headers["Content-Type"] == "application/x-ndjson"
    assert lines(in_lines.data) == every
    table = get(client, path, {"format": "csv"})
    assert table.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert [row["id"] for row in rows(table.data)] == ids(every)
    for answer in (in_lines, table):
        assert answer.headers["Readout-Count"] == str(len(every))
        assert "ETag" not in answer.headers
        assert "Link" not in answer.headers
        assert answer.headers["Vary"] == "Accept, Accept-Encoding"
        assert answer.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize("limit", [0, 1, 7, 200, 201, 1000, 10**15 - 1])
@pytest.mark.parametrize("query", ["", "topic=maritime-safety", "sort=-said_on", "q=the", "q=-the"])
def test_a_limit_caps_the_rows_without_a_maximum(
    client: FlaskClient, query: str, limit: int
) -> None:
    every = ids(walk(client, f"/v1/statements?{query}"))
    path = f"/v1/statements?{query}&limit={limit}"
    in_lines, table = (get(client, path, {"format": form}) for form in ("ndjson", "csv"))
    assert ids(lines(in_lines.data)) == every[:limit]
    assert [row["id"] for row in rows(table.data)] == every[:limit]
    for answer in (in_lines, table):
        assert answer.headers["Readout-Count"] == str(min(limit, len(every)))


@pytest.mark.parametrize("form", ["ndjson", "csv"])
def test_what_belongs_to_pages_is_refused_in_streams(client: FlaskClient, form: str) -> None:
    page = read(client, "/v1/statements?limit=1")["page"]
    for name, value in (("cursor", page["next"]), ("count", "true"), ("facets", "act")):
        assert at_fault(client, "/v1/statements", {"format": form, name: value}) == [name]
        answer = get(client, "/v1/statements", {name: value}, Accept=FORMS[form])
        assert answer.status_code == 400
    both = {"format": form, "count": "false", "facets": "act"}
    assert sorted(at_fault(client, "/v1/statements", both)) == ["count", "facets"]
    assert at_fault(client, "/v1/statements", {"format": form, "limit": "-1"}) == ["limit"]


# Tables.


def test_a_table_has_the_members_of_the_record_in_their_order(
    client: FlaskClient, held: dict[str, dict[str, View]]
) -> None:
    for kind in KINDS:
        data = get(client, f"/v1/{kind}", {"format": "csv"}).data
        first = next(iter(held[kind].values()))
        assert data.split(b"\r\n")[0].decode() == ",".join(first)


def cell(value: Any, name: str) -> str:
    """What stands in a cell."""
    match value:
        case None:
            text = ""
        case bool():
            text = "true" if value else "false"
        case list() if name == "evidence":
            text = "|".join(f"{one['source']['id']}:{one['start']}-{one['end']}" for one in value)
        case list() if name in ("participants", "lifecycle", "related"):
            text = "|".join(orjson.dumps(one).decode() for one in value)
        case list():
            text = "|".join(one["id"] if isinstance(one, dict) else one for one in value)
        case dict():
            text = value["id"]
        case _:
            text = str(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


@pytest.mark.parametrize("kind", KINDS)
def test_references_are_ids_and_lists_are_joined(
    client: FlaskClient, held: dict[str, dict[str, View]], kind: str
) -> None:
    for row in rows(get(client, f"/v1/{kind}", {"format": "csv"}).data):
        record = held[kind][row["id"]]
        assert row == {name: cell(value, name) for name, value in record.items()}


@pytest.mark.parametrize(
    ("path", "member", "text"),
    [
        ("/v1/calls?status=rescheduled", "title", "'=Review of the accord (date open)"),
        ("/v1/calls?status=rescheduled", "notes", "'@all: nothing has been said yet, so"),
        ("/v1/sources?q=falling", "title", "'- 4 °C and falling"),
        ("/v1/participants?q=dogg", "aliases", "'@kaldpoint_keeper"),
        ("/v1/statements?q=%22means+lit%22", "quote", "'= means lit, + means out,"),
        ("/v1/statements?q=%22buoys+is+all%22", "quote", "'+3 buoys is all that we ask of Malta,"),
        ("/v1/statements?q=guilt", "summary", "'-Buoys in common, but no guilt in common"),
        ("/v1/statements?q=guilt", "evidence", "strand-notice-board:161-229"),
        ("/v1/statements?account=ferry-service-briefing&act=denial", "addressees", ""),
    ],
)
def test_formulas_are_made_harmless(client: FlaskClient, path: str, member: str, text: str) -> None:
    [row] = rows(get(client, path, {"format": "csv"}).data)
    assert row[member].startswith(text)
    assert text or not row[member]


def test_line_ends_quotes_and_bars_come_through(client: FlaskClient) -> None:
    data = get(client, f"/v1/calls/{LANTERN}/statements?format=csv").data
    [row] = [row for row in rows(data) if row["id"] == "lantern-2031-14"]
    assert row["quote"] == "The keeper’s log is ours,\nand we shall not hand it over."
    assert b'"The keeper\xe2\x80\x99s log is ours,\nand we' in data
    [call] = rows(get(client, "/v1/calls?format=csv&medium=video").data)
    assert '"note":"By telex | in two lines:\\n“Fifth, noon. Bring oil.”"' in call["lifecycle"]


# Fields.


@pytest.mark.parametrize("path", LISTS)
def test_fields_narrow_the_records_of_a_list(client: FlaskClient, path: str) -> None:
    some = [{"id": one["id"], "revision": 1} for one in walk(client, path)]
    for fields in ("id,revision", "revision,id", "id,id,revision"):
        assert walk(client, path, {"fields": fields}) == some
        assert lines(get(client, path, {"fields": fields, "format": "ndjson"}).data) == some
        table = get(client, path, {"fields": fields, "format": "csv"}).data
        assert rows(table) == [{"id": one["id"], "revision": "1"} for one in some]
        assert table.startswith(b"id,revision\r\n")
    assert at_fault(client, f"{path}?fields=id,nothing,Id") == ["fields", "fields"]
    assert at_fault(client, f"{path}?fields=id&fields=") == ["fields"]


def test_fields_do_not_change_what_is_found(client: FlaskClient) -> None:
    asked = "/v1/statements?topic=grain-deal&position=true&count=true&facets=topic&limit=1"
    whole, narrow = read(client, asked), read(client, f"{asked}&fields=quote")
    assert narrow["data"] == [{"quote": one["quote"]} for one in whole["data"]]
    assert {**narrow, "data": []} == {**whole, "data": []}


# Which form.

ACCEPT = [
    ("application/json", "json"), ("application/x-ndjson", "ndjson"), ("text/csv", "csv"),
    ("*/*", "json"), ("", "json"), ("application/*", "json"), ("text/*", "csv"),
    ("TEXT/CSV", "csv"),
    ("text/csv, application/json", "json"), ("text/csv, application/x-ndjson", "ndjson"),
    ("text/csv, application/json;q=0.9", "csv"), ("text/csv;q=0.1, */*;q=0.2", "json"),
    ("application/x-ndjson, */*;q=0.1", "ndjson"), ("application/json;q=0, */*", "ndjson"),
    ("application/*;q=0, */*;q=0.1", "csv"), ("text/csv;q=0, text/*", None),
    ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "json"),
    ("text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", "json"),
    ("application/json; charset=utf-8", "json"), ("text/csv;header=present;q=0.5", "csv"),
    ("application/json;q=x", "json"), ("text/csv;q=1.5, application/json;q=0.2", "csv"),
    ("image/png", None), ("application/json;q=0", None), ("*/*;q=0", None), ("*/*;q=0.000", None),
    ("application/problem+json", None), ("json", None), (",", None), (";;;", None), ('"', None),
    ("text/csv;q=nan", "csv"), (", text/csv,", "csv"),
    ("application/json;q=0.5,,text/csv;q=0.4", "json"),
]  # fmt: skip


@pytest.mark.parametrize(("accept", "form"), ACCEPT)
def test_accept_chooses_the_form(client: FlaskClient, accept: str, form: str | None) -> None:
    answer = get(client, "/v1/statements?limit=1", Accept=accept)
    if form is None:
        assert answer.status_code == 406
        assert answer.get_json()["type"] == "/problems#not-acceptable"
        assert all(mimetype in answer.get_json()["detail"] for mimetype in FORMS.values())
    else:
        assert (answer.status_code, answer.mimetype) == (200, FORMS[form])


@pytest.mark.parametrize("form", FORMS)
def test_format_goes_before_accept(client: FlaskClient, form: str) -> None:
    for accept in ("application/json", "text/csv", "image/png", "*/*;q=0"):
        answer = get(client, f"/v1/topics?format={form}", Accept=accept)
        assert (answer.status_code, answer.mimetype) == (200, FORMS[form])


@pytest.mark.parametrize("form", ["JSON", "xml", "json,csv", "application/json"])
def test_other_formats_are_refused(client: FlaskClient, form: str) -> None:
    assert at_fault(client, "/v1/topics", {"format": form}) == ["format"]


@pytest.mark.parametrize(
    "path", [f"/v1/statements/{SEED}-06", f"/v1/calls/{SEED}/comparison", "/v1/vocabularies"]
)
def test_what_is_no_list_comes_as_json_alone(client: FlaskClient, path: str) -> None:
    for accept in ("application/json", "*/*", "application/*;q=0.1", "text/html, */*;q=0.8"):
        assert get(client, path, Accept=accept).mimetype == "application/json"
    for accept in ("text/csv", "application/x-ndjson", "application/json;q=0"):
        assert get(client, path, Accept=accept).status_code == 406
    assert at_fault(client, path, {"format": "json"}) == ["format"]


def test_an_unknown_id_is_told_before_a_stream_begins(client: FlaskClient) -> None:
    for form in ("ndjson", "csv"):
        answer = refused(client, f"/v1/statements?topic=nothing&format={form}")
        assert answer[:2] == (404, "unknown-id")


def test_no_stream_keeps_a_connection(client: FlaskClient) -> None:
    for _ in range(20):  # More than there may be at once.
        for path in ("/v1/statements?format=ndjson", "/v1/topics?format=csv", "/v1/records"):
            assert client.head(path).status_code == 200
            refused(client, "/v1/statements?topic=nothing&format=csv")
            half_read = client.get(path, buffered=False)
            assert next(iter(half_read.response))
            half_read.close()
