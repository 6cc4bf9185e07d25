"""The database server, for those who have one: PostgreSQL 15 or newer, nothing but its core."""

from collections.abc import Iterable
from math import ceil
from typing import Any

import orjson
from sqlalchemy import URL, Connection, Engine, NullPool, Table, create_engine, event

# What a write holds from its first statement to its commit, in every process: one at a time, as on
# SQLite. A migration holds it too.
WRITING = int.from_bytes(b"readout")

# One snapshot over all SELECTs of a read.
READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
# Once the lock is held nobody else writes, so each statement sees all that was committed, and only
# that. A snapshot for the whole transaction would be as old as its wait for the lock.
WRITE = f"BEGIN ISOLATION LEVEL READ COMMITTED; SELECT pg_advisory_xact_lock({WRITING})"


class Server:
    """A database on a server."""

    def __init__(self, url: URL, wait: float, *, migrating: bool) -> None:
        self.url = url
        self.wait = wait
        self.migrating = migrating
        self.opened = None

    def engine(self, use: str) -> Engine:
        """Make an engine for connections of one use."""
        engine = self.plain_engine()
        begin = WRITE if use == "write" else READ

        @event.listens_for(engine, "begin")
        def _(connection: Connection) -> None:
            connection.exec_driver_sql(begin)

        return engine

    def plain_engine(self) -> Engine:
        """Make an engine that begins no transactions."""
        return create_engine(
            self.url,
            connect_args=self.options(),
            isolation_level="AUTOCOMMIT",  # Only what we say begins a transaction.
            poolclass=NullPool,
            use_native_hstore=False,  # It costs a question on each connection, and we have none.
            json_serializer=lambda value: orjson.dumps(value).decode(),
            json_deserializer=orjson.loads,
        )

    def scrub(self, tables: Iterable[Table]) -> None:
        """Write tables anew, without what was deleted, and take their statistics anew."""
        with self.plain_engine().connect() as connection:
            connection.exec_driver_sql("SET statement_timeout = 0")
            for table in tables:
                connection.exec_driver_sql(f"VACUUM (FULL, ANALYZE) {table.name}")

    def options(self) -> dict[str, Any]:
        """Say how a connection is set up; what the URL says itself goes before."""
        milliseconds = ceil(self.wait * 1000)
        limits = {
            "lock_timeout": milliseconds,
            "statement_timeout": 0 if self.migrating else 30_000,
            # Also the longest that a reader of a stream may pause.
            "idle_in_transaction_session_timeout": 300_000,
        }
        ours = {
            "application_name": "readout",
            "connect_timeout": max(2, ceil(self.wait)),
            # A server that went without a word is noticed within about a minute.
            "keepalives_idle": 30,
            "keepalives_interval": 10,
            "keepalives_count": 3,
            "tcp_user_timeout": 60_000,
            "options": " ".join(f"-c {name}={value}" for name, value in limits.items()),
        }
        theirs = self.url.query
        if isinstance(given := theirs.get("options"), str):
            ours["options"] = f"{ours['options']} {given}"
        return {
            name: value for name, value in ours.items() if name == "options" or name not in theirs
        }

    def check(self) -> None:
        """Nothing to look at: a server that is gone says so when it is asked."""

    look = close = check
