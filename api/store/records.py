"""One kind of record in the database: pages, counts, facets and single records."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import chain, repeat
from typing import Any, NamedTuple

from marshmallow import Schema
from sqlalchemy import ColumnElement, Connection, Select, Table, bindparam, select

from api.store import search
from api.store.counts import Counts
from api.store.fetch import fetch
from api.store.filters import Every, Filters, Words
from api.store.gathering import Gathering
from api.store.names import nearest, resolve
from api.store.selects import BETWEEN, MOST_HITS, Ask, Position, Selects
from api.store.value import Value
from schemas.base import Look, Written
from schemas.slugs import is_slug

STREAMED_AT_ONCE = 500
HINTED = 3  # of the unknown ids of a filter: looking for near ones takes time


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


class Page(NamedTuple):
    """The JSON of some records, with BETWEEN them; and the last one's position, if more follow."""

    views: bytes
    last: Position | None


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
    counts: Counts | None = None
    gathering: Gathering | None = None
    shown: Sequence[str] = ()

    @cached_property
    def selects(self) -> Selects:
        """The SELECTs of its lists."""
        return Selects(self.table, self.filters, dated=self.dated is not None)

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
    def counted(self) -> list[str]:
        """The filters whose values can be counted."""
        return [name for name, found in self.filters.items() if found.facet]

    # Reading

    def one(self, connection: Connection, record_id: str) -> tuple[str, str] | None:
        """The id and the view of a record, by its id or the slug of an alias."""
        if not is_slug(record_id):
            return None
        kept = self.selects.keep(("one", connection.dialect.name), self._select_one)
        for found, view in fetch(connection, kept, {"id": record_id}):
            return found, view
        return None

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
            widens = getattr(used, "widens", False)
            found, missing = resolve(connection, used.refers_to, value.values, widens=widens)
            if missing:
                near = partial(nearest, connection, used.refers_to)
                unknown[name] = {
                    one: near(one) if place < HINTED else [] for place, one in enumerate(missing)
                }
                continue
            ids = found if isinstance(used, Every) else dict.fromkeys(chain(*found))
            asked[name] = replace(value, values=tuple(ids))
        return replace(ask, asked=self._with_a_first(asked)), unknown

    def _with_a_first(self, asked: dict[str, Value]) -> dict[str, Value]:
        """The same, where of several that a list must name the first drives the page."""
        for name, used in self.filters.items():
            one = name.removesuffix("_all")
            if isinstance(used, Every) and name in asked and one not in asked:
                first, *others = asked.pop(name).values
                asked[one] = Value(first)
                if others:
                    asked[name] = Value(tuple(others))
        return asked

    def rows(self, connection: Connection, ask: Ask, limit: int) -> Iterator[Row]:
        """The records asked for, in order, at most `limit`."""
        if ask.finds_nothing:
            return
        for phase, after, values in self._ranges(connection, ask):
            found = self.selects.rows(connection.dialect.name, ask, phase, after)
            values["limit"] = limit
            if limit > STREAMED_AT_ONCE:
                found = found.execution_options(yield_per=STREAMED_AT_ONCE)
                rows: Iterable[Sequence[Any]] = connection.execute(found, values)
            else:
                rows = fetch(connection, found, values)
            for view, *position in rows:
                limit -= 1
                yield Row(view, tuple(position))
            if limit == 0:
                return

    def page(self, connection: Connection, ask: Ask, limit: int) -> Page:
        """The records asked for, in order, at most `limit` of them."""
        if ask.finds_nothing or not limit:
            return Page(b"", None)
        views: list[bytes] = []
        positions: list[Position] = []
        for phase, after, values in self._ranges(connection, ask):
            found = self.selects.page(connection.dialect.name, ask, phase, after)
            values["limit"] = limit + 1 - len(positions)
            [[joined, *parts]] = fetch(connection, found, values)
            if joined:
                views.append(joined if isinstance(joined, bytes) else joined.encode())
                each = [part.split(",") if part else repeat(None) for part in parts]
                positions += zip(*each, strict=False)
            if len(positions) > limit:
                break
        page = BETWEEN.encode().join(views)
        if len(positions) <= limit:
            return Page(page, None)
        last = positions[limit - 1]
        if ask.sort == "relevance":
            last = (float(last[0]), *last[1:])
        return Page(page.rpartition(BETWEEN.encode())[0], last)

    def _ranges(
        self, connection: Connection, ask: Ask
    ) -> Iterator[tuple[str, int, dict[str, Any]]]:
        """The phases of an order, each with how long the position is to go on from, and values."""
        bound = self._binds(connection, ask)
        after = [part for part in ask.after or () if part is not None]
        for phase in self.phases(ask, bound):
            yield phase, len(after), bound | {f"after_{n}": part for n, part in enumerate(after)}
            after = []

    def count(self, connection: Connection, ask: Ask) -> int:
        """How many records match, exactly."""
        if ask.finds_nothing:
            return 0
        counts = self._counts(connection, ask)
        found = self.selects.count(connection.dialect.name, ask, counts)
        [[count]] = fetch(connection, found, self._binds(connection, ask))
        return int(count)

    def facets(
        self, connection: Connection, ask: Ask, names: Sequence[str]
    ) -> dict[str, list[dict[str, Any]]]:
        """The values of facets over all that matches, the most frequent first, ties by value."""
        facets: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
        if not names or ask.finds_nothing:
            return facets
        counts = self._counts(connection, ask, names)
        found = self.selects.facets(connection.dialect.name, ask, sorted(names), counts)
        for name, value, label, count in fetch(connection, found, self._binds(connection, ask)):
            facets[name].append({"id": value, "label": label, "count": count})
        for values in facets.values():
            values.sort(key=lambda value: (-value["count"], value["id"]))
        return facets

    def _counts(self, connection: Connection, ask: Ask, names: Sequence[str] = ()) -> Counts | None:
        """The counters, where they know the answer."""
        known = self.counts and self.counts.know(connection, ask.asked, names)
        return self.counts if known else None

    def streamed(self, connection: Connection, ask: Ask) -> int:
        """How many records `rows` gives without a limit."""
        count = self.count(connection, ask)
        return min(count, MOST_HITS) if ask.sort == "relevance" else count

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

    def phases(self, ask: Ask, bound: Mapping[str, Any]) -> list[str]:
        """The ranges that an order is read in, one after the other, from its position on.

        `all` where it is not by date. Else first the `dated`, then the `undated` in either
        direction. From a day on: those `straddling` it, which are vague, begin before all those
        `within`, so that nothing that ended before need be looked at.
        """
        if ask.sort.removeprefix("-") != self.dated:
            return ["all"]
        since = self.selects.since
        if since and since in ask.asked:
            if ask.after and ask.after[0] is None:  # Made up: nothing without a date is found.
                return []
            descending = ask.sort.startswith("-")
            phases = ["within", "straddling"] if descending else ["straddling", "within"]
            if ask.after and (ask.after[0] < bound[since]) == descending:
                del phases[0]
            return phases
        if ask.after is not None and ask.after[0] is None:
            return ["undated"]
        if any(name.endswith("_to") for name in ask.asked):
            return ["dated"]
        return ["dated", "undated"]
