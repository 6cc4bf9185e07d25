"""The routes that every kind of record has: its list, and a record of it."""

import functools
from collections.abc import Callable
from typing import Any

import orjson
from flask import Response
from marshmallow import Schema, fields

from api.routes.found import found_by, represented
from api.routes.history import add_revisions
from api.routes.lists import Lists
from api.routes.words import Words
from api.routes.writing import NEEDED_REASON, NO_QUERY, REASON, Writes
from api.store.engine import Database
from api.store.records import Records
from api.web import bodies, serialize
from api.web.answers import CSV, JSON, NDJSON, accepted, answer
from api.web.at_hand import request
from api.web.operations import LINES, Api, Operation
from api.web.requests import query, query_schema
from schemas.query import Choice, Parameter
from schemas.record import WRITTEN

LIST_PROBLEMS = ("unknown-id",)
LIST_HEADERS = ("Link", "Readout-Count")
WRITE_PROBLEMS = (
    "malformed-body",
    "too-large",
    "unsupported-media-type",
    "invalid",
    "conflict",
    "no-room",
)
CHANGE_PROBLEMS = ("retracted", "stale", "precondition-required", *WRITE_PROBLEMS)


class Page(Schema):
    """Where a list goes on."""

    limit = fields.Integer(required=True, metadata={"description": "Records a page, as asked for."})
    next = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "The cursor of the next page; null on the last."},
    )
    total = fields.Integer(metadata={"description": "How many match, exactly; with `count=true`."})


class Counted(Schema):
    """One value of a facet, and how many statements have it."""

    id = fields.String(required=True)
    label = fields.String(required=True)
    count = fields.Integer(required=True)


@functools.cache
def list_of(records: Records) -> Schema:
    """The schema of a page of a list."""
    found: dict[str, fields.Field[Any]] = {
        "data": fields.List(fields.Nested(records.schema), required=True),
        "page": fields.Nested(Page(), required=True),
    }
    if records.counted:
        found["facets"] = fields.Dict(
            keys=fields.String(),
            values=fields.List(fields.Nested(Counted())),
            metadata={"description": "Counts of values over all that matches; with `facets=`."},
        )
    return Schema.from_dict(found, name=f"{records.title}List")()


def forms_of_list(records: Records, page: Schema) -> dict[str, Any]:
    """The forms of a list with their schemas."""
    return {JSON: page, NDJSON: LINES, CSV: LINES}


def resource(api: Api, database: Database, records: Records, words: Words, page: Schema) -> None:
    """Register a kind's list and its single record."""
    every = Lists(database, records)
    title = records.title
    one_query = query_schema({"fields": Parameter(Choice(records.schema.fields), ONLY)})

    @api.route(
        f"/v1/{records.kind}",
        Operation(
            id=f"list{title}s",
            tag=records.kind,
            summary=f"List {words.many}",
            description=words.list_when,
            answers=forms_of_list(records, page),
            query=every.schema,
            query_examples=words.list_example,
            example=lambda seed: seed.page(records.kind),
            problems=LIST_PROBLEMS,
            headers=LIST_HEADERS,
        ),
    )
    def list_records() -> Response:
        return every.answer()

    @api.route(
        f"/v1/{records.kind}/{{id}}",
        Operation(
            id=f"get{title}",
            tag=records.kind,
            summary=f"Get {words.one}",
            description=words.one_when,
            answers={JSON: records.schema},
            query=one_query,
            path_examples={"id": (f"The id of {words.one}.", words.example)},
            example=lambda seed: seed.view(records.kind, words.example),
            problems=("not-found", "retracted"),
            headers=("Content-Location",) if records.names is not None else (),
        ),
    )
    def get_record(record: str) -> Response:
        accepted([JSON])
        with database.read() as connection:
            record_id, view = found_by(records, connection, record)
            asked = query(one_query)
            view = represented(records, connection, record_id, view)
        number = int(orjson.loads(view)["revision"])
        if "fields" in asked:
            view = serialize.narrowed(view, asked["fields"])
        return answer(
            view.encode(),
            number=number,
            headers=content_location(f"/v1/{records.kind}/", record, record_id),
        )

    add_writes(api, database, records, words)
    add_revisions(api, database, records, words)


