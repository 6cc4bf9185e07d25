"""Counters of the facets that are asked for most, those of one topic, kept with every write.

To count anew takes as long as there are statements. A counter holds how many name a topic, perhaps
an addressee, and the value of a facet, and how many of these take a position. Where statements are
written (rows.py), what they came to is taken off before their lists change, and added after.

A statement comes to as many counters as the product of its lists. Where one is longer than MOST, it
is left out, and its topics are counted anew for each answer, as long as it stands.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    CompoundSelect,
    Connection,
    Integer,
    Select,
    Table,
    bindparam,
    case,
    delete,
    func,
    literal_column,
    select,
    union,
    union_all,
)

from api.store.fetch import fetch
from api.store.filters import Asked
from api.store.tables import POSITION, TARGET, TEXT, Lists, among_texts, insert, metadata, texts

KEYS = ("topic", "addressee", "facet", "value")
NUMBERS = ("counted", "positions")
Key = tuple[str, str, str, str]

WHOEVER = ""
"""Instead of an addressee: whoever it is said to, if to anybody."""

LEFT_OUT = ""
"""Instead of a facet: statements that are in none of the counters of the topic."""

MOST = 10
CHANGES = "changes of counters"


table = Table(
    "statement_counts",
    metadata,
    *(Column(name, TEXT, primary_key=True) for name in KEYS),
    *(Column(name, Integer, nullable=False) for name in NUMBERS),
    sqlite_with_rowid=False,
)


ANY_LEFT_OUT = select(table.c.topic).where(
    table.c.topic == bindparam("topic"),
    table.c.addressee == WHOEVER,
    table.c.facet == LEFT_OUT,
)


class Counts:
    """The counters of statements, by their lists of topics, of addressees, and of each facet."""

    def __init__(self, topics: Table, addressees: Table, facets: Mapping[str, Table]) -> None:
        self.topics = topics
        self.addressees = addressees
        self.facets = facets

    @property
    def _lists(self) -> set[Table]:
        return {self.topics, self.addressees, *self.facets.values()}

    # Reading

    def know(self, connection: Connection, asked: Asked, names: Sequence[str] = ()) -> bool:
        """Whether they hold how many match what is asked for, and these facets of it."""
        one = all(len(value.values) == 1 and not value.none for value in asked.values())
        filters = {"topic"} <= asked.keys() <= {"topic", "addressee", "position"}
        if not (one and filters and self.facets.keys() >= set(names)):
            return False
        return not fetch(connection, ANY_LEFT_OUT, {"topic": asked["topic"].values[0]})

    def facet(self, name: str, asked: Asked) -> Select[Any]:
        """The values of a facet, and how many there are of each."""
        kept = table.c
        many: ColumnElement[int] = kept.counted
        if "position" in asked:
            others = kept.counted - kept.positions
            many = case((bindparam("position", type_=Boolean), kept.positions), else_=others)
        addressee = bindparam("addressee") if "addressee" in asked else WHOEVER
        these = (kept.topic == bindparam("topic"), kept.addressee == addressee, kept.facet == name)
        return select(kept.value, many.label("counted")).where(*these, many > 0)

    def total(self, asked: Asked) -> Select[Any]:
        """How many match: each of them names the topic."""
        own = next(name for name, link in self.facets.items() if link is self.topics)
        found = self.facet(own, asked).subquery()
        counted = func.coalesce(func.sum(found.c.counted), 0)
        return select(counted).where(found.c.value == bindparam("topic"))

    def recounted(self) -> CompoundSelect[Any]:
        """The rows that the counters should be, by the lists of all statements."""
        topics, to = self.topics.c, self.addressees.c
        numbers = func.count(), func.count().filter(topics.position)
        counted = [many.label(name) for name, many in zip(NUMBERS, numbers, strict=True)]
        whoever, left_out = (
            literal_column(f"'{WHOEVER}'", TEXT),
            literal_column(f"'{LEFT_OUT}'", TEXT),
        )
        long = union(*(select(link.c.record).where(link.c.ordinal >= MOST) for link in self._lists))
        of_left_out = zip(KEYS, (topics.target, whoever, left_out, left_out), strict=True)
        left = select(*(one.label(key) for key, one in of_left_out), *counted)
        left = left.where(topics.record.in_(long))
        each = [left.group_by(topics.target)]
        for facet, link in self.facets.items():
            value = link.alias("value")
            every = self.topics.join(value, value.c.record == topics.record)
            told = every.join(self.addressees, to.record == topics.record)
            name = literal_column(f"'{facet}'", TEXT)
            for addressee, origin in ((whoever, every), (to.target, told)):
                columns = topics.target, addressee, name, value.c.target
                keys = [one.label(key) for key, one in zip(KEYS, columns, strict=True)]
                found = select(*keys, *counted).select_from(origin)
                found = found.where(topics.record.not_in(long))
                each.append(found.group_by(*(one for one in columns if isinstance(one, Column))))
        return union_all(*each)

    # Writing

    def add(self, connection: Connection, lists: Iterable[Lists]) -> None:
        """Count statements in, by the rows of their lists; within `together`."""
        self._change(connection, lists, 1)

    def subtract(self, connection: Connection, ids: Sequence[str]) -> None:
        """Count statements out, before their lists change or go; likewise."""
        found: dict[str, dict[str, list[Any]]] = {one: defaultdict(list) for one in ids}
        wanted = {"ids": texts(ids, connection.dialect.name)}
        for link in self._lists:
            for row in fetch(connection, _rows(link, connection.dialect.name), wanted):
                found[row[0]][link.name].append(row)
        self._change(connection, found.values(), -1)

    def _change(self, connection: Connection, lists: Iterable[Lists], times: int) -> None:
        changes: Changes = connection.info[CHANGES]
        names = [link.name for link in self._lists]
        facets = [(name, link.name) for name, link in self.facets.items()]
        for one in lists:
            if any(len(one[name]) > MOST for name in names):
                for row in one[self.topics.name]:
                    changes.add((row[TARGET], WHOEVER, LEFT_OUT, LEFT_OUT), times, row[POSITION])
                continue
            whom = [WHOEVER, *(row[TARGET] for row in one[self.addressees.name])]
            values = [(facet, row[TARGET]) for facet, link in facets for row in one[link]]
            for row in one[self.topics.name]:
                for addressee in whom:
                    for facet, value in values:
                        changes.add((row[TARGET], addressee, facet, value), times, row[POSITION])


@contextmanager
def together(connection: Connection) -> Iterator[None]:
    """Change each counter once, at the end, for all that is counted in and out meanwhile."""
    info = connection.info  # A connection that is lost meanwhile does not give it any more.
    if CHANGES in info:
        yield
        return
    changes = info[CHANGES] = Changes()
    try:
        yield
        changes.make(connection)
    finally:
        del info[CHANGES]


class Changes(dict[Key, list[int]]):
    """By how much counters change."""

    def add(self, key: Key, times: int, position: bool) -> None:
        """Count a statement so many times."""
        found = self.get(key)
        if found is None:
            self[key] = [times, times * position]
        else:
            found[0] += times
            found[1] += times * position

    def make(self, connection: Connection) -> None:
        """Write them, and leave out those that come to nothing."""
        rows = [(*key, *numbers) for key, numbers in self.items() if any(numbers)]
        insert(connection, table, (*KEYS, *NUMBERS), rows, adding=NUMBERS)
        less = [dict(zip(KEYS, key, strict=True)) for key, (many, _) in self.items() if many < 0]
        if less:
            own = (table.c[name] == bindparam(name) for name in KEYS)
            connection.execute(delete(table).where(*own, table.c.counted == 0), less)


@cache
def _rows(link: Table, dialect: str) -> Select[Any]:
    return select(link).where(among_texts(link.c.record, "ids", dialect))
