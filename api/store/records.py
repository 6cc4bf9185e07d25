"""One kind of record in the database: pages, counts, facets and single records.

A SELECT is built once for each *shape* of a question (which filters, one value or several, which
sort) with bound parameters, and kept.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, NamedTuple

from marshmallow import Schema
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Table,
    and_,
    bindparam,
    distinct,
    func,
    select,
    tuple_,
)

from api.store import search
from api.store.filters import Among, Asked, Filter, Filters, Linked, Place, Words
from api.store.names import narrower, resolve
from schemas.base import View, Written

Look = Callable[[str, str], View]
Position = tuple[Any, ...]

MOST_HITS = 1_000
MOST_FACET_VALUES = 100
KEPT_SELECTS = 2_000
STREAMED_AT_ONCE = 500
LABELS = ("name", "label", "title")


class Entry(NamedTuple):
    """What a record becomes in the database, beside its view."""

    columns: dict[str, Any]
    links: dict[Table, list[dict[str, Any]]]
    words: list[str]
    derived: dict[str, Any] = {}
    names: list[str] = []


class Row(NamedTuple):
    """A record as it is read, in JSON, and where it stands in the order asked for."""

    view: str
    position: Position


@dataclass(frozen=True)
class Ask:
    """A question to a kind of record: filters, order, and the position to go on from."""

    asked: Asked
    sort: str
    after: Position | None = None

    def shape(self, *more: Any) -> tuple[Any, ...]:
        """What of it the SQL depends on."""
        filters = tuple(sorted((name, value.shape) for name, value in self.asked.items()))
        return (filters, self.sort, *more)


@dataclass(eq=False)
class Records:
    """A kind of record: its table, its schema as read, its filters and orders.

    `dated` names the sort by earliest day, latest day and id, records without a date last. `shown`
    are the members that concern the records that name one: they show them or follow from them.
    """

    table: Table
    schema: Schema
    derive: Callable[[Written, Look], Entry]
    filters: Filters
    default_sort: str = "id"
    dated: str | None = None
    names: Table | None = None
    links: Sequence[Table] = ()
    shown: Sequence[str] = ()
    _selects: dict[tuple[Any, ...], Select[Any]] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """The kind's name in paths: `calls`, `statements` …"""
        return self.table.name

    @property
    def title(self) -> str:
        """The name of one record of the kind, as in `Statement`."""
        return self.kind.removesuffix("s").capitalize()

    @property
    def sorts(self) -> list[str]:
        """The orders that a client may ask for."""
        dated = [self.dated, f"-{self.dated}"] if self.dated else []
        return [*dated, "id", *(["relevance"] if self.ranks else [])]

    @property
    def ranks(self) -> bool:
        """Whether full text orders by relevance and shows highlights (statements alone)."""
        return self.kind == "statements"

    @property
    def facets(self) -> dict[str, Filter]:
        """The filters whose values can be counted."""
        return {name: found for name, found in self.filters.items() if found.facet}

    # Reading

    def one(self, connection: Connection, record_id: str) -> tuple[str, str] | None:
        """The id and the view of a record, by its id or the slug of an alias."""
        kept = self._keep(("one",), self._select_one)
        row = connection.execute(kept, {"id": record_id}).one_or_none()
        return (row.id, row.view) if row else None

    def _select_one(self) -> Select[Any]:
        found: ColumnElement[bool] = self.table.c.id == bindparam("id")
        if self.names is not None:
            slugs = select(self.names.c.record).where(self.names.c.slug == bindparam("id"))
            found = self.table.c.id.in_(slugs)
        return select(self.table.c.id, self.table.c.view).where(found)

    def revision(self, connection: Connection, record_id: str) -> int | None:
        """The number of a record's last change, by its id alone."""
        column = self.table.c.revision
        found: int | None = connection.scalar(select(column).where(self.table.c.id == record_id))
        return found

    def resolve(
        self, connection: Connection, ask: Ask
    ) -> tuple[Ask, dict[str, dict[str, list[str]]]]:
        """The question with ids for aliases and narrower topics added; and what is unknown.

        Unknown ids come by parameter, each with the nearest ids that exist.
        """
        asked = dict(ask.asked)
        unknown: dict[str, dict[str, list[str]]] = {}
        for name, value in ask.asked.items():
            used = self.filters[name]
            if used.refers_to is None or not value.values:
                continue
            ids, missing = resolve(connection, used.refers_to, value.values)
            if missing:
                unknown[name] = missing
                continue
            grouped = name.endswith("_all")
            if getattr(used, "widens", False):
                groups = [narrower(connection, [one]) for one in ids] if grouped else []
                ids = ids if grouped else list(narrower(connection, ids))
            else:
                groups = [(one,) for one in ids]
            asked[name] = replace(value, values=tuple(groups) if grouped else tuple(ids))
        return replace(ask, asked=asked), unknown

    def rows(self, connection: Connection, ask: Ask, limit: int | None) -> Iterator[Row]:
        """The records asked for, in order, at most `limit`."""
        if self._finds_nothing(ask):
            return
        dialect = connection.dialect.name
        left = limit
        for phase in self._phases(ask):
            after = self._after(ask, phase)
            statement = self._keep(
                ask.shape("rows", phase, len(after), limit is not None, dialect),
                partial(self._select_rows, dialect, ask, phase, len(after), limit is not None),
            )
            bound = self._binds(connection, ask)
            bound |= {f"after_{n}": part for n, part in enumerate(after)}
            if left is not None:
                bound["limit"] = left
            if left is None or left > STREAMED_AT_ONCE:
                statement = statement.execution_options(yield_per=STREAMED_AT_ONCE)
            for view, *position in connection.execute(statement, bound):
                if left is not None:
                    left -= 1
                yield Row(view, tuple(position))
            if left == 0:
                return

    def count(self, connection: Connection, ask: Ask) -> int:
        """How many records match, exactly."""
        if self._finds_nothing(ask):
            return 0
        dialect = connection.dialect.name
        statement = self._keep(
            ask.shape("count", dialect),
            partial(self._select_keys, dialect, ask, func.count),
        )
        return int(connection.execute(statement, self._binds(connection, ask)).scalar_one())

    def facet(self, connection: Connection, ask: Ask, name: str) -> list[tuple[str, int]]:
        """The values of a facet over all that matches, the most frequent first, ties by value."""
        if self._finds_nothing(ask):
            return []
        dialect = connection.dialect.name
        statement = self._keep(
            ask.shape("facet", name, dialect), partial(self._select_facet, dialect, ask, name)
        )
        found = connection.execute(statement, self._binds(connection, ask))
        return [(value, count) for value, count in found]

    def counted(self, connection: Connection, ask: Ask, name: str) -> list[dict[str, Any]]:
        """The same with the label of each value: a name, label or title, else the value itself."""
        found = self.facet(connection, ask, name)
        labels: dict[str, str] = {}
        kind = self.filters[name].refers_to
        if kind is not None and found:
            table = self.table.metadata.tables[kind]
            label = next(table.c[one] for one in LABELS if one in table.c)
            ids = [value for value, _ in found]
            rows = connection.execute(select(table.c.id, label).where(table.c.id.in_(ids)))
            labels = dict(rows.tuples().all())
        return [
            {"id": value, "label": labels.get(value, value), "count": count}
            for value, count in found
        ]

    def streamed(self, connection: Connection, ask: Ask) -> int:
        """How many records `rows` gives without a limit."""
        count = self.count(connection, ask)
        return min(count, MOST_HITS) if ask.sort == "relevance" else count

    # Building SELECTs

    def _keep(self, shape: tuple[Any, ...], build: Callable[[], Select[Any]]) -> Select[Any]:
        kept = self._selects.get(shape)
        if kept is None:
            if len(self._selects) >= KEPT_SELECTS:
                self._selects.clear()
            kept = self._selects[shape] = build()
        return kept

    def _finds_nothing(self, ask: Ask) -> bool:
        query = ask.asked.get("q")
        return query is not None and query.values[0].finds_nothing

    def _driver(self, ask: Ask) -> tuple[str, Linked] | None:
        """The filter along whose index the page is read: the first that can."""
        for name, used in self.filters.items():
            value = ask.asked.get(name)
            if value and isinstance(used, Linked) and used.drives(value):
                return name, used
        return None

    def _conditions(self, dialect: str, ask: Ask, place: Place) -> list[ColumnElement[bool]]:
        found: list[ColumnElement[bool]] = []
        for name, value in ask.asked.items():
            used = self.filters[name]
            if isinstance(used, Words):
                place.joined = True
                found.append(search.matches(dialect, self.table, name))
            elif isinstance(used, Linked) and name == place.driven_by:
                found.append(used.bind(name, value, used.target))
            else:
                found.append(used.where(name, value, place))
        return found

    def _place(self, ask: Ask) -> tuple[Place, bool]:
        """Where the conditions stand, and whether a record can come more than once there."""
        driver = self._driver(ask)
        if driver is None or ask.sort == "relevance":
            return Place(self.table), False
        name, used = driver
        repeats = len(ask.asked[name].values) > 1 or used.target.name != "target"
        return Place(self.table, used.link, name), repeats

    def _from(self, place: Place) -> Any:
        if place.driver is None:
            return self.table
        if not place.joined:
            return place.driver
        return place.driver.join(self.table, self.table.c.id == place.driver.c.record)

    def _select_rows(
        self, dialect: str, ask: Ask, phase: str, after: int, bounded: bool
    ) -> Select[Any]:
        """The page in order; `after` is how many parts the position has to go on from."""
        if ask.sort == "relevance":
            return self._select_hits(dialect, ask, after > 0, bounded)
        place, repeats = self._place(ask)
        where = self._conditions(dialect, ask, place)
        order = [] if self.dated is None else [place.column(self.table.c.earliest)]
        order += [] if self.dated is None else [place.column(self.table.c.latest)]
        if phase == "dated":
            where.append(order[0].is_not(None))
        elif phase == "undated":
            where += [day.is_(None) for day in order]
        descending = ask.sort.startswith("-")
        keys = [*(order if phase == "dated" else []), place.key]
        if after:
            here = tuple_(*keys)
            last = tuple_(*(bindparam(f"after_{n}", type_=key.type) for n, key in enumerate(keys)))
            where.append(here < last if descending else here > last)
        shown = [*(order if phase != "all" else []), place.key]
        if not repeats:
            place.joined = True
            statement = select(self.table.c.view, *shown).select_from(self._from(place))
        else:
            labelled = [key.label(f"key_{n}") for n, key in enumerate(shown)]
            page = select(*labelled).distinct().select_from(self._from(place))
            page = page.where(*where).order_by(*self._ordered(keys, descending))
            page = page.limit(bindparam("limit")) if bounded else page
            inner = page.subquery("page")
            keys = [inner.c[f"key_{n}"] for n in range(len(shown))]
            statement = select(self.table.c.view, *keys).select_from(
                inner.join(self.table, self.table.c.id == keys[-1])
            )
            return statement.order_by(*self._ordered(keys, descending))
        statement = statement.where(*where).order_by(*self._ordered(keys, descending))
        return statement.limit(bindparam("limit")) if bounded else statement

    @staticmethod
    def _ordered(keys: list[ColumnElement[Any]], descending: bool) -> list[ColumnElement[Any]]:
        return [key.desc() if descending else key.asc() for key in keys]

    def _select_hits(self, dialect: str, ask: Ask, after: bool, bounded: bool) -> Select[Any]:
        """The best hits in order of relevance, at most MOST_HITS of them."""
        origin, rank = search.ranked(dialect, self.table, "q")
        place = Place(self.table)
        rest = replace(ask, asked={name: v for name, v in ask.asked.items() if name != "q"})
        where = self._conditions(dialect, rest, place)
        if dialect != "sqlite":
            where.append(search.matches(dialect, self.table, "q"))
        best = select(self.table.c.n.label("hit"), rank.label("rank")).select_from(origin)
        best = best.where(*where).order_by(rank, self.table.c.n).limit(MOST_HITS)
        hits = best.cte("best")
        statement = select(self.table.c.view, hits.c.rank, hits.c.hit).select_from(
            hits.join(self.table, self.table.c.n == hits.c.hit)
        )
        if after:
            # Ranks move a little as records come and go: take the rank that the last hit has now.
            last = select(hits.c.rank).where(hits.c.hit == bindparam("after_1"))
            now = func.coalesce(last.scalar_subquery(), bindparam("after_0", type_=rank.type))
            later = and_(hits.c.rank == now, hits.c.hit > bindparam("after_1"))
            statement = statement.where((hits.c.rank > now) | later)
        statement = statement.order_by(hits.c.rank, hits.c.hit)
        return statement.limit(bindparam("limit")) if bounded else statement

    def _select_keys(
        self, dialect: str, ask: Ask, wrap: Callable[..., ColumnElement[Any]] | None
    ) -> Select[Any]:
        """The ids of all that matches, or what `wrap` makes of them."""
        place, repeats = self._place(replace(ask, sort="id"))
        where = self._conditions(dialect, ask, place)
        key = distinct(place.key) if repeats else place.key
        shown = wrap(key) if wrap else place.key
        return select(shown).select_from(self._from(place)).where(*where)

    def _select_facet(self, dialect: str, ask: Ask, name: str) -> Select[Any]:
        used = self.filters[name]
        keys = self._select_keys(dialect, ask, None).correlate(None)
        if isinstance(used, Linked):
            value, key = used.target, used.link.c.record
        elif isinstance(used, Among):
            value, key = used.column, self.table.c.id
        else:
            raise TypeError(f"{name} is no facet")
        counted = func.count(distinct(key)).label("counted")
        return (
            select(value, counted)
            .where(key.in_(keys), value.is_not(None))
            .group_by(value)
            .order_by(counted.desc(), value)
            .limit(MOST_FACET_VALUES)
        )

    # Binding values

    def _binds(self, connection: Connection, ask: Ask) -> dict[str, Any]:
        bound: dict[str, Any] = {}
        for name, value in ask.asked.items():
            used = self.filters[name]
            if isinstance(used, Words):
                bound[name] = search.asked(connection.dialect.name, value.values[0])
            else:
                bound.update(used.binds(name, value))
        return bound

    def _phases(self, ask: Ask) -> list[str]:
        """A dated order is two ranges, the records without a date last in either direction."""
        if ask.sort.removeprefix("-") != self.dated:
            return ["all"]
        if ask.after is not None and ask.after[0] is None:
            return ["undated"]
        if any(name.endswith(("_from", "_to")) for name in ask.asked):
            return ["dated"]
        return ["dated", "undated"]

    def _after(self, ask: Ask, phase: str) -> Position:
        """The parts of the position to go on from in this phase."""
        if ask.after is None or (phase == "undated" and ask.after[0] is not None):
            return ()
        return tuple(part for part in ask.after if part is not None)
