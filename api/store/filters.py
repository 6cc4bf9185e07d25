"""The kinds of filter: each is a marshmallow field that knows its column.

One line in a store file, say `act=Among(table.c.act, "What it does.", Coded(ACTS), facet=True)`, is
the parser of the query parameter, its validation, its entry in the OpenAPI document, its SQL, its
facet and, where the column refers to another table, the check for unknown ids. Several values of
one filter mean *or*.
"""

from collections.abc import Mapping
from typing import Any

from marshmallow import fields
from sqlalchemy import Column, ColumnElement, and_, bindparam, distinct, exists, func, or_, select

from api.store import words
from api.store.place import Place
from api.store.value import NONE, Value
from schemas import dates
from schemas.fields import Edtf, Id, Text, clean
from schemas.instants import Instant
from schemas.query import Parameter, Truth


class Filter(Parameter):
    """A query parameter that narrows a list."""

    refers_to: str | None = None

    def __init__(self, inner: fields.Field[Any], describes: str, facet: bool = False) -> None:
        self.facet = facet
        super().__init__(inner, describes)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Value:
        texts = self.texts(value)
        none = self.takes_none and NONE in texts
        return Value(self.parse([text for text in texts if not (none and text == NONE)]), none)

    @property
    def takes_none(self) -> bool:
        """Whether `none` finds the records without any."""
        return False

    def where(self, name: str, asked: Value, place: Place) -> ColumnElement[bool]:
        """The condition in SQL; its values are bound as `name`."""
        raise NotImplementedError

    def bind(self, name: str, asked: Value, column: ColumnElement[Any]) -> ColumnElement[bool]:
        """The column holds one of the values."""
        if len(asked.values) == 1:
            return column == bindparam(name, type_=column.type)
        return column.in_(bindparam(name, expanding=True, type_=column.type))

    def binds(self, name: str, asked: Value) -> Mapping[str, Any]:
        """The values to bind, together and one by one."""
        if len(asked.values) == 1:
            return {name: asked.values[0]}
        each = ((f"{name}_{number}", one) for number, one in enumerate(asked.filled))
        return {name: list(asked.values), **dict(each)}


def _refers_to(column: Column[Any]) -> str | None:
    return next((key.column.table.name for key in column.foreign_keys), None)


class Among(Filter):
    """The column holds one of the values."""

    def __init__(
        self,
        column: Column[Any],
        describes: str,
        inner: fields.Field[Any] | None = None,
        facet: bool = False,
    ) -> None:
        super().__init__(inner or Id(), describes, facet)
        self.column = column
        self.refers_to = _refers_to(column)

    @property
    def takes_none(self) -> bool:
        return bool(self.column.nullable) or self.refers_to is not None

    def where(self, name: str, asked: Value, place: Place) -> ColumnElement[bool]:
        column = place.column(self.column)
        without = column.is_(None)
        if not asked.values:
            return without
        found = self.bind(name, asked, column)
        return or_(found, without) if asked.none else found


class Is(Filter):
    """The flag is true, or is false; unknown is neither."""

    single = True

    def __init__(self, column: Column[bool], describes: str) -> None:
        super().__init__(Truth(), describes)
        self.column = column

    def where(self, name: str, asked: Value, place: Place) -> ColumnElement[bool]:
        return self.bind(name, asked, place.column(self.column))


class Linked(Filter):
    """The record's list names one of the values.

    `target` is the column of a link table. A link that carries the sort columns can drive a page.
    `paired` names other filters, each with the column for it in a table that can drive a page for
    both: of all pairs of what the record's two lists name.
    """

    def __init__(
        self,
        target: Column[Any],
        describes: str,
        inner: fields.Field[Any] | None = None,
        *,
        facet: bool = False,
        widens: bool = False,
        paired: Mapping[str, Column[Any]] | None = None,
    ) -> None:
        super().__init__(inner or Id(), describes, facet)
        self.target = target
        self.link = target.table
        self.refers_to = _refers_to(target)
        self.widens = widens
        self.paired = paired or {}

    @property
    def takes_none(self) -> bool:
        return True

    def drives(self, asked: Value) -> bool:
        """Whether the page can be read along this link's index."""
        return bool(asked.values) and not asked.none

    def along(self, name: str, asked: "Asked") -> Mapping[str, Column[Any]]:
        """The columns to read it along, by the filters that they answer; its own is the first.

        Another one goes along where a single value is asked of it, so that it keeps the order.
        """
        for other, column in self.paired.items():
            one = asked.get(other)
            if one and len(one.values) == 1 and not one.none:
                return {name: column.table.c[self.target.name], other: column}
        return {name: self.target}

    def where(self, name: str, asked: Value, place: Place) -> ColumnElement[bool]:
        link = self.link.alias(f"{name}_link")
        own = link.c.record == place.key
        some: list[ColumnElement[bool]] = []
        if asked.values:
            some.append(
                exists(select(1).where(own, self.bind(name, asked, link.c[self.target.name])))
            )
        if asked.none:
            some.append(~exists(select(1).where(own, link.c[self.target.name].is_not(None))))
        return or_(*some)


