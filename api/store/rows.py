"""Making and writing the rows of records, and finding who cites whom, by the foreign keys."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Column, Connection, Table, bindparam, delete, insert, select, update

from api.store import search
from api.store.kinds import KINDS
from schemas.base import Look, View, Written, viewed
from schemas.record import VIEWS

AT_ONCE = 500


@dataclass(frozen=True)
class Prepared:
    """A record ready to be written: as it is read, its row, its links, the names that find it."""

    kind: str
    id: str
    view: View
    row: dict[str, Any]
    links: dict[Table, list[dict[str, Any]]]
    names: list[str]
    new: bool


def prepare(
    kind: str,
    written: Written,
    stamps: dict[str, Any],
    look: Look,
    dialect: str,
    *,
    new: bool = False,
) -> Prepared:
    """What a record becomes in the database; `stamps` are the members that the server sets."""
    records, schema = KINDS[kind], VIEWS[kind]
    entry = records.derive(written, look)
    view = viewed(schema, written | entry.derived | stamps, look)
    if kind == "sources":
        del view["text"]  # It is kept in a column of its own.
    row = {"id": written["id"], **stamps, **entry.columns, "view": orjson.dumps(view).decode()}
    if "words" in records.table.c:
        row["words"] = search.stored(dialect, entry.words)
    links = {
        table: [
            {"record": written["id"], "ordinal": place, **values}
            for place, values in enumerate(found)
        ]
        for table, found in entry.links.items()
    }
    return Prepared(kind, written["id"], view, row, links, entry.names, new)


def write(connection: Connection, prepared: Sequence[Prepared]) -> None:
    """Write records, of which each kind names only kinds before it."""
    for kind, records in KINDS.items():
        of_kind = [one for one in prepared if one.kind == kind]
        old = [one for one in of_kind if not one.new]
        if new := [one.row for one in of_kind if one.new]:
            connection.execute(insert(records.table), new)
        if old:
            same = update(records.table).where(records.table.c.id == bindparam("written_id"))
            columns: dict[str, Any] = {name: bindparam(name) for name in old[0].row if name != "id"}
            rows = [{**one.row, "written_id": one.id} for one in old]
            connection.execute(same.values(columns), rows)
        for table in records.links:
            _relink(connection, table, old, [row for one in of_kind for row in one.links[table]])
        if records.names is not None:
            rows = [{"slug": name, "record": one.id} for one in of_kind for name in one.names]
            _relink(connection, records.names, old, rows)


def _relink(
    connection: Connection, table: Table, old: list[Prepared], rows: list[dict[str, Any]]
) -> None:
    if old:
        gone = delete(table).where(table.c.record == bindparam("written_id"))
        connection.execute(gone, [{"written_id": one.id} for one in old])
    if rows:
        connection.execute(insert(table), rows)


def remove(connection: Connection, kind: str, ids: Sequence[str]) -> None:
    """Take records out of the current tables; their links and names go along."""
    table = KINDS[kind].table
    for start in range(0, len(ids), AT_ONCE):
        connection.execute(delete(table).where(table.c.id.in_(ids[start : start + AT_ONCE])))


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
    table = KINDS[kind].table
    wanted = list(ids)
    for start in range(0, len(wanted), AT_ONCE):
        batch = table.c.id.in_(wanted[start : start + AT_ONCE])
        found = select(table.c.id, table.c.view).where(batch).order_by(table.c.id)
        yield from connection.execute(found).all()
