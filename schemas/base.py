"""What every record has, as it is written and as it is read."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from marshmallow import RAISE, Schema, fields, pre_load

from schemas.fields import Id, Integer, Ref, Text

SERVER_SET = ("revision", "created_at", "updated_at")

Written = dict[str, Any]
View = dict[str, Any]


class Part(Schema):
    """An object inside a record: closed, as records are."""

    class Meta:
        unknown = RAISE

    error_messages = {
        "unknown": "Unknown member.",
        "type": "Must be an object.",
    }


class Record(Part):
    """A record as it is written: references are ids, what the server derives or sets is left out.

    What the server derives is declared `dump_only`. Writers may send it back as they read it: it is
    ignored. Any other unknown member is an error.
    """

    id = Id(required=True, metadata={"description": "Slug chosen by the client; it never changes."})

    @pre_load
    def ignore_derived(self, data: Any, **_: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        ignored = {*SERVER_SET, *self.dump_fields.keys() - self.load_fields.keys()}
        return {name: value for name, value in data.items() if name not in ignored}


class Read(Schema):
    """The members that the server sets; mixed into each record's view, after its own members."""

    revision = Integer(1, metadata={"description": "Number of the last change of this record."})
    created_at = Text(metadata={"description": "UTC, microseconds.", "format": "date-time"})
    updated_at = Text(metadata={"description": "UTC, microseconds.", "format": "date-time"})


def resolved(schema: Schema, written: Mapping[str, Any], look: Callable[[str, str], View]) -> View:
    """A record as written, with the records it names in place of their ids: what a view dumps."""

    def resolve(field: fields.Field[Any], value: Any) -> Any:
        if value is None:
            return None
        match field:
            case Ref(kind=kind, shows=shows) if shows:
                return look(kind, value)
            case fields.List(inner=inner):
                return [resolve(inner, item) for item in value]
            case fields.Nested(schema=nested):
                return resolved(nested, value, look)
        return value

    return {name: resolve(schema.fields[name], value) for name, value in written.items()}


def as_written(schema: Schema, view: Mapping[str, Any]) -> Written:
    """A record as it is written, from the record as it is read."""

    def collapse(field: fields.Field[Any], value: Any) -> Any:
        if value is None:
            return None
        match field:
            case Ref() if isinstance(value, Mapping):
                return value["id"]
            case fields.List(inner=inner):
                return [collapse(inner, item) for item in value]
            case fields.Nested(schema=nested):
                return as_written(nested, value)
        return value

    return {name: collapse(field, view.get(name)) for name, field in schema.load_fields.items()}


def references(
    schema: Schema, written: Mapping[str, Any], at: str = ""
) -> Iterator[tuple[str, str, str]]:
    """Every reference in a record as written: its JSON Pointer, the kind it names, and the id."""

    def walk(field: fields.Field[Any], value: Any, pointer: str) -> Iterator[tuple[str, str, str]]:
        if value is None:
            return
        match field:
            case Ref(kind=kind):
                yield pointer, kind, value
            case fields.List(inner=inner):
                for place, item in enumerate(value):
                    yield from walk(inner, item, f"{pointer}/{place}")
            case fields.Nested(schema=nested):
                yield from references(nested, value, pointer)

    for name, value in written.items():
        yield from walk(schema.fields[name], value, f"{at}/{name}")