class Every(Linked):
    """The record's list names every one of the values; each is a group of ids that will do.

    It is called `x_all` beside the `Linked` `x` of the same list, which the first value goes to.
    """

    @property
    def takes_none(self) -> bool:
        return False

    def drives(self, asked: Value) -> bool:
        return False

    def where(self, name: str, asked: Value, place: Place) -> ColumnElement[bool]:
        every = []
        for number, group in enumerate(asked.values):
            link = self.link.alias(f"{name}_{number}_link")
            holds = self.bind(f"{name}_{number}", Value(group), link.c[self.target.name])
            # OFFSET keeps PostgreSQL from planning a join for each of many.
            every.append(exists(select(1).where(link.c.record == place.key, holds).offset(0)))
        return and_(*every)

    def binds(self, name: str, asked: Value) -> Mapping[str, Any]:
        bound: dict[str, Any] = {}
        for number, group in enumerate(asked.values):
            bound.update(super().binds(f"{name}_{number}", Value(group)))
        return bound


class Lacks(Linked):
    """The record's list does not name every one of the values: it lacks one of them."""

    @property
    def takes_none(self) -> bool:
        return False

    def drives(self, asked: Value) -> bool:
        return False

    def where(self, name: str, asked: Value, place: Place) -> ColumnElement[bool]:
        link = self.link.alias(f"{name}_link")
        held = self.bind(name, asked, link.c[self.target.name])
        named = select(func.count(distinct(link.c[self.target.name])))
        every = named.where(link.c.record == place.key, held).scalar_subquery()
        return every < bindparam(f"{name}_many")

    def binds(self, name: str, asked: Value) -> Mapping[str, Any]:
        return {**super().binds(name, asked), f"{name}_many": len(asked.values)}


class Since(Filter):
    """The latest possible day is not before the date's first."""

    single = True

    def __init__(self, column: Column[str], describes: str) -> None:
        super().__init__(Edtf(), describes)
        self.column = column

    def where(self, name: str, asked: Value, place: Place) -> ColumnElement[bool]:
        return place.column(self.column) >= bindparam(name)

    def binds(self, name: str, asked: Value) -> Mapping[str, Any]:
        return {name: dates.days(asked.values[0])[0]}


class Until(Since):
    """The earliest possible day is not after the date's last."""

    def where(self, name: str, asked: Value, place: Place) -> ColumnElement[bool]:
        return place.column(self.column) <= bindparam(name)

    def binds(self, name: str, asked: Value) -> Mapping[str, Any]:
        return {name: dates.days(asked.values[0])[1]}


class Updated(Filter):
    """The record was changed at or after an instant."""

    single = True

    def __init__(self, column: Column[str]) -> None:
        instant = Instant()
        instant.wanted += "; in a URL, + is written %2B"
        super().__init__(
            instant, "Changed at or after this instant (RFC 3339), such as 2022-07-29T00:00:00Z."
        )
        self.column = column

    def where(self, name: str, asked: Value, place: Place) -> ColumnElement[bool]:
        return place.column(self.column) >= bindparam(name)


class Words(Filter):
    """Full text; the SQL is the search's (see search.py)."""

    single = True

    def __init__(self, describes: str) -> None:
        super().__init__(FullText(), describes)


class FullText(Text):
    """A full-text query, parsed; nothing in it is an error but its length."""

    longest = 500

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        return words.parse(clean(value.replace("\0", " "), self.longest))


Filters = Mapping[str, Filter]
Asked = Mapping[str, Value]
