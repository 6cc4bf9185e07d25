"""The record that a path names: found, never there, or retracted."""

import orjson
from sqlalchemy import Connection

from api import ledger
from api.store import sources
from api.store.records import Records
from api.web.problems import ProblemError

GONE = {"retract": "Was retracted", "redact": "Was redacted"}


def found_by(records: Records, connection: Connection, record_id: str) -> tuple[str, str]:
    """The id and view of the record, by id or alias; else 404, or 410 where it is gone."""
    found = records.one(connection, record_id)
    if found is None:
        gone = gone_by(records, connection, record_id)
        raise retracted(gone) if gone else missing(records, record_id)
    return found


def gone_by(records: Records, connection: Connection, record_id: str) -> ledger.Revision | None:
    """The last revision of a record that is gone."""
    last = ledger.last(connection, records.kind, record_id)
    return last if last is not None and last.action in GONE else None


def retracted(gone: ledger.Revision) -> ProblemError:
    """The problem that tells when and why a record went."""
    return ProblemError(
        "retracted",
        f"{GONE[gone.action]} at {gone.at}: {gone.reason}",
        headers={"ETag": f'"{gone.revision}-{gone.digest[:24]}"'},
    )


def missing(records: Records, record_id: str) -> ProblemError:
    """The problem that tells that there never was such a record."""
    singular = records.kind.removesuffix("s")
    return ProblemError(
        "not-found",
        f"There is no {singular} {record_id[:80]!r}; /v1/{records.kind} lists those that are.",
    )


def represented(records: Records, connection: Connection, record_id: str, view: str) -> str:
    """A single record as it is read: a source with its text, which lists leave out."""
    if records.kind != "sources":
        return view
    read = orjson.loads(view) | {"text": sources.text_of(connection, record_id)}
    return orjson.dumps({name: read[name] for name in records.schema.fields}).decode()
