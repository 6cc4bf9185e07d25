"""Transactions on the database, the same on SQLite and on PostgreSQL.

>>> database = Database("sqlite:////var/lib/readout.sqlite", lock_wait=5)
>>> with database.read() as connection:  # one snapshot, read-only
...     connection.execute(statement)
>>> with database.write() as connection:  # one writer at a time; at the end committed and synced
...     connection.execute(statement)

What the database refuses comes out as `Unavailable` or `Full`; a mistake of ours stays what it is.
"""

import logging
import os
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from copy import copy
from threading import BoundedSemaphore
from typing import Any
from weakref import WeakSet

from sqlalchemy import Connection, Engine, Table, make_url
from sqlalchemy.exc import SQLAlchemyError

from api.store.faults import BUSY, IN_USE, Full, Unavailable, fault
from api.store.postgresql import Server
from api.store.sqlite import DRIVER, File

__all__ = ["Database", "Full", "Unavailable"]

log = logging.getLogger("readout")

# How many connections of a process do each at once. Streams are apart: they go out as slowly as
# their readers take them, and must not use up what the other requests need.
READERS, STREAMS, WRITERS = 8, 8, 1
# How many requests of a process wait for their turn to write. More are refused at once: each takes
# a thread of the server's, and a write that lasts must leave some to those who read.
WAITING = 56


class Database:
    """The database, as one process uses it. Nothing is opened before it is needed.

    With `bulk` it takes more memory, to write very much. Execution options go to `execute()`, not
    to the connection, which others use afterwards.
    """

    def __init__(
        self, url: str, lock_wait: float = 5, *, migrating: bool = False, bulk: bool = False
    ) -> None:
        self._url = make_url(url)
        self._migrating = migrating
        self._bulk = bulk
        self.dialect = self._url.get_backend_name()
        self.lock_wait = lock_wait
        self._open()
        _all.add(self)

    def _open(self) -> None:
        wait = self.lock_wait
        self._place = place = (
            File(str(self._url.database), wait, migrating=self._migrating, bulk=self._bulk)
            if self.dialect == "sqlite"
            else Server(self._url, wait, migrating=self._migrating)
        )
        self._reads = Connections(place, "read", READERS, wait)
        self._streams = Connections(place, "stream", STREAMS, 0)
        self._writes = Connections(place, "write", WRITERS, wait)

    def read(self) -> AbstractContextManager[Connection]:
        """Read, in one snapshot."""
        return self._reads.transaction()

    def stream(self) -> AbstractContextManager[Connection]:
        """Read, in one snapshot, for as long as it takes; for the generator of an answer.

        It may end in another thread than it began in. With `execution_options={"yield_per": 500}`
        rows come as they are asked for.
        """
        return self._streams.transaction()

    def write(self) -> AbstractContextManager[Connection]:
        """Write, alone: what the transaction reads stays as it is until its commit.

        Leaving with an exception undoes it all.
        """
        return self._writes.transaction()

    def scrub(self, tables: Iterable[Table]) -> None:
        """Leave nothing of what was deleted from tables in free space of theirs.

        It takes room for a second copy, and others wait meanwhile.
        """
        with refusals(self._writes.errors):
            self._place.scrub(tables)

    def told(self) -> dict[str, Any]:
        """What else is to be told of how the database stands."""
        return {}

    def close(self) -> None:
        """Close all connections that are not in use."""
        for connections in (self._reads, self._streams, self._writes):
            connections.close()
        self._place.close()

    def take_for(self, other: "Database") -> None:
        """Take the file, where it is the same one, for what another found it to be."""
        if isinstance(self._place, File) and self._url == other._url:
            self._place.opened = other._place.opened

    def look(self) -> None:
        """Keep to the file that is there; see to what must be done where it is there no more."""
        with suppress(Unavailable, DRIVER.Error):
            self._place.look()


@contextmanager
def refusals(errors: tuple[type[Exception], ...]) -> Iterator[None]:
    """Name what the database refuses, and leave a mistake of ours what it is."""
    try:
        yield
    except errors as error:
        refusal = fault(error)
        if refusal is None:
            raise
        if refusal.reason != BUSY:
            log.warning("%s It said: %s", refusal.reason, refusal.said)
        raise refusal from error


class Connections:
    """The connections of one process for one use, kept open between transactions.

    SQLAlchemy's own pool sets up a `Connection` for each checkout, which costs 25 µs, as much as a
    small query.
    """

    def __init__(self, place: File | Server, use: str, most: int, wait: float) -> None:
        self.place = place
        self.writes = use == "write"
        self.wait = wait
        self.engine: Engine = place.engine(use)
        self.errors = (SQLAlchemyError, self.engine.dialect.loaded_dbapi.Error)
        self.free = BoundedSemaphore(most)
        self.places = BoundedSemaphore(most + WAITING)
        self.idle: list[Connection] = []

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Lend a connection in a transaction, committed at the end where it is one that writes."""
        self._take_turn()
        try:
            with refusals(self.errors):
                connection = self._begin()
                try:
                    yield connection
                    if self.writes:
                        connection.commit()
                        # Into a file that has gone meanwhile, a commit counts for nothing.
                        self.place.check()
                finally:
                    self._keep(connection)
        finally:
            self._end_turn()

    def _take_turn(self) -> None:
        """Wait until one of the connections is free."""
        if self.writes and not self.places.acquire(blocking=False):
            raise Unavailable(BUSY, 1)
        if not self.free.acquire(timeout=self.wait):
            if self.writes:
                self.places.release()
            raise Unavailable(*((BUSY, 1) if self.writes else (IN_USE, 5)))

    def _end_turn(self) -> None:
        self.free.release()
        if self.writes:
            self.places.release()

    def _begin(self) -> Connection:
        """Begin on a connection that was kept, or on a new one where the kept ones are dead."""
        self.place.check()
        while True:
            kept = self._kept()
            connection = kept or self.engine.connect()
            try:
                connection.begin()
            except BaseException:
                lost = connection.invalidated
                connection.invalidate()
                connection.close()
                if not (kept and lost):
                    raise
            else:
                return connection

    def _kept(self) -> Connection | None:
        """Take the connection that was used last: its cache is the warmest."""
        try:
            return self.idle.pop()
        except IndexError:
            return None

    def _keep(self, connection: Connection) -> None:
        """Undo what was not committed, and keep the connection, unless it is broken."""
        try:
            connection.rollback()
            if not connection.invalidated:
                # A commit that failed has ended for SQLAlchemy, but perhaps not for the database.
                connection.connection.rollback()
        except self.errors:
            connection.invalidate()
        if connection.invalidated:
            connection.close()
        else:
            self.idle.append(connection)

    def close(self) -> None:
        """Close the connections that are not in use."""
        while connection := self._kept():
            connection.close()


_all: WeakSet[Database] = WeakSet()
_of_the_parent: list[object] = []


def _forked() -> None:
    """Leave a parent's connections alone in its child: neither use nor close them."""
    for database in list(_all):
        before = copy(database)
        _of_the_parent.append(before)
        database._open()
        database.take_for(before)


def acquaint(database: Database) -> None:
    """Let every database of this process, and of its children, be what this one has found."""
    for other in list(_all):
        other.take_for(database)


def look_round() -> None:
    """Look after every database of this process, whether requests do so or not."""
    for database in list(_all):
        database.look()


os.register_at_fork(after_in_child=_forked)
