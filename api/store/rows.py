"""Making and writing the rows of records, and finding who cites whom, by the foreign keys."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import orjson
from sqlalchemy import Column, Connection, Select, Table, bindparam, delete, select, update

from api.store import search
from api.store.counts import together
from api.store.fetch import fetch
from api.store.kinds import KINDS
from api.store.tables import among_texts, insert, texts
from schemas.base import SERVER_SET, Look, View, Written, viewed
from schemas.json_text import canonical
from schemas.record import VIEWS

AT_ONCE = 500


Values = tuple[Any, ...]
"""A row: the values of its columns, in the order of the table."""


@dataclass(frozen=True)
class Draft:
    """What a record becomes in the database, but for what the server sets: its stamps.

    It can come from another process. `call` is the call whose call record it belongs to, if any,
    `written` the record in canonical JSON, `row` the values of `drafted` columns, `links` the rows
    of link tables, by their names.
    """

    kind: str
    id: str
    call: str | None
    written: bytes
    view: str
    row: Values
    links: dict[str, list[Values]]
    names: list[str]


@dataclass(frozen=True)
class Prepared:
    """A record ready to be written."""

    draft: Draft
    stamps: dict[str, Any]
    new: bool

    @property
    def kind(self) -> str:
        """Its kind."""
        return self.draft.kind

    @property
    def id(self) -> str:
        """Its id."""
        return self.draft.id

    @property
    def names(self) -> list[str]:
        """The names that find it."""
        return self.draft.names

    @property
    def links(self) -> dict[str, list[Values]]:
        """Its rows in link tables, by their names."""
        return self.draft.links

    @property
    def json(self) -> str:
        """The record as it is read, in JSON; the stamps stand last in every view."""
        return f"{self.draft.view[:-1]},{orjson.dumps(self.stamps).decode()[1:]}"

    @cached_property
    def view(self) -> View:
        """The record as it is read."""
        view: View = orjson.loads(self.json)
        return view

    @property
    def row(self) -> dict[str, Any]:
        """Its row, by column."""
        columns = dict(zip(drafted(self.kind), self.draft.row, strict=True))
        return {**columns, **self.stamps, "view": self.json}


@cache
def carried(link: Table) -> list[str]:
    """The columns of a link table beside the record and the place in its list."""
    return [c.name for c in link.c if c.name not in ("record", "ordinal")]


@cache
def drafted(kind: str) -> list[str]:
    """The columns of a kind that a draft has values for."""
    return [c.name for c in KINDS[kind].table.c if c.name not in ("n", "view", *SERVER_SET)]


def draft(kind: str, written: Written, look: Look, dialect: str) -> Draft:
    """What a record becomes in the database, but for its stamps."""
    records, schema = KINDS[kind], VIEWS[kind]
    entry = records.derive(written, look)
    view = viewed(schema, written | entry.derived, look)
    if kind == "sources":
        del view["text"]  # It is kept in a column of its own.
    columns = {"id": written["id"], **entry.columns}
    if "words" in records.table.c:
        columns["words"] = search.stored(dialect, entry.words)
    links = {
        table.name: [
            (written["id"], place, *map(values.__getitem__, carried(table)))
            for place, values in enumerate(found)
        ]
        for table, found in entry.links.items()
    }
    return Draft(
        kind,
        written["id"],
        written["id"] if kind == "calls" else entry.columns.get("call"),
        canonical(written),
        orjson.dumps(view).decode(),
        tuple([columns[name] for name in drafted(kind)]),
        links,
        entry.names,
    )


def prepare(
    kind: str, written: Written, stamps: dict[str, Any], look: Look, dialect: str
) -> Prepared:
    """What a record becomes in the database; `stamps` are the members that the server sets."""
    return Prepared(draft(kind, written, look, dialect), stamps, new=False)


def write(connection: Connection, prepared: Sequence[Prepared]) -> None:
    """Write records, of which each kind names only kinds before it."""
    by_kind: dict[str, list[Prepared]] = {kind: [] for kind in KINDS}
    for one in prepared:
        by_kind[one.draft.kind].append(one)
    with together(connection):
        for kind, of_kind in by_kind.items():
            if of_kind:
                _write(connection, kind, of_kind)


def _write(connection: Connection, kind: str, of_kind: list[Prepared]) -> None:
    records = KINDS[kind]
    old = [one for one in of_kind if not one.new]
    ids = [one.id for one in old]
    gathering = records.gathering
    left = gathering.named(connection, ids) if gathering and old else set()
    if new := [(*one.draft.row, *one.stamps.values(), one.json) for one in of_kind if one.new]:
        indexed = connection.dialect.name == "sqlite" and "words" in records.table.c
        before = search.newest(connection, records.table) if indexed else 0
        insert(connection, records.table, [*drafted(kind), *SERVER_SET, "view"], new)
        if indexed:
            search.add(connection, records.table, before)
    if old:
        same = update(records.table).where(records.table.c.id == bindparam("written_id"))
        columns: dict[str, Any] = {name: bindparam(name) for name in old[0].row if name != "id"}
        rows = [{**one.row, "written_id": one.id} for one in old]
        connection.execute(same.values(columns), rows)
        for other in KINDS.values():
            if other.gathering and other.gathering.calls is records.table:
                other.gathering.redate(connection, rows)
    if old and records.counts:
        records.counts.subtract(connection, ids)
    for table in records.links:
        name = table.name
        values = [row for one in of_kind for row in one.draft.links[name]]
        _relink(connection, table, old, values)
    if records.names is not None:
        _relink(connection, records.names, old, [(n, o.id) for o in of_kind for n in o.names])
    if records.counts:
        records.counts.add(connection, [one.links for one in of_kind])
    if gathering:
        named = gathering.listed((one.draft.call, one.links) for one in of_kind)
        gathering.add(connection, named)
        gathering.drop(connection, left - named)


def _relink(connection: Connection, table: Table, old: list[Prepared], rows: list[Values]) -> None:
    if old:
        gone = delete(table).where(table.c.record == bindparam("written_id"))
        connection.execute(gone, [{"written_id": one.id} for one in old])
    insert(connection, table, table.c.keys(), rows)


def remove(connection: Connection, kind: str, ids: Sequence[str]) -> None:
    """Take records out of the current tables; their links, names and what follows go along."""
    table, counts, gathering = KINDS[kind].table, KINDS[kind].counts, KINDS[kind].gathering
    with together(connection):
        for start in range(0, len(ids), AT_ONCE):
            some = ids[start : start + AT_ONCE]
            left = gathering.named(connection, some) if gathering else set()
            if counts:
                counts.subtract(connection, some)
            connection.execute(delete(table).where(table.c.id.in_(some)))
            if gathering:
                gathering.drop(connection, left)


def _references(kind: str) -> Iterator[tuple[str, Column[Any], Column[Any]]]:
    """The columns that refer to records of a kind: whose they are, where, and the owner's id."""
    target = KINDS[kind].table
    for owner, records in KINDS.items():
        for table in (records.table, *records.links):
            for column in table.c:
                if column.name != "record" and column.references(target.c.id):
                    yield owner, column, table.c.record if "record" in table.c else table.c.id


