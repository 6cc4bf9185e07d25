"""How Alembic reaches the database and the tables."""

from alembic import context
from sqlalchemy import Connection

import api.ledger
import api.store.idempotency
import api.store.keys
import api.store.kinds  # noqa: F401 (these give `metadata` its tables)
from api.settings import load
from api.store.engine import Database
from api.store.tables import metadata


def ours(
    thing: object,
    name: str | None,
    kind: str,
    reflected: bool,
    like: object,
) -> bool:
    """Leave out what full text needs on the other database, or what no metadata describes."""
    of_search = bool(name and "_search" in name)
    if kind == "index":
        return not (of_search and context.get_context().dialect.name == "sqlite")
    return not (kind == "table" and of_search)


def migrate(connection: Connection) -> None:
    """Run the migrations in the transaction that the connection is in."""
    context.configure(
        connection=connection,
        target_metadata=metadata,
        include_object=ours,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_server_default=True,
    )
    with context.begin_transaction():
        context.run_migrations()
    if connection.dialect.name == "sqlite":
        # Foreign keys are off here, so that a table can be made anew while others refer to it.
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
        if broken:
            raise RuntimeError(
                f"after the migration, rows refer to what is not there: {broken[:5]}"
            )


if connection := context.config.attributes.get("connection"):
    migrate(connection)
else:
    # Called by Alembic's own command, on a developer's machine.
    with Database(load().database_url, migrating=True).write() as connection:
        migrate(connection)
