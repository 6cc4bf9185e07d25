"""History: the revisions of a record, the log of all changes, and its head."""

from contextlib import ExitStack
from dataclasses import asdict
from typing import Any

import orjson
from flask import Response
from marshmallow import Schema, fields
from sqlalchemy import Connection

from api import ledger
from api.routes.found import missing
from api.routes.words import Words
from api.store.engine import Database
from api.store.records import Records
from api.web.answers import JSON, NDJSON, accepted, answer, stream
from api.web.operations import LINES, Api, Operation
from api.web.problems import ProblemError
from api.web.requests import invalid, query, query_schema
from api.web.serialize import ndjson
from schemas.query import Choice, Single, Whole

MOST = 200
DEFAULT = 50
FORMS = {"json": JSON, "ndjson": NDJSON}
GREATEST = 2**53 - 1


class Change(Schema):
    """One change of one record, as it was logged."""

    seq = fields.Integer(required=True, metadata={"description": "Its number, in commit order."})
    kind = fields.String(required=True, metadata={"examples": ["statements"]})
    id = fields.String(required=True)
    revision = fields.Integer(required=True, metadata={"description": "The record's own number."})
    action = fields.String(
        required=True, metadata={"description": "`create, update, retract, restore, redact`."}
    )
    at = fields.String(required=True, allow_none=True, metadata={"format": "date-time"})
    actor = fields.String(
        required=True, allow_none=True, metadata={"description": "The name of the key."}
    )
    reason = fields.String(required=True, allow_none=True)
    digest = fields.String(
        required=True, metadata={"description": "Covers its bytes and the digest before it."}
    )
    record = fields.Dict(
        required=True,
        allow_none=True,
        metadata={"description": "The record as it was written; null: redacted."},
    )


class After(Schema):
    """Where the log goes on."""

    limit = fields.Integer(required=True)
    next = fields.Integer(
        required=True, allow_none=True, metadata={"description": "The next `after`."}
    )


class Changes(Schema):
    """A page of changes."""

    data = fields.List(fields.Nested(Change), required=True)
    page = fields.Nested(After, required=True)


class Checkpoint(Schema):
    """The head of the log."""

    seq = fields.Integer(required=True)
    digest = fields.String(required=True)


AFTER = Single(Whole(0, GREATEST), "The number to go on after; 0, the default, is the beginning.")
CHANGES_QUERY = query_schema(
    {
        "after": AFTER,
        "limit": Single(
            Whole(0, metadata={"default": DEFAULT}),
            f"Changes a page, at most {MOST}; of NDJSON the lines, any number.",
        ),
        "format": Single(Choice(FORMS), "The form of the answer, in place of `Accept`."),
    }
)
REVISIONS_QUERY = query_schema(
    {
        "after": AFTER,
        "limit": Single(Whole(0, MOST, metadata={"default": DEFAULT}), "Revisions a page."),
    }
)
NO_QUERY = query_schema({})


def add(api: Api, database: Database) -> None:
    """Register the log of all changes and its head."""

    @api.route(
        "/v1/changes",
        Operation(
            id="listChanges",
            tag="history",
            summary="The log of all changes",
            description="Use this to follow: every change in commit order, none missed or repeated,"
            " retractions included. Keep the last `seq` that you have, and ask for what comes"
            " `after`.",
            answers={JSON: Changes(), NDJSON: LINES},
            query=CHANGES_QUERY,
            headers=("Link", "Readout-Count"),
        ),
    )
    def list_changes() -> Response:
        asked = query(CHANGES_QUERY)
        form = FORMS[asked["format"]] if "format" in asked else accepted(list(FORMS.values()))
        after = asked.get("after", 0)
        if form == NDJSON:
            return _stream(database, after, asked.get("limit"))
        limit = asked.get("limit", DEFAULT)
        if limit > MOST:
            detail = f"Must be a whole number from 0 to {MOST}."
            raise invalid([{"parameter": "limit", "detail": detail}])
        with database.read() as connection:
            found = list(ledger.changes(connection, after, limit + 1))
        return _page(found, limit, "/v1/changes", "seq")

    @api.route(
        "/v1/changes/checkpoint",
        Operation(
            id="getCheckpoint",
            tag="history",
            summary="The head of the log",
            description="Use this to keep the head elsewhere: with it, any alteration of what came"
            " before is found (`readout verify --checkpoint`).",
            answers={JSON: Checkpoint()},
            query=NO_QUERY,
        ),
    )
    def get_checkpoint() -> Response:
        accepted([JSON])
        query(NO_QUERY)
        with database.read() as connection:
            return answer(orjson.dumps(ledger.checkpoint(connection)))


