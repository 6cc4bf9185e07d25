"""The JSON Schemas of the document, from the marshmallow fields.

Answers are open and their codes plain strings with examples, as v1 may grow; what is sent in is
closed and enumerated.
"""

import copy
from typing import Any

from marshmallow import Schema, fields

from schemas.base import Record
from schemas.fields import MAX_INTEGER, Coded, Country, Edtf, Id, Integer, Items, Ref, Text
from schemas.query import Choice, Truth, Whole
from schemas.record import VIEWS
from schemas.vocabulary import COUNTRIES

ID = {"$ref": "#/components/schemas/Id"}
# What many fields are: components of their own.
COMMON: dict[str, dict[str, Any]] = {
    "Country": {
        "type": "string",
        "description": "ISO 3166-1 alpha-2 (and XK), or ISO 3166-3 alpha-4 for one that is gone.",
        "enum": sorted(COUNTRIES),
    },
    "Edtf": {
        "type": "string",
        "description": "A date: EDTF (ISO 8601-2), levels 0 and 1.",
        "maxLength": Edtf.longest,
        "pattern": Edtf.pattern,
        "examples": ["2022-07-29", "2022-07", "2022-07-29~", "2022-07-27/2022-07-31"],
    },
    "Id": {"type": "string", "maxLength": Id.longest, "pattern": Id.pattern},
    "Reference": {
        "description": "The id of a record, or an object with it, as GET gives it.",
        "anyOf": [ID, {"type": "object", "properties": {"id": ID}, "required": ["id"]}],
    },
}


def asked(value: fields.Field[Any]) -> dict[str, Any]:
    """The JSON Schema of a value in a query string."""
    match value:
        case Coded(codes=codes) | Choice(codes=codes):
            return {"type": "string", "enum": list(codes)}
        case Country() | Edtf() | Id():
            return _common(value)
        case Truth():
            return {"type": "boolean"}
        case Whole(least=least, most=most):
            bounds = {"minimum": least} | ({"maximum": most} if most else {})
            return {"type": "integer", **bounds, **_default(value)}
        case Text():
            empty = {} if value.pattern or value.required else {"minLength": 1}
            return {"type": "string", **_limits(value), **empty}
    raise TypeError(f"no schema for {value!r}")


def _common(value: fields.Field[Any]) -> dict[str, Any]:
    name = "Reference" if isinstance(value, Ref) else type(value).__name__
    return {"$ref": f"#/components/schemas/{name}"}


def _default(value: fields.Field[Any]) -> dict[str, Any]:
    return {"default": value.metadata["default"]} if "default" in value.metadata else {}


def _limits(value: Text) -> dict[str, Any]:
    pattern = value.pattern or (r"\S" if value.required else None)
    return {"maxLength": value.longest} | ({"pattern": pattern} if pattern else {})


def as_read(
    converter: Any, value: fields.Field[Any], ret: dict[str, Any], **_: Any
) -> dict[str, Any]:
    """What an answer says of a field, beside what apispec says of it."""
    for told in ("readOnly", "default"):
        ret.pop(told, None)
    match value:
        case Ref(kind=kind, shows=shows) if shows:
            ret.clear()
            brief = converter.resolve_nested_schema(in_brief(kind, shows))
            shown = {"anyOf": [brief, {"type": "null"}]} if value.allow_none else brief
            return _described(value) | shown
        case Coded(codes=codes):
            return {"examples": [codes[0]]}
        case Integer(least=least):
            return {"minimum": least}
    return {}


def as_exchanged(
    converter: Any, value: fields.Field[Any], ret: dict[str, Any], **_: Any
) -> dict[str, Any]:
    """What a call record that is taken away says of a field: open, but references are ids."""
    ret.pop("default", None)
    return {"examples": [value.codes[0]]} if isinstance(value, Coded) else {}


def _described(value: fields.Field[Any]) -> dict[str, Any]:
    found = value.metadata.get("description")
    return {"description": found} if found else {}


def as_written(
    converter: Any, value: fields.Field[Any], ret: dict[str, Any], **_: Any
) -> dict[str, Any]:
    """What is asked of a field that is sent in, beside what apispec says of it."""
    asked_of = _asked_of(value, ret)
    if getattr(value.parent, "partial", False):
        # What a patch leaves out stays as it is, and null removes.
        ret.pop("default", None)
        if not value.required:
            asked_of |= _or_null(ret | asked_of)
    return asked_of


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    kind = schema.get("type")
    return {
        **({"type": [kind, "null"]} if isinstance(kind, str) else {}),
        **({"enum": [*dict.fromkeys([*schema["enum"], None])]} if "enum" in schema else {}),
    }


def _asked_of(value: fields.Field[Any], ret: dict[str, Any]) -> dict[str, Any]:
    match value:
        case Id() | Country() | Edtf():
            kept = {"readOnly": True} if "readOnly" in ret else {}
            ret.clear()
            common = _common(value)
            shown = {"anyOf": [common, {"type": "null"}]} if value.allow_none else common
            return _described(value) | shown | kept
        case Coded(codes=codes):
            return {"enum": [*codes, *([None] if value.allow_none else [])]}
        case Text():
            return _limits(value)
        case Integer(least=least):
            return {"minimum": least, "maximum": MAX_INTEGER}
        case Items(least=least, most=most, key=key):
            bounds = {"minItems": least} if least else {}
            once = {"uniqueItems": True} if key else {}
            return bounds | ({"maxItems": most} if most else {}) | once
    return {}


_BRIEFS: dict[tuple[str, tuple[str, ...]], Schema] = {}


def in_brief(kind: str, shows: tuple[str, ...]) -> Schema:
    """The schema of what a record shows of another one that it names."""
    if (kind, shows) not in _BRIEFS:
        view = type(VIEWS[kind])
        singular = kind.removesuffix("s").capitalize()
        name = f"{singular}Name" if shows == ("id", "name") else f"{singular}InBrief"
        members = {member: copy.copy(view._declared_fields[member]) for member in shows}
        for member in members.values():
            member.required = True
        _BRIEFS[kind, shows] = Schema.from_dict(members, name=name)()
    return _BRIEFS[kind, shows]


def name_as_read(schema: Any) -> str:
    """The name of a component of an answer: `Statement` for StatementView."""
    return _class_name(schema).removesuffix("View")


def name_as_exchanged(schema: Any) -> str:
    """The name of a component of a call record that is taken away: `StatementExchanged`."""
    name = _class_name(schema)
    return name if name == "CallRecord" else f"{name}Exchanged"


def _class_name(schema: Any) -> str:
    return str((schema if isinstance(schema, type) else type(schema)).__name__)


def name_as_written(schema: Any) -> str:
    """The name of a component of a body: `StatementInput`, `StatementPatch`; within a call record,
    with its id, `StatementInRecord`.
    """
    made = schema if isinstance(schema, type) else type(schema)
    if getattr(schema, "partial", False):
        return f"{made.__name__}Patch"
    whole = issubclass(made, Record) and not getattr(schema, "exclude", ())
    return f"{made.__name__}{'InRecord' if whole else 'Input'}"


def closed(schema: dict[str, Any]) -> None:
    """Leave out of what is sent in what only the server says."""
    told = schema.get("properties", {})
    for name in [name for name, value in told.items() if value.get("readOnly")]:
        del told[name]


def opened(schema: dict[str, Any]) -> None:
    """Leave an answer's schema open: v1 may add members."""
    if isinstance(schema.get("additionalProperties"), bool):
        del schema["additionalProperties"]
