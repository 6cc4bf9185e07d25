"""The SELECTs behind lists: each is built once for the *shape* of a question, and kept.

The shape is which filters are asked for, with one value or several, and in which order; the values
themselves are bound (see Records in records.py).
"""

from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

from sqlalchemy import (
    BindParameter,
    Column,
    ColumnElement,
    Select,
    Table,
    and_,
    bindparam,
    distinct,
    func,
    select,
    tuple_,
    union,
)

from api.store import facets, search
from api.store.counts import Counts
from api.store.filters import Among, Asked, Filters, Is, Linked, Since, Until, Words
from api.store.place import Place
from api.store.tables import in_bytes, in_full, in_one, no_index

Position = tuple[Any, ...]
Shape = tuple[Any, ...]

MOST_HITS = 1_000
KEPT = 500  # SELECTs of a kind of record; each takes some 0.1 MB
LIMIT: BindParameter[int] = bindparam("limit")
BETWEEN = ",\n"  # two records of a page: no JSON of ours has a line break in it


@dataclass(frozen=True)
class Ask:
    """A question to a kind of record: filters, order, and the position to go on from."""

    asked: Asked
    sort: str
    after: Position | None = None

    @property
    def finds_nothing(self) -> bool:
        """Whether its full text has no positive word, so that nothing matches."""
        query = self.asked.get("q")
        return query is not None and query.values[0].finds_nothing

    def shape(self, *more: Any) -> Shape:
        """What of it the SQL depends on."""
        return (self._shape, self.sort, *more)

    @cached_property
    def _shape(self) -> Shape:
        return tuple(sorted((name, value.shape) for name, value in self.asked.items()))


