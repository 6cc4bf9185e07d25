"""Answers kept for a day, so that a POST sent twice writes once."""

from typing import NamedTuple

from sqlalchemy import Column, Connection, LargeBinary, Table, Text, delete, insert, select

from api.store.tables import TEXT, metadata

table = Table(
    "idempotency",
    metadata,
    Column("actor", TEXT, primary_key=True),
    Column("path", TEXT, primary_key=True),
    Column("key", TEXT, primary_key=True),
    Column("body_hash", LargeBinary, nullable=False),
    Column("kind", TEXT, nullable=False),
    Column("id", TEXT, nullable=False, index=True),
    Column("answer", Text, nullable=False),
    Column("at", TEXT, nullable=False, index=True),
)


class Kept(NamedTuple):
    """An answer that was given: what record it tells of, its JSON, and what had been sent."""

    kind: str
    id: str
    answer: str
    body_hash: bytes


def find(connection: Connection, actor: str, path: str, key: str, since: str) -> Kept | None:
    """The answer kept for a key since an instant."""
    found = select(table).where(
        table.c.actor == actor, table.c.path == path, table.c.key == key, table.c.at >= since
    )
    row = connection.execute(found).first()
    return Kept(row.kind, row.id, row.answer, bytes(row.body_hash)) if row else None


def keep(
    connection: Connection, actor: str, path: str, key: str, kept: Kept, at: str, since: str
) -> None:
    """Keep an answer, and forget those from before an instant."""
    connection.execute(delete(table).where(table.c.at < since))
    values = {"actor": actor, "path": path, "key": key, "at": at}
    connection.execute(insert(table).values(values | kept._asdict()))


def forget(connection: Connection, kind: str, record_id: str) -> None:
    """Forget the answers that tell of a record, and those of others that show one of that id."""
    told = (table.c.kind == kind) & (table.c.id == record_id)
    shown = table.c.answer.contains(f'"id":"{record_id}"', autoescape=True)
    connection.execute(delete(table).where(told | shown))
