"""The SELECTs behind lists: each is built once for the *shape* of a question, and kept.

The shape is which filters are asked for, with one value or several, and in which order; the values
themselves are bound (see Records in records.py).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from sqlalchemy import (
    CTE,
    BindParameter,
    ColumnElement,
    FromClause,
    Select,
    Subquery,
    Table,
    and_,
    bindparam,
    distinct,
    func,
    literal,
    select,
    tuple_,
    union_all,
)

from api.store import search
from api.store.filters import Among, Asked, Filters, Linked, Words
from api.store.place import Place

Position = tuple[Any, ...]
Shape = tuple[Any, ...]

MOST_HITS = 1_000
MOST_FACET_VALUES = 100
LABELS = ("name", "label", "title")
KEPT = 2_000
LIMIT: BindParameter[int] = bindparam("limit")


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
        filters = tuple(sorted((name, value.shape) for name, value in self.asked.items()))
        return (filters, self.sort, *more)


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

        `phase` is the range of the order: `dated`, `undated`, or `all` where it is not by date;
        `after` how many parts the position has to go on from.
        """
        shape = ask.shape("rows", phase, after, dialect)
        return self.keep(shape, partial(self._rows, dialect, ask, phase, after))

    def count(self, dialect: str, ask: Ask) -> Select[Any]:
        """How many match."""
        build = partial(self._keys, dialect, ask, counted=True)
        return self.keep(ask.shape("count", dialect), build)

    def facets(self, dialect: str, ask: Ask, names: Sequence[str]) -> Select[Any]:
        """The most frequent values of facets: the facet, the value, its label and its count."""
        build = partial(self._facets, dialect, ask, names)
        return self.keep(ask.shape("facets", *names, dialect), build)

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
        """Where the conditions stand, and whether a record can come more than once there.

        A page is read along the index of the first link that can drive it.
        """
        for name, used in self.filters.items():
            value = ask.asked.get(name)
            if value and isinstance(used, Linked) and used.drives(value):
                repeats = len(value.values) > 1 or used.target.name != "target"
                return Place(self.table, used.link, name), repeats
        return Place(self.table), False

    def _rows(self, dialect: str, ask: Ask, phase: str, after: int) -> Select[Any]:
        if ask.sort == "relevance":
            return self._hits(dialect, ask, after > 0)
        place, repeats = self._place(ask)
        where = self._conditions(dialect, ask, place)
        days = [place.column(day) for day in self.days if phase != "all"]
        if phase == "dated":
            where.append(days[0].is_not(None))
        elif phase == "undated":
            where += [day.is_(None) for day in days]
        descending = ask.sort.startswith("-")
        order = [*(days if phase == "dated" else []), place.key]
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
            return in_order(found, order).limit(LIMIT)
        labelled = [key.label(f"key_{n}") for n, key in enumerate(shown)]
        keys = select(*labelled).distinct().select_from(place.origin).where(*where)
        page = in_order(keys, order).limit(LIMIT).subquery("page")
        *_, record = position = list(page.c)
        own = self.table.c.id == record
        found = select(self.table.c.view, *position).select_from(page.join(self.table, own))
        return in_order(found, position)

    def _hits(self, dialect: str, ask: Ask, after: bool) -> Select[Any]:
        """The best hits in order of relevance, at most MOST_HITS of them."""
        table = self.table
        origin, rank = search.ranked(dialect, table, "q")
        rest = replace(ask, asked={name: v for name, v in ask.asked.items() if name != "q"})
        where = self._conditions(dialect, rest, Place(table))
        if dialect != "sqlite":
            where.append(search.matches(dialect, table, "q"))
        best = select(table.c.n.label("hit"), rank.label("rank")).select_from(origin)
        hits = best.where(*where).order_by(rank, table.c.n).limit(MOST_HITS).cte("best")
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

    def _facets(self, dialect: str, ask: Ask, names: Sequence[str]) -> Select[Any]:
        """All facets at once, as what matches is found once for all of them."""
        found = self._keys(dialect, ask, counted=False).cte("found").prefix_with("MATERIALIZED")
        counts = [self._labelled(name, self._counts(name, found)) for name in names]
        return select(union_all(*counts).subquery("counts"))

    def _counts(self, name: str, found: CTE) -> Subquery:
        used = self.filters[name]
        if isinstance(used, Linked):
            value, key = used.target, used.link.c.record
            repeats = value.name != "target"  # It names two of one country, but an id once.
        elif isinstance(used, Among):
            value, key, repeats = used.column, self.table.c.id, False
        else:
            raise TypeError(f"{name} is no facet")
        counted = func.count(distinct(key) if repeats else key).label("counted")
        counts = select(value.label("value"), counted).group_by(value)
        counts = counts.where(key.in_(select(found.c[0])), value.is_not(None))
        return counts.order_by(counted.desc(), value).limit(MOST_FACET_VALUES).subquery(name)

    def _labelled(self, name: str, counts: Subquery) -> Select[Any]:
        """The label of a value is a name, label or title, else the value itself."""
        label: ColumnElement[str] = counts.c.value
        origin: FromClause = counts
        if kind := self.filters[name].refers_to:
            table = self.table.metadata.tables[kind]
            label = next(table.c[one] for one in LABELS if one in table.c)
            origin = counts.join(table, table.c.id == counts.c.value)
        shown = (literal(name).label("facet"), counts.c.value, label.label("label"))
        return select(*shown, counts.c.counted).select_from(origin)
