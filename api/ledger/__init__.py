"""The append-only log of changes, chained by digests so that tampering shows.

Every change of a record is a *revision*, kept as canonical JSON (RFC 8785) and never derived again.
Changes are numbered in commit order, and each digest covers its bytes and the digest before it:
`digest(n) = SHA-256(digest(n-1) ‖ SHA-256(bytes(n)))`, with 32 zero bytes before the first.
"""

import hashlib
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import orjson
from sqlalchemy import (
    Column,
    Connection,
    Index,
    Integer,
    LargeBinary,
    Select,
    Table,
    UniqueConstraint,
    bindparam,
    func,
    literal,
    select,
    union,
)

from api.store.fetch import fetch
from api.store.tables import NUMBER, TEXT, among_texts, insert, metadata, texts
from schemas.json_text import canonical

SCHEMA = 1
MOST_REVISIONS = 2**31 - 1  # what the column holds
GENESIS = bytes(32)
SALT_BYTES = 16
AT_ONCE = 500

table = Table(
    "revisions",
    metadata,
    Column("seq", NUMBER, primary_key=True, autoincrement=False),
    Column("kind", TEXT, nullable=False),
    Column("id", TEXT, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("action", TEXT, nullable=False),
    Column("call", TEXT),
    Column("bytes", LargeBinary),
    Column("hash", LargeBinary, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    UniqueConstraint("kind", "id", "revision"),
    Index(None, "call", "seq"),
)


HEAD = select(table.c.seq, table.c.digest).order_by(table.c.seq.desc()).limit(1)


@dataclass(frozen=True)
class Change:
    """One change of one record; `call` is the call whose record it belongs to, if any.

    `record` can be in canonical JSON already.
    """

    kind: str
    id: str
    revision: int
    action: str
    actor: str
    at: str
    reason: str | None
    record: dict[str, Any] | orjson.Fragment | None
    call: str | None

    def canonical(self, salt: str) -> bytes:
        """The revision in canonical JSON; the salt keeps its hash from telling a redacted text."""
        told = self.__dict__ | {"salt": salt, "schema": SCHEMA}
        del told["call"]
        return canonical(told)


@dataclass(frozen=True)
class Revision:
    """One revision as it was logged."""

    seq: int
    kind: str
    id: str
    revision: int
    action: str
    at: str | None
    actor: str | None
    reason: str | None
    digest: str
    record: dict[str, Any] | None


def chained(before: bytes, hashed: bytes) -> bytes:
    """The digest of a revision, from the one before it and the hash of its bytes."""
    return hashlib.sha256(before + hashed).digest()


def append(connection: Connection, changes: Sequence[Change]) -> None:
    """Log changes in their order, in the transaction that makes them.

    Only one transaction writes at a time, so numbers are in commit order.
    """
    if not changes:
        return
    seq, digest = _head(connection)
    rows = []
    salts = secrets.token_hex(SALT_BYTES * len(changes))
    for place, change in enumerate(changes):
        start = place * len(salts) // len(changes)
        canonical = change.canonical(salts[start : start + 2 * SALT_BYTES])
        hashed = hashlib.sha256(canonical).digest()
        seq, digest = seq + 1, chained(digest, hashed)
        told = (change.kind, change.id, change.revision, change.action, change.call)
        rows.append((seq, *told, canonical, hashed, digest))
    insert(connection, table, table.c.keys(), rows)


def _head(connection: Connection) -> tuple[int, bytes]:
    for seq, digest in fetch(connection, HEAD, {}):
        return seq, bytes(digest)
    return 0, GENESIS


def checkpoint(connection: Connection) -> dict[str, Any]:
    """The head of the log, for keeping elsewhere."""
    seq, digest = _head(connection)
    return {"seq": seq, "digest": digest.hex()}


def last_change(connection: Connection, call: str) -> int:
    """The number of the last change to a call, or to what is or was its account or statement.

    An account that moves to another call is gone from the record of the one that it leaves.
    """
    log, moves = table.alias(), table.alias()
    accounts = select(log.c.id).where(log.c.call == call, log.c.kind == "accounts")
    # A statement goes where its account goes, which is no change of its own.
    among = select(moves.c.call).where(moves.c.kind == "accounts", moves.c.id.in_(accounts))
    calls = union(select(literal(call)), among)
    ever = select(log.c.kind, log.c.id).where(log.c.call.in_(calls)).distinct().subquery()
    same = (table.c.kind == ever.c.kind) & (table.c.id == ever.c.id)
    newest = select(func.max(table.c.seq)).select_from(ever.join(table, same))
    return connection.scalar(newest) or 0


def last(connection: Connection, kind: str, record_id: str) -> Revision | None:
    """The last revision of a record, also of one that is gone."""
    found = _of(kind, record_id).order_by(table.c.revision.desc()).limit(1)
    return next(_read(connection, found), None)


def numbers(connection: Connection, kind: str, ids: Sequence[str]) -> dict[str, int]:
    """The numbers of the last revisions of records, those that are gone too, by their ids."""
    found: dict[str, int] = {}
    dialect = connection.dialect.name
    for start in range(0, len(ids), AT_ONCE):
        some = {"kind": kind, "ids": texts(ids[start : start + AT_ONCE], dialect)}
        found |= dict(fetch(connection, _select_numbers(dialect), some))
    return found


@cache
def _select_numbers(dialect: str) -> Select[str, int]:
    these = (table.c.kind == bindparam("kind"), among_texts(table.c.id, "ids", dialect))
    return select(table.c.id, func.max(table.c.revision)).where(*these).group_by(table.c.id)


def one(connection: Connection, kind: str, record_id: str, number: int) -> Revision | None:
    """One revision of a record."""
    return next(_read(connection, _of(kind, record_id).where(table.c.revision == number)), None)


def history(
    connection: Connection, kind: str, record_id: str, after: int, limit: int
) -> list[Revision]:
    """The revisions of a record after a number, oldest first."""
    found = (
        _of(kind, record_id)
        .where(table.c.revision > min(after, MOST_REVISIONS))
        .order_by(table.c.revision)
    )
    return list(_read(connection, found.limit(limit)))


def changes(connection: Connection, after: int, limit: int | None) -> Iterator[Revision]:
    """All changes after a number, in commit order."""
    found = select(table).where(table.c.seq > after).order_by(table.c.seq)
    if limit is not None:
        found = found.limit(limit)
    return _read(connection, found.execution_options(yield_per=AT_ONCE))


def count_after(connection: Connection, after: int) -> int:
    """How many changes there are after a number."""
    return max(_head(connection)[0] - after, 0)


def _of(kind: str, record_id: str) -> Select[Any]:
    return select(table).where(table.c.kind == kind, table.c.id == record_id)


def _read(connection: Connection, found: Select[Any]) -> Iterator[Revision]:
    for row in connection.execute(found):
        told = orjson.loads(row.bytes) if row.bytes is not None else {}
        yield Revision(
            seq=row.seq,
            kind=row.kind,
            id=row.id,
            revision=row.revision,
            action=row.action,
            at=told.get("at"),
            actor=told.get("actor"),
            reason=told.get("reason"),
            digest=bytes(row.digest).hex(),
            record=told.get("record"),
        )
