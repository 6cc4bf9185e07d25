"""Call records: one call with everything that hangs on it, taken away or put whole."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import orjson
from flask import Response, request
from marshmallow import Schema, fields
from sqlalchemy import Connection, func, select

from api import ledger
from api.exchange.documents import Malformed, load, record_of
from api.exchange.imports import MayNotRetract, put_record
from api.routes.found import found_by, gone_by, retracted
from api.routes.gate import key_at_hand
from api.routes.writing import rejected
from api.store.engine import Database
from api.store.kinds import CALLS
from api.unit import Clash, Invalid, Rejected, Unit
from api.web import bodies, preconditions
from api.web.answers import JSON, NDJSON, accepted, answer, stream
from api.web.lines import Lines
from api.web.operations import Api, Operation
from api.web.problems import ProblemError, as_dict
from api.web.requests import query, query_schema
from api.web.serialize import ndjson
from schemas.fields import Text
from schemas.problem import Fault, Problem
from schemas.query import Choice, Single
from schemas.record import CallRecord

CALL_PATH = {"id": ("The id of a call.", "blinken-lavrov-2022-07-29")}
MOST_RECORD = 16 * bodies.MEBIBYTE
MOST_RECORDS = 64 * bodies.MEBIBYTE
NO_QUERY = query_schema({})
SHARED = Single(
    Choice(["keep", "update"]),
    "What happens to participants, topics and sources that differ from those that stand: `keep`"
    " (the default) is a conflict, `update` changes them.",
)
PUT_QUERY = query_schema({"shared": SHARED, "reason": Single(Text(), "Why, for the log.")})
POST_QUERY = query_schema(
    {
        "existing": Single(
            Choice(["keep", "replace"]),
            "What happens to a call that stands and differs: `keep` (the default) is a conflict,"
            " `replace` makes it what the record says.",
        ),
        "shared": SHARED,
        "reason": Single(Text(), "Why, for the log."),
    }
)
PROBLEMS = (
    "malformed-body",
    "invalid-parameter",
    "too-large",
    "unsupported-media-type",
    "invalid",
    "conflict",
    "no-room",
)


class Fate(Schema):
    """What became of one line."""

    line = fields.Integer()
    id = fields.String(allow_none=True)
    fate = fields.String(metadata={"examples": ["created"]})
    problem = fields.Nested(Problem, allow_none=True)


class Fates(Schema):
    """What became of each line; `complete` is false where the end line is wrong."""

    data = fields.List(fields.Nested(Fate))
    complete = fields.Boolean()


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
    """Register the routes of call records."""
    _reads(api, database)

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
        with database.read() as connection:
            _number(connection, record)
        body, _ = bodies.read([bodies.JSON], MOST_RECORD)
        with database.read() as connection:
            preconditions.check(_number(connection, record))
        asked = query(PUT_QUERY)
        document = bodies.parse(body)
        with told():
            put = load(document)
            if put["call"]["id"] != record:
                raise Invalid([Fault("/call/id", f"Must be the id of the path, '{record}'.")])
            with database.write() as connection:
                preconditions.check(_number(connection, record))
                fate = _put(connection, put, asked)
                shown = _shown(connection, record)
        return _made(shown, record, fate)

    @api.route(
        "/v1/records",
        Operation(
            id="importRecords",
            tag="records",
            method="post",
            scope="write",
            summary="Import call records",
            description="Use this to put one call record (JSON), or many, one a line (NDJSON). Each"
            " line is all or nothing and commits by itself; the answer gives each line's fate.",
            query=POST_QUERY,
            body={JSON: CallRecord(), NDJSON: {"type": "string"}},
            body_example=lambda seed: seed.record(),
            status=(200, 201),
            answers={JSON: Fates()},
            headers=("Location",),
            problems=("retracted", *PROBLEMS),
        ),
    )
    def import_records() -> Response:
        given = bodies.check_type([JSON, NDJSON])
        if given == NDJSON:
            body, _ = bodies.read([NDJSON], MOST_RECORDS)
            asked = query(POST_QUERY)
            return _import_lines(database, body, asked)
        body, _ = bodies.read([JSON], MOST_RECORD)
        asked = query(POST_QUERY)
        document = bodies.parse(body)
        with told():
            put = load(document)
            with database.write() as connection:
                fate = _import(connection, put, asked)
                shown = _shown(connection, put["call"]["id"])
        return _made(shown, put["call"]["id"], fate)


def _reads(api: Api, database: Database) -> None:
    @api.route(
        "/v1/calls/{id}/record",
        Operation(
            id="getCallRecord",
            tag="records",
            summary="Get a call record",
            description="Use this to take a call away whole: one document with the call and all"
            " that"
            " hangs on it, in the shape that writes take.",
            answers={JSON: CallRecord()},
            example=lambda seed: seed.record(),
            query=NO_QUERY,
            path_examples=CALL_PATH,
            problems=("invalid-parameter", "not-found", "retracted"),
        ),
    )
    def get_call_record(record: str) -> Response:
        accepted([JSON])
        with database.read() as connection:
            call, _ = found_by(CALLS, connection, record)
            query(NO_QUERY)
            body, number = _shown(connection, call)
        return answer(body, number=number)

    @api.route(
        "/v1/records",
        Operation(
            id="exportRecords",
            tag="records",
            summary="Export all call records",
            description="Use this to take everything away: one call record a line, and a last line"
            " that shows that nothing was cut.",
            answers={NDJSON: {"type": "string"}},
            query=NO_QUERY,
            problems=("invalid-parameter",),
            headers=("Readout-Count",),
            conditional=False,
        ),
    )
    def export_records() -> Response:
        accepted([NDJSON])
        query(NO_QUERY)
        with ExitStack() as held:
            connection = held.enter_context(database.stream())
            count = connection.scalar(select(func.count()).select_from(CALLS.table))
            response = stream(ndjson(_all(connection)), NDJSON, [("Readout-Count", str(count))])
            response.call_on_close(held.pop_all().close)
        return response


def _all(connection: Connection) -> Iterator[str]:
    calls = select(CALLS.table.c.id).order_by(CALLS.table.c.id)
    for call in connection.scalars(calls).all():
        yield orjson.dumps(record_of(connection, call)).decode()


def _shown(connection: Connection, call: str) -> tuple[bytes, int]:
    return orjson.dumps(record_of(connection, call)), ledger.last_change(connection, call)


def _made(shown: tuple[bytes, int], call: str, fate: str) -> Response:
    body, number = shown
    response = answer(body, number=number)
    if fate == "created":
        response.status_code = 201
        response.headers["Location"] = f"/v1/calls/{call}/record"
    return response


def _number(connection: Connection, call: str) -> int | None:
    """The number of the call record's last change; None where there is none, 410 where it is"
    " gone."""
    if CALLS.revision(connection, call) is None:
        gone = gone_by(CALLS, connection, call)
        if gone is None:
            return None
        if "If-Match" not in request.headers:
            raise retracted(gone)
        return gone.revision
    return ledger.last_change(connection, call)


