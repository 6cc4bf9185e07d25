"""The record that a path names: found, never there, or retracted."""

import orjson
from sqlalchemy import Connection

from api import ledger
from api.store import sources
from api.store.names import nearest
from api.store.records import Records
from api.web.at_hand import request
from api.web.preconditions import Standing
from api.web.problems import ProblemError
from schemas.slugs import is_slug

GONE = {"retract": "Was retracted", "redact": "Was redacted"}


def found_by(records: Records, connection: Connection, record_id: str) -> tuple[str, str]:
    """The id and view of the record, by id or alias; else 404, or 410 where it is gone."""
    found = records.one(connection, record_id)
    if found is None:
        gone = gone_by(records, connection, record_id)
        raise retracted(gone) if gone else missing(records, connection, record_id)
    return found


def gone_by(records: Records, connection: Connection, record_id: str) -> ledger.Revision | None:
    """The last revision of a record that is gone."""
    last = ledger.last(connection, records.kind, record_id)
    return last if last is not None and last.action in GONE else None


def standing_of(
    records: Records, connection: Connection, record_id: str, *, may_be_new: bool = False
) -> Standing:
    """How the record that a write names by its id stands; else 404, or 410 where it is gone.

    With `may_be_new` it need not be there, and one that is gone is brought back by `If-Match`.
    """
    number = records.revision(connection, record_id)
    if number is not None:
        return Standing(number)
    gone = gone_by(records, connection, record_id)
    if gone is None:
        if not may_be_new:
            raise missing(records, connection, record_id)
        return Standing(None)
    if not may_be_new or "If-Match" not in request.headers:
        raise retracted(gone)
    return Standing(gone.revision, gone=True)


def retracted(gone: ledger.Revision) -> ProblemError:
    """The problem that tells when and why a record went."""
    return ProblemError(
        "retracted",
        f"{GONE[gone.action]} at {gone.at}: {gone.reason}",
        headers={"ETag": f'"{gone.revision}-{gone.digest[:24]}"'},
    )


def missing(records: Records, connection: Connection, record_id: str) -> ProblemError:
    """The problem that tells that there never was such a record."""
    singular = records.kind.removesuffix("s")
    near = nearest(connection, records.kind, record_id) if is_slug(record_id) else []
    hint = (
        f"did you mean {', '.join(map(repr, near))}?" if near else f"/v1/{records.kind} lists all."
    )
    return ProblemError("not-found", f"There is no {singular} {record_id[:80]!r}; {hint}")


def represented(records: Records, connection: Connection, record_id: str, view: str) -> str:
    """A single record as it is read: a source with its text, which lists leave out."""
    if records.kind != "sources":
        return view
    read = orjson.loads(view) | {"text": sources.text_of(connection, record_id)}
    return orjson.dumps({name: read[name] for name in records.schema.fields}).decode()