ONLY = "Only these members of the record."


def content_location(path: str, asked: str, found: str, rest: str = "") -> list[tuple[str, str]]:
    """The header that tells the path by id, where an alias was asked for."""
    if found == asked:
        return []
    query = request.query_string.decode("latin-1")
    return [("Content-Location", f"{path}{found}{rest}{'?' if query else ''}{query}")]


def add_writes(api: Api, database: Database, records: Records, words: Words) -> None:
    """Register the writing routes of a kind."""
    writes = Writes(database, records)
    kind, title = records.kind, records.title
    body = {bodies.JSON: type(WRITTEN[kind])(exclude=("id",))}
    changes = type(WRITTEN[kind])(exclude=("id",), partial=True)
    patch = {bodies.MERGE_PATCH: changes, bodies.JSON: changes}
    one = {"id": (f"The id of {words.one}.", words.example)}
    path = f"/v1/{kind}/{{id}}"
    shown = {bodies.JSON: records.schema}

    def sent(seed: Any) -> Any:
        return {k: v for k, v in seed.written(kind, words.example).items() if k != "id"}

    def operation(method: str, verb: str, summary: str, when: str, **more: Any) -> Operation:
        return Operation(
            id=f"{verb}{title}",
            tag=kind,
            method=method,
            summary=summary,
            description=when,
            **({"scope": "write"} | more),
        )

    routes: list[tuple[str, Operation, Callable[..., Response]]] = [
        (
            f"/v1/{kind}",
            operation(
                "post",
                "create",
                f"Make {words.one}",
                "Use this where you have no id of your own: the server makes one. Sent again with"
                " the"
                " same `Idempotency-Key` it writes once.",
                query=NO_QUERY,  # Checked in its turn.
                request_headers=("Idempotency-Key",),
                body=body,
                body_example=sent,
                status=(201,),
                answers=shown,
                headers=("ETag", "Location", "Idempotent-Replayed"),
                problems=WRITE_PROBLEMS,
            ),
            writes.post,
        ),
        (
            path,
            operation(
                "put",
                "put",
                f"Make or replace {words.one}",
                "Use this to make a record under an id of yours, or to replace one whole; what GET"
                " gave can be put back. A member left out is null, [] or its default.",
                path_examples=one,
                query=REASON,
                request_headers=("If-Match", "If-None-Match: *"),
                body=body,
                body_example=sent,
                status=(200, 201),
                answers=shown,
                headers=("ETag", "Location"),
                problems=CHANGE_PROBLEMS,
            ),
            writes.put,
        ),
        (
            path,
            operation(
                "patch",
                "patch",
                f"Change members of {words.one}",
                "Use this to correct some members (JSON Merge Patch, RFC 7396): null removes, lists"
                " are replaced whole.",
                path_examples=one,
                query=REASON,
                request_headers=("If-Match",),
                body=patch,
                answers=shown,
                headers=("ETag",),
                problems=("not-found", *CHANGE_PROBLEMS),
            ),
            writes.patch,
        ),
        (
            path,
            operation(
                "delete",
                "retract",
                f"Retract {words.one}",
                "Use this to take a record back: reads then say when and why, its history stays,"
                " and"
                " a PUT brings it back. What other records name cannot go.",
                scope="retract",
                path_examples=one,
                query=NEEDED_REASON,
                query_examples={"reason": "Coded twice"},
                request_headers=("If-Match",),
                status=(204,),
                problems=(
                    "not-found",
                    "retracted",
                    "stale",
                    "precondition-required",
                    "conflict",
                    "no-room",
                ),
            ),
            writes.delete,
        ),
    ]
    for at, described, endpoint in routes:
        api.route(at, described)(endpoint)
