"""Records in the forms of an answer: JSON, narrowed JSON, NDJSON, CSV.

Records arrive as the JSON text that the schema made of them when they were written.
"""

import csv
import hashlib
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import orjson
from marshmallow import Schema, fields

from schemas.base import View
from schemas.fields import Ref
from schemas.statement import Span

CHUNK = 64 * 1024
# What spreadsheets take for the start of a formula, full-width forms too (OWASP, CSV injection).
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def narrowed(view: str, members: Sequence[str]) -> str:
    """The record with some of its members alone."""
    read = orjson.loads(view)
    return orjson.dumps({name: read[name] for name in members if name in read}).decode()


def with_member(view: str, name: str, value: Any) -> str:
    """The record with one more member, its last."""
    return f'{view[:-1]},"{name}":{orjson.dumps(value).decode()}}}'


def page(views: bytes, limit: int, following: str | None, total: int | None, facets: Any) -> bytes:
    """A page of a list, whose records come as they stand in it."""
    about: dict[str, Any] = {"limit": limit, "next": following}
    if total is not None:
        about["total"] = total
    more = b"" if facets is None else b',"facets":' + orjson.dumps(facets)
    return b"".join((b'{"data":[', views, b'],"page":', orjson.dumps(about), more, b"}"))


def ndjson(views: Iterable[str]) -> Iterator[bytes]:
    """One record a line, and a last line that shows that nothing was cut."""
    digest = hashlib.sha256()
    count = 0
    for chunk, size in _chunks(view + "\n" for view in views):
        count += size
        digest.update(chunk)
        yield chunk
    end = {"end": True, "count": count, "sha256": digest.hexdigest()}
    yield orjson.dumps(end) + b"\n"


def table(views: Iterable[str], columns: dict[str, fields.Field[Any]]) -> Iterator[bytes]:
    """The records as CSV (RFC 4180), one a row under a header row."""
    held = io.StringIO()
    writer = csv.writer(held)

    def line(cells: Iterable[str]) -> str:
        held.seek(0)
        held.truncate()
        writer.writerow(cells)
        return held.getvalue()

    def lines() -> Iterator[str]:
        yield line(columns)
        for view in views:
            read: View = orjson.loads(view)
            yield line(harmless(cell(field, read.get(name))) for name, field in columns.items())

    for chunk, _ in _chunks(lines()):
        yield chunk


def _chunks(lines: Iterable[str]) -> Iterator[tuple[bytes, int]]:
    """Lines joined into pieces worth sending, each with how many lines it has."""
    waiting: list[str] = []
    size = 0
    for line in lines:
        waiting.append(line)
        size += len(line)
        if size >= CHUNK:
            yield "".join(waiting).encode(), len(waiting)
            waiting, size = [], 0
    if waiting:
        yield "".join(waiting).encode(), len(waiting)


def harmless(text: str) -> str:
    """The cell, with a quotation mark before what a spreadsheet would run as a formula."""
    return f"'{text}" if text.startswith(FORMULA) else text


def cell(field: fields.Field[Any], value: Any) -> str:
    """A value as the text of a cell: references as ids, lists joined by `|`, spans in short."""
    if value is None:
        return ""
    match field:
        case fields.List(inner=inner):
            return "|".join(cell(inner, item) for item in value)
        case Ref():
            return str(value["id"] if isinstance(value, dict) else value)
        case fields.Nested(schema=Span()):
            return f"{value['source']['id']}:{value['start']}-{value['end']}"
        case fields.Nested():
            return orjson.dumps(value).decode()
        case fields.Boolean():
            return "true" if value else "false"
    return str(value)


def columns(schema: Schema, names: Sequence[str] | None, without: Sequence[str]) -> dict[str, Any]:
    """The columns of a table: the members of the schema, or some of them, in its order."""
    return {
        name: field
        for name, field in schema.fields.items()
        if name not in without and (names is None or name in names)
    }