class Selects:
    """Builds and keeps the SELECTs of a kind of record.

    `dated` says whether the kind has an order by earliest day, latest day and id.
    """

    def __init__(self, table: Table, filters: Filters, *, dated: bool) -> None:
        self.table = table
        self.filters = filters
        self.days = [table.c.earliest, table.c.latest] if dated else []
        self._kept: dict[Shape, Select[Any]] = {}

    def keep(self, shape: Shape, build: Callable[[], Select[Any]]) -> Select[Any]:
        """The SELECT of a shape, built where it is not there yet."""
        kept = self._kept.get(shape)
        if kept is None:
            if len(self._kept) >= KEPT:
                self._kept.clear()
            kept = self._kept[shape] = build()
        return kept

    def rows(self, dialect: str, ask: Ask, phase: str, after: int) -> Select[Any]:
        """The views in order, each with its position, at most so many as `limit` is bound to.

        `phase` is the range of the order (see Records.phases in records.py), `after` how many parts
        the position has to go on from.
        """
        shape = ask.shape("rows", phase, after, dialect, self._branches(ask))
        return self.keep(shape, partial(self._rows, dialect, ask, phase, after))

    def page(self, dialect: str, ask: Ask, phase: str, after: int) -> Select[Any]:
        """The same in one row: all views, and the parts of all positions, each in one text.

        A row is what costs most, as threads take turns at each.
        """
        shape = ask.shape("page", phase, after, dialect, self._branches(ask))
        return self.keep(shape, partial(self._page, dialect, ask, phase, after))

    def _branches(self, ask: Ask) -> int:
        if not any(value.branches for value in ask.asked.values()):
            return 0
        driven_by = next(iter(self._place(ask)[0].along), None)
        return ask.asked[driven_by].branches if driven_by else 0

    def count(self, dialect: str, ask: Ask, counts: Counts | None) -> Select[Any]:
        """How many match, by counters where these know."""
        build = partial(self._keys, dialect, ask, counted=True)
        if counts:
            build = partial(counts.total, ask.asked)
        return self.keep(ask.shape("count", counts is None, dialect), build)

    def facets(
        self, dialect: str, ask: Ask, names: Sequence[str], counts: Counts | None
    ) -> Select[Any]:
        """The most frequent values of facets, likewise: facet, value, its label and its count."""
        build = partial(self._facets, dialect, ask, names, counts)
        return self.keep(ask.shape("facets", *names, counts is None, dialect), build)

    @cached_property
    def since(self) -> str | None:
        """The name of the filter by the first day of the date that the kind is ordered by."""
        return next((name for name, used in self.filters.items() if type(used) is Since), None)

    def _conditions(
        self, dialect: str, ask: Ask, place: Place, but: Container[str] = ()
    ) -> list[ColumnElement[bool]]:
        found: list[ColumnElement[bool]] = []
        within = self._within(ask)
        for name, value in ask.asked.items():
            used = self.filters[name]
            if name in but:
                continue
            if isinstance(used, Words):
                place.joined = True
                found.append(search.matches(dialect, self.table, name))
            elif name in place.along:
                found.append(used.bind(name, value, place.along[name]))
            else:
                where = used.where(name, value, place)
                # What belongs to one record is little, and a flag leaves much.
                other = within not in (None, name) and isinstance(used, Among)
                if other or (isinstance(used, Is) and place.driver is None):
                    where = no_index(where, dialect)
                found.append(where)
        return found

    def _within(self, ask: Ask) -> str | None:
        """The filter that keeps to what belongs to one other record, such as a call: to little."""
        for name, value in ask.asked.items():
            used = self.filters[name]
            if isinstance(used, Among) and used.refers_to and value.values:
                return name
        return None

    def _place(self, ask: Ask) -> tuple[Place, bool]:
        """Where the conditions stand, and whether a record can come more than once there.

        A page is read along the index of the first link that can drive it.
        """
        for name, used in self.filters.items():
            value = ask.asked.get(name)
            if value and isinstance(used, Linked) and used.drives(value) and not self._within(ask):
                repeats = len(value.values) > 1 or used.target.name != "target"
                return Place(self.table, used.along(name, ask.asked)), repeats
        return Place(self.table), False

    def _rows(self, dialect: str, ask: Ask, phase: str, after: int) -> Select[Any]:
        if ask.sort == "relevance":
            return self._hits(dialect, ask, after > 0)
        place, repeats = self._place(ask)
        days = [place.column(day) for day in self.days if phase != "all"]
        descending = ask.sort.startswith("-")
        order = [*(days if phase != "undated" else []), place.key]
        apart = [*place.along][:1] if repeats else []
        if after and descending:  # From a position downwards nothing is later than that.
            apart += [name for name, used in self.filters.items() if type(used) is Until]
        where = self._conditions(dialect, ask, place, apart)
        where += self._phase(phase, days, begun=after > 0 and not descending)
        if after:
            here = tuple_(*order)
            parts = enumerate(order)
            last = tuple_(*(bindparam(f"after_{n}", type_=part.type) for n, part in parts))
            where.append(here < last if descending else here > last)
        shown = [*days, place.key]

        def in_order(found: Select[Any], keys: Iterable[ColumnElement[Any]]) -> Select[Any]:
            return found.order_by(*(key.desc() if descending else key.asc() for key in keys))

        if not repeats:
            place.joined = True
            found = select(self.table.c.view, *shown).select_from(place.origin).where(*where)
            # By the days too where they are unknown: PostgreSQL does not see that those are equal.
            return in_order(found, shown).limit(LIMIT)
        labelled = [key.label(f"key_{n}") for n, key in enumerate(shown)]
        keys = select(*labelled).distinct().select_from(place.origin).where(*where)
        # Each value has an order of its own to be read along, and the page needs no more of any.
        values = self._each(ask, *next(iter(place.along.items())))
        each = [in_order(keys.where(one), shown).limit(LIMIT).subquery() for one in values]
        some = union(*map(select, each)).subquery("some")
        page = in_order(select(some), some.c).limit(LIMIT).subquery("page")
        *_, record = position = list(page.c)
        own = self.table.c.id == record
        found = select(self.table.c.view, *position).select_from(page.join(self.table, own))
        return in_order(found, position).limit(LIMIT)

    def _page(self, dialect: str, ask: Ask, phase: str, after: int) -> Select[Any]:
        # Its limit keeps the rows in their order.
        view, *position = self._rows(dialect, ask, phase, after).subquery("listed").c
        parts = (in_one(in_full(part, dialect), ",", dialect) for part in position)
        return select(in_bytes(in_one(view, BETWEEN, dialect), dialect), *parts)

    def _each(self, ask: Ask, name: str, column: Column[Any]) -> list[ColumnElement[bool]]:
        """The conditions for the values of a link one by one, where they are not too many."""
        value = ask.asked[name]
        if not value.branches:
            return [self.filters[name].bind(name, value, column)]
        numbers = range(value.branches)
        return [column == bindparam(f"{name}_{n}", type_=column.type) for n in numbers]

    def _phase(
        self, phase: str, days: list[ColumnElement[str]], *, begun: bool
    ) -> list[ColumnElement[bool]]:
        """The range of an order by date; `begun` says that a position in it was reached."""
        match phase:
            case "dated":
                return [days[0].is_not(None)]
            case "undated":
                return [day.is_(None) for day in days]
            case "straddling":
                earliest, latest = days
                return [earliest < bindparam(self.since), earliest != latest]
            case "within" if not begun:
                return [days[0] >= bindparam(self.since)]
        return []

    def _hits(self, dialect: str, ask: Ask, after: bool) -> Select[Any]:
        """The best hits in order of relevance, at most MOST_HITS of them."""
        table = self.table
        rest = replace(ask, asked={name: v for name, v in ask.asked.items() if name != "q"})
        origin, number, rank = search.ranked(dialect, table, "q", alone=not rest.asked)
        where = self._conditions(dialect, rest, Place(table))
        if dialect != "sqlite":
            where.append(search.matches(dialect, table, "q"))
        best = select(number.label("hit"), rank.label("rank")).select_from(origin)
        hits = best.where(*where).order_by(rank, number).limit(MOST_HITS).cte("best")
        own = hits.join(table, table.c.n == hits.c.hit)
        found = select(table.c.view, hits.c.rank, table.c.id).select_from(own)
        if after:
            # Ranks move a little as records come and go: take the rank that the last hit has now.
            last = table.alias("last")
            at = select(hits.c.rank).join(last, last.c.n == hits.c.hit)
            at = at.where(last.c.id == bindparam("after_1"))
            now = func.coalesce(at.scalar_subquery(), bindparam("after_0", type_=rank.type))
            later = and_(hits.c.rank == now, table.c.id > bindparam("after_1"))
            found = found.where((hits.c.rank > now) | later)
        return found.order_by(hits.c.rank, table.c.id).limit(LIMIT)

    def _keys(self, dialect: str, ask: Ask, *, counted: bool) -> Select[Any]:
        """The ids of all that matches, or how many they are."""
        place, repeats = self._place(ask)
        where = self._conditions(dialect, ask, place)
        shown = func.count(distinct(place.key) if repeats else place.key) if counted else place.key
        return select(shown).select_from(place.origin).where(*where)

    def _facets(
        self, dialect: str, ask: Ask, names: Sequence[str], counts: Counts | None
    ) -> Select[Any]:
        """All facets at once, as what matches is found once for all of them."""
        if counts:
            counted = {name: counts.facet(name, ask.asked) for name in names}
        else:
            found = self._keys(dialect, ask, counted=False).cte("found").prefix_with("MATERIALIZED")
            counted = {name: facets.anew(self.table, self.filters[name], found) for name in names}
        return facets.most_frequent(self.filters, counted)
