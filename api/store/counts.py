"""Counters of the facets that are asked for most, those of one topic, kept with every write.

To count anew takes as long as there are statements. A counter holds how many name a topic, perhaps
an addressee, and the value of a facet, and how many of these take a position. Where statements are
written (rows.py), what they came to is taken off before their lists change, and added after.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    CompoundSelect,
    Connection,
    Executable,
    Integer,
    Select,
    Table,
    bindparam,
    case,
    delete,
    func,
    literal_column,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.dialects import postgresql, sqlite

from api.store.filters import Asked
from api.store.tables import TEXT, among_texts, metadata, texts

KEYS = ("topic", "addressee", "facet", "value")
NUMBERS = ("counted", "positions")
WHOEVER = literal_column("''", TEXT)
"""Instead of an addressee: whoever it is said to, if to anybody."""

WAITING = "statements to count"


class Counts:
    """The counters of statements, by their lists of topics, of addressees, and of each facet."""

    def __init__(self, topics: Table, addressees: Table, facets: Mapping[str, Table]) -> None:
        self.topics = topics
        self.addressees = addressees
        self.facets = facets
        keys = [Column(name, TEXT, primary_key=True) for name in KEYS]
        numbers = [Column(name, Integer, nullable=False) for name in NUMBERS]
        self.table = Table("statement_counts", metadata, *keys, *numbers, sqlite_with_rowid=False)

    # Reading

    def know(self, asked: Asked, names: Sequence[str] = ()) -> bool:
        """Whether they hold how many match what is asked for, and these facets of it."""
        one = all(len(value.values) == 1 and not value.none for value in asked.values())
        filters = {"topic"} <= asked.keys() <= {"topic", "addressee", "position"}
        return one and filters and self.facets.keys() >= set(names)

    def facet(self, name: str, asked: Asked) -> Select[Any]:
        """The values of a facet, and how many there are of each."""
        kept = self.table.c
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

    def of(self, where: ColumnElement[bool] | None = None, times: int = 1) -> CompoundSelect[Any]:
        """What the counters of statements hold: of all, or of some by their rows in `topics`."""
        topics, to = self.topics.c, self.addressees.c
        numbers = func.count(), func.count().filter(topics.position)
        counted = [(many * times).label(name) for name, many in zip(NUMBERS, numbers, strict=True)]
        each = []
        for facet, link in self.facets.items():
            value = link.alias("value")
            every = self.topics.join(value, value.c.record == topics.record)
            told = every.join(self.addressees, to.record == topics.record)
            name = literal_column(f"'{facet}'", TEXT)
            for addressee, origin in ((WHOEVER, every), (to.target, told)):
                columns = topics.target, addressee, name, value.c.target
                keys = [one.label(key) for key, one in zip(KEYS, columns, strict=True)]
                found = select(*keys, *counted).select_from(origin)
                found = found if where is None else found.where(where)
                each.append(found.group_by(*(one for one in columns if isinstance(one, Column))))
        return union_all(*each)

    # Writing

    def add(self, connection: Connection, ids: Sequence[str]) -> None:
        """Count statements in, by their lists as they are now."""
        waiting: list[str] | None = connection.info.get(WAITING)
        if waiting is None:
            self._change(connection, ids, _sum(self, connection.dialect.name, 1))
        else:
            waiting += ids

    def subtract(self, connection: Connection, ids: Sequence[str]) -> None:
        """Count statements out, before their lists change or go."""
        self._catch_up(connection)
        self._change(connection, ids, _sum(self, connection.dialect.name, -1))
        self._change(connection, ids, _clear(self, connection.dialect.name))

    @contextmanager
    def together(self, connection: Connection) -> Iterator[None]:
        """Count in at the end what is added meanwhile, which changes each counter once."""
        connection.info[WAITING] = []
        try:
            yield
            self._catch_up(connection)
        finally:
            del connection.info[WAITING]

    def _catch_up(self, connection: Connection) -> None:
        waiting = connection.info.get(WAITING, [])
        self._change(connection, waiting, _sum(self, connection.dialect.name, 1))
        waiting.clear()

    def _change(self, connection: Connection, ids: Sequence[str], change: Executable) -> None:
        if ids:
            connection.execute(change, {"ids": texts(ids, connection.dialect.name)})


@cache
def _sum(counts: Counts, dialect: str, times: int) -> Executable:
    table, these = counts.table, among_texts(counts.topics.c.record, "ids", dialect)
    insert = sqlite.insert if dialect == "sqlite" else postgresql.insert
    added = insert(table).from_select([*KEYS, *NUMBERS], counts.of(these, times))
    sums = {name: table.c[name] + added.excluded[name] for name in NUMBERS}
    changed: Executable = added.on_conflict_do_update(index_elements=KEYS, set_=sums)
    return changed


@cache
def _clear(counts: Counts, dialect: str) -> Executable:
    table, these = counts.table, among_texts(counts.topics.c.record, "ids", dialect)
    of = counts.of(these).subquery().c
    own = tuple_(*table.primary_key).in_(select(*(of[name] for name in KEYS)))
    return delete(table).where(table.c.counted == 0, own)