def add_revisions(api: Api, database: Database, records: Records, words: Words) -> None:
    """Register the history of one record of a kind."""
    path = {
        "id": (f"The id of {words.one}.", words.example),
        "n": ("The number of the revision.", "1"),
    }
    location = ("Content-Location",) if records.names is not None else ()

    @api.route(
        f"/v1/{records.kind}/{{id}}/revisions",
        Operation(
            id=f"list{records.title}Revisions",
            tag="history",
            summary=f"The revisions of {words.one}",
            description="Use this to see what a record was before, who changed it, when and why;"
            " also of one that was retracted.",
            answers={JSON: Changes()},
            query=REVISIONS_QUERY,
            path_examples=path,
            problems=("not-found",),
            headers=("Link", *location),
        ),
    )
    def list_revisions(record: str) -> Response:
        accepted([JSON])
        with database.read() as connection:
            record_id = _known(records, connection, record)
            asked = query(REVISIONS_QUERY)
            limit = asked.get("limit", DEFAULT)
            after = asked.get("after", 0)
            found = ledger.history(connection, records.kind, record_id, after, limit + 1)
        path = f"/v1/{records.kind}/{record_id}/revisions"
        response = _page(found, limit, path, "revision")
        if record_id != record:
            response.headers["Content-Location"] = path
        return response

    @api.route(
        f"/v1/{records.kind}/{{id}}/revisions/{{n}}",
        Operation(
            id=f"get{records.title}Revision",
            tag="history",
            summary=f"One revision of {words.one}",
            description="Use this for the record exactly as it stood at one revision.",
            answers={JSON: Change()},
            query=NO_QUERY,
            path_examples=path,
            problems=("not-found",),
            headers=location,
        ),
    )
    def get_revision(record: str, n: str) -> Response:
        accepted([JSON])
        with database.read() as connection:
            record_id = _known(records, connection, record)
            number = int(n) if n.isascii() and n.isdigit() and len(n) < 10 else 0
            found = ledger.one(connection, records.kind, record_id, number)
            if found is None:
                detail = f"'{record}' has no revision {n[:20]!r}; …/revisions lists them."
                raise ProblemError("not-found", detail)
            query(NO_QUERY)
        path = f"/v1/{records.kind}/{record_id}/revisions/{n}"
        headers = [("Content-Location", path)] if record_id != record else []
        return answer(orjson.dumps(asdict(found)), number=found.revision, headers=headers)


def _known(records: Records, connection: Connection, record: str) -> str:
    """The id of a record that the log knows: as it was asked for, else what an alias finds."""
    if ledger.last(connection, records.kind, record) is not None:
        return record
    found = records.one(connection, record)
    if found is None:
        raise missing(records, connection, record)
    return found[0]


def _page(found: list[ledger.Revision], limit: int, path: str, counted: str) -> Response:
    shown = found[:limit]
    following = getattr(shown[-1], counted) if shown and len(found) > limit else None
    body: dict[str, Any] = {
        "data": [asdict(one) for one in shown],
        "page": {"limit": limit, "next": following},
    }
    link = f'<{path}?after={following}&limit={limit}>; rel="next"'
    return answer(orjson.dumps(body), headers=[("Link", link)] if following else [])


def _stream(database: Database, after: int, limit: int | None) -> Response:
    with ExitStack() as held:
        connection = held.enter_context(database.stream())
        count = ledger.count_after(connection, after)
        count = count if limit is None else min(count, limit)
        lines = (
            orjson.dumps(asdict(one)).decode() for one in ledger.changes(connection, after, count)
        )
        response = stream(ndjson(lines), NDJSON, [("Readout-Count", str(count))])
        response.call_on_close(held.pop_all().close)
    return response
