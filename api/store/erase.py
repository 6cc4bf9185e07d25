"""Taking content out of a database for good, as far as a transaction can: for `readout redact`.

What it leaves in free space, `Database.scrub` takes.
"""

from collections.abc import Iterable, Iterator

from sqlalchemy import Connection, Table

from api.store import counts, idempotency
from api.store.kinds import KINDS
from api.store.tables import metadata

REBUILD = "INSERT INTO {kind}_search({kind}_search) VALUES ('rebuild')"


def begin(connection: Connection) -> None:
    """Have what is deleted from here on overwritten: SQLite would only mark its pages as free."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete=ON")


def reindex(connection: Connection, kinds: Iterable[str]) -> None:
    """Make full-text indexes anew: in SQLite's, words that were deleted linger."""
    if connection.dialect.name == "sqlite":
        for kind in kinds:
            if "words" in KINDS[kind].table.c:
                connection.exec_driver_sql(REBUILD.format(kind=kind))


def tables() -> Iterator[Table]:
    """The tables that hold content of records."""
    for records in KINDS.values():
        yield records.table
        yield from records.links
        if records.names is not None:
            yield records.names
        if records.gathering is not None:
            yield records.gathering.table
    yield counts.table
    yield metadata.tables["revisions"]
    yield idempotency.table
