"""The order in which a request is checked: of several faults in one, the first is told.

Each request here has one fault more than the next, all of which come later in the order.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.call_records import a_record
from tests.writing import Writer, new_key, told

TAG = "order"


@dataclass
class Request:
    """A request in the making."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any = None
    query: str = ""
    environ: dict[str, str] = field(default_factory=dict)


Fault = tuple[tuple[int, str], Callable[[Request], None]]


def header(name: str, value: str | None) -> Callable[[Request], None]:
    def change(request: Request) -> None:
        request.headers.pop(name, None)
        if value is not None:
            request.headers[name] = value

    return change


def path(value: str) -> Callable[[Request], None]:
    return lambda request: setattr(request, "path", value)


def query(value: str) -> Callable[[Request], None]:
    return lambda request: setattr(request, "query", value)


def body(value: Any) -> Callable[[Request], None]:
    return lambda request: setattr(request, "body", value)


def too_large(request: Request) -> None:
    request.environ["CONTENT_LENGTH"] = str(2**40)


@pytest.fixture(scope="module")
def keys(writer: Writer, database_url: str) -> dict[str, str]:
    """Keys by what they may do; the records that the tests are about stand."""
    assert writer.put(f"calls/{TAG}-call/record", a_record(TAG)).status_code == 201
    writer.put(f"topics/{TAG}-gone", {"label": "Gone"})
    writer.delete(f"topics/{TAG}-gone")
    writer.put(f"calls/{TAG}-gone", {"title": "Gone"})
    writer.delete(f"calls/{TAG}-gone")
    return {
        "all": str(writer.key),
        "write": new_key(database_url, "write"),
        "read": new_key(database_url, "read"),
    }


NO_TOPIC = '{"label": 5}'
CLASHING = json.dumps({"label": f"{TAG} Locks"})

ROUTE: list[Fault] = [
    ((414, "uri-too-long"), query("?" + "x" * 4_000)),
    ((404, "not-found"), path("/v2/topics")),
]
KEY: list[Fault] = [
    ((401, "unauthorised"), header("Authorization", None)),
    ((401, "unauthorised"), header("Authorization", "Bearer rdo_nonsense")),
    ((403, "forbidden"), header("Authorization", "read")),
    ((406, "not-acceptable"), header("Accept", "text/html")),
]
BODY: list[Fault] = [
    ((415, "unsupported-media-type"), header("Content-Type", "text/plain")),
    ((413, "too-large"), too_large),
]
TURN: list[Fault] = [
    ((428, "precondition-required"), header("If-Match", None)),
    ((412, "stale"), header("If-Match", '"0-x"')),
]
NEW: list[Fault] = [((412, "stale"), header("If-Match", '"1-x"'))]
OF_TOPIC: list[Fault] = [
    ((400, "invalid-parameter"), query("?reason=")),
    ((400, "malformed-body"), body("{")),
    ((422, "invalid"), body(NO_TOPIC)),
    ((409, "conflict"), body(CLASHING)),
]
OF_RECORD: list[Fault] = [
    ((400, "invalid-parameter"), query("?shared=never")),
    ((400, "malformed-body"), body("{")),
    ((422, "invalid"), body('{"call": 5}')),
    ((422, "invalid"), body(json.dumps(a_record("order-other")))),
    (
        (409, "conflict"),
        body(
            json.dumps({**a_record(TAG), "topics": [{**a_record(TAG)["topics"][0], "label": "x"}]})
        ),
    ),
]


def a_put(where: str) -> dict[str, list[Fault]]:
    """What can be wrong with a PUT, by whether the record is there."""
    last = OF_RECORD if where == "record" else OF_TOPIC
    gone = f"/v1/calls/{TAG}-gone/record" if where == "record" else f"/v1/topics/{TAG}-gone"

    def without_a_tag(request: Request) -> None:
        path(gone)(request)
        header("If-Match", None)(request)

    return {
        "here": [*ROUTE, *KEY, *BODY, *TURN, *last],
        "new": [*ROUTE, *KEY, *BODY, *NEW, *last],
        "gone": [*ROUTE, *KEY, ((410, "retracted"), without_a_tag), *BODY, *TURN[1:], *last],
    }


