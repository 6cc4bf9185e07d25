"""The embedded database: a file, and the SQLite library that is safe to use it with."""

import os
import sqlite3
from collections.abc import Iterable
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from threading import Lock
from time import monotonic, sleep
from typing import Any
from urllib.parse import quote

import orjson
from sqlalchemy import Connection, Engine, NullPool, Table, create_engine, event

from api.store.faults import BUSY, Unavailable, fault


def safe_wal(version: tuple[int, ...]) -> bool:
    """Tell whether a version of SQLite has the fix of a fault that can lose commits in WAL mode."""
    return version >= (3, 51, 3) or any(
        (*branch, fixed_in) <= version < (*branch, 1000)
        for *branch, fixed_in in ((3, 50, 7), (3, 44, 6))
    )


# `pysqlite3` carries a library of its own, Python has the machine's. A process must keep to one:
# closing a file in one copy of the library drops the locks that the other holds on it.
DRIVER: Any = import_module("pysqlite3") if find_spec("pysqlite3") else sqlite3
SAFE_WAL = safe_wal(DRIVER.sqlite_version_info)
CACHE = 8 << 10  # KiB for each connection that reads, of which a process has no more than eight
PAGE = 8 << 10  # bytes: a statement's row takes two or three kilobytes, and lies on one page
LOG = 4_000  # pages: what one table of the log's index holds, in which a reader looks first
BULK_CACHE = 128 << 10  # KiB
BULK_LOG = 16 << 10  # pages, as many as the cache holds
JOURNAL = "WAL" if SAFE_WAL else "DELETE"
REMARK = (
    None
    if SAFE_WAL
    else (
        f"SQLite {DRIVER.sqlite_version} can lose commits in WAL mode, so the rollback journal is "
        "used, where reads wait for writes; pysqlite3, or SQLite 3.51.3 or newer, does better."
    )
)


BESIDE = ("-wal", "-shm")  # what SQLite keeps beside a database in use: its log, and an index to it
GONE = "The database file is gone."
REPLACED = "The database file was replaced: the server must be restarted."
LOG_GONE = "The log beside the database file is gone: the server must be restarted."

Identity = tuple[int, int]