def citing(connection: Connection, kind: str, record_id: str) -> dict[str, list[str]]:
    """The ids of the records that name a record, by kind."""
    found: dict[str, set[str]] = {}
    for owner, column, owner_id in _references(kind):
        ids = connection.scalars(select(owner_id).where(column == record_id).distinct())
        found.setdefault(owner, set()).update(ids)
    return {owner: sorted(ids) for owner, ids in found.items() if ids}


def hanging_on(connection: Connection, kind: str, record_id: str) -> dict[str, list[str]]:
    """The ids, by kind, of a record and of what goes with it: a call's accounts and statements."""
    going = {kind: [record_id]}
    if kind == "calls":
        for of in ("accounts", "statements"):
            table = KINDS[of].table
            ids = select(table.c.id).where(table.c.call == record_id).order_by(table.c.id)
            going[of] = list(connection.scalars(ids))
    return going


def in_the_way(connection: Connection, going: dict[str, list[str]]) -> list[str]:
    """The records, as `kind/id`, that name one of those that go, and do not go along."""
    gone = {kind: set(ids) for kind, ids in going.items()}
    found = (
        f"{other}/{one}"
        for kind, ids in going.items()
        for record_id in ids
        for other, citers in citing(connection, kind, record_id).items()
        for one in citers
        if one not in gone.get(other, ())
    )
    return list(dict.fromkeys(found))


def views(connection: Connection, kind: str, ids: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The ids and views of records, a batch at a time."""
    dialect = connection.dialect.name
    found = _select_views(kind, dialect)
    wanted = list(ids)
    for start in range(0, len(wanted), AT_ONCE):
        some = {"ids": texts(wanted[start : start + AT_ONCE], dialect)}
        yield from fetch(connection, found, some)


@cache
def _select_views(kind: str, dialect: str) -> Select[str, str]:
    table = KINDS[kind].table
    wanted = among_texts(table.c.id, "ids", dialect)
    return select(table.c.id, table.c.view).where(wanted).order_by(table.c.id)
