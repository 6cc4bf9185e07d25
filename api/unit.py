"""One unit of work: check what records name and quote, write them, log their revisions.

The caller owns the transaction: `with database.write() as connection`. What is wrong is raised, all
of it at once, and then nothing is written.

>>> unit = Unit(connection, actor="ministry-desk", reason="corrected the office")
>>> unit.put("participants", written)
'updated'
>>> unit.commit()
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

import orjson
from sqlalchemy import Connection, select

from api import ledger
from api.rules import faults_of, name_clashes
from api.store import rows, sources
from api.store.kinds import KINDS
from api.store.rows import Prepared
from schemas.base import View, Written, as_written
from schemas.fields import timestamp
from schemas.problem import Fault
from schemas.record import WRITTEN

NAMED = 20  # how many of the records in the way an error names


class Rejected(Exception):
    """The records cannot be written; every fault is told, each with its pointer."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        told = (
            f"{fault.pointer}: {fault.detail}" if fault.pointer else fault.detail
            for fault in faults
        )
        super().__init__("; ".join(told))
        self.faults = list(faults)


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
        self._texts: dict[str, str | None] = {}
        self._prepared: dict[tuple[str, str], Prepared] = {}
        self._changes: list[ledger.Change] = []
        self._shown_otherwise: list[tuple[str, str]] = []

    # What stands, this unit's own work included

    def find(self, kind: str, record_id: str) -> View | None:
        """A record as it is read, or None where there is none."""
        key = (kind, record_id)
        if key not in self._views:
            table = KINDS[kind].table
            held = self.connection.scalar(select(table.c.view).where(table.c.id == record_id))
            self._views[key] = orjson.loads(held) if held else None
        return self._views[key]

    def look(self, kind: str, record_id: str) -> View:
        """A record as it is read, which must be there."""
        view = self.find(kind, record_id)
        if view is None:
            raise KeyError(f"{kind}/{record_id}")
        return view

    def written(self, kind: str, record_id: str) -> Written:
        """A record as it is written."""
        view = self.look(kind, record_id)
        if kind == "sources":
            view = view | {"text": self.text_of(record_id)}
        return as_written(WRITTEN[kind], view)

    def text_of(self, source: str) -> str | None:
        """The text of a source, where the server holds it."""
        if source not in self._texts:
            self._texts[source] = sources.text_of(self.connection, source)
        return self._texts[source]

    def names_prepared(self, kind: str) -> Iterator[tuple[str, Prepared]]:
        """The names that records of a kind will be found by once this unit is committed."""
        for one in self._prepared.values():
            if one.kind == kind:
                for name in one.names:
                    yield name, one

    # Writing

    def put(self, kind: str, written: Written, at: str = "") -> str:
        """Make a record what is written; returns the fate: `created, updated, restored, unchanged`.

        `at` is put before the pointers of what is wrong.
        """
        self._default_said_on(kind, written)
        self._reject(Invalid, faults_of(self, kind, written), at)
        self._reject(Clash, name_clashes(self, kind, written), at)
        held = self.find(kind, written["id"])
        if held is not None:
            stood = self.written(kind, written["id"])
            if stood == written:
                return "unchanged"
            action, number = "update", held["revision"] + 1
            created = held["created_at"]
            if any(stood[one] != written[one] for one in KINDS[kind].shown):
                self._shown_otherwise.append((kind, written["id"]))
        else:
            before = ledger.last(self.connection, kind, written["id"])
            action, number = ("restore", before.revision + 1) if before else ("create", 1)
            first = ledger.one(self.connection, kind, written["id"], 1) if before else None
            created = first.at if first and first.at else self.now
        self._prepare(kind, written, number, created, self.now, new=held is None)
        self._log(kind, written, action, number)
        return f"{action}d"

    def retract(self, kind: str, record_id: str) -> None:
        """Take a record back; a call takes its accounts and statements along."""
        self._write()
        going = rows.hanging_on(self.connection, kind, record_id)
        citing = rows.in_the_way(self.connection, going)
        if citing:
            named = ", ".join(citing[:NAMED])
            raise Clash([Fault("", f"Is named by {len(citing)} records, such as: {named}.")])
        for of in reversed(KINDS):
            for gone in going.get(of, ()):
                self._take_back(of, gone)

    def commit(self) -> None:
        """Write what was prepared, bring up to date what shows it, and log the changes.

        It is the caller's transaction that makes all this last.
        """
        self._write()
        for kind, record_id in self._shown_otherwise:
            self._refresh(kind, record_id)
        self._shown_otherwise.clear()
        ledger.append(self.connection, self._changes)
        self._changes.clear()

    def _write(self) -> None:
        rows.write(self.connection, list(self._prepared.values()))
        self._prepared.clear()

    def _take_back(self, kind: str, record_id: str) -> None:
        self._log(
            kind,
            self.written(kind, record_id),
            "retract",
            self.look(kind, record_id)["revision"] + 1,
        )
        rows.remove(self.connection, kind, [record_id])
        self._views[kind, record_id] = None

    def _prepare(
        self, kind: str, written: Written, number: int, created: str, updated: str, *, new: bool
    ) -> None:
        stamps = {"revision": number, "created_at": created, "updated_at": updated}
        dialect = self.connection.dialect.name
        prepared = rows.prepare(kind, written, stamps, self.look, dialect, new=new)
        self._prepared[kind, written["id"]] = prepared
        self._views[kind, written["id"]] = prepared.view
        if kind == "sources":
            self._texts[written["id"]] = written["text"]

    def _log(self, kind: str, written: Written, action: str, number: int) -> None:
        self._changes.append(
            ledger.Change(
                kind=kind,
                id=written["id"],
                revision=number,
                action=action,
                actor=self.actor,
                at=self.now,
                reason=self.reason,
                record=written,
                call=self._call_of(kind, written),
            )
        )

    def _call_of(self, kind: str, written: Written) -> str | None:
        """The call whose call record a record belongs to, if it belongs to one."""
        match kind:
            case "calls":
                return str(written["id"])
            case "accounts":
                return str(written["call"])
            case "statements":
                return str(self.look("accounts", written["account"])["call"]["id"])
        return None

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
                    self._write()
            self._write()

    def _derive_again(self, kind: str, record_id: str) -> None:
        held = self.look(kind, record_id)
        written = self.written(kind, record_id)
        wrong = [
            Fault("", f"{kind}/{record_id}{fault.pointer}: {fault.detail}")
            for fault in faults_of(self, kind, written)
        ]
        self._reject(Clash, wrong[:NAMED])
        self._prepare(
            kind, written, held["revision"], held["created_at"], held["updated_at"], new=False
        )
        if kind == "statements":  # There can be very many, and no record names one.
            del self._views[kind, record_id]

    def _default_said_on(self, kind: str, written: Written) -> None:
        """`said_on` left out becomes, once, the day of the call or of the telling."""
        if kind == "statements" and "said_on" not in written:
            account = self.find("accounts", written["account"])
            on_call = written["setting"] == "on-call"
            day = (
                (account["call"]["held_on"] if on_call else account["given_on"])
                if account
                else None
            )
            written["said_on"] = day

    @staticmethod
    def _reject(why: type[Rejected], faults: Iterable[Fault], at: str = "") -> None:
        found = [Fault(at + fault.pointer, fault.detail) for fault in faults]
        if found:
            raise why(found)
