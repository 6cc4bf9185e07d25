"""Redaction, for law or safety: a record's content goes, and that it went is logged.

The hashes of its changes stay, so the chain still holds. The hash tells nothing of the content: a
random salt, which goes with it, stood beside it.
"""

from dataclasses import replace
from datetime import UTC, datetime

import orjson
from sqlalchemy import Connection, select, update

from api.ledger import Change, append, last, one, table
from api.ledger.lives import STANDS
from api.store import erase, idempotency, rows
from api.store.kinds import KINDS
from schemas.base import View, completed
from schemas.instants import timestamp
from schemas.record import WRITTEN

NAMED = 20  # how many of the records in the way are named


class Refused(Exception):
    """The record cannot be redacted; tells why."""


def goes(
    connection: Connection, kind: str, record_id: str, *, earlier: bool = False
) -> dict[str, list[str]]:
    """The ids, by kind, of all that is redacted with a record; none where it has been already.

    A call takes its accounts and statements along, those too that were retracted before. With
    `earlier` the record stands on as it is, and only what it said before goes.
    """
    ended = last(connection, kind, record_id)
    if ended is None:
        raise Refused(f"there never was a record {kind}/{record_id}.")
    if earlier:
        if ended.action not in STANDS:
            raise Refused(f"{kind}/{record_id} does not stand: nothing of it could be left.")
        before = one(connection, kind, record_id, ended.revision - 1)
        return {} if before is None or before.action == "redact" else {kind: [record_id]}
    if ended.action == "redact":
        return {}
    going = rows.hanging_on(connection, kind, record_id)
    if citing := rows.in_the_way(connection, going):
        more = f" and {len(citing) - NAMED} more" if len(citing) > NAMED else ""
        named = ", ".join(citing[:NAMED])
        raise Refused(f"{kind}/{record_id} is named by others, which must go first: {named}{more}.")
    if kind == "calls":
        for of in ("accounts", "statements"):
            going[of] += _retracted(connection, of, record_id)
    return going


def _retracted(connection: Connection, kind: str, call: str) -> list[str]:
    """The ids of what belonged to a call to the last, and was retracted."""
    later = table.alias("later")
    newest = select(later.c.seq).where(
        later.c.kind == table.c.kind,
        later.c.id == table.c.id,
        later.c.revision == table.c.revision + 1,
    )
    found = select(table.c.id).where(
        table.c.call == call,
        table.c.kind == kind,
        table.c.action == "retract",
        ~newest.exists(),
    )
    return list(connection.scalars(found.order_by(table.c.id)))


def redact(
    connection: Connection,
    kind: str,
    record_id: str,
    actor: str,
    reason: str,
    *,
    earlier: bool = False,
) -> list[str]:
    """Redact a record with all that goes along, as `kind/id`; what was redacted stays as it is."""
    going = goes(connection, kind, record_id, earlier=earlier)
    erase.begin(connection)
    at = timestamp(datetime.now(UTC))
    changes: list[Change] = []
    for of in reversed(KINDS):
        for gone in going.get(of, ()):
            change = _change(connection, of, gone, actor, at, reason)
            changes.append(change)
            if earlier:
                changes.append(_left(connection, change))
            idempotency.forget(connection, of, gone)
            emptied = update(table).where(table.c.kind == of, table.c.id == gone)
            emptied = emptied.where(table.c.bytes.is_not(None), table.c.action != "redact")
            connection.execute(emptied.values(bytes=None))
        if not earlier:
            rows.remove(connection, of, going.get(of, ()))
    append(connection, changes)
    erase.reindex(connection, going)
    return [f"{of}/{gone}" for of, ids in going.items() for gone in ids]


def _change(
    connection: Connection, kind: str, record_id: str, actor: str, at: str, reason: str
) -> Change:
    newest = select(table.c.revision, table.c.call).where(
        table.c.kind == kind, table.c.id == record_id
    )
    before = connection.execute(newest.order_by(table.c.revision.desc()).limit(1)).one()
    return Change(
        kind=kind,
        id=record_id,
        revision=before.revision + 1,
        action="redact",
        actor=actor,
        at=at,
        reason=reason,
        record=None,
        call=before.call,
    )


def _left(connection: Connection, redacted: Change) -> Change:
    """The record as it stands, put there anew by the change after the one that redacts it."""
    kind = redacted.kind
    stood = last(connection, kind, redacted.id)
    if stood is None or stood.record is None:
        raise LookupError(f"{kind}/{redacted.id} stands, and the log does not tell how")
    written = completed(WRITTEN[kind], stood.record)
    left = replace(redacted, revision=redacted.revision + 1, action="restore", record=written)
    stamps = {"revision": left.revision, "created_at": left.at, "updated_at": left.at}

    def look(of: str, named: str) -> View:
        found = KINDS[of].table
        view = connection.scalars(select(found.c.view).where(found.c.id == named)).one()
        read: View = orjson.loads(view)
        return read

    made = rows.prepare(kind, written, stamps, look, connection.dialect.name)
    rows.write(connection, [made])
    # Its account may have moved to another call since the record itself was changed.
    return replace(left, call=made.row.get("call", redacted.call))
