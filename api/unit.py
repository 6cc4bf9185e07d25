"""One unit of work: check what records name and quote, write them, log their revisions.

The caller owns the transaction; nothing is written before everything has been checked.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import Connection, Table, insert, select

from api import ledger
from api.evidence import check_statement
from api.store import search, sources
from api.store.kinds import KINDS
from api.store.names import resolve
from schemas.base import View, Written, as_written, references, resolved
from schemas.fields import timestamp
from schemas.problem import Fault
from schemas.record import VIEWS, WRITTEN


class Rejected(Exception):
    """The records cannot be written; every fault is told, each with its pointer."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(f"{fault.pointer}: {fault.detail}" for fault in faults))
        self.faults = list(faults)


class Invalid(Rejected):
    """A record breaks a rule or names what does not exist."""


class Clash(Rejected):
    """A record clashes with another that stands."""


class Unit:
    """Writes records in one transaction. `actor` is who does it, for the log."""

    def __init__(self, connection: Connection, actor: str, reason: str | None = None) -> None:
        self.connection = connection
        self.actor = actor
        self.reason = reason
        self.now = timestamp(datetime.now(UTC))
        self._views: dict[tuple[str, str], View | None] = {}
        self._rows: dict[Table, list[dict[str, Any]]] = defaultdict(list)
        self._changes: list[ledger.Change] = []

    def look(self, kind: str, record_id: str) -> View:
        """Another record as it is read, also one that this unit is about to write."""
        view = self.find(kind, record_id)
        if view is None:
            raise KeyError(f"{kind}/{record_id}")
        return view

    def find(self, kind: str, record_id: str) -> View | None:
        """The same, or None where there is no such record."""
        key = (kind, record_id)
        if key not in self._views:
            table = KINDS[kind].table
            held = self.connection.scalar(select(table.c.view).where(table.c.id == record_id))
            self._views[key] = orjson.loads(held) if held else None
        return self._views[key]

    def text_of(self, source: str) -> str | None:
        """The text of a source, where the server holds it."""
        for row in self._rows[sources.table]:
            if row["id"] == source:
                text: str | None = row["text"]
                return text
        return sources.text_of(self.connection, source)

    def put_record(self, document: Mapping[str, Any]) -> str:
        """Write a call record; what it shares with others is created if new, left if equal.

        `document` is what the schema CallRecord loads. Returns the fate: `created` or `unchanged`.
        """
        call = document["call"]["id"]
        if self.find("calls", call) is not None:
            raise Clash([Fault("/call/id", f"The call '{call}' exists already.")])
        faults: list[Fault] = []
        clashes: list[Fault] = []
        for kind, at, written in _in_order(document):
            held = self.find(kind, written["id"])
            if held is None:
                faults += [
                    Fault(at + fault.pointer, fault.detail) for fault in self.create(kind, written)
                ]
            elif not self._equal(kind, held, written):
                clashes.append(Fault(at, f"Differs from '{written['id']}' as it stands."))
        if faults:
            raise Invalid(faults)
        if clashes:
            raise Clash(clashes)
        self.flush()
        return "created"

    def create(self, kind: str, written: Written) -> list[Fault]:
        """Prepare a new record; returns what is wrong with it, where it cannot be."""
        faults = list(self._faults(kind, written))
        if faults:
            return faults
        records = KINDS[kind]
        self._default_said_on(kind, written)
        entry = records.derive(written, self.look)
        stamps = {"revision": 1, "created_at": self.now, "updated_at": self.now}
        read = resolved(VIEWS[kind], written | entry.derived, self.look) | stamps
        view: View = VIEWS[kind].dump(read)
        view.pop("text", None)  # Of a source; it is kept in a column of its own.
        row = {"id": written["id"], **stamps, **entry.columns, "view": orjson.dumps(view).decode()}
        if "words" in records.table.c:
            row["words"] = search.stored(self.connection.dialect.name, entry.words)
        self._rows[records.table].append(row)
        for table, links in entry.links.items():
            self._rows[table] += [
                {"record": written["id"], "ordinal": place, **values}
                for place, values in enumerate(links)
            ]
        if records.names is not None:
            self._rows[records.names] += [
                {"slug": name, "record": written["id"]} for name in entry.names
            ]
        self._views[kind, written["id"]] = view
        self._changes.append(self._change(kind, written, "create", 1))
        return []

    def flush(self) -> None:
        """Write what was prepared."""
        for table in KINDS.values():
            for name in (table.table, table.names, *table.links):
                if name is not None and self._rows[name]:
                    self.connection.execute(insert(name), self._rows[name])
        ledger.append(self.connection, self._changes)
        self._rows.clear()
        self._changes.clear()

    def _change(self, kind: str, written: Written, action: str, revision: int) -> ledger.Change:
        view = self.look(kind, written["id"])
        match kind:
            case "calls":
                call = written["id"]
            case "accounts" | "statements":
                call = view["call"]["id"]
            case _:
                call = None
        return ledger.Change(
            kind=kind,
            id=written["id"],
            revision=revision,
            action=action,
            actor=self.actor,
            at=self.now,
            reason=self.reason,
            record=written,
            call=call,
        )

    def _equal(self, kind: str, held: View, written: Written) -> bool:
        if kind == "sources":
            held = held | {"text": self.text_of(written["id"])}
        return as_written(WRITTEN[kind], held) == written

    def _default_said_on(self, kind: str, written: Written) -> None:
        """`said_on` left out becomes, once, the day of the call or of the telling."""
        if kind == "statements" and "said_on" not in written:
            account = self.look("accounts", written["account"])
            on_call = written["setting"] == "on-call"
            written["said_on"] = account["call"]["held_on"] if on_call else account["given_on"]

    def _faults(self, kind: str, written: Written) -> Iterator[Fault]:
        missing = list(self._missing(kind, written))
        yield from missing
        if missing:
            return
        yield from self._taken_names(kind, written)
        match kind:
            case "topics":
                yield from self._cycle(written)
            case "calls":
                for place, side in enumerate(written["initiated_by"]):
                    yield from self._no_side(side, f"/initiated_by/{place}")
                for place, one in enumerate(written["participants"]):
                    yield from self._no_side(one["side"], f"/participants/{place}/side")
            case "accounts":
                for place, side in enumerate(written["sides"]):
                    yield from self._no_side(side, f"/sides/{place}")
            case "statements":
                account = self.look("accounts", written["account"])
                yield from check_statement(written, account, self.look, self.text_of)

    def _missing(self, kind: str, written: Written) -> Iterator[Fault]:
        """References to what does not exist."""
        for pointer, target, wanted in references(WRITTEN[kind], written):
            if self.find(target, wanted) is None and not (
                kind == target and wanted == written["id"]
            ):
                yield Fault(pointer, f"There is no {target.removesuffix('s')} '{wanted}'.")

    def _taken_names(self, kind: str, written: Written) -> Iterator[Fault]:
        records = KINDS[kind]
        if records.names is None:
            return
        mine = records.derive(written, self.look).names
        held, _ = resolve(self.connection, kind, mine)
        prepared = [row["record"] for row in self._rows[records.names] if row["slug"] in mine]
        for other in dict.fromkeys([*held, *prepared]):
            if other != written["id"]:
                yield Fault("/id", f"A name of it, id or alias, already finds '{other}'.")

    def _cycle(self, written: Written) -> Iterator[Fault]:
        broader = written["broader"]
        while broader is not None:
            if broader == written["id"]:
                yield Fault("/broader", "Must not lead back to the topic itself.")
                return
            broader = self.look("topics", broader)["broader"]

    def _no_side(self, participant: str | None, pointer: str) -> Iterator[Fault]:
        if participant and self.look("participants", participant)["kind"] == "person":
            yield Fault(pointer, f"A side is a state or organisation; '{participant}' is a person.")


def _in_order(document: Mapping[str, Any]) -> Iterator[tuple[str, str, Written]]:
    """The records of a document with their pointers, each after those that it names."""
    for kind in KINDS:
        if kind == "calls":
            yield "calls", "/call", document["call"]
        elif kind == "topics":
            yield from _broader_first(document["topics"])
        else:
            for place, written in enumerate(document[kind]):
                yield kind, f"/{kind}/{place}", written


def _broader_first(topics: list[Written]) -> Iterator[tuple[str, str, Written]]:
    waiting = {topic["id"]: (place, topic) for place, topic in enumerate(topics)}
    while waiting:
        ready = [name for name, (_, topic) in waiting.items() if topic["broader"] not in waiting]
        for name in ready or list(waiting):  # A cycle is told as a missing broader topic.
            place, topic = waiting.pop(name)
            yield "topics", f"/topics/{place}", topic
