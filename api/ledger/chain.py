"""Walking the log from its beginning: are all changes there, and as they were logged?"""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, Row, select

from api.ledger import GENESIS, SCHEMA, chained, table
from api.store import audit
from api.store.kinds import KINDS

ACTIONS = ("create", "update", "retract", "restore", "redact")
AT_ONCE = 100  # A source's text can be a mebibyte.
MOST_KEPT = 20_000
DIGEST_BYTES = len(GENESIS)


class Finding(NamedTuple):
    """Something that does not hold: where, and why."""

    where: str
    why: str


def parsed(told: Any) -> dict[str, Any] | None:
    """What the bytes of a change tell, where they can be read."""
    try:
        read = orjson.loads(told)
    except (orjson.JSONDecodeError, TypeError):
        return None
    return read if isinstance(read, dict) else None


class Chain:
    """The chain of digests, checked link by link; afterwards `seq` and `digest` are its head.

    `checkpoints` are digests, by number, that were kept elsewhere and that it must pass through.
    """

    def __init__(self, connection: Connection, checkpoints: Mapping[int, str]) -> None:
        self.connection = connection
        self.checkpoints = dict(checkpoints)
        self.seq = 0
        self.digest = GENESIS
        self._derived = GENESIS
        self._calls: dict[str, Any] = {}

    def findings(self) -> Iterator[Finding]:
        """What does not hold, in the order of the log."""
        if self.checkpoints.get(0, GENESIS.hex()) != GENESIS.hex():
            yield Finding("change 0", "the checkpoint is none: before the first come 32 zero bytes")
        walk = audit.raw(table).order_by(table.c.seq)
        for row in self.connection.execute(walk.execution_options(yield_per=AT_ONCE)):
            wrong = [*self._number(row), *self._link(row), *self._columns(row)]
            if wrong:
                where = f"change {row.seq} ({row.kind}/{row.id}, revision {row.revision})"
                yield Finding(where, "; ".join(wrong))
        for seq in sorted(self.checkpoints):
            if seq > self.seq:
                why = f"is missing: there is a checkpoint of it, and the log ends at {self.seq}"
                yield Finding(f"change {seq}", why)

    def _number(self, row: Row[Any]) -> Iterator[str]:
        if row.seq > self.seq + 1:
            gone = f"{self.seq + 1} to {row.seq - 1}" if row.seq > self.seq + 2 else row.seq - 1
            yield f"before it {gone} is missing"
        elif row.seq <= self.seq:
            yield "it has no number that a change can have"
        self.seq = max(row.seq, self.seq)

    def _link(self, row: Row[Any]) -> Iterator[str]:
        hashed = row.hash if isinstance(row.hash, bytes) else b""
        if row.bytes is None:
            if row.action == "redact":
                yield "its bytes are missing, and what redacts is never redacted"
        elif not isinstance(row.bytes, bytes) or hashlib.sha256(row.bytes).digest() != hashed:
            yield "its bytes do not have the hash that was logged"
        right = chained(self._derived, hashed)
        if row.digest in (right, chained(self.digest, hashed)):
            right = row.digest
        else:
            yield "its digest does not follow from its hash and the digest before it"
        # One digest that was altered is told once: the next may follow from it, or from the right.
        self._derived = right
        if isinstance(row.digest, bytes) and len(row.digest) == DIGEST_BYTES:
            self.digest = row.digest
        if self.checkpoints.get(row.seq, self.digest.hex()) != self.digest.hex():
            yield "its digest is not the checkpoint's: the log up to here is another"

    def _columns(self, row: Row[Any]) -> Iterator[str]:
        """Whether the columns say what the bytes say."""
        if row.kind not in KINDS:
            yield "there is no such kind of record"
            return
        if row.action not in ACTIONS:
            yield f"there is no action {row.action!r}"
        record = None
        if row.bytes is not None:
            told = parsed(row.bytes)
            if told is None:
                yield "its bytes are no JSON object"
                return
            for name in ("kind", "id", "revision", "action"):
                if told.get(name) != getattr(row, name):
                    yield f"the column {name} says {getattr(row, name)!r}, not {told.get(name)!r}"
            yield from _form(told)
            record = told.get("record")
        wanted = self._call(row, record if isinstance(record, dict) else None)
        if row.call != wanted:
            yield f"the column call says {row.call!r}, not {wanted!r}"
        if row.kind == "accounts":
            self._keep(row.id, row.call)

    def _call(self, row: Row[Any], record: dict[str, Any] | None) -> Any:
        """The call whose call record the record belonged to then."""
        match row.kind:
            case "calls":
                return row.id
            case "accounts" | "statements" if record is None:
                return row.call if row.bytes is None else self._call_before(row)
            case "accounts" if record:
                return record.get("call")
            case "statements" if record:
                return self._call_of_account(row, record.get("account"))
        return None

    def _call_before(self, row: Row[Any]) -> Any:
        """What redacts holds no record: its call is that of the change before it."""
        if not isinstance(row.revision, int):
            return row.call
        found = select(table.c.call).where(
            table.c.kind == row.kind, table.c.id == row.id, table.c.revision == row.revision - 1
        )
        earlier = self.connection.execute(found).first()
        return earlier.call if earlier else row.call

    def _call_of_account(self, row: Row[Any], account: Any) -> Any:
        if account not in self._calls:
            found = select(table.c.call).where(
                table.c.kind == "accounts", table.c.id == account, table.c.seq < row.seq
            )
            newest = found.order_by(table.c.revision.desc()).limit(1)
            self._keep(account, self.connection.scalar(newest))
        return self._calls[account]

    def _keep(self, account: str, call: Any) -> None:
        if len(self._calls) >= MOST_KEPT:
            self._calls.clear()
        self._calls[account] = call


def _form(told: dict[str, Any]) -> Iterator[str]:
    """Whether the bytes tell all that a change tells."""
    texts = {name: told.get(name) for name in ("at", "actor", "salt")}
    if not all(isinstance(value, str) for value in texts.values()):
        yield "its bytes do not tell when, by whom, and with which salt"
    record = told.get("record")
    if told.get("action") == "redact":
        if record is not None:
            yield "it redacts, and yet holds a record"
    elif not isinstance(record, dict) or record.get("id") != told.get("id"):
        yield "its bytes hold no record of that id"
    schema = told.get("schema")
    if not isinstance(schema, int) or not 1 <= schema <= SCHEMA:
        yield f"schema {schema!r} is none that this version knows: a newer one wrote it"
