"""What is wrong with a request: RFC 9457 problem details, and the faults that it lists."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from marshmallow import Schema, fields


class Fault(NamedTuple):
    """One thing that is wrong: where (a JSON Pointer, RFC 6901, into the record) and what."""

    pointer: str
    detail: str


def faults(messages: Any, at: str = "") -> Iterator[Fault]:
    """marshmallow's nested messages as a flat list of faults."""
    if isinstance(messages, Mapping):
        for name, inner in messages.items():
            step = "" if name == "_schema" else "/" + _escaped(str(name))
            yield from faults(inner, at + step)
    elif isinstance(messages, list):
        for inner in messages:
            yield from faults(inner, at)
    else:
        yield Fault(at, str(messages))


def _escaped(step: str) -> str:
    return step.replace("~", "~0").replace("/", "~1")


class Error(Schema):
    """One fault of a request."""

    pointer = fields.String(metadata={"description": "Where in the body (JSON Pointer)."})
    parameter = fields.String(metadata={"description": "Which query parameter."})
    detail = fields.String(required=True, metadata={"description": "What would be right."})


class Problem(Schema):
    """What was wrong, where, and what would be right (RFC 9457)."""

    type = fields.String(
        required=True, metadata={"description": "The kind of problem; `/problems` explains each."}
    )
    title = fields.String(required=True, metadata={"description": "The kind of problem in words."})
    status = fields.Integer(required=True, metadata={"description": "The HTTP status."})
    detail = fields.String(required=True, metadata={"description": "This occurrence in words."})
    instance = fields.String(metadata={"description": "The path of the request."})
    errors = fields.List(
        fields.Nested(Error), metadata={"description": "All faults of the request at once."}
    )
