"""Calls, what hangs on them, the comparison of their accounts, and call records."""

from collections.abc import Iterator
from contextlib import ExitStack

import orjson
from flask import Response
from marshmallow import Schema, fields
from sqlalchemy import Connection, func, select

from api import ledger
from api.exchange.documents import record_of
from api.routes.lists import found_by
from api.routes.resource import Words, list_of, resource
from api.routes.statements import under_call
from api.store.accounts import ACCOUNTS
from api.store.comparison import compare
from api.store.engine import Database
from api.store.kinds import CALLS
from api.web.answers import JSON, NDJSON, accepted, answer, stream
from api.web.openapi import Api, Operation
from api.web.requests import query, query_schema
from api.web.serialize import ndjson
from schemas.fields import Coded
from schemas.query import Single
from schemas.record import VIEWS, CallRecord
from schemas.vocabulary import SETTINGS

WORDS = Words(
    "a call",
    "calls",
    "Use this to find conversations: by who was on them, for which side, when, on which topic,"
    " and by"
    " who has told of them (`told_by`) or has not (`not_told_by`).",
    "Use this for one call: who was on it, for whom, in which role, and how its date is known.",
    "blinken-lavrov-2022-07-29",
    {},
)
CALL_PATH = {"id": ("The id of a call.", "blinken-lavrov-2022-07-29")}


class Cell(Schema):
    """What one side's accounts say on one topic."""

    side = fields.String(allow_none=True, metadata={"description": "Its id; null: third parties."})
    state = fields.String(
        metadata={
            "description": "`speaks`; `silent` (says nothing of it, and is whole); `not_recorded`"
            " (nothing here, but not whole); `no_account`.",
            "examples": ["speaks"],
        }
    )
    statements = fields.List(fields.Nested(VIEWS["statements"]))


class Row(Schema):
    """One topic, with a cell for each side."""

    topic = fields.Dict(allow_none=True, metadata={"description": "Id and label, or null."})
    cells = fields.List(fields.Nested(Cell))


class Side(Schema):
    """A side on the call or with an account of it."""

    id = fields.String(allow_none=True, metadata={"description": "Null: third parties."})
    name = fields.String(allow_none=True)
    accounts = fields.List(fields.Nested(VIEWS["accounts"]))


class Comparison(Schema):
    """The accounts of one call side by side."""

    call = fields.Nested(VIEWS["calls"])
    sides = fields.List(fields.Nested(Side))
    topics = fields.List(fields.Nested(Row))


COMPARISON_QUERY = query_schema(
    {"setting": Single(Coded(SETTINGS), "Where it was said; the default is `on-call`.")}
)
NO_QUERY = query_schema({})


def add(api: Api, database: Database) -> None:
    """Register the routes of calls."""
    resource(api, database, CALLS, WORDS, list_of(CALLS))
    under_call(
        api,
        database,
        ACCOUNTS,
        "listCallAccounts",
        "All accounts of a call",
        "Use this to see who has told of a call, and in which form.",
    )

    @api.get(
        "/v1/calls/{id}/comparison",
        Operation(
            id="compareCallAccounts",
            tag="calls",
            summary="Compare the accounts of a call",
            description="Use this to see, topic by topic, what one side says was said and the other"
            " leaves out. A side is `silent` on a topic only where its accounts are recorded"
            " whole.",
            answers={JSON: Comparison()},
            query=COMPARISON_QUERY,
            path_examples=CALL_PATH,
            problems=("invalid-parameter", "not-found"),
        ),
    )
    def compare_accounts(record: str) -> Response:
        accepted([JSON])
        with database.read() as connection:
            _, view = found_by(CALLS, connection, record)
            setting = query(COMPARISON_QUERY).get("setting", "on-call")
            compared = compare(connection, orjson.loads(view), setting)
        return answer(orjson.dumps(compared))

    @api.get(
        "/v1/calls/{id}/record",
        Operation(
            id="getCallRecord",
            tag="records",
            summary="Get a call record",
            description="Use this to take a call away whole: one document with the call and all"
            " that"
            " hangs on it, in the shape that writes take.",
            answers={JSON: CallRecord()},
            query=NO_QUERY,
            path_examples=CALL_PATH,
            problems=("invalid-parameter", "not-found"),
        ),
    )
    def get_record(record: str) -> Response:
        accepted([JSON])
        with database.read() as connection:
            call, _ = found_by(CALLS, connection, record)
            query(NO_QUERY)
            whole = record_of(connection, call)
            number = ledger.last_change(connection, call)
        return answer(orjson.dumps(whole), number=number)

    @api.get(
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
        held = ExitStack()
        try:
            connection = held.enter_context(database.stream())
            count = connection.scalar(select(func.count()).select_from(CALLS.table))
            chunks = ndjson(_records(connection))
            response = stream(chunks, NDJSON, [("Readout-Count", str(count))])
        except BaseException:
            held.close()
            raise
        response.call_on_close(held.close)
        return response


def _records(connection: Connection) -> Iterator[str]:
    calls = select(CALLS.table.c.id).order_by(CALLS.table.c.id)
    for call in connection.scalars(calls).all():
        yield orjson.dumps(record_of(connection, call)).decode()