class File:
    """One database file: opens it, and notices when it is no longer the one that was opened.

    One connection is kept that does nothing. As long as it is there the log stays where it is; and
    by it what the log holds comes into the file when that was moved.
    """

    def __init__(
        self, path: str, wait: float, *, migrating: bool = False, bulk: bool = False
    ) -> None:
        self.path = path
        self.log = path + BESIDE[0]
        self.wait = wait
        self.migrating = migrating
        self.opened: Identity | None = None
        self.beside: list[Identity | None] = [None for _ in BESIDE]
        self._lost = ""
        self._keeper: Any = None
        self._lock = Lock()
        self.bulk = bulk

    def engine(self, use: str) -> Engine:
        """Make an engine for connections of one use."""
        engine = create_engine(
            "sqlite://",
            module=DRIVER,
            creator=lambda: self.connect(use),
            poolclass=NullPool,
            json_serializer=lambda value: orjson.dumps(value).decode(),
            json_deserializer=orjson.loads,
        )
        # A write takes its lock when it begins: one that first reads and then writes would fail at
        # once, whatever the timeout, when another has written in between.
        begin = "BEGIN IMMEDIATE" if use == "write" else "BEGIN"

        @event.listens_for(engine, "begin")
        def _(connection: Connection) -> None:
            driver_connection: Any = connection.connection.driver_connection
            driver_connection.execute(begin)

        return engine

    def connect(self, use: str) -> Any:
        """Open the file, which must be there already unless this is the migration that makes it."""
        self.check()
        before = identity(self.path)
        if not before and not self.migrating:
            raise Unavailable("There is no database file.")
        self._keep(before)
        connection = self._driver_connection()
        try:
            for name, value in self.pragmas(use).items():
                self._set(connection, name, value)
            if not self.migrating:
                self.opened = self.opened or before
            self.check()
        except BaseException:
            connection.close()
            raise
        return connection

    def _set(self, connection: Any, name: str, value: str) -> None:
        """Set up one thing.

        SQLite does not wait here for another that is making the same file.
        """
        until = monotonic() + self.wait
        while True:
            try:
                connection.execute(f"PRAGMA {name}={value}")
            except DRIVER.OperationalError as error:
                refusal = fault(error)
                busy = refusal is not None and refusal.reason == BUSY
                if not (self.migrating and busy) or monotonic() > until:
                    raise
                sleep(0.01)
            else:
                return

    def _driver_connection(self) -> Any:
        mode = "rwc" if self.migrating else "rw"
        return DRIVER.connect(
            f"file:{quote(self.path)}?mode={mode}",
            uri=True,
            timeout=self.wait,
            isolation_level=None,
            check_same_thread=False,
        )

    def look(self) -> None:
        """Keep to the file that is there; see to what must be done where it is there no more."""
        self.check()
        found = identity(self.path)
        if found:
            self._keep(found)

    def _keep(self, found: Identity | None) -> None:
        with self._lock:
            if self._keeper is not None or self.migrating or not SAFE_WAL:
                return
            keeper = self._driver_connection()
            try:
                # Only by reading does it open the log.
                keeper.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchall()
                keeper.execute("PRAGMA busy_timeout=0")
            except BaseException:
                keeper.close()
                raise
            self.opened = self.opened or found
            self.beside = [identity(self.path + name) for name in BESIDE]
            self._keeper = keeper

    def close(self) -> None:
        """Close the connection that is kept: the last to be closed takes the log into the file."""
        with self._lock:
            keeper, self._keeper = self._keeper, None
            self.beside = [None for _ in BESIDE]
            if keeper is not None:
                keeper.close()

    def pragmas(self, use: str) -> dict[str, str]:
        """Say how a connection is set up."""
        return {
            # Of a new file; one that is there keeps its own.
            **({"page_size": str(PAGE)} if self.migrating else {}),
            # WAL stands in the file, set at migration; where it is not safe it is given up.
            **({"journal_mode": JOURNAL} if self.migrating or not SAFE_WAL else {}),
            "synchronous": "FULL",  # An answered write is on the disk.
            # Changing a table in place means dropping and making it, which must not cascade.
            "foreign_keys": "OFF" if self.migrating else "ON",
            "query_only": "OFF" if use == "write" else "ON",
            # The file is not mapped: that saves a tenth of a page's time, but counts as memory of
            # the process, and kills it where the file is cut short. A stream needs no cache: it
            # reads all of the file once.
            **({"cache_size": str(-CACHE)} if use == "read" else {}),
            # Many records touch as many pages of each index, which had better stay at hand.
            **({"cache_size": str(-BULK_CACHE)} if self.bulk and use == "write" else {}),
            # A page that changes often need go from the log into the file only once in a while.
            **(
                {"wal_autocheckpoint": str(BULK_LOG if self.bulk else LOG)}
                if use == "write"
                else {}
            ),
        }

    def scrub(self, _: Iterable[Table]) -> None:
        """Write the whole file anew, without what was deleted, and empty the log beside it."""
        connection = self.connect("write")
        try:
            connection.execute("VACUUM")
            held, *_pages = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            connection.close()
        if held:
            raise Unavailable("A reader keeps an older state of the database alive.", 5)

    def check(self) -> None:
        """Refuse to go on with a file that is gone, or replaced by another, or has lost its log.

        It is looked at by name, never opened: closing any descriptor of the file would drop the
        locks that SQLite holds on it in this process.
        """
        if self.opened is None:
            return
        found = identity(self.path)
        if (
            found == self.opened
            and not self._lost
            and (self.beside[0] is None or self.beside[0] == identity(self.log))
        ):
            return
        with self._lock:
            raise Unavailable(self._lost_sight(found))

    def _lost_sight(self, found: Identity | None) -> str:
        """Say what happened, and see to it that nothing is lost by it.

        Another file is not taken up until a restart. With the old one's log beside it, whoever
        opened it would play that into it: so what was logged goes into the old file, wherever that
        is now, and the log goes.
        """
        beside = identity(self.log)
        if self._keeper is not None and (found != self.opened or beside in (None, self.beside[0])):
            with suppress(DRIVER.Error):
                self._keeper.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        if found is None:
            return self._lost or GONE
        if found != self.opened:
            for name, ours in zip(BESIDE, self.beside, strict=True):
                if ours is not None and identity(self.path + name) == ours:
                    with suppress(OSError):
                        os.unlink(self.path + name)  # noqa: PTH108 (see `identity`)
            self._lost = REPLACED
        elif beside is not None:
            self._lost = self._lost or LOG_GONE
        return self._lost or LOG_GONE


def identity(path: str) -> tuple[int, int] | None:
    """Tell which file a path names now."""
    try:
        found = os.stat(path)  # noqa: PTH116 (on every read, and a Path costs as much again)
    except OSError:
        return None
    return found.st_dev, found.st_ino
