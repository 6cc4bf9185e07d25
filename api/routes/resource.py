"""The routes that every kind of record has: its list, and a record of it."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from flask import Response
from marshmallow import Schema, fields

from api.routes.lists import Lists, found_by
from api.store import sources
from api.store.engine import Database
from api.store.records import Records
from api.web import serialize
from api.web.answers import CSV, JSON, NDJSON, accepted, answer
from api.web.openapi import Api, Operation
from api.web.requests import query, query_schema
from schemas.query import Choice, Parameter

LIST_PROBLEMS = ("invalid-parameter", "unknown-id")
LIST_HEADERS = ("Link", "Readout-Count")


@dataclass(frozen=True)
class Words:
    """What the document says of a kind: its name in prose, and when to ask for it."""

    one: str
    many: str
    list_when: str
    one_when: str
    example: str
    list_example: Mapping[str, str]


class Page(Schema):
    """Where a list goes on."""

    limit = fields.Integer(metadata={"description": "Records a page, as asked for."})
    next = fields.String(
        allow_none=True,
        metadata={"description": "The cursor of the next page; null on the last."},
    )
    total = fields.Integer(metadata={"description": "How many match, exactly; with `count=true`."})


class Counted(Schema):
    """One value of a facet, and how many statements have it."""

    id = fields.String()
    label = fields.String()
    count = fields.Integer()


@functools.cache
def list_of(records: Records) -> Schema:
    """The schema of a page of a list."""
    found: dict[str, fields.Field[Any]] = {
        "data": fields.List(fields.Nested(records.schema)),
        "page": fields.Nested(Page()),
    }
    if records.facets:
        found["facets"] = fields.Dict(
            keys=fields.String(),
            values=fields.List(fields.Nested(Counted())),
            metadata={"description": "Counts of values over all that matches; with `facets=`."},
        )
    return Schema.from_dict(found, name=f"{records.title}List")()


def forms_of_list(records: Records, page: Schema) -> dict[str, Any]:
    """The forms of a list with their schemas."""
    return {JSON: page, NDJSON: {"type": "string"}, CSV: {"type": "string"}}


def resource(api: Api, database: Database, records: Records, words: Words, page: Schema) -> None:
    """Register a kind's list and its single record."""
    every = Lists(database, records)
    title = records.title
    one_query = query_schema({"fields": Parameter(Choice(records.schema.fields), ONLY)})

    @api.get(
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

    @api.get(
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
            problems=("invalid-parameter", "not-found"),
            headers=("Content-Location",) if records.names is not None else (),
        ),
    )
    def get_record(record: str) -> Response:
        accepted([JSON])
        with database.read() as connection:
            record_id, view = found_by(records, connection, record)
            asked = query(one_query)
            if records.kind == "sources":
                view = _with_text(records, view, sources.text_of(connection, record_id))
        number = int(orjson.loads(view)["revision"])
        if "fields" in asked:
            view = serialize.narrowed(view, asked["fields"])
        return answer(
            view.encode(),
            number=number,
            headers=content_location(f"/v1/{records.kind}/", record, record_id),
        )


ONLY = "Only these members of the record."


def content_location(path: str, asked: str, found: str, rest: str = "") -> list[tuple[str, str]]:
    """The header that tells the path by id, where an alias was asked for."""
    return [("Content-Location", f"{path}{found}{rest}")] if found != asked else []


def _with_text(records: Records, view: str, text: str | None) -> str:
    """A source with its text, which lists leave out, in its place."""
    read = orjson.loads(view) | {"text": text}
    return orjson.dumps({name: read[name] for name in members(records)}).decode()


def members(records: Records) -> Sequence[str]:
    """The members of a record as it is read, in order."""
    return list(records.schema.fields)
