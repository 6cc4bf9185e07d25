"""Calls, what hangs on them, the comparison of their accounts, and call records."""

import orjson
from flask import Response
from marshmallow import Schema, fields

from api.routes.found import found_by
from api.routes.resource import list_of, resource
from api.routes.statements import under_call
from api.routes.words import Words
from api.store.accounts import ACCOUNTS
from api.store.calls import CALLS
from api.store.comparison import compare
from api.store.engine import Database
from api.web.answers import JSON, accepted, answer
from api.web.operations import Api, Operation
from api.web.requests import query, query_schema
from schemas.fields import Coded
from schemas.query import Single
from schemas.record import VIEWS
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

    side = fields.String(
        required=True, allow_none=True, metadata={"description": "Its id; null: third parties."}
    )
    state = fields.String(
        required=True,
        metadata={
            "description": "`speaks`; `silent` (says nothing of it, and is whole); `not_recorded`"
            " (nothing here, but not whole); `no_account`.",
            "examples": ["speaks"],
        },
    )
    statements = fields.List(fields.Nested(VIEWS["statements"]), required=True)


class Row(Schema):
    """One topic, with a cell for each side."""

    topic = fields.Dict(
        required=True, allow_none=True, metadata={"description": "Id and label, or null."}
    )
    cells = fields.List(fields.Nested(Cell), required=True)


class Side(Schema):
    """A side on the call or with an account of it."""

    id = fields.String(
        required=True, allow_none=True, metadata={"description": "Null: third parties."}
    )
    name = fields.String(required=True, allow_none=True)
    accounts = fields.List(fields.Nested(VIEWS["accounts"]), required=True)


class Comparison(Schema):
    """The accounts of one call side by side."""

    call = fields.Nested(VIEWS["calls"], required=True)
    sides = fields.List(fields.Nested(Side), required=True)
    topics = fields.List(fields.Nested(Row), required=True)


COMPARISON_QUERY = query_schema(
    {"setting": Single(Coded(SETTINGS), "Where it was said; the default is `on-call`.")}
)


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

    @api.route(
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
            problems=("not-found", "retracted"),
        ),
    )
    def compare_accounts(record: str) -> Response:
        accepted([JSON])
        with database.read() as connection:
            _, view = found_by(CALLS, connection, record)
            setting = query(COMPARISON_QUERY).get("setting", "on-call")
            compared = compare(connection, orjson.loads(view), setting)
        return answer(orjson.dumps(compared))
