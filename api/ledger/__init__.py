"""The append-only log of changes, chained by digests so that tampering shows.

Every change of a record is a *revision*, kept as canonical JSON (RFC 8785) and never derived again.
Changes are numbered in commit order, and each digest covers its bytes and the digest before it:
`digest(n) = SHA-256(digest(n-1) ‖ SHA-256(bytes(n)))`, with 32 zero bytes before the first.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import rfc8785
from sqlalchemy import (
    Column,
    Connection,
    Index,
    Integer,
    LargeBinary,
    Table,
    UniqueConstraint,
    func,
    insert,
    select,
    text,
)

from api.store.tables import NUMBER, TEXT, metadata

SCHEMA = 1
GENESIS = bytes(32)
SALT_BYTES = 16
ORDER_LOCK = 7215082  # Any constant: the advisory lock that orders commits on PostgreSQL.

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


@dataclass(frozen=True)
class Change:
    """One change of one record; `call` is the call whose record it belongs to, if any."""

    kind: str
    id: str
    revision: int
    action: str
    actor: str
    at: str
    reason: str | None
    record: dict[str, Any]
    call: str | None

    def canonical(self) -> bytes:
        """The revision in canonical JSON; the salt keeps its hash from telling a redacted text."""
        return rfc8785.dumps(
            {
                "kind": self.kind,
                "id": self.id,
                "revision": self.revision,
                "action": self.action,
                "actor": self.actor,
                "at": self.at,
                "reason": self.reason,
                "salt": secrets.token_hex(SALT_BYTES),
                "schema": SCHEMA,
                "record": self.record,
            }
        )


def append(connection: Connection, changes: Sequence[Change]) -> None:
    """Log changes in their order; the transaction must be the one that makes them."""
    if not changes:
        return
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": ORDER_LOCK})
    last = connection.execute(
        select(table.c.seq, table.c.digest).order_by(table.c.seq.desc()).limit(1)
    ).one_or_none()
    seq, digest = (last.seq, bytes(last.digest)) if last else (0, GENESIS)
    rows = []
    for change in changes:
        canonical = change.canonical()
        hashed = hashlib.sha256(canonical).digest()
        seq, digest = seq + 1, hashlib.sha256(digest + hashed).digest()
        rows.append(
            {
                "seq": seq,
                "kind": change.kind,
                "id": change.id,
                "revision": change.revision,
                "action": change.action,
                "call": change.call,
                "bytes": canonical,
                "hash": hashed,
                "digest": digest,
            }
        )
    connection.execute(insert(table), rows)


def last_change(connection: Connection, call: str) -> int:
    """The number of the last change to a call, its accounts or its statements."""
    newest = select(func.max(table.c.seq)).where(table.c.call == call)
    return connection.scalar(newest) or 0
