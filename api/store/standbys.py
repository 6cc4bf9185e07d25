"""Reads at standbys: PostgreSQL past one machine.

>>> database = Spread(url, 5, standbys, limit=10, reading=reading)
>>> with database.read() as connection:  # at a standby where `reading` gives a `Reading`
...     connection.execute(statement)

What is written, and what is read outside a `Reading`, goes to the primary; so does all else while
there is no standby to use. A read that a standby fails raises `Elsewhere`: who made it makes it
again within the same `Reading`, which never goes to one server twice.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from itertools import count
from threading import Lock
from time import monotonic
from typing import Any

from sqlalchemy import URL, Connection

from api.store.engine import READERS, STREAMS, Connections, Database
from api.store.faults import LOST, SLOW, Elsewhere, Unavailable
from api.store.watch import UNREACHABLE, Figures, Impatient, Watch, Watched


class Standby(Watched):
    """A standby, and the connections to it. None waits for another: the next server is as good."""

    def __init__(self, url: URL) -> None:
        super().__init__(url)
        server = Impatient(url, lambda: self.silent)
        self.reads = Connections(server, "read", READERS, 0)
        self.streams = Connections(server, "stream", STREAMS, 0)
        self.busy: list[None] = []  # one for each read under way; streams wait for their readers

    def close(self) -> None:
        self.reads.close()
        self.streams.close()


class Reading:
    """The reads of one request, all at one server: another may be behind it."""

    def __init__(self) -> None:
        self.failed: set[Standby] = set()
        self.chosen = False
        self.standby: Standby | None = None


class Spread(Database):
    """A database whose reads may go to standbys."""

    def __init__(
        self,
        url: str,
        lock_wait: float,
        standbys: Sequence[URL],
        *,
        limit: float,
        reading: Callable[[], Reading | None],
        figures: Figures | None = None,
    ) -> None:
        self._urls = standbys
        self._limit = limit
        self._reading = reading
        self._figures = figures
        super().__init__(url, lock_wait)

    def _open(self) -> None:
        super()._open()
        self.standbys = [Standby(url) for url in self._urls]
        self._turn = count()
        # Threads are left behind by a fork, so they begin with the first read.
        self._watch: Watch | None = None
        self._watching = Lock()

    def read(self) -> AbstractContextManager[Connection]:
        """Read, in one snapshot, at a standby where that may be."""
        reading, standby = self._chosen()
        return self._at(standby, standby.reads, reading) if reading and standby else super().read()

    def stream(self) -> AbstractContextManager[Connection]:
        """Read likewise, for as long as it takes."""
        reading, standby = self._chosen()
        if reading and standby:
            return self._at(standby, standby.streams, reading)
        return super().stream()

    def told(self) -> dict[str, Any]:
        """Each standby with its state and its lag in seconds, which may be unknown."""
        self._begin_to_watch()
        found = [{"host": s.name, "state": s.state, "lag": s.lag} for s in self.standbys]
        return {"standbys": found}

    def close(self) -> None:
        """Close all connections that are not in use, and watch no more."""
        watch, self._watch = self._watch, None
        if watch is not None:
            watch.end()
        super().close()
        for standby in self.standbys:
            standby.close()

    def _begin_to_watch(self) -> None:
        with self._watching:
            if self._watch is None:
                self._watch = Watch(self._url, self.standbys, self._limit, self._figures)

    def _chosen(self) -> tuple[Reading | None, Standby | None]:
        """Choose the standby to read at: the least busy in use, and of several these in turn."""
        reading = self._reading()
        if reading is None:
            return None, None
        if not reading.chosen:
            if self._watch is None:
                self._begin_to_watch()
            now = monotonic()
            usable = [s for s in self.standbys if s.usable(now) and s not in reading.failed]
            turn = next(self._turn) % len(self.standbys)
            in_turn = usable[turn:] + usable[:turn]
            reading.standby = min(in_turn, key=lambda one: len(one.busy), default=None)
            reading.chosen = True
        return reading, reading.standby

    @contextmanager
    def _at(
        self, standby: Standby, connections: Connections, reading: Reading
    ) -> Iterator[Connection]:
        """Lend a connection to a standby. What that refuses, another server is asked as well."""
        busy = standby.busy if connections is standby.reads else []
        busy.append(None)
        if self._figures is not None:
            self._figures.standby_read(standby.name)
        try:
            with connections.transaction() as connection:
                yield connection
        except (Unavailable, *connections.errors) as error:
            if isinstance(error, Unavailable):
                if error.reason == SLOW:  # It would take the next one as long.
                    raise
                if error.reason == LOST:
                    standby.found(UNREACHABLE, error.said)
            if self._figures is not None:
                self._figures.standby_failed(standby.name)
            reading.failed.add(standby)
            reading.chosen = False
            raise Elsewhere("A standby failed.", 1) from error
        finally:
            busy.pop()