TOPIC = f"/v1/topics/{TAG}-lock"
RECORD = f"/v1/calls/{TAG}-call/record"
CASES: dict[str, tuple[str, str, list[Fault]]] = {
    "PUT topic": ("PUT", TOPIC, a_put("topic")["here"]),
    "PUT new topic": ("PUT", f"/v1/topics/{TAG}-new", a_put("topic")["new"]),
    "PUT gone topic": ("PUT", f"/v1/topics/{TAG}-gone", a_put("topic")["gone"]),
    "PATCH topic": ("PATCH", TOPIC, [*ROUTE, *KEY, *BODY, *TURN, *OF_TOPIC]),
    "PATCH nothing": (
        "PATCH",
        TOPIC,
        [*ROUTE, *KEY, ((404, "not-found"), path(f"{TOPIC}-not")), *BODY, *TURN, *OF_TOPIC],
    ),
    "PATCH gone": (
        "PATCH",
        TOPIC,
        [
            *ROUTE,
            *KEY,
            ((410, "retracted"), path(f"/v1/topics/{TAG}-gone")),
            *BODY,
            *TURN,
            *OF_TOPIC,
        ],
    ),
    "DELETE": (
        "DELETE",
        TOPIC,
        [
            *ROUTE,
            *KEY[:2],
            ((403, "forbidden"), header("Authorization", "write")),
            ((404, "not-found"), path(f"{TOPIC}-not")),
            ((410, "retracted"), path(f"/v1/topics/{TAG}-gone")),
            *TURN,
            ((400, "invalid-parameter"), query("")),
            ((400, "invalid-parameter"), query("?reason=%20")),
            ((409, "conflict"), query("?reason=Cited")),
        ],
    ),
    "POST topic": ("POST", "/v1/topics", [*ROUTE, *KEY, *BODY, *OF_TOPIC]),
    "PUT record": ("PUT", RECORD, a_put("record")["here"]),
    "PUT gone record": ("PUT", f"/v1/calls/{TAG}-gone/record", a_put("record")["gone"][:-1]),
    "POST record": (
        "POST",
        "/v1/records",
        [*ROUTE, *KEY, *BODY, *[fault for fault in OF_RECORD if "other" not in str(fault)][:3]],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_of_several_faults_the_first_is_told(
    writer: Writer, keys: dict[str, str], case: str
) -> None:
    method, at, faults = CASES[case]
    tag = writer.get(at).headers.get("ETag")
    before = writer.read("changes/checkpoint")
    for first, (expected, _) in enumerate(faults):
        request = Request(method, at, {"Authorization": "all", "Content-Type": "application/json"})
        if tag:
            request.headers["If-Match"] = tag
        for _, change in reversed(faults[first:]):
            change(request)
        given = request.headers.get("Authorization")
        if given in keys:
            request.headers["Authorization"] = f"Bearer {keys[given]}"
        answer = writer.client.open(
            request.path + request.query,
            method=request.method,
            data=request.body,
            headers=request.headers,
            environ_overrides=request.environ,
        )
        assert told(answer) == expected, first
    assert writer.read("changes/checkpoint") == before


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/v1/topics", "GET, HEAD, OPTIONS, POST"),
        ("DELETE", "/v1/records", "GET, HEAD, OPTIONS, POST"),
        ("POST", TOPIC, "DELETE, GET, HEAD, OPTIONS, PATCH, PUT"),
        ("PATCH", RECORD, "GET, HEAD, OPTIONS, PUT"),
        ("POST", "/v1/changes", "GET, HEAD, OPTIONS"),
        ("DELETE", f"{TOPIC}/revisions/1", "GET, HEAD, OPTIONS"),
    ],
)
def test_the_method_is_checked_before_the_key(
    writer: Writer, method: str, path: str, allowed: str
) -> None:
    answer = writer.client.open(path, method=method, data="{", content_type="text/plain")
    assert told(answer) == (405, "method-not-allowed")
    assert answer.headers["Allow"] == allowed
