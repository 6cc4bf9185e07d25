"""Call records as documents: YAML or JSON text in, checked; records from the database out."""

import re
from collections.abc import Iterable
from typing import Any

import orjson
from marshmallow import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.resolver import VersionedResolver
from sqlalchemy import ColumnElement, Connection, select

from api.store import sources
from api.store.kinds import KINDS
from schemas import json_text
from schemas.base import Written, as_written, references
from schemas.problem import Fault, faults
from schemas.record import WRITTEN, CallRecord, CallRecords

ONE = CallRecord()
MANY = CallRecords()


class Unreadable(Exception):
    """The text is not a document at all."""


class Malformed(Exception):
    """The document is not a call record; every fault is told."""

    def __init__(self, found: list[Fault]) -> None:
        super().__init__("; ".join(f"{fault.pointer}: {fault.detail}" for fault in found))
        self.faults = found


class CoreSchema(VersionedResolver):
    """Plain scalars as the core schema of YAML 1.2 (section 10.3) reads them.

    ruamel's own resolver still knows timestamps and merge keys of YAML 1.1.
    """

    versioned_resolver = {
        first: [
            (f"tag:yaml.org,2002:{tag}", re.compile(pattern))
            for tag, pattern, firsts in (
                ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
                ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", list("tTfF")),
                ("int", r"^(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$", list("-+0123456789")),
                (
                    "float",
                    r"^(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
                    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$",
                    list("-+.0123456789"),
                ),
            )
            if first in firsts
        ]
        for first in ["", *"~nNtTfF-+.0123456789"]
    }


def parse_yaml(text: str) -> Any:
    """A YAML 1.2 document: `on`, `NO` and dates are strings, a repeated key is an error."""
    yaml = YAML(typ="safe", pure=True)
    yaml.Resolver = CoreSchema
    return yaml.load(text)


def parse(text: bytes, *, yaml: bool = False) -> Any:
    """What a text says, strictly JSON or else YAML."""
    try:
        return parse_yaml(text.decode()) if yaml else json_text.parse(text)
    except UnicodeDecodeError as error:
        raise Unreadable(f"It is not UTF-8 (at byte {error.start}).") from None
    except RecursionError:
        raise Unreadable("It is nested too deeply.") from None
    except (YAMLError, ValueError) as error:
        said = " ".join(str(error).split())
        raise Unreadable(f"It is not {'YAML' if yaml else 'JSON'}: {said}.") from None


def load(document: Any, schema: CallRecord = ONE) -> dict[str, Any]:
    """The call record that a parsed document holds, checked by its schema."""
    try:
        loaded: dict[str, Any] = schema.load(document)
    except ValidationError as error:
        raise Malformed(list(faults(error.messages))) from None
    return loaded


def read_yaml(text: str) -> dict[str, Any]:
    """The call record in a YAML text."""
    try:
        return load(parse_yaml(text))
    except YAMLError as error:
        raise Unreadable(str(error)) from None


def record_of(connection: Connection, call: str) -> dict[str, Any] | None:
    """The call record of a call, in the shape that writes take, its lists in the order of ids.

    It lists all that it names: participants, topics with the broader ones, sources.
    """
    found = _views(connection, "calls", KINDS["calls"].table.c.id == call)
    if not found:
        return None
    accounts = _views(connection, "accounts", KINDS["accounts"].table.c.call == call)
    statements = _views(connection, "statements", KINDS["statements"].table.c.call == call)
    named: dict[str, set[str]] = {"participants": set(), "topics": set(), "sources": set()}
    for kind, records in (("calls", found), ("accounts", accounts), ("statements", statements)):
        for written in records:
            for _, target, record_id in references(WRITTEN[kind], written):
                named.get(target, set()).add(record_id)
    shared = {
        "participants": _named(connection, "participants", named["participants"]),
        "topics": _with_broader(connection, named["topics"]),
        "sources": _named(connection, "sources", named["sources"]),
    }
    for source in shared["sources"]:
        source["text"] = sources.text_of(connection, source["id"])
    return {"call": found[0], **shared, "accounts": accounts, "statements": statements}


def _views(connection: Connection, kind: str, where: ColumnElement[bool]) -> list[Written]:
    table = KINDS[kind].table
    views = connection.scalars(select(table.c.view).where(where).order_by(table.c.id))
    return [as_written(WRITTEN[kind], orjson.loads(view)) for view in views]


def _named(connection: Connection, kind: str, ids: Iterable[str]) -> list[Written]:
    return _views(connection, kind, KINDS[kind].table.c.id.in_(sorted(ids)))


def _with_broader(connection: Connection, ids: set[str]) -> list[Written]:
    topics: dict[str, Written] = {}
    while ids:
        found = _named(connection, "topics", ids)
        topics |= {topic["id"]: topic for topic in found}
        ids = {topic["broader"] for topic in found if topic["broader"]} - topics.keys()
    return [topics[name] for name in sorted(topics)]
