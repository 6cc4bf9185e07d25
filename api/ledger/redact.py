"""Redaction, for law or safety: a record's content goes, and that it went is logged.

The hashes of its changes stay, so the chain still holds. The hash tells nothing of the content: a
random salt, which goes with it, stood beside it.
"""

from datetime import UTC, datetime

from sqlalchemy import Connection, select, update

from api.ledger import Change, append, last, table
from api.store import erase, idempotency, rows
from api.store.kinds import KINDS
from schemas.fields import timestamp

NAMED = 20  # how many of the records in the way are named


class Refused(Exception):
    """The record cannot be redacted; tells why."""


def goes(connection: Connection, kind: str, record_id: str) -> dict[str, list[str]]:
    """The ids, by kind, of all that is redacted with a record; none where it has been already.

    A call takes its accounts and statements along, those too that were retracted before.
    """
    ended = last(connection, kind, record_id)
    if ended is None:
        raise Refused(f"there never was a record {kind}/{record_id}.")
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


def redact(connection: Connection, kind: str, record_id: str, actor: str, reason: str) -> list[str]:
    """Redact a record with all that goes along, as `kind/id`; what was redacted stays as it is."""
    going = goes(connection, kind, record_id)
    erase.begin(connection)
    now = timestamp(datetime.now(UTC))
    changes: list[Change] = []
    for of in reversed(KINDS):
        for gone in going.get(of, ()):
            rows.remove(connection, of, [gone])
            idempotency.forget(connection, of, gone)
            changes.append(_change(connection, of, gone, actor, now, reason))
            connection.execute(
                update(table)
                .where(table.c.kind == of, table.c.id == gone)
                .where(table.c.bytes.is_not(None), table.c.action != "redact")
                .values(bytes=None)
            )
    append(connection, changes)
    erase.reindex(connection, going)
    return [f"{change.kind}/{change.id}" for change in reversed(changes)]


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
