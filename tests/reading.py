"""What the tests of reading share: asking, walking through lists, and all that a database holds."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import unquote, urlencode

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

View = dict[str, Any]
Query = Mapping[str, Any]

KINDS = ("calls", "participants", "topics", "sources", "accounts", "statements")
LANTERN = "selsund-lantern-call-2031"
FERRY = "selsund-ferry-call-2031"
WEATHER = "selsund-weather-call-2031"
REVIEW = "selsund-review-call-203x"
SEED = "blinken-lavrov-2022-07-29"
CALLS = (SEED, FERRY, LANTERN, REVIEW, WEATHER)


def get(client: FlaskClient, path: str, query: Query | None = None, **headers: str) -> TestResponse:
    """Answer to a GET; what is in the query joins what the path has, a list as repetitions."""
    path, _, given = path.partition("?")
    asked = "&".join(part for part in (given, urlencode(query or {}, doseq=True)) if part)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.get(path, query_string=asked, headers=named)


def read(client: FlaskClient, path: str, query: Query | None = None) -> Any:
    """The JSON of a GET that must succeed."""
    answer = get(client, path, query)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_json()


def refused(client: FlaskClient, path: str, query: Query | None = None) -> tuple[int, str, Any]:
    """The status, type and errors of a GET that must be refused with a problem."""
    answer = get(client, path, query)
    told = answer.get_json()
    assert answer.mimetype == "application/problem+json", answer.get_data(as_text=True)
    assert told["status"] == answer.status_code
    assert unquote(told["instance"]) == unquote(path.partition("?")[0])
    assert told["title"]
    assert told["detail"]
    return answer.status_code, told["type"].removeprefix("/problems#"), told.get("errors", [])


def at_fault(client: FlaskClient, path: str, query: Query | None = None) -> list[str]:
    """The parameters that a 400 names."""
    status, kind, errors = refused(client, path, query)
    assert (status, kind) == (400, "invalid-parameter")
    assert all(error["detail"] for error in errors)
    return [error["parameter"] for error in errors]


def ids(records: Sequence[View] | View) -> list[str]:
    """The ids of records, or of those on a page."""
    found = records["data"] if isinstance(records, dict) else records
    return [one["id"] for one in found]


def pages(client: FlaskClient, path: str, query: Query | None = None) -> Iterator[View]:
    """The pages of a list, by their cursors."""
    asked = dict(query or {})
    while True:
        page = read(client, path, asked)
        yield page
        asked["cursor"] = page["page"]["next"]
        if asked["cursor"] is None:
            return


def walk(client: FlaskClient, path: str, query: Query | None = None) -> list[View]:
    """All records of a list, page by page."""
    asked = {"limit": "200", **(query or {})}
    return [one for page in pages(client, path, asked) for one in page["data"]]


def everything(client: FlaskClient) -> dict[str, dict[str, View]]:
    """All records of each kind, by id."""
    return {kind: {one["id"]: one for one in walk(client, f"/v1/{kind}")} for kind in KINDS}


def add(url: str, document: Any) -> None:
    """Put a call record into a database that is at head."""
    from api.exchange.documents import load
    from api.exchange.imports import put_record
    from api.store.engine import Database
    from api.unit import Unit

    database = Database(url)
    with database.write() as connection:
        unit = Unit(connection, "tests")
        put_record(unit, load(document))
        unit.commit()
    database.close()
