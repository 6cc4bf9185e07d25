"""Call records to take away: one call with everything that hangs on it, or all of them."""

from collections.abc import Iterator
from contextlib import ExitStack

import orjson
from flask import Response
from sqlalchemy import Connection, func, select

from api import ledger
from api.exchange.documents import record_of
from api.routes.found import found_by
from api.store.calls import CALLS
from api.store.engine import Database
from api.web.answers import JSON, NDJSON, accepted, answer, stream
from api.web.operations import LINES, Api, Operation
from api.web.requests import query, query_schema
from api.web.serialize import ndjson
from schemas.record import CallRecord

CALL_PATH = {"id": ("The id of a call.", "blinken-lavrov-2022-07-29")}
NO_QUERY = query_schema({})


def add(api: Api, database: Database) -> None:
    """Register the routes that give call records."""

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
            problems=("not-found", "retracted"),
        ),
    )
    def get_call_record(record: str) -> Response:
        accepted([JSON])
        with database.read() as connection:
            call, _ = found_by(CALLS, connection, record)
            query(NO_QUERY)
            body, number = shown(connection, call)
        return answer(body, number=number)

    @api.route(
        "/v1/records",
        Operation(
            id="exportRecords",
            tag="records",
            summary="Export all call records",
            description="Use this to take everything away: one call record a line, and a last line"
            " that shows that nothing was cut.",
            answers={NDJSON: LINES},
            query=NO_QUERY,
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


def shown(connection: Connection, call: str) -> tuple[bytes, int]:
    """A call record as it is read, and the number of its last change."""
    return orjson.dumps(record_of(connection, call)), ledger.last_change(connection, call)
