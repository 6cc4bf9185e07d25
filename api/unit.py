"""One unit of work: check what records name and quote, write them, log their revisions.

The caller owns the transaction: `with database.write() as connection`. What is wrong is raised, all
of it at once, and then nothing is written.

>>> unit = Unit(connection, actor="ministry-desk", reason="corrected the office")
>>> unit.put("participants", written)
'updated'
>>> unit.commit()
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import Connection

from api import ledger
from api.rules import another_text, called, default_said_on, faults_of, name_clashes
from api.store import rows, sources
from api.store.kinds import KINDS
from api.store.rows import Draft, Prepared
from schemas.base import SERVER_SET, View, Written, as_written
from schemas.instants import timestamp
from schemas.json_text import canonical
from schemas.problem import Fault
from schemas.record import WRITTEN

NAMED = 20  # how many of the records in the way an error names


class Rejected(Exception):
    """The records cannot be written; every fault is told, each with its pointer.

    `unchecked` records were not looked at whole, as they name faulty ones.
    """

    def __init__(self, faults: Sequence[Fault], unchecked: int = 0) -> None:
        told = (
            f"{fault.pointer}: {fault.detail}" if fault.pointer else fault.detail
            for fault in faults
        )
        super().__init__("; ".join(told))
        self.faults = list(faults)
        self.unchecked = unchecked


class Invalid(Rejected):
    """A record breaks a rule or names what does not exist."""


class Clash(Rejected):
    """A record clashes with another that stands."""


class Unit:
    """Writes records in one transaction. `actor` is who does it and `reason` why, for the log."""

    def __init__(self, connection: Connection, actor: str, reason: str | None = None) -> None:
        self.connection = connection
        self.actor = actor
        self.reason = reason
        self.now = timestamp(datetime.now(UTC))
        self._views: dict[tuple[str, str], View | None] = {}
        self._written: dict[tuple[str, str], Written] = {}
        self._numbers: dict[tuple[str, str], int] = {}
        self._texts: dict[str, str | None] = {}
        self._prepared: dict[tuple[str, str], Prepared] = {}
        self._waiting: dict[tuple[str, str], str] = {}
        self._changes: list[ledger.Change] = []
        self._shown_otherwise: list[tuple[str, str]] = []

    # What stands, this unit's own work included

    def gather(self, kind: str, ids: Iterable[str]) -> None:
        """Look up together what will be asked for one by one: how records stand, or once stood."""
        new = (one for one in dict.fromkeys(ids) if (kind, one) not in self._prepared)
        wanted = [one for one in new if (kind, one) not in self._views]
        # All that ever stood is in the log, or will be when this unit is committed.
        logged = ledger.numbers(self.connection, kind, wanted)
        for one in wanted:
            self._numbers.setdefault((kind, one), logged.get(one, 0))
        once = [one for one in wanted if self._numbers[kind, one]]
        found = dict(rows.views(self.connection, kind, once))
        self._views |= {(kind, one): None for one in wanted}
        self._views |= {(kind, one): orjson.loads(view) for one, view in found.items()}

    def find(self, kind: str, record_id: str) -> View | None:
        """A record as it is read, or None where there is none."""
        key = (kind, record_id)
        if key in self._prepared:
            return self._prepared[key].view
        if key not in self._views:
            self._views[key] = None
            for _, view in rows.views(self.connection, kind, [record_id]):
                self._views[key] = orjson.loads(view)
        return self._views[key]

    def look(self, kind: str, record_id: str) -> View:
        """A record as it is read, which must be there."""
        view = self.find(kind, record_id)
        if view is None:
            raise KeyError(f"{kind}/{record_id}")
        return view

    def written(self, kind: str, record_id: str) -> Written:
        """A record as it is written."""
        key = (kind, record_id)
        if key not in self._written:
            view = self.look(kind, record_id)
            if kind == "sources":
                view = view | {"text": self.text_of(record_id)}
            self._written[key] = as_written(WRITTEN[kind], view)
        return self._written[key]

    def text_of(self, source: str) -> str | None:
        """The text of a source, where the server holds it."""
        if source not in self._texts:
            waits = self._prepared.get(("sources", source))
            held = waits.row["text"] if waits else sources.text_of(self.connection, source)
            self._texts[source] = held
        return self._texts[source]

    def waiting(self, kind: str, name: str) -> str | None:
        """The id of a record that waits to be written, by a name that two must not share."""
        return self._waiting.get((kind, name))

    def hanging_on(self, call: str) -> dict[str, list[str]]:
        """The ids, by kind, of a call and of its accounts and statements."""
        self.flush()
        return rows.hanging_on(self.connection, "calls", call)

    def number(self, kind: str, record_id: str) -> int:
        """The number of the last revision of a record, there or gone; 0 where it never was."""
        key = (kind, record_id)
        if key not in self._numbers:
            found = ledger.numbers(self.connection, kind, [record_id])
            self._numbers[key] = found.get(record_id, 0)
        return self._numbers[key]

    # Writing

    def put(self, kind: str, written: Written, at: str = "") -> str:
        """Make a record what is written; returns the fate: `created, updated, restored, unchanged`.

        `at` is put before the pointers of what is wrong.
        """
        if kind == "statements":
            default_said_on(self, written)
        held = self.find(kind, written["id"])
        stood = self.written(kind, written["id"]) if held else None
        if stood == written:
            return "unchanged"
        self._reject(Invalid, faults_of(self, kind, written), at)
        self._reject(Clash, name_clashes(self, kind, written), at)
        if held and stood:
            action, number = "update", held["revision"] + 1
            created = held["created_at"]
            if any(stood[one] != written[one] for one in KINDS[kind].shown):
                self._shown_otherwise.append((kind, written["id"]))
        else:
            before = self.number(kind, written["id"])
            if before and kind == "sources":
                gone = ledger.last(self.connection, kind, written["id"])
                stood = gone.record if gone else None
                self._reject(Invalid, another_text(stood, written), at)
            action, number = ("restore" if before else "create"), before + 1
            first = ledger.one(self.connection, kind, written["id"], 1) if before else None
            created = first.at if first and first.at else self.now
        stamps = {"revision": number, "created_at": created, "updated_at": self.now}
        draft = self._prepare(kind, written, stamps, new=held is None)
        self._log(kind, draft.id, action, number, draft.written, draft.call)
        return f"{action}d"

    def create(self, draft: Draft) -> None:
        """Write a record that never was, and is known to keep to the rules."""
        stamps = {"revision": 1, "created_at": self.now, "updated_at": self.now}
        self._wait(draft, stamps, new=True)
        self._log(draft.kind, draft.id, "create", 1, draft.written, draft.call)

    def retract(self, kind: str, record_id: str) -> None:
        """Take a record back; a call takes its accounts and statements along."""
        self.flush()
        going = rows.hanging_on(self.connection, kind, record_id)
        citing = rows.in_the_way(self.connection, going)
        if citing:
            named = ", ".join(citing[:NAMED])
            raise Clash([Fault("", f"Is named by {len(citing)} records, such as: {named}.")])
        for of in reversed(KINDS):
            for gone in going.get(of, ()):
                self._take_back(of, gone)
            rows.remove(self.connection, of, going.get(of, ()))

    def commit(self) -> None:
        """Write what was prepared, bring up to date what shows it, and log the changes.

        It is the caller's transaction that makes all this last.
        """
        self.flush()
        for kind, record_id in self._shown_otherwise:
            self._refresh(kind, record_id)
        self._shown_otherwise.clear()
        ledger.append(self.connection, self._changes)
        self._changes.clear()

    def flush(self) -> None:
        """Write what was prepared so far; what there is to log is kept for the commit."""
        rows.write(self.connection, list(self._prepared.values()))
        self._prepared.clear()
        self._waiting.clear()

    def _take_back(self, kind: str, record_id: str) -> None:
        held, written = self.look(kind, record_id), canonical(self.written(kind, record_id))
        number = held["revision"] + 1
        self._log(kind, record_id, "retract", number, written, call_of(kind, held))
        self._views[kind, record_id] = None
        del self._written[kind, record_id]

    def _prepare(self, kind: str, written: Written, stamps: dict[str, Any], *, new: bool) -> Draft:
        draft = rows.draft(kind, written, self.look, self.connection.dialect.name)
        self._wait(draft, stamps, new=new)
        if name := called(kind, written):
            self._waiting |= {(kind, one): written["id"] for one in (*draft.names, name)}
        self._written[kind, draft.id] = written
        return draft

    def _wait(self, draft: Draft, stamps: dict[str, Any], *, new: bool) -> None:
        key = (draft.kind, draft.id)
        waits = self._prepared.get(key)
        self._prepared[key] = Prepared(draft, stamps, waits.new if waits else new)
        self._views.pop(key, None)
        self._texts.pop(draft.id, None)

    def _log(
        self,
        kind: str,
        record_id: str,
        action: str,
        number: int,
        written: bytes,
        call: str | None,
    ) -> None:
        self._numbers[kind, record_id] = number
        self._changes.append(
            ledger.Change(
                kind=kind,
                id=record_id,
                revision=number,
                action=action,
                actor=self.actor,
                at=self.now,
                reason=self.reason,
                record=orjson.Fragment(written),
                call=call,
            )
        )

    def _refresh(self, kind: str, record_id: str) -> None:
        """Bring up to date what shows a record, and what shows that: views and derived columns.

        Nothing of it is a change of those records, so they keep their revision.
        """
        waiting = {
            of: set(ids) for of, ids in rows.citing(self.connection, kind, record_id).items()
        }
        for of in KINDS:
            for one in sorted(waiting.pop(of, ())):
                for other, ids in rows.citing(self.connection, of, one).items():
                    waiting.setdefault(other, set()).update(ids)
                self._derive_again(of, one)
                if len(self._prepared) >= rows.AT_ONCE:
                    self.flush()
            self.flush()

    def _derive_again(self, kind: str, record_id: str) -> None:
        held = self.look(kind, record_id)
        written = self.written(kind, record_id)
        wrong = [
            Fault("", f"{kind}/{record_id}{fault.pointer}: {fault.detail}")
            for fault in faults_of(self, kind, written)
        ]
        self._reject(Clash, wrong[:NAMED])
        self._prepare(kind, written, {name: held[name] for name in SERVER_SET}, new=False)

    @staticmethod
    def _reject(why: type[Rejected], faults: Iterable[Fault], at: str = "") -> None:
        found = [Fault(at + fault.pointer, fault.detail) for fault in faults]
        if found:
            raise why(found)


def call_of(kind: str, record: View) -> str | None:
    """The call whose call record a record belongs to, if it belongs to one."""
    if kind == "calls":
        return str(record["id"])
    return str(record["call"]["id"]) if kind in ("accounts", "statements") else None
