"""What every record has, as it is written and as it is read."""

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, missing, pre_load
from marshmallow.error_store import ErrorStore
from marshmallow.types import UnknownOption

from schemas.fields import Id, Integer, Ref, Text

SERVER_SET = ("revision", "created_at", "updated_at")

Written = dict[str, Any]
View = dict[str, Any]
Look = Callable[[str, str], View]
Shape = Callable[[Any, Look], Any]
Collapse = Callable[[Any], Any]


class Plain(Schema):
    """One closed object whose members are named as its fields."""

    class Meta:
        unknown = RAISE

    def _deserialize(
        self,
        data: Any,
        *,
        error_store: ErrorStore,
        many: bool = False,
        partial: Any = None,
        unknown: UnknownOption = RAISE,
        index: int | None = None,
    ) -> Any:
        """What marshmallow's own does for such an object.

        It is a third of the work of loading: that one prepares for much that none of ours has.
        """
        if many or partial is not None or not isinstance(data, Mapping):
            return super()._deserialize(
                data,
                error_store=error_store,
                many=many,
                partial=partial,
                unknown=unknown,
                index=index,
            )
        loaded = {}
        for name, field in self._concerned(data):
            try:
                value = field.deserialize(data.get(name, missing), name, data)
            except ValidationError as error:
                error_store.store_error(error.messages, name)  # type: ignore[no-untyped-call]
                value = error.valid_data or missing
            if value is not missing:
                loaded[name] = value
        for name in data.keys() - self.load_fields.keys():
            error_store.store_error(  # type: ignore[no-untyped-call]
                [self.error_messages["unknown"]], name
            )
        return loaded

    def _concerned(self, data: Mapping[str, Any]) -> Iterable[tuple[str, fields.Field[Any]]]:
        """The fields to load, by their names."""
        return self.load_fields.items()


class Part(Plain):
    """An object inside a record."""

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
        if not isinstance(data, Mapping) or self._ignored.isdisjoint(data):
            return data
        return {name: value for name, value in data.items() if name not in self._ignored}

    @functools.cached_property
    def _ignored(self) -> frozenset[str]:
        return frozenset(SERVER_SET) | (self.dump_fields.keys() - self.load_fields.keys())


class Read(Schema):
    """The members that the server sets; mixed into each record's view, after its own members."""

    revision = Integer(1, metadata={"description": "Number of the last change of this record."})
    created_at = Text(metadata={"description": "UTC, microseconds.", "format": "date-time"})
    updated_at = Text(metadata={"description": "UTC, microseconds.", "format": "date-time"})


def viewed(schema: Schema, written: Mapping[str, Any], look: Look) -> View:
    """A record as it is read: as it is written, with what it names shown in place of the ids.

    It is what the schema's own `dump` would give, in a tenth of the time: values that were loaded
    are JSON already.
    """
    return {
        name: shape(written[name], look) if shape and written[name] is not None else written[name]
        for name, shape in _shapes(schema)
        if name in written
    }


@functools.cache
def _shapes(schema: Schema) -> list[tuple[str, Shape | None]]:
    """For each member of a schema, in order, what shows its value; None where it is shown as is."""
    return [(name, _shape(field)) for name, field in schema.dump_fields.items()]


def _shape(field: fields.Field[Any]) -> Shape | None:
    match field:
        case Ref(kind=kind, shows=shows) if shows:

            def show(value: Any, look: Look) -> Any:
                named = look(kind, value)
                return {member: named[member] for member in shows}

            return show
        case fields.List(inner=inner) if shape := _shape(inner):
            return lambda value, look: [shape(item, look) for item in value]
        case fields.Nested(schema=nested):
            return lambda value, look: viewed(nested, value, look)
    return None


def as_written(schema: Schema, view: Mapping[str, Any]) -> Written:
    """A record as it is written, from the record as it is read."""
    return {
        name: collapse(view[name]) if collapse and view.get(name) is not None else view.get(name)
        for name, collapse in _collapses(schema)
    }


@functools.cache
def _collapses(schema: Schema) -> list[tuple[str, Collapse | None]]:
    """For each member that is written, in order, what puts ids in the place of what is shown."""
    return [(name, _collapse(field)) for name, field in schema.load_fields.items()]


def _collapse(field: fields.Field[Any]) -> Collapse | None:
    match field:
        case Ref():
            return lambda value: value["id"] if isinstance(value, Mapping) else value
        case fields.List(inner=inner) if collapse := _collapse(inner):
            return lambda value: [collapse(item) for item in value]
        case fields.Nested(schema=nested):
            return lambda value: as_written(nested, value)
    return None


def completed(schema: Schema, written: Mapping[str, Any]) -> Written:
    """A record as an earlier schema wrote it, with the members that have come since, and no others.

    Those are null, `[]` or their default.
    """
    whole = {
        name: written[name] if name in written else default()
        for name, default in _defaults(schema).items()
    }
    for name, nested in _nested(schema):
        whole[name] = [completed(nested, item) for item in whole[name]]
    return whole


@functools.cache
def _defaults(schema: Schema) -> dict[str, Callable[[], Any]]:
    def made(value: Any) -> Callable[[], Any]:
        if callable(value):
            return value  # type: ignore[no-any-return]
        return lambda: None if value is missing else value

    return {name: made(field.load_default) for name, field in schema.load_fields.items()}


@functools.cache
def _nested(schema: Schema) -> list[tuple[str, Schema]]:
    """The lists of objects in a record, each with the schema of one."""
    return [
        (name, field.inner.schema)
        for name, field in schema.load_fields.items()
        if isinstance(field, fields.List) and isinstance(field.inner, fields.Nested)
    ]


def references(
    schema: Schema, written: Mapping[str, Any], at: str = ""
) -> Iterator[tuple[str, str, str]]:
    """Every reference in a record as written: its JSON Pointer, the kind it names, and the id."""
    for name, kind, nested in _naming(schema):
        value = written.get(name)
        if value is None:
            continue
        if isinstance(value, str):
            yield f"{at}/{name}", kind, value
        elif nested is None:
            yield from ((f"{at}/{name}/{place}", kind, one) for place, one in enumerate(value))
        else:
            for place, item in enumerate(value):
                yield from references(nested, item, f"{at}/{name}/{place}")


@functools.cache
def _naming(schema: Schema) -> list[tuple[str, str, Schema | None]]:
    """The members that name records: their kind, or the schema of the objects that do."""
    found: list[tuple[str, str, Schema | None]] = []
    for name, field in schema.fields.items():
        match field:
            case Ref(kind=kind) | fields.List(inner=Ref(kind=kind)):
                found.append((name, kind, None))
            case fields.List(inner=fields.Nested(schema=nested)) if _naming(nested):
                found.append((name, "", nested))
    return found
