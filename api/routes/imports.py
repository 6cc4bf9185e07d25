"""Call records to put: one call made exactly what a document says, or many one after another."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson
from flask import Response
from marshmallow import Schema, fields
from sqlalchemy import Connection

from api import ledger
from api.exchange.documents import Malformed, load
from api.exchange.imports import MayNotRetract, put_record
from api.exchange.lines import Lines
from api.routes.found import gone_by, retracted, standing_of
from api.routes.gate import key_at_hand
from api.routes.records import CALL_PATH, shown
from api.routes.writing import WHY, refused, rejected
from api.store.calls import CALLS
from api.store.engine import Database, Unavailable
from api.unit import Clash, Invalid, Rejected, Unit
from api.web import bodies, preconditions
from api.web.answers import JSON, NDJSON, accepted, answer
from api.web.at_hand import request
from api.web.operations import LINES, Api, Operation
from api.web.preconditions import Standing
from api.web.problems import ProblemError, as_dict
from api.web.requests import query, query_schema
from schemas.fields import Text
from schemas.problem import Fault, Problem
from schemas.query import Choice, Single
from schemas.record import CallRecord

MOST_RECORD = 16 * bodies.MEBIBYTE
MOST_RECORDS = 64 * bodies.MEBIBYTE
SHARED = Single(
    Choice(["keep", "update"]),
    "What happens to participants, topics and sources that differ from those that stand: `keep`"
    " (the default) is a conflict, `update` changes them.",
)
REASON = Single(Text(required=True), WHY)
PUT_QUERY = query_schema({"shared": SHARED, "reason": REASON})
POST_QUERY = query_schema(
    {
        "existing": Single(
            Choice(["keep", "replace"]),
            "What happens to a call that stands and differs: `keep` (the default) is a conflict,"
            " `replace` makes it what the record says.",
        ),
        "shared": SHARED,
        "reason": REASON,
    }
)
PROBLEMS = (
    "malformed-body",
    "too-large",
    "unsupported-media-type",
    "invalid",
    "conflict",
    "no-room",
)


class Fate(Schema):
    """What became of one line."""

    line = fields.Integer(required=True)
    id = fields.String(required=True, allow_none=True)
    fate = fields.String(required=True, metadata={"examples": ["created"]})
    problem = fields.Nested(Problem, allow_none=True, required=True)


class Fates(Schema):
    """What became of each line; `complete` is false where the end line is wrong."""

    data = fields.List(fields.Nested(Fate), required=True)
    complete = fields.Boolean(required=True)


@contextmanager
def told() -> Iterator[None]:
    """Tell what is wrong with a call record as a problem."""
    try:
        yield
    except Malformed as error:
        raise rejected(Invalid(error.faults)) from None
    except Rejected as error:
        raise rejected(error) from None
    except MayNotRetract as error:
        raise ProblemError(
            "forbidden", f"This retracts {error}; that needs a key with the scope retract."
        ) from None


def add(api: Api, database: Database) -> None:
    """Register the routes that put call records."""

    @api.route(
        "/v1/calls/{id}/record",
        Operation(
            id="putCallRecord",
            tag="records",
            method="put",
            scope="write",
            summary="Make or replace a call record",
            description="Use this to make a call, its accounts and its statements exactly what the"
            " document says; what it no longer holds is retracted (scope `retract`).",
            path_examples=CALL_PATH,
            query=PUT_QUERY,
            request_headers=("If-Match", "If-None-Match: *"),
            body={JSON: CallRecord()},
            body_example=lambda seed: seed.record(),
            status=(200, 201),
            answers={JSON: CallRecord()},
            headers=("ETag", "Location"),
            problems=("retracted", "stale", "precondition-required", *PROBLEMS),
        ),
    )
    def put_call_record(record: str) -> Response:
        accepted([JSON])
        with database.read() as connection:
            standing = _standing(connection, record)
        body = bodies.read([JSON], MOST_RECORD)
        preconditions.check(standing)
        asked = query(PUT_QUERY)
        document = bodies.parse(body)
        with told():
            put = load(document)
            if put["call"]["id"] != record:
                raise Invalid([Fault("/call/id", f"Must be the id of the path, '{record}'.")])
            with database.write() as connection:
                standing = _standing(connection, record)
                preconditions.check(standing)
                _put(connection, put, asked, may_retract=_may_retract())
                stands = shown(connection, record)
        return _made(stands, record, new=standing.number is None)

    @api.route(
        "/v1/records",
        Operation(
            id="importRecords",
            tag="records",
            method="post",
            scope="write",
            summary="Import call records",
            description="Use this to put one call record (JSON), which comes back, or many, one a"
            " line (NDJSON). Each line is all or nothing and commits by itself; the answer gives"
            " each line's fate.",
            query=POST_QUERY,
            body={JSON: CallRecord(), NDJSON: LINES},
            body_example=lambda seed: seed.record(),
            status=(200, 201),
            answers={JSON: (CallRecord(), Fates())},
            headers=("Location",),
            problems=("retracted", *PROBLEMS),
        ),
    )
    def import_records() -> Response:
        accepted([JSON])
        if bodies.check_type([JSON, NDJSON]) == NDJSON:
            body = bodies.read([NDJSON], MOST_RECORDS)
            return _import_lines(database, body, query(POST_QUERY))
        body = bodies.read([JSON], MOST_RECORD)
        asked = query(POST_QUERY)
        document = bodies.parse(body)
        with told():
            put = load(document)
            with database.write() as connection:
                fate = _import(connection, put, asked)
                stands = shown(connection, put["call"]["id"])
        return _made(stands, put["call"]["id"], new=fate == "created")


def _made(stands: tuple[bytes, int], call: str, *, new: bool) -> Response:
    body, number = stands
    response = answer(body, number=number)
    if new:
        response.status_code = 201
        response.headers["Location"] = f"/v1/calls/{call}/record"
    return response


def _standing(connection: Connection, call: str) -> Standing:
    """How a call record stands: its number is that of its last change."""
    standing = standing_of(CALLS, connection, call, may_be_new=True)
    if standing.number is None or standing.gone:
        return standing
    return Standing(ledger.last_change(connection, call))


def _may_retract() -> bool:
    return "retract" in key_at_hand().scopes


def _put(
    connection: Connection, put: dict[str, Any], asked: dict[str, Any], *, may_retract: bool
) -> str:
    unit = Unit(connection, key_at_hand().name, asked.get("reason"))
    update_shared = asked.get("shared") == "update"
    fate = put_record(unit, put, update_shared=update_shared, may_retract=may_retract)
    unit.commit()
    return fate


def _import(connection: Connection, put: dict[str, Any], asked: dict[str, Any]) -> str:
    """Put a record that may be there already, where that is allowed."""
    call = put["call"]["id"]
    gone = None
    if CALLS.revision(connection, call) is None:
        gone = gone_by(CALLS, connection, call)
    if gone is not None:
        raise retracted(gone)
    replaces = asked.get("existing") == "replace"
    # Where nothing is replaced, the clash below undoes what was retracted.
    fate = _put(connection, put, asked, may_retract=_may_retract() or not replaces)
    if fate == "replaced" and not replaces:
        raise Clash(
            [Fault("/call/id", f"'{call}' stands and differs; existing=replace changes it.")]
        )
    return fate


def _import_lines(database: Database, body: bytes, asked: dict[str, Any]) -> Response:
    fates: list[dict[str, Any]] = []
    refusal: Unavailable | None = None
    lines = Lines(io.BytesIO(body))
    for number, line in lines:
        call: str | None = None
        try:
            document = bodies.parse(line)
            call = _id_in(document)
            if refusal is not None:
                raise refusal
            with told():
                put = load(document)
                with database.write() as connection:
                    fate = _import(connection, put, asked)
            problem = None
        except ProblemError as error:
            fate, problem = "failed", as_dict(error, request.path)
        except Unavailable as error:
            # What was written before stays; the lines that follow do not wait in vain as well.
            refusal = error
            fate, problem = "failed", as_dict(refused(error), request.path)
        fates.append({"line": number, "id": call, "fate": fate, "problem": problem})
    return answer(orjson.dumps({"data": fates, "complete": lines.complete}))


def _id_in(document: Any) -> str | None:
    """The id of the call, as far as the document has one."""
    match document:
        case {"call": {"id": str(call)}}:
            return call
    return None