def _put(connection: Connection, put: dict[str, Any], asked: dict[str, Any]) -> str:
    key = key_at_hand()
    unit = Unit(connection, key.name, asked.get("reason"))
    fate = put_record(
        unit,
        put,
        update_shared=asked.get("shared") == "update",
        may_retract="retract" in key.scopes,
    )
    unit.commit()
    return fate


def _import(connection: Connection, put: dict[str, Any], asked: dict[str, Any]) -> str:
    """Put a record that may be there already, where that is allowed."""
    call = put["call"]["id"]
    if CALLS.revision(connection, call) is None:
        gone = gone_by(CALLS, connection, call)
        if gone is not None:
            raise retracted(gone)
    fate = _put(connection, put, asked)
    if fate == "replaced" and asked.get("existing") != "replace":
        raise Clash(
            [Fault("/call/id", f"'{call}' stands and differs; existing=replace changes it.")]
        )
    return fate


def _import_lines(database: Database, body: bytes, asked: dict[str, Any]) -> Response:
    fates: list[dict[str, Any]] = []
    lines = Lines(body)
    for number, line in lines:
        call: str | None = None
        try:
            document = bodies.parse(line)
            call = _id_in(document)
            with told():
                put = load(document)
                with database.write() as connection:
                    fate = _import(connection, put, asked)
        except ProblemError as error:
            told_problem = as_dict(error, request.path)
            fates.append({"line": number, "id": call, "fate": "failed", "problem": told_problem})
        else:
            fates.append({"line": number, "id": call, "fate": fate, "problem": None})
    return answer(orjson.dumps({"data": fates, "complete": lines.complete}))


def _id_in(document: Any) -> str | None:
    """The id of the call, as far as the document has one."""
    match document:
        case {"call": {"id": str(call)}}:
            return call
    return None
