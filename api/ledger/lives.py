"""The life of each record as the log tells it: its changes in order, and how it ended up."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row

from api.ledger import table
from api.ledger.chain import AT_ONCE, parsed
from api.store import audit

STANDS = ("create", "update", "restore")
AFTER = {
    "create": (None,),
    "update": STANDS,
    "retract": STANDS,
    "restore": ("retract", "redact"),
    "redact": (*STANDS, "retract"),
}
"""What may come before each action."""


@dataclass
class Life:
    """A record as its last change left it; `wrong` is what cannot have happened."""

    kind: str
    id: str
    revision: int = 0
    action: str | None = None
    seq: int = 0
    told: bytes | None = None
    created_at: str | None = None
    wrong: list[str] = field(default_factory=list)
    _first_at: str | None = None
    _unread: list[int] = field(default_factory=list)
    _left: list[int] = field(default_factory=list)

    @property
    def stands(self) -> bool:
        """Whether it is a record now, neither retracted nor redacted."""
        return self.action in STANDS

    def go_on(self, row: Row[Any]) -> None:
        """Take in its next change."""
        if row.revision != self.revision + 1:
            self.wrong.append(f"after revision {self.revision} comes {row.revision}")
        if row.seq <= self.seq:
            self.wrong.append(f"revision {row.revision} was logged before the one that it follows")
        if self.action not in AFTER.get(row.action, ()):
            came = f"after {self.action!r}" if self.action else "first"
            self.wrong.append(f"revision {row.revision}, {row.action!r}, cannot come {came}")
        if row.action == "redact":
            self._redacted(row)
        elif row.bytes is None:
            self._unread.append(row.seq)
        else:
            self._left.append(row.seq)
        if row.action in ("create", "restore"):
            at = (parsed(row.bytes) or {}).get("at")
            self._first_at = at if row.revision == 1 else self._first_at
            # What was redacted does not tell any more when it was created.
            self.created_at = self._first_at or at
        number = row.revision if isinstance(row.revision, int) else self.revision + 1
        self.revision, self.action, self.seq = number, row.action, row.seq
        self.told = row.bytes

    def _redacted(self, row: Row[Any]) -> None:
        if self._left:
            numbers = ", ".join(map(str, self._left[:5]))
            self.wrong.append(f"it was redacted, but the bytes of change {numbers} are still there")
        self._first_at = None
        self._unread.clear()
        self._left.clear()

    def end(self) -> None:
        """Note what only its end tells."""
        if self._unread:
            numbers = ", ".join(map(str, self._unread[:5]))
            self.wrong.append(f"the bytes of change {numbers} are gone, and it was not redacted")


def lives(connection: Connection, kind: str) -> Iterator[Life]:
    """The records of a kind, in the order of their ids."""
    names = ("id", "revision", "seq", "action", "bytes")
    found = audit.raw(table, *names).where(table.c.kind == kind)
    found = found.order_by(table.c.id, table.c.revision).execution_options(yield_per=AT_ONCE)
    life: Life | None = None
    for row in connection.execute(found):
        if life is None or row.id != life.id:
            if life is not None:
                life.end()
                yield life
            life = Life(kind, row.id)
        life.go_on(row)
    if life is not None:
        life.end()
        yield life
