"""API keys in the database: their hashes, scopes and ends."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    LargeBinary,
    Table,
    bindparam,
    insert,
    or_,
    select,
    update,
)

from api.store.fetch import fetch
from api.store.tables import TEXT, metadata

SCOPES = ("write", "retract", "read")

table = Table(
    "keys",
    metadata,
    Column("prefix", TEXT, primary_key=True),
    Column("name", TEXT, nullable=False, unique=True),
    Column("hash", LargeBinary, nullable=False),
    Column("scopes", TEXT, nullable=False),
    Column("created_at", TEXT, nullable=False),
    Column("expires_at", TEXT),
    Column("revoked_at", TEXT),
)

BY_PREFIX = select(table).where(table.c.prefix == bindparam("prefix"))


@dataclass(frozen=True)
class Key:
    """A key as it is kept; `name` is the actor that the log tells."""

    prefix: str
    name: str
    scopes: tuple[str, ...]
    created_at: str
    expires_at: str | None
    revoked_at: str | None

    def holds(self, now: str) -> bool:
        """Whether it may be used at an instant."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


def _key(row: Mapping[Any, Any]) -> Key:
    values: dict[str, Any] = {c.name: row[c.name] for c in table.c if c.name != "hash"}
    return Key(**values | {"scopes": tuple(row["scopes"].split())})


def find(connection: Connection, prefix: str, hashed: bytes) -> Key | None:
    """The key of that hash, compared in constant time."""
    for values in fetch(connection, BY_PREFIX, {"prefix": prefix}):
        row = dict(zip(table.c.keys(), values, strict=True))
        if hmac.compare_digest(bytes(row["hash"]), hashed):
            return _key(row)
    return None


def add(connection: Connection, key: Key, hashed: bytes) -> None:
    """Keep a new key."""
    values = key.__dict__ | {"scopes": " ".join(key.scopes), "hash": hashed}
    connection.execute(insert(table).values(values))


def every(connection: Connection) -> list[Key]:
    """All keys, revoked and expired ones too, oldest first."""
    rows = connection.execute(select(table).order_by(table.c.created_at, table.c.prefix))
    return [_key(row) for row in rows.mappings()]


def named(connection: Connection, name_or_prefix: str) -> Key | None:
    """The key of a name, or else of a prefix."""
    found = or_(table.c.name == name_or_prefix, table.c.prefix == name_or_prefix)
    row = connection.execute(select(table).where(found)).mappings().first()
    return _key(row) if row else None


def revoke(connection: Connection, key: Key, at: str) -> None:
    """End a key for good."""
    ended = update(table).where(table.c.prefix == key.prefix).values(revoked_at=at)
    connection.execute(ended)
