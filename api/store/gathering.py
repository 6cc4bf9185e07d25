"""What the accounts and statements of calls name, gathered at the call: whose telling, and topics.

So a page of calls by these is a range of an index, however many statements there are. A row comes
with the first record that names its target, and goes with the last (rows.py).
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    Connection,
    Delete,
    Select,
    Table,
    Update,
    bindparam,
    delete,
    exists,
    or_,
    select,
    update,
)

from api.store.fetch import fetch
from api.store.tables import DAYS, TARGET, TEXT, Lists, among_texts, insert, texts

Named = tuple[str, str]
"""A call, and what is named there."""


class Gathering:
    """Gathers what the records of a kind (`owner`) name in a list (`link`) at their calls."""

    def __init__(self, table: Table, calls: Table, owner: Table, link: Table) -> None:
        self.table = table
        self.calls = calls
        self.owner = owner
        self.link = link

    def named(self, connection: Connection, ids: Sequence[str]) -> set[Named]:
        """What some records name as they stand."""
        dialect = connection.dialect.name
        found = _named(self.owner, self.link, dialect)
        return set(map(tuple, fetch(connection, found, {"ids": texts(ids, dialect)})))

    def listed(self, records: Iterable[tuple[str | None, Lists]]) -> set[Named]:
        """What records name, by the call of each and the rows of its lists."""
        name = self.link.name
        return {(call, row[TARGET]) for call, of in records if call for row in of[name]}

    def add(self, connection: Connection, named: set[Named]) -> None:
        """Gather what is named now."""
        dialect = connection.dialect.name
        ids = {"ids": texts(sorted({call for call, _ in named}), dialect)}
        new = named.difference(map(tuple, fetch(connection, _gathered(self.table, dialect), ids)))
        if new:
            days = {
                call: of_call
                for call, *of_call in fetch(connection, _days(self.calls, dialect), ids)
            }
            rows = [(call, target, *days[call]) for call, target in sorted(new)]
            insert(connection, self.table, ("record", "target", *DAYS), rows)

    def drop(self, connection: Connection, named: set[Named]) -> None:
        """Let go of what was named, where nothing at the call names it any more."""
        if named:
            gone = [{"call": call, "named": target} for call, target in sorted(named)]
            connection.execute(_dropped(self.table, self.owner, self.link), gone)

    def redate(self, connection: Connection, calls: Iterable[Mapping[str, Any]]) -> None:
        """Take over the days of the rows of calls, where they changed."""
        days = [{"call": one["id"], **{day: one[day] for day in DAYS}} for one in calls]
        connection.execute(_redated(self.table), days)

    def regathered(self) -> Select[Any]:
        """The rows that there should be, by the lists of all records."""
        days = [self.calls.c[day] for day in DAYS]
        found = select(self.owner.c.call.label("record"), self.link.c.target, *days).distinct()
        every = self.link.join(self.owner, self.owner.c.id == self.link.c.record)
        return found.select_from(every.join(self.calls, self.calls.c.id == self.owner.c.call))


@cache
def _named(owner: Table, link: Table, dialect: str) -> Select[str, str]:
    found = select(owner.c.call, link.c.target).join(link, link.c.record == owner.c.id)
    return found.where(among_texts(owner.c.id, "ids", dialect))


@cache
def _gathered(table: Table, dialect: str) -> Select[str, str]:
    return select(table.c.record, table.c.target).where(among_texts(table.c.record, "ids", dialect))


@cache
def _days(calls: Table, dialect: str) -> Select[Any]:
    days = (calls.c[day] for day in DAYS)
    return select(calls.c.id, *days).where(among_texts(calls.c.id, "ids", dialect))


@cache
def _dropped(table: Table, owner: Table, link: Table) -> Delete:
    # Statements of one call are few; those that name a topic need not be.
    call, named = bindparam("call", type_=TEXT), bindparam("named", type_=TEXT)
    names_it = exists(
        select(1).where(link.c.record == owner.c.id, link.c.target == named).offset(0)
    )
    still = exists(select(1).where(owner.c.call == call, names_it))
    return delete(table).where(table.c.record == call, table.c.target == named, ~still)


@cache
def _redated(table: Table) -> Update:
    days = {day: bindparam(day, type_=TEXT) for day in DAYS}
    changed = or_(*(table.c[day].is_distinct_from(now) for day, now in days.items()))
    own = table.c.record == bindparam("call", type_=TEXT)
    return update(table).where(own, changed).values(days)
